"""rv.trace takes any network: its numbers are those of that very network, in the Trace, in views and in sentences."""

from __future__ import annotations

from dataclasses import fields

import autograd
import numpy as np
import pytest
from autograd import numpy as anp
from reference import loss, network

import rnnviz as rv
from rnnviz.engine.precision import held
from rnnviz.engine.trace import Trace
from rnnviz.engine.trajectory import log_slopes
from rnnviz.network.sampling import draw_inputs
from rnnviz.story import step_readout, verdict
from rnnviz.story.suggestions import suggest
from rnnviz.theory.prediction import for_trace
from rnnviz.views import VIEWS

SMALL = rv.Config(hidden_size=9, input_size=4, output_size=3, seq_len=7, batch_size=5, scheme="he")


def traced(config, name=None):
    """Return the Trace of the network that a Config draws, given as anybody's own."""
    data = rv.init_params(config), *draw_inputs(config)
    return rv.trace(*data, config.cell, config.activation, config.loss_at, name, config.loss_reduction)


def test_the_trace_of_drawn_matrices_is_that_of_run():
    for cell in rv.cells.CELLS:
        for settings in (
            {"loss_at": "every"},
            {"loss_at": "every", "loss_reduction": "mean"},
            {"activation": "relu", "gain": 20.0, "seq_len": 300},
            {"inputs": "none"},
        ):
            config = SMALL.replace(cell=cell, **settings)
            run, own = rv.run(config), traced(config)
            for field in fields(Trace):
                if field.name not in ("config", "schemes", "seeds", "own"):
                    np.testing.assert_equal(getattr(own, field.name), getattr(run, field.name), f"{cell}: {field.name}")
            for name in ("cell", "activation", "loss_at", "loss_reduction", "hidden_size", "seq_len", "batch_size"):
                assert getattr(own.config, name) == getattr(config, name)
            assert own.config.sizes == config.sizes


@pytest.mark.parametrize("loss_at", ["last", "every"])
@pytest.mark.parametrize("cell", rv.cells.CELLS)
def test_gradient_norms_are_those_of_autograd(cell, loss_at):
    params, x, targets = network(cell, seed=3)
    zeros = np.zeros((len(x) + 1, x.shape[1], params["W_hh"].shape[0]))
    d_h = autograd.grad(lambda h: loss(params, x, targets, cell, "tanh", loss_at, anp, (h, zeros)))(zeros)
    trace = rv.trace(params, x, targets, cell=cell, loss_at=loss_at)
    np.testing.assert_allclose(trace.log10_grad_norm, np.log10(np.sqrt(np.square(d_h).sum(axis=(1, 2)))), atol=1e-9)
    assert trace.loss == pytest.approx(float(loss(params, x, targets, cell, "tanh", loss_at)))


def test_a_target_for_each_sequence_will_do_where_only_the_last_step_has_a_loss():
    params, x, targets = network("gru")
    both = rv.trace(params, x, targets[-1], "gru"), rv.trace(params, x, targets, "gru")
    np.testing.assert_array_equal(*(each.log10_grad_norm for each in both))


def test_spectra_and_jacobian_are_of_the_given_matrices():
    rng = np.random.default_rng(5)
    for cell, blocks in (("rnn", 1), ("lstm", 4)):
        params, x, targets = network(cell, hidden=11)
        params["W_hh"] = rng.laplace(size=(11, blocks * 11)) / 4
        trace = rv.trace(params, x, targets, cell=cell)
        W = params["W_hh"][:, :11]
        values = VIEWS["spectrum"].data(trace).values[0]
        expected = np.linalg.eigvals(W).astype(complex)
        np.testing.assert_allclose(np.sort_complex(values.round(9)), np.sort_complex(expected.round(9)), atol=1e-8)
        found = VIEWS["singular"].data(trace)
        np.testing.assert_allclose(found.values[0], np.linalg.svd(W, compute_uv=False), rtol=1e-12)
        assert found.laws == (None,)  # nobody knows how these entries were drawn
    params, x, targets = network("rnn", hidden=4, steps=3)
    h, W = rv.bptt(params, x, targets).h[1:, 0], params["W_hh"]
    product = W @ np.diag(1 - h[0] ** 2) @ W @ np.diag(1 - h[1] ** 2) @ W @ np.diag(1 - h[2] ** 2)
    curve = VIEWS["jacobian"].data(rv.trace(params, x, targets)).curves[0]
    expected = np.log10(np.linalg.svd(product, compute_uv=False))
    np.testing.assert_allclose([curve.high[3], curve.median[3], curve.low[3]],
                               [expected[0], np.median(expected), expected[-1]], atol=1e-9)  # fmt: skip


def test_every_view_and_sentence_calls_the_network_by_its_name():
    for cell in rv.cells.CELLS:
        trace = traced(SMALL.replace(cell=cell), "my network")
        for name, view in VIEWS.items():
            if name in ("map", "race"):  # these draw networks of their own
                continue
            text = view.describe(view.data(trace))
            shows = name != ("jacobian" if cell != "rnn" else "gates")
            assert ("my network" in text) == shows, (cell, name, text)
            assert rv.plot(trace, name).figure, (cell, name)
        (sentence,) = verdict.sentences(trace)
        assert sentence.startswith("my network: the state ")
        assert step_readout.sentences(trace.as_comparison(), 3)[0].startswith("my network: ")
    assert verdict.sentences(traced(SMALL))[0].startswith("Own network: ")


def test_the_verdict_is_that_of_the_drawn_network():
    for settings in ({}, {"gain": 0.01}, {"scheme": "uniform01", "activation": "linear"}, {"inputs": "none"}):
        config = SMALL.replace(**{"hidden_size": 100, "seq_len": 30, **settings})
        expected = verdict.sentences(rv.run(config))[0].split(": ", 1)[1]
        assert verdict.sentences(traced(config))[0].split(": ", 1)[1] == expected, settings


def test_narrow_floats_are_those_of_the_given_network():
    config = SMALL.replace(activation="linear", gain=0.1, scheme="orthogonal", seq_len=14)
    line = VIEWS["gradient"].data(traced(config), precision="float16").overlays[-1].values
    norms = held(config, "float16").log10_grad_norm - rv.run(config).log10_grad_norm[-1]
    np.testing.assert_array_equal(line, np.where(np.isfinite(norms), norms, np.nan))


def test_what_needs_a_config_says_so():
    trace = traced(SMALL, "my network")
    for name in ("state", "gradient"):
        assert not VIEWS[name].data(trace, theory=True).overlays, name
    assert for_trace(trace).reason == "Theory needs to know how the weights are drawn; these are your own matrices."
    with pytest.raises(ValueError, match="my network was not drawn by a Config"):
        suggest(trace, 0)


def test_what_does_not_fit_is_named():
    params, x, targets = network("rnn")
    for arguments, words in (
        ((params, x[0], targets), r"x must have the shape \(T, B, D\)"),
        (({**params, "b_h": np.zeros(7)}, x, targets), "b_h must have the shape"),
        ((params, x, targets, "rnm"), "cell must be one of"),
        ((params, x, targets, "rnn", "tahn"), "activation must be one of"),
        (({**params, "W_hh": params["W_hh"] * np.nan}, x, targets), "W_hh must hold finite numbers"),
        ((params, x * np.inf, targets), "x must hold finite numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            rv.trace(*arguments)


def test_the_slopes_of_a_trajectory_are_those_of_the_states():
    params, x, targets = network("rnn", steps=9)
    h = rv.bptt(params, x, targets).h[1:, 0]
    logs, signs = log_slopes(params, x[:, :1], "tanh")
    np.testing.assert_allclose(signs * np.exp(logs), 1 - h**2, rtol=1e-12)


def test_one_only_and_as_comparison_keep_the_network():
    trace = traced(SMALL, "mine")
    comparison = trace.as_comparison()
    for each in (comparison, comparison.only(0), comparison.one(), comparison.as_comparison()):
        assert each.own is trace.own
        assert each.names == ("mine",)
    assert comparison.second_moment.shape == (1, 1, SMALL.seq_len + 1)
    np.testing.assert_array_equal(comparison.one().units, trace.units)


def test_training_that_goes_on_does_not_change_a_trace():
    params, x, targets = network("rnn")
    trace, expected = rv.trace(params, x, targets), params["W_hh"].copy()
    params["W_hh"] *= 2.0
    np.testing.assert_array_equal(trace.parameters()["W_hh"], expected)
