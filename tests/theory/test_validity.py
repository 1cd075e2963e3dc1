"""How far theory is valid, compared with real networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from expectations import by_scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.schemes import sample
from rnnviz.theory import mean_field
from rnnviz.theory.validity import valid_until


def network(scheme: str, gain: float, scale: float, seed: int, steps: int, n: int, batch: int = 4):
    """Run one real tanh network; return E h_t^2 and log10 ||dL/dh_t|| for a random dL/dh_T of norm 1."""
    rng = np.random.default_rng(seed)
    W, h, slopes, second = sample(scheme, rng, n, n, gain), np.zeros((batch, n)), [], [0.0]
    for _ in range(steps):
        a = h @ W + scale * rng.standard_normal((batch, n))
        h = np.tanh(a)
        slopes.append(1 / np.cosh(a) ** 2)
        second.append(np.mean(h * h))
    d = rng.standard_normal((batch, n))
    norms = [np.linalg.norm(d)]
    for slope in reversed(slopes):
        d = (d * slope) @ W.T
        norms.append(np.linalg.norm(d))
    return np.array(second), np.log10(norms[::-1]) - math.log10(norms[0])


@pytest.mark.parametrize(("steps", "n"), [(40, 192), pytest.param(60, 512, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("scheme", "gain", "scale"), [("xavier", 1.0, 1.0), ("orthogonal", 1.5, 0.5)])
def test_real_networks_follow_the_curves_while_they_are_valid(scheme, gain, scale, steps, n):
    runs = [network(scheme, gain, scale, seed, steps, n) for seed in range(5)]
    c = mean_field.curves("tanh", gain, scale, steps)
    assert valid_until("tanh", gain, scale, n, steps, scheme).steps == steps
    second, norms = (np.array(part) for part in zip(*runs, strict=True))
    assert_allclose(np.median(second, axis=0)[1:], c.second_moment[1:], rtol=0.04)
    band = norms.max(axis=0) - norms.min(axis=0)
    assert np.all(np.abs(np.median(norms, axis=0) - c.log10_grad_norm) < 0.02 + 0.75 * band)
    assert band.max() < 0.6  # of 12 decades (xavier)


def test_validity_ends_where_tied_weights_show():
    """Linear, no input: (E ||W^k v||^2)^(1/2) of real W leaves 1 beyond sqrt(2n), and not before."""
    n, norms = 64, []
    for seed in range(60):
        W = sample("xavier", np.random.default_rng(seed), n, n)
        v, squares = np.eye(n), []
        for _ in range(3 * 12):
            v = v @ W
            squares.append(np.sum(v * v) / n)
        norms.append(squares)
    mean = np.mean(norms, axis=0)
    steps = valid_until("linear", 1.0, 0.0, n, 1000).steps
    assert steps == 12
    assert mean[steps // 2] < 1.5
    assert mean[steps - 1] < 3.0 < mean[2 * steps]


@pytest.mark.parametrize(
    ("arguments", "steps", "words"),
    [
        (("tanh", 1.0, 1.0, 512, 100), 100, "agree at every step"),
        (("relu", 1.4, 1.0, 512, 100), 32, "output has a mean"),
        (("sigmoid", 1.0, 1.0, 512, 100), 32, "output has a mean"),
        (("linear", 1.0, 1.0, 512, 100), 32, "hardly change"),
        (("tanh", 0.9, 0.0, 512, 100), 32, "hardly change"),
        (("tanh", 1.0, 1.0, 512, 100, "xavier", 0.8), 32, "bias is the same"),
        (("linear", 1.0, 1.0, 512, 100, "orthogonal"), 100, "agree"),
        (("linear", 1.0, 1.0, 512, 100, "keras"), 100, "agree"),
        (("relu", 1.4, 1.0, 512, 100, "orthogonal"), 32, "own pattern of slopes"),
        (("tanh", 1.0, 1.0, 512, 100, "uniform01"), 0, "mean 0.5"),
        (("tanh", 1.0, 1.0, 512, 100, "identity"), 0, "same matrix at every draw"),
    ],
)
def test_validity_has_a_number_and_a_reason(arguments, steps, words):
    validity = valid_until(*arguments)
    assert validity.steps == steps
    assert words in validity.reason


def test_chance_adds_up_sooner_if_slopes_persist():
    """Until n (1 - sigma_w^2 (E phi')^2) steps."""
    for sigma_w in (1.0, 1.8):
        q = mean_field.fixed_point("tanh", sigma_w, 1.0).q
        memory = sigma_w**2 * by_scipy(lambda a: math.cosh(a) ** -2, q) ** 2
        validity = valid_until("tanh", sigma_w, 1.0, 1000, 5000)
        assert validity.steps == math.ceil(1000 * (1 - memory))
        assert "chance" in validity.reason


NUMBERS = st.one_of(st.just(0.0), st.floats(0.0, 20.0), st.floats(0.0, 1e100))


@given(st.sampled_from(list(ACTIVATIONS)), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=12))
@settings(max_examples=30)
def test_any_validity_is_within_the_sequence(name, sigma_w, sigma_in):
    assert 1 <= valid_until(name, sigma_w, np.array(sigma_in), 30, len(sigma_in)).steps <= len(sigma_in)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="hidden_size.*got 0"):
        valid_until("tanh", 1.0, 1.0, 0, 4)
    with pytest.raises(ValueError, match="Did you mean 'xavier'"):
        valid_until("tanh", 1.0, 1.0, 9, 4, "xavir")
