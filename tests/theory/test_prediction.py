"""Predictions follow what is registered, and name the reason where theory does not apply."""

from dataclasses import replace

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.config import Config
from rnnviz.network.sampling import draw_inputs
from rnnviz.network.schemes import SCHEMES
from rnnviz.theory import prediction

CONFIG = Config(hidden_size=64, seq_len=6)


def test_a_scheme_registered_again_gets_a_prediction_of_its_own(monkeypatch):
    before = prediction.predict(CONFIG)
    xavier = SCHEMES["xavier"]
    orthogonal = replace(xavier, fn=SCHEMES["orthogonal"].fn, variance=lambda fan_in, fan_out: 4 / fan_in)
    monkeypatch.setitem(SCHEMES, "xavier", orthogonal)
    assert prediction.predict(CONFIG).log10_grad_norm[0] > before.log10_grad_norm[0]
    assert not prediction.tied_weights_show(CONFIG.replace(activation="linear"), ("xavier",))
    monkeypatch.setitem(SCHEMES, "xavier", xavier)
    assert prediction.tied_weights_show(CONFIG.replace(activation="linear"), ("xavier",))


def test_an_activation_registered_again_gets_a_prediction_of_its_own(monkeypatch):
    linear = prediction.predict(CONFIG.replace(activation="linear"))
    assert not np.allclose(prediction.predict(CONFIG).log10_grad_norm, linear.log10_grad_norm)
    monkeypatch.setitem(ACTIVATIONS, "tanh", ACTIVATIONS["linear"])
    np.testing.assert_array_equal(prediction.predict(CONFIG).log10_grad_norm, linear.log10_grad_norm)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cell": "lstm"}, "No theory here for the LSTM"),
        ({"scheme": "identity"}, "same matrix at every draw"),
        ({"input_scheme": "uniform01"}, "gives W_xh a mean"),
    ],
)
def test_no_curves_but_a_reason_outside_theory(changes, words):
    expected = prediction.predict(CONFIG.replace(**changes))
    assert (expected.log10_second_moment, expected.log10_grad_norm, expected.valid_steps) == (None, None, 0)
    assert words in expected.reason


def test_a_trace_of_own_matrices_has_no_theory():
    compared = rv.compare(CONFIG, ("xavier", "orthogonal"), seeds=(0,))
    assert prediction.for_trace(compared, 1) is prediction.predict(CONFIG.replace(scheme="orthogonal"), seeds=(0,))
    params, (x, targets) = rv.init_params(CONFIG), draw_inputs(CONFIG)
    expected = prediction.for_trace(rv.trace(params, x, targets, cell="rnn", activation="tanh"))
    assert (expected.log10_grad_norm, expected.valid_steps) == (None, 0)
    assert expected.reason == "Theory needs to know how the weights are drawn; these are your own matrices."


@pytest.mark.parametrize(
    ("changes", "shows"),
    [
        ({}, False),
        ({"activation": "linear"}, True),
        ({"activation": "relu"}, True),
        ({"activation": "sigmoid"}, True),
        ({"inputs": "none"}, True),
        ({"inputs": "text"}, True),
        ({"input_size": 1}, False),
        ({"activation": "relu", "cell": "gru"}, False),
    ],
)
def test_tied_weights_show_if_slopes_repeat(changes, shows):
    config = CONFIG.replace(**changes)
    assert prediction.tied_weights_show(config, ("xavier",)) == shows
    assert not prediction.tied_weights_show(config, ("orthogonal", "identity", "uniform01"))


def test_tied_weights_show_in_a_state_that_its_inputs_do_not_outweigh():
    for changes, shows in (({"activation": "linear"}, True), ({"inputs": "none"}, True), ({"inputs": "text"}, False)):
        assert prediction.tied_weights_show(CONFIG.replace(**changes), ("xavier",), back=False) == shows


def test_corners_have_honest_predictions():
    """One unit, one step, no weights, no input; tanh' <= 1, and a ReLU at 0 has the slope 0."""
    one = prediction.predict(Config(hidden_size=1, seq_len=50))
    assert one.valid_steps == 0
    assert np.isfinite(one.log10_grad_norm).all()
    assert prediction.predict(Config(hidden_size=1, seq_len=1)).log10_grad_norm.shape == (2,)
    rotation = Config(hidden_size=1, seq_len=20, activation="linear", scheme="orthogonal", gain=0.5)
    assert prediction.predict(rotation).validity.backward == 20
    np.testing.assert_allclose(prediction.predict(rotation).log10_grad_norm[0], 20 * np.log10(0.5))
    for activation in ACTIVATIONS:  # no warning either, for states beyond float64
        assert prediction.predict(Config(activation=activation, gain=20.0, seq_len=400, batch_size=1)).reason
    silent = prediction.predict(CONFIG.replace(activation="relu", input_scale=0.0))
    np.testing.assert_array_equal(silent.log10_grad_norm, [-np.inf] * 6 + [0.0])
    np.testing.assert_array_equal(prediction.predict(CONFIG.replace(gain=0.0)).log10_grad_norm, silent.log10_grad_norm)
