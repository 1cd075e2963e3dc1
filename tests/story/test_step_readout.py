"""The numbers of one step: the plotted sizes, and equations whose parts make up the whole."""

import re

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs
from rnnviz.story import step_readout
from rnnviz.views import VIEWS

NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
SIGNED = r"([−+]?\s?\d+(?:\.\d+)?(?:e[−-]?\d+)?)"


def signed(text):
    return float(text.replace("−", "-").replace(" ", ""))


def test_a_states_size_is_the_product_that_is_written():
    """Sizes of one digit, as 7e6 for 6.5e6 and 7.4e6, would not have the ratio that stands between them."""
    for gain in (0.3, 1.2, 3.0):
        config = rv.Config(activation="linear", scheme="he", gain=gain, hidden_size=3, seq_len=20, batch_size=2)
        trace = rv.compare(config, ("he",), range(4))
        drawn = 10 ** VIEWS["state"].data(trace).curves[0].median
        for t in range(2, 21):
            (sentence,) = step_readout.sentences(trace, t)
            before, ratio, now = map(float, re.search(rf"E h² = {NUMBER} × {NUMBER} = {NUMBER};", sentence).groups())
            assert before * ratio == pytest.approx(now, rel=0.015), sentence
            assert now == pytest.approx(drawn[t], rel=0.01), sentence


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "linear"])
def test_a_step_forward_is_the_equation_with_the_numbers_of_the_network(activation):
    config = rv.Config(scheme="pytorch", activation=activation, hidden_size=8, seq_len=6)
    trace = rv.compare(config, ("pytorch",), range(2))
    g = rv.bptt(rv.init_params(config), *draw_inputs(config), "rnn", activation)
    phi = {"tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "relu": lambda a: max(a, 0), "linear": float}
    for t in (1, 4, 6):
        (sentence,) = step_readout.forward_equation(trace, t)
        parts = re.search(rf"\({SIGNED} {SIGNED} {SIGNED}\) = {SIGNED}\.$", sentence).groups()
        *terms, value = map(signed, parts)
        assert value == pytest.approx(g.h[t, 0, 0], rel=0.01)
        assert value == pytest.approx(phi[activation](sum(terms)), abs=0.01)
    assert step_readout.forward_equation(trace, 0) == []
    assert step_readout.forward_equation(rv.run(config.replace(cell="gru")), 3) == []


def test_a_step_back_starts_from_the_plotted_size_and_its_factors_multiply():
    trace = rv.compare(rv.Config(hidden_size=16, seq_len=12), ("xavier", "uniform01"), range(5))
    for t in (1, 6, 12):
        for k, sentence in enumerate(step_readout.sentences(trace, t)):
            plotted = np.median(trace.log10_relative_norm[k, :, t])
            assert np.log10(float(re.search(rf"h_12‖ = {NUMBER}", sentence)[1])) == pytest.approx(plotted, abs=0.18)
            whole, own, rest = (
                float(x) for x in re.search(rf"×{NUMBER} = ×{NUMBER} \(φ′\) · ×{NUMBER}", sentence).groups()
            )
            assert own * rest == pytest.approx(whole, rel=0.02)
            changes = trace.log10_relative_norm[k, :, t - 1] - trace.log10_relative_norm[k, :, t]
            assert np.log10(whole) == pytest.approx(np.median(changes), abs=0.01)


def test_steps_beyond_the_sequence_are_refused():
    trace = rv.run(rv.Config(hidden_size=4, seq_len=3))
    with pytest.raises(ValueError, match="t must be a whole number from 0 to 3; got 4"):
        step_readout.sentences(trace, 4)
