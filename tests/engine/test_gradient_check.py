"""The gradient check agrees where the gradient is right, and notices where it is not."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.engine.gradient_check import check, progress
from rnnviz.network.sampling import draw_inputs

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS
SMALL = rv.Config(hidden_size=6, input_size=3, seq_len=6, batch_size=3)


@pytest.fixture
def register(monkeypatch):
    """Return a function that registers a variant of an activation for the length of a test."""

    def add(name, **changes):
        changes = {"name": name, "both": None} | changes
        monkeypatch.setitem(ACTIVATIONS, name, dataclasses.replace(ACTIVATIONS["tanh"], **changes))

    return add


LOSSES = ({}, {"loss_at": "every"}, {"loss_at": "every", "loss_reduction": "mean"})
DEEP = [
    {"layers": layers, "truncate": k, "loss_at": at} for layers in (1, 3) for k in (1, 4) for at in ("last", "every")
]


@pytest.mark.parametrize("cell", CELLS)
def test_right_gradients_pass(cell):
    for activation, loss in [*zip(ACTIVATIONS, itertools.cycle(LOSSES), strict=False), *(("tanh", x) for x in LOSSES)]:
        config = SMALL.replace(cell=cell, activation=activation, **loss)
        result, case = check(config, entries=5), (activation, loss)
        arrays = {*rv.init_params(config), "dL/dh"}
        assert result.method == "complex step", case
        assert result.checked == result.done == result.total == 5 * len(arrays), case
        assert result.error < 1e-12, case
        assert result.agrees, case
        assert {entry.where for entry in result.entries} == arrays, case


@pytest.mark.parametrize("cell", CELLS)
def test_right_gradients_of_all_layers_pass_truncated_too(cell):
    """Against the complex step with the states beyond the reach of a loss held fixed."""
    for changes in DEEP:
        result = check(SMALL.replace(cell=cell, **changes), entries=2)
        assert result.checked == result.total, changes
        assert result.error < 1e-12, changes
        assert result.agrees, changes
        states = {entry.where for entry in result.entries if "dL" in entry.where}
        assert len(states) == changes["layers"], "those of every layer"


def test_a_wrong_slope_is_noticed(register):
    register("wrong", slope=lambda a: 1.001 * ACTIVATIONS["tanh"].slope(a))
    for cell in CELLS:
        result = check(SMALL.replace(cell=cell, activation="wrong"))
        assert result.method == "central differences"  # its complex values do not have that slope
        assert result.error > 1e-4, cell
        assert result.worst.error == result.error
        assert result.worst.where in result.words
        assert result.agrees is False, cell
        assert "differ" in result.words, cell
        assert "same gradient" not in result.words, cell


def test_an_activation_without_complex_numbers_is_checked_by_differences(register):
    register("real", f=lambda a: np.tanh(a.real))
    result = check(SMALL.replace(activation="real"))
    assert result.method == "central differences"
    assert result.checked > 20
    assert result.error < 1e-5


def test_the_worst_entry_is_named_with_its_numbers():
    result = check(SMALL)
    worst = result.worst
    g = rv.bptt(rv.init_params(SMALL), *draw_inputs(SMALL))
    ours = g.d_h if worst.where == "dL/dh" else g.d_params[worst.where]
    assert worst.ours == ours[worst.index]
    assert worst.numeric == pytest.approx(worst.ours, rel=1e-10)
    assert worst.error == max(entry.error for entry in result.entries)


def test_gradients_that_no_step_can_show_are_reported():
    result = check(rv.Config(scheme="uniform01", hidden_size=256, batch_size=1, seq_len=8), entries=4)
    assert result.checked + sum(result.skipped.values()) == result.total
    assert sum(result.skipped.values()) == 3
    assert "below 1e-280" in result.words
    config = rv.Config(scheme="uniform01", activation="linear", input_scale=0.0, hidden_size=16, seq_len=350)
    result = check(config.replace(batch_size=1), entries=4)
    assert "above 1e+280" in result.words
    assert result.error < 1e-10


def test_nothing_is_said_to_agree_where_rounding_makes_both_wrong(register):
    """Without the ends of tanh, h - n of saturated states is rounding, in backpropagation as in the complex step."""
    register("plain tanh", ends=None)
    for scheme, seed, decades in (("pytorch", 25, 14.0), ("keras", 36, 0.9)):
        config = rv.Config(
            cell="gru", scheme=scheme, seed=seed, gain=10.0, hidden_size=2, batch_size=1, inputs="digits",
            input_scale=20.0, activation="plain tanh",
        )  # fmt: skip
        params, (x, targets) = rv.init_params(config), draw_inputs(config)
        wrong, right = (rv.bptt(params, x, targets, "gru", by).log10_grad_norm for by in ("plain tanh", "tanh"))
        assert np.abs(wrong - right).max() > decades
        result = check(config)
        assert "rounding decides" in result.words
        for entry in result.entries:
            if entry.where == "dL/dh":
                t = entry.index[0]
                assert abs(wrong[t] - right[t]) < 1e-6, (scheme, t)


def test_chaos_is_said_and_is_not_called_an_error():
    """At gain 10 the last bit of the weights moves the gradient by some 0.3 decades."""
    result = check(rv.Config(gain=10.0, batch_size=2), entries=2)
    assert result.last_bit > 0.1
    assert "Chaos" in result.words
    assert "differ" not in result.words
    assert "rounding decides" in result.words
    calm = check(SMALL)
    assert calm.last_bit == 0
    assert "Chaos" not in calm.words


def test_a_loss_so_sure_that_its_gradient_is_1e_137_is_checked():
    config = rv.Config(
        cell="lstm", activation="linear", gain=10.0, hidden_size=32, seq_len=5, batch_size=1, inputs="none",
        input_scale=3.0, loss_at="every", forget_bias=5.0,
    )  # fmt: skip
    result = check(config, entries=3)
    assert min(abs(entry.ours) for entry in result.entries if entry.ours) < 1e-130
    assert result.agrees
    assert result.digits >= 10


def test_true_zeros_are_confirmed():
    result = check(SMALL.replace(gain=0.0))
    assert result.agrees
    zeros = [entry for entry in result.entries if entry.ours == 0]
    assert len(zeros) >= 4
    assert result.error < 1e-12


def test_progress_goes_on_within_an_entry_and_ends_with_the_whole_check():
    results = list(progress(SMALL, entries=2))
    assert sorted({(each.done, each.checked) for each in results}) == [(k, k) for k in range(13)]
    shares = [each.share for each in results]
    assert np.all(np.diff(shares) > -1e-12)
    assert (shares[0], shares[-1]) == (0.0, pytest.approx(1.0))
    assert len(results) > 12 * SMALL.seq_len / 2
    assert results[-1] == check(SMALL, entries=2)


def test_the_seed_chooses_the_entries():
    def places(seed):
        return [(entry.where, entry.index) for entry in check(SMALL, entries=2, seed=seed).entries]

    assert places(0) == places(0)
    assert places(0) != places(1)


def test_a_forward_pass_that_overflows_is_an_error():
    with pytest.raises(FloatingPointError, match="not finite"):
        check(rv.Config(scheme="uniform01", activation="linear", hidden_size=64, seq_len=300))
