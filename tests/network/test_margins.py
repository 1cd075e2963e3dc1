"""The distances of saturated outputs from their ends, and the differences of such states, against mpmath."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import reference

import rnnviz as rv
from rnnviz.network.arithmetic import EXACT
from rnnviz.network.margins import is_near_an_end, margins_of_output, margins_of_state
from rnnviz.numerics.scaled import as_scaled

ACTIVATIONS = rv.activations.ACTIVATIONS
DIGITS = 1500
PHI = {name: f for name, (f, _slope) in reference.MP_PHI.items()}
A = np.array([[-900.0, -400.0, -40.0, -1.0, -1e-3], [0.0, 0.3, 25.0, 380.0, 1200.0]])
with_ends = pytest.mark.parametrize("name", [name for name, phi in ACTIVATIONS.items() if phi.log_margin])


def logs(factor):
    """Return log10 of the sizes and the signs of a factor's numbers."""
    wide = as_scaled(factor).spread()
    with np.errstate(divide="ignore"):
        return np.log10(np.abs(wide.m)) + wide.e * np.log10(2.0), np.sign(wide.m)


def assert_same(factor, expected):
    log_and_sign = lambda v: (float(mp.log10(abs(v))) if v else -np.inf, float(mp.sign(v)))  # noqa: E731
    expected = np.vectorize(log_and_sign, otypes=[object])(expected)
    for ours, k in zip(logs(factor), (0, 1), strict=True):
        theirs = np.vectorize(lambda pair, k=k: pair[k], otypes=[float])(expected)
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-12)


def margins(phi, a):
    value, kept = EXACT.activate(phi, a)
    return margins_of_output(phi, kept, value, EXACT)


def exactly(name, a):
    return np.vectorize(lambda v: PHI[name](mp.mpf(v)), otypes=[object])(a)


@with_ends
def test_margins_of_outputs(name):
    phi = ACTIVATIONS[name]
    low, high = (end or 0.0 for end in phi.ends)
    with mp.workdps(DIGITS):
        ours, side = margins(phi, A)
        expected = exactly(name, A)
        assert_same(ours.above_low, expected - low)
        if phi.ends[1] is not None:
            assert_same(ours.below_high, high - expected)
        np.testing.assert_array_equal(side, np.where(np.abs(A) < 1, 0, np.sign(A)))


@with_ends
def test_differences_and_mixtures(name):
    phi = ACTIVATIONS[name]
    other, share = A + np.array([[3.0], [-2.0]]), np.full(A.shape, 0.25)
    with mp.workdps(DIGITS):
        one, two = exactly(name, A), exactly(name, other)
        mine, _ = margins(phi, A)
        theirs, side = margins(phi, other)
        assert_same(mine.minus(theirs, side, phi.f(A) - phi.f(other), EXACT), one - two)
        mixed = mine.mixed(share, theirs, 1.0 - share, EXACT)
        low, high = (end or 0.0 for end in phi.ends)
        assert_same(mixed.above_low, (one + 3 * two) / 4 - low)
        if phi.ends[1] is not None:
            assert_same(mixed.below_high, high - (one + 3 * two) / 4)


def test_only_what_floats_lose_is_near_an_end():
    near = {name: is_near_an_end(phi, phi.f(np.array([[-25.0, 0.5]]))) for name, phi in ACTIVATIONS.items()}
    assert {name for name, is_near in near.items() if is_near} == {"tanh", "elu", "selu"}
    assert is_near_an_end(ACTIVATIONS["sigmoid"], np.array([[0.0]]))
    h = np.array([[0.25, -0.5]])
    np.testing.assert_array_equal(margins_of_state(ACTIVATIONS["tanh"], h), [1.0 + h, 1.0 - h])
