"""How long a state is remembered: against a simulation of two copies of a network, and against chi below 1."""

import math

import numpy as np
import pytest

from rnnviz.theory import fixed_point
from rnnviz.theory.memory import correlation_length


def correlations(sigma_w, sigma_in, steps, n=1200):
    """Return the correlation of the pre-activations of two copies that read the same input from different states."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(4):
        W = rng.normal(0, sigma_w / math.sqrt(n), (n, n))
        h, g = np.tanh(rng.normal(0, 2, (2, n)))
        for _ in range(steps):
            x = rng.normal(0, sigma_in, n)
            a, b = h @ W + x, g @ W + x
            found.append(a @ b / math.sqrt((a @ a) * (b @ b)))
            h, g = np.tanh(a), np.tanh(b)
    return np.reshape(found, (4, steps)).mean(axis=0)


def test_below_the_critical_gain_it_is_the_time_scale_of_the_gradient():
    for activation, sigma_w in (("tanh", 1.0), ("sigmoid", 3.0), ("relu", 1.2)):
        assert correlation_length(activation, sigma_w, 1.0) == fixed_point(activation, sigma_w, 1.0).xi


def test_beyond_it_two_states_approach_their_correlation_at_this_rate():
    sigma_w, sigma_in = 2.2, 1.0
    xi = correlation_length("tanh", sigma_w, sigma_in)
    c = correlations(sigma_w, sigma_in, 24)
    distance = np.abs(c - c[-6:].mean())
    measured = -4 / math.log(distance[6] / distance[2])
    assert xi == pytest.approx(measured, rel=0.35)
    assert 0 < xi < 10
    assert fixed_point("tanh", sigma_w, sigma_in).chi > 1


def test_it_peaks_at_the_critical_gain_and_falls_on_both_sides():
    gains = [1.2, 1.6, 1.85, 2.2, 3.0, 8.0, 20.0]
    found = [correlation_length("tanh", gain, 1.0) for gain in gains]
    assert max(found) == found[2] > 200
    assert found[:3] == sorted(found[:3])
    assert found[2:] == sorted(found[2:], reverse=True)
    assert min(found) > 0


def test_there_is_none_where_the_state_grows_without_bound():
    assert math.isnan(correlation_length("relu", 2.0, 1.0))
