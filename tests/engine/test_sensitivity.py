"""The change of the states by the last bits of the weights, where it is known."""

from __future__ import annotations

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.engine.sensitivity import is_chaotic, nearby, state_change
from rnnviz.network.sampling import draw_inputs


def test_every_weight_changes_by_its_last_bit():
    params = rv.init_params(rv.Config())
    for name, value in nearby(params).items():
        assert np.all(np.abs(value - params[name]) <= 2.0**-51 * np.abs(params[name])), name
        assert np.all((value != params[name]) | (params[name] == 0)), name


def test_a_linear_unit_without_input_changes_by_a_bit_per_step():
    """h_t = w**(t-1) u x_1, so that the relative change is a bit per step, and the rounding, however large h grows."""
    params = {"W_xh": np.full((1, 1), 0.3), "W_hh": np.full((1, 1), 7.0), "b_h": np.zeros(1)}
    x = np.zeros((50, 1, 1))
    x[0] = 1.0
    assert 20 * 2.0**-52 < state_change(params, x, "rnn", "linear") < 100 * 2.0**-52


def test_an_unstable_fixed_point_multiplies_the_change():
    """h = tanh(w h + b) with h on its unstable fixed point: the change grows as (w phi')**t."""
    w, h = 3.0, 0.1
    b = np.arctanh(h) - w * h
    params = {"W_xh": np.array([[np.arctanh(h) - b]]), "W_hh": np.array([[w]]), "b_h": np.array([b])}
    x = np.zeros((25, 1, 1))
    x[0] = 1.0
    change = state_change(params, x, "rnn", "tanh")
    assert -1.5 < np.log10(change) - (24 * np.log10(w * (1 - h * h)) - 16) < 1.5


@pytest.mark.parametrize(("gain", "expected"), [(1.0, False), (10.0, True)])
def test_chaos_begins_between_gain_1_and_10(gain, expected):
    config = rv.Config(gain=gain)
    assert is_chaotic(rv.init_params(config), draw_inputs(config)[0], "rnn", "tanh") == expected
