"""compare and run give the numbers of one network at a time, and mark where numbers end."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.engine import runs
from rnnviz.engine.layers import forward
from rnnviz.engine.statistics import Statistics, classified
from rnnviz.engine.trace import Trace
from rnnviz.numerics.progress import finish

CELLS, ACTIVATIONS, SCHEMES = rv.cells.CELLS, rv.activations.ACTIVATIONS, rv.schemes.SCHEMES
SMALL = rv.Config(hidden_size=9, input_size=4, output_size=3, seq_len=7, batch_size=5)


def alone(config):
    """Return the gradients of one network, by itself."""
    names = (config.cell, config.activation, config.loss_at, config.loss_reduction)
    return rv.bptt(rv.init_params(config), *runs.draw_inputs(config), *names)


def expected(g, activation):
    """Return the fields that a Trace must have, computed from the arrays of one network's `Gradients`."""
    h = g.h.reshape(len(g.h), -1)
    values = {"loss": g.loss, "log10_grad_norm": g.log10_grad_norm, "units": g.h[:, 0], "mean": np.mean(h, axis=1)}
    values |= {"second_moment": np.mean(h * h, axis=1), "variance": np.var(h, axis=1)}
    values["saturation"] = np.mean(ACTIVATIONS[activation].saturated(h), axis=1)
    return values | ({} if g.log10_grad_norm_c is None else {"log10_grad_norm_c": g.log10_grad_norm_c})


@pytest.mark.parametrize("cell", CELLS)
def test_compare_gives_the_numbers_of_one_network_at_a_time(cell):
    names = itertools.cycle(SCHEMES)
    for activation, loss_at in itertools.product(ACTIVATIONS, ("last", "every")):
        schemes = tuple(itertools.islice(names, 3))  # each of them with several activations
        reduction = "mean" if activation == "tanh" else "sum"
        config = SMALL.replace(cell=cell, activation=activation, loss_at=loss_at, loss_reduction=reduction)
        trace = rv.compare(config, schemes, (0, 5))
        for (s, scheme), (r, seed) in itertools.product(enumerate(schemes), enumerate((0, 5))):
            for name, value in expected(alone(config.replace(scheme=scheme, seed=seed)), activation).items():
                ours, what = getattr(trace, name)[s, r], f"{activation}, {loss_at}, {scheme}, {seed}: {name}"
                start = int(name == "saturation")
                np.testing.assert_allclose(
                    ours[start:] if start else ours, value[start:] if start else value, 1e-12, 1e-12, err_msg=what
                )
        assert (trace.log10_grad_norm_c is None) == ("c" not in CELLS[cell].states)
        assert np.all(trace.first_nonfinite == -1)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_and_step_factors_are_those_of_the_steps(cell):
    config = SMALL.replace(cell=cell, scheme="he")
    trace, g = rv.run(config), alone(config)
    entry, params, (x, _) = CELLS[cell], rv.init_params(config), runs.draw_inputs(config)
    steps = list(forward(params, x, entry, ACTIVATIONS["tanh"]))
    left = (g.d_h if g.d_c is None else g.d_c)[-1]
    for t, step in reversed(list(enumerate(steps, 1))):
        before = g.d_h[t] if cell == "rnn" else left
        left = before * (1 - g.h[t] ** 2 if cell == "rnn" else step.gates[entry.step_factor[0]])
        factor = np.linalg.norm(left) / np.linalg.norm(before)
        assert trace.log10_step_factor[t] == pytest.approx(np.log10(factor), abs=1e-12)
        for name, value in step.gates.items():
            assert trace.gates[name][t] == pytest.approx(np.mean(value), abs=1e-12)
            share = np.mean(np.abs(value) > 0.97) if name in ("g", "n") else np.mean(np.abs(value - 0.5) > 0.485)
            assert trace.gate_saturation[name][t] == pytest.approx(share, abs=1e-12)
    assert np.isnan(trace.log10_step_factor[0])


@pytest.mark.parametrize("cell", CELLS)
def test_the_last_loss_alone_is_that_of_a_run_with_no_other(cell):
    config = SMALL.replace(cell=cell, loss_at="every")
    every, last = rv.run(config), rv.run(config.replace(loss_at="last"))
    np.testing.assert_allclose(every.log10_relative_norm_last, last.log10_relative_norm, rtol=1e-12)
    np.testing.assert_array_equal(every.log10_step_factor, last.log10_step_factor)
    assert last.log10_relative_norm_last is None
    size = np.linalg.norm(rv.init_params(config)["W_hh"]) / 3.0
    assert 10**last.log10_weight_size == pytest.approx(size, rel=1e-12)


def assert_same(one: Trace, other: Trace, rtol=0.0):
    for spec in fields(Trace):
        assert_same_values(getattr(one, spec.name), getattr(other, spec.name), rtol)


def assert_same_values(one, other, rtol):
    """Compare arrays, and what dicts and tuples hold."""
    if isinstance(one, np.ndarray | float):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)
    elif isinstance(one, dict | tuple):
        assert len(one) == len(other)
        for key in one if isinstance(one, dict) else range(len(one)):
            assert_same_values(one[key], other[key], rtol)
    else:
        assert one == other


@pytest.mark.parametrize("cell", CELLS)
def test_run_is_its_part_of_compare(cell):
    config = SMALL.replace(cell=cell)
    trace = rv.compare(config, ("xavier", "uniform01"), (2, 3))
    assert_same(trace.one(1, 0), rv.run(config.replace(scheme="uniform01", seed=2)), rtol=1e-12)
    assert_same(trace.only(1), rv.compare(config.replace(scheme="uniform01"), ("uniform01",), (2, 3)), rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_how_runs_are_stacked_does_not_matter(cell):
    config, schemes, seeds = SMALL.replace(cell=cell, activation="relu"), ("he", "xavier", "orthogonal"), range(3)
    together = rv.compare(config, schemes, seeds)
    configs = [config.replace(scheme=scheme, seed=seed) for seed in seeds for scheme in schemes]
    for size in (1, 2, 4):
        stacks = [configs[start : start + size] for start in range(0, len(configs), size)]
        parts = [finish(runs.run_stack(stack)) for stack in stacks]
        assert_same(together, runs.assemble(config, schemes, tuple(seeds), parts), rtol=1e-12)


def first_nonfinite(config):
    """Return the first step whose state is not finite, found by bptt's own complaint, or -1."""
    try:
        alone(config)
    except FloatingPointError as error:
        return int(str(error).split("step ")[1].split()[0])
    return -1


@pytest.mark.parametrize("cell", CELLS)
def test_overflow_marks_the_right_runs_and_steps_and_leaves_the_others_alone(cell):
    for activation in ("relu", "linear"):
        config = rv.Config(
            cell=cell, activation=activation, hidden_size=24, input_size=4, seq_len=140, batch_size=2, gain=20.0,
            input_scale=100.0, loss_at="every",
        )  # fmt: skip
        schemes, seeds = ("uniform01", "small_normal"), (0, 1)
        trace = rv.compare(config, schemes, seeds)
        steps = [[first_nonfinite(config.replace(scheme=name, seed=seed)) for seed in seeds] for name in schemes]
        np.testing.assert_array_equal(trace.first_nonfinite, steps, activation)
        assert cell == "gru" or np.all(trace.first_nonfinite[0] > 0)
        assert np.all(trace.first_nonfinite[1] == -1)
        for s, r in itertools.product(range(2), range(2)):
            check_marks(trace.one(s, r), steps[s][r])


def check_marks(one, step):
    """Compare a run with bptt, or, where it overflows at ``step``, with the run that ends before."""
    if step < 0:
        assert one.first_nonfinite is None
        np.testing.assert_allclose(one.log10_grad_norm, alone(one.config).log10_grad_norm, rtol=1e-12)
        return
    assert one.first_nonfinite == step
    assert np.isnan(one.log10_grad_norm).all()
    assert np.isnan(one.loss)
    assert np.isposinf(one.second_moment[step:]).all()
    assert np.isnan(one.mean[step:]).all()
    assert np.isfinite(one.mean[: step - 1]).all()  # a sum of states of 1e307 is beyond float64 before they are
    before = rv.run(one.config.replace(seq_len=step - 1, loss_at="last"))
    np.testing.assert_allclose(one.second_moment[:step], before.second_moment, rtol=1e-10)


def test_a_loss_that_overflows_alone_gives_no_gradient():
    """W_hy may take a state that is finite to logits that are not."""
    config = SMALL.replace(activation="linear", scheme="uniform01", seq_len=20)
    params = rv.init_params(config) | {"W_hy": np.full((9, 3), 1e305)}
    stacked = {name: runs.stack_params([value]) for name, value in params.items()}
    x, targets = runs.draw_inputs(config)
    found = finish(Statistics(config, 1).collecting(stacked, x[None], classified(config, targets[None])))
    (layer,) = found["by_layer"]
    assert layer["first_nonfinite"] == -1
    assert not np.isfinite(found["loss"])
    assert np.isnan(layer["log10_grad_norm"]).all()


def test_a_new_activation_without_bounds_is_marked_too(monkeypatch):
    """exp is neither bounded nor homogeneous."""
    grow = dataclasses.replace(
        ACTIVATIONS["linear"], name="exp", f=np.exp, slope=np.exp, log_slope=lambda a: a, homogeneous=False
    )
    monkeypatch.setitem(ACTIVATIONS, "exp", grow)
    trace = rv.run(SMALL.replace(activation="exp", scheme="uniform01"))
    assert trace.first_nonfinite in (2, 3, 4)
    assert np.isnan(trace.log10_grad_norm).all()


def test_no_input_and_no_bias_is_a_state_of_exact_zeros():
    trace = rv.run(SMALL.replace(input_scale=0.0))
    assert not trace.second_moment.any()
    assert np.isfinite(trace.log10_grad_norm).all()


def test_dead_relus_are_a_true_zero():
    trace = rv.run(SMALL.replace(activation="relu", input_scale=0.0))
    assert np.isneginf(trace.log10_grad_norm[:-1]).all()
    assert np.isneginf(trace.log10_step_factor[-1])
    assert np.isnan(trace.log10_step_factor[:-1]).all(), "nothing is left that a slope could act on"


@pytest.mark.parametrize("cell", CELLS)
def test_sizes_of_one(cell):
    trace = rv.run(rv.Config(cell=cell, hidden_size=1, seq_len=1, batch_size=1, input_size=1, output_size=2))
    assert trace.log10_grad_norm.shape == (2,)
    assert np.isfinite(trace.log10_grad_norm).all()


@pytest.mark.parametrize(
    ("schemes", "seeds", "words"),
    [((), (0,), "at least one scheme"), (("he",), (), "at least one"), (("hee",), (0,), "Did you mean 'he'"),
     (("he",), (-1,), "seed must be")],
)  # fmt: skip
def test_comparisons_that_cannot_be(schemes, seeds, words):
    with pytest.raises(ValueError, match=words):
        rv.compare(SMALL, schemes, seeds)


CONFIGS = st.builds(
    rv.Config,
    cell=st.sampled_from(list(CELLS)),
    activation=st.sampled_from(list(ACTIVATIONS)),
    scheme=st.sampled_from(list(SCHEMES)),
    input_scheme=st.none() | st.sampled_from(list(SCHEMES)),
    gain=st.sampled_from([0.0, 1e-300, 1e-12, 1.0, 20.0]) | st.floats(0.0, 20.0),
    hidden_size=st.integers(1, 24),
    input_size=st.integers(1, 6),
    output_size=st.integers(2, 6),
    seq_len=st.integers(1, 40) | st.just(320),
    batch_size=st.integers(1, 4),
    inputs=st.sampled_from(list(rv.inputs.INPUTS)),
    input_scale=st.sampled_from([0.0, 5e-324, 1.0, 100.0]) | st.floats(0.0, 100.0),
    loss_at=st.sampled_from(["last", "every"]),
    loss_reduction=st.sampled_from(["sum", "mean"]),
    layers=st.sampled_from([1, 1, 2, 4]),
    truncate=st.sampled_from([0, 0, 1, 3, 10_000]),
    forget_bias=st.floats(-20.0, 20.0),
    seed=st.integers(0, 2**32 - 1),
)


@settings(max_examples=10)
@given(CONFIGS)
def test_any_config_gives_finite_or_marked_numbers_and_no_warning(config):
    check_layers(rv.run(config))


@pytest.mark.slow
@settings(max_examples=300)
@given(CONFIGS)
def test_many_configs_give_finite_or_marked_numbers_and_no_warning(config):
    check_layers(rv.run(config))


def check_layers(trace):
    for layer in range(1, trace.config.layers + 1):
        check_numbers(trace.of_layer(layer))


def check_numbers(trace):
    step = trace.first_nonfinite
    finite = slice(0, step)
    for name in ("variance", "mean", "saturation"):
        values = getattr(trace, name)
        # E h^2 of a state near 1e+200 is beyond float64 itself; everything else is a number up to the marked step.
        assert np.isfinite(values[finite]).all() or (name != "saturation" and trace.second_moment[finite].max() > 1e300)
        assert step is None or np.isnan(values[step:]).all()
    assert not np.isnan(trace.second_moment).any()
    if np.isfinite(trace.loss):
        assert step is None
        assert not np.isnan(trace.log10_grad_norm).any()
        assert np.all(trace.log10_grad_norm < np.inf)
        assert np.isneginf(trace.log10_grad_norm[: trace.config.first_reached]).all()
    else:
        assert np.isnan(trace.log10_grad_norm).all()
    if trace.config.cell == "rnn" and trace.config.loss_at == "last" and not trace.config.first_reached:
        nothing = ~np.isfinite(trace.log10_grad_norm[1:])
        np.testing.assert_array_equal(np.isnan(trace.log10_step_factor[1:]), nothing)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_exponents_that_floats_cannot_tell_apart_end(cell):
    config = rv.Config(cell=cell, activation="linear", scheme="identity", gain=4.0, seq_len=60, batch_size=4)
    trace = rv.compare(config, ("identity",), (0,))
    assert not np.isinf(trace.log10_grad_norm[0, 0, -1])


def test_a_loss_at_every_step_grows_with_their_number_unless_it_is_a_mean():
    """Issue 14: 125 at T = 50 and 496 at T = 200, and the gradient of W_hh grows too; the mean stays near ln 10."""
    found = {}
    for steps, reduction in itertools.product((50, 200), ("sum", "mean")):
        g = alone(rv.Config(seq_len=steps, loss_at="every", loss_reduction=reduction))
        found[steps, reduction] = g.loss, np.linalg.norm(g.d_params["W_hh"])
    losses, norms = ({case: values[k] for case, values in found.items()} for k in (0, 1))
    assert (round(losses[50, "sum"]), round(losses[200, "sum"])) == (125, 496)
    assert losses[50, "mean"] == pytest.approx(losses[200, "mean"], rel=0.01)
    assert norms[200, "sum"] > 2 * norms[50, "sum"]
    assert norms[200, "mean"] < norms[50, "mean"]
