"""How far theory is valid, compared with real networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
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
    """Linear, no input: over real W, ||W^k v||^2 has doubled in the mean at 2 sqrt(n) steps, in the median later."""
    n, norms = 64, []
    for seed in range(60):
        W = sample("xavier", np.random.default_rng(seed), n, n)
        v, squares = np.eye(n), []
        for _ in range(3 * 12):
            v = v @ W
            squares.append(np.sum(v * v) / n)
        norms.append(squares)
    mean = np.mean(norms, axis=0)
    steps = valid_until("linear", 1.0, 0.0, n, 1000).backward
    assert 1.5 * math.sqrt(n) < steps < 3.5 * math.sqrt(n)  # science.md: the median leaves theory from 2 sqrt(n) on
    for k in (8, 16):  # sinh(y) / y, y = k^2 / 2n
        assert mean[k - 1] == pytest.approx(math.sinh(k * k / 128) / (k * k / 128), rel=0.3)
    assert abs(np.log10(np.median(norms, axis=0)[:steps])).max() < 0.6


@pytest.mark.parametrize(
    ("arguments", "forward", "backward", "words"),
    [
        (("tanh", 1.0, 1.0, 512, 100), (100, 100), (100, 100), "within a factor of 2 at every step"),
        (("relu", 1.4, 1.0, 512, 100), (20, 60), (30, 60), "output has a mean"),
        (("sigmoid", 1.0, 0.1, 512, 100), (100, 100), (45, 90), "hardly change"),
        (("linear", 1.0, 1.0, 512, 100), (45, 90), (45, 90), "hardly change"),
        (("tanh", 0.9, 0.0, 512, 100), (100, 100), (45, 90), "hardly change"),
        (("tanh", 1.0, 1.0, 512, 200, "xavier", 0.8), (200, 200), (50, 150), "bias is the same"),
        (("linear", 1.0, 1.0, 512, 100, "orthogonal"), (100, 100), (100, 100), "agree"),
        (("linear", 1.0, 1.0, 512, 100, "keras"), (100, 100), (100, 100), "agree"),
        (("relu", 1.4, 1.0, 512, 100, "orthogonal"), (30, 80), (30, 80), "own pattern of slopes"),
        (("tanh", 20.0, 1.0, 128, 50), (50, 50), (2, 8), "only about 5 units are not saturated"),
        (("tanh", 1.0, 1.0, 512, 100, "uniform01"), (0, 0), (0, 0), "mean 0.5"),
        (("tanh", 1.0, 1.0, 512, 100, "identity"), (0, 0), (0, 0), "same matrix at every draw"),
    ],
)
def test_validity_has_numbers_and_a_reason(arguments, forward, backward, words):
    validity = valid_until(*arguments)
    assert forward[0] <= validity.forward <= forward[1]
    assert backward[0] <= validity.backward <= backward[1]
    assert validity.steps == min(validity.forward, validity.backward)
    assert words in validity.reason


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tanh", 5.0, 1.0, 1, 50), "holds for the gradient at no step, and for the state"),
        (("linear", 1.0, 1.0, 2, 50), "and for the state at no step."),
        (("tanh", 20.0, 1.0, 8, 50), "only about 1 unit is not saturated"),
    ],
)
def test_a_theory_that_holds_nowhere_says_so(arguments, words):
    validity = valid_until(*arguments)
    assert words in validity.reason, validity
    assert (validity.forward == 0) == ("state at no step" in validity.reason)
    assert (validity.backward == 0) == ("gradient at no step" in validity.reason)


def test_a_gradient_that_every_step_renews_stays_valid():
    """Loss at every step and chi < 1: what comes from far away no longer counts."""
    last, every = (valid_until("tanh", 1.0, 1.0, 32, 200, loss_at=at).backward for at in ("last", "every"))
    assert last < 100 < every == 200


NUMBERS = st.one_of(st.just(0.0), st.floats(0.0, 20.0), st.floats(0.0, 1e100))


@given(st.sampled_from(list(ACTIVATIONS)), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=12))
@settings(max_examples=30)
def test_any_validity_is_within_the_sequence(name, sigma_w, sigma_in):
    validity = valid_until(name, sigma_w, np.array(sigma_in), 30, len(sigma_in))
    assert 0 <= validity.forward <= len(sigma_in) >= validity.backward >= 0
    assert validity.reason


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="hidden_size.*got 0"):
        valid_until("tanh", 1.0, 1.0, 0, 4)
    with pytest.raises(ValueError, match="Did you mean 'xavier'"):
        valid_until("tanh", 1.0, 1.0, 9, 4, "xavir")
