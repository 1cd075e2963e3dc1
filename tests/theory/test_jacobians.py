"""Jacobian products against finite differences and arithmetic with thousands of digits."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.schemes import sample
from rnnviz.theory import spectrum


def test_jacobian_matches_finite_differences():
    rng = np.random.default_rng(3)
    W, x, h0 = rng.standard_normal((5, 5)), rng.standard_normal((4, 5)), rng.standard_normal(5)

    def end(h, slopes=None):
        for row in x:
            a = row + h @ W
            if slopes is not None:
                slopes.append(ACTIVATIONS["tanh"].slope(a))
            h = np.tanh(a)
        return h

    end(h0, slopes := [])
    J = spectrum.jacobian(W, slopes)
    small = 1e-6 * np.eye(5)
    differences = [(end(h0 + step) - end(h0 - step)) / 2e-6 for step in small]
    np.testing.assert_allclose(J, differences, atol=1e-8)


def exact_log10(W, powers, digits: int) -> np.ndarray:
    """Return log10 of the singular values of the whole product with slopes 2**powers, in so many digits."""
    with mpmath.workdps(digits):
        J, weights = mpmath.eye(len(W)), mpmath.matrix(W.tolist())
        for row in powers:
            J = J * weights * mpmath.diag([mpmath.ldexp(1, int(v)) if v > -np.inf else mpmath.mpf(0) for v in row])
        values = sorted((abs(v) for v in mpmath.svd_r(J, compute_uv=False)), reverse=True)
        floor = values[0] * mpmath.mpf(10) ** (60 - digits)
        return np.array([float(mpmath.log10(v)) if v > floor else -np.inf for v in values])


def uniform(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape)


def powers(steps: int, size: int, most: int) -> np.ndarray:
    """Return random whole numbers from -most to 0."""
    return np.random.default_rng(1).integers(-most, 1, (steps, size)).astype(float)


NORMAL = np.random.default_rng(0).standard_normal((6, 6))
PRODUCTS = {  # W, exponents of the slopes (powers of 2), digits
    "saturated": (uniform(6, 6), powers(12, 6, 700), 3000),
    "slopes below float64": (uniform(3, 3), powers(4, 3, 4000), 5500),
    "growing": (NORMAL * 2000, powers(120, 6, 2), 300),
    "nearly orthogonal": (sample("orthogonal", np.random.default_rng(0), 6, 6), powers(40, 6, 1), 300),
    "identity": (np.eye(6), powers(200, 6, 4), 1000),
    "cycle": (np.roll(np.eye(6), 1, axis=0), powers(100, 6, 30), 1000),
    "triangular": (np.triu(NORMAL), powers(100, 6, 4), 800),
    "dead units": (NORMAL, np.where(powers(9, 6, 9) < -8, -np.inf, 0.0), 200),
}
EXTREMES = {
    "5,000 decades down": (uniform(4, 4), powers(2000, 4, 16), 7000),
    "5,000 decades up": (NORMAL * 2000, powers(1700, 6, 2), 1500),
    "slopes far below float64": (uniform(5, 5), powers(5, 5, 7000), 12000),
}


@pytest.mark.parametrize("name", [*PRODUCTS, *(pytest.param(name, marks=pytest.mark.slow) for name in EXTREMES)])
def test_singular_values_of_a_product_at_any_magnitude(name):
    W, exponents, digits = (PRODUCTS | EXTREMES)[name]
    got = spectrum.jacobian_singular_values(W, exponents * math.log(2.0), [len(exponents)], log=True)[0]
    expected = exact_log10(W, exponents, digits)
    np.testing.assert_array_equal(np.isneginf(got), np.isneginf(expected))
    alive = np.isfinite(expected)
    assert alive.any()
    np.testing.assert_allclose(got[alive], expected[alive], rtol=0, atol=1e-7)


def test_singular_values_by_distance_are_those_of_the_last_steps():
    rng = np.random.default_rng(5)
    W, slopes = sample("xavier", rng, 20, 20), rng.uniform(-0.2, 1.0, (6, 20))
    got = spectrum.jacobian_singular_values(W, slopes, [3, 0, 6])
    for row, k in zip(got, [3, 0, 6], strict=True):
        J = spectrum.jacobian(W, slopes[len(slopes) - k :])
        np.testing.assert_allclose(10.0**row, np.linalg.svd(J, compute_uv=False), rtol=1e-7, atol=1e-14)
    assert spectrum.jacobian_singular_values(W, slopes).shape == (6, 20)
    assert spectrum.jacobian_singular_values(W, slopes, []).shape == (0, 20)
    assert list(spectrum.jacobian_progress(W, slopes, [2, 4])) == [0.25, 0.5, 0.75, 1.0]


def test_the_determinant_is_the_product_of_all_steps():
    """The logs sum to log |det|: a check at a size too large for exact arithmetic."""
    rng = np.random.default_rng(6)
    W, slopes = sample("uniform01", rng, 64, 64), rng.uniform(1e-30, 1.0, (200, 64))
    got = spectrum.jacobian_singular_values(W, slopes, [200])[0]
    expected = 200 * np.linalg.slogdet(W)[1] / math.log(10) + np.log10(slopes).sum()
    assert got.sum() == pytest.approx(expected, abs=1e-6)
    assert np.all(np.diff(got) <= 0)


@given(
    hnp.arrays(float, (3, 3), elements=st.floats(-1e150, 1e150)),
    hnp.arrays(float, (7, 3), elements=st.floats(-1e150, 1e150)),
)
@settings(max_examples=40)
def test_singular_values_of_any_trajectory_are_sorted_numbers(W, slopes):
    values = spectrum.jacobian_singular_values(W, slopes, [1, 7])
    assert not np.isnan(values).any()
    assert not np.isposinf(values).any()
    assert np.all(values[:, :-1] >= values[:, 1:] - 1e-9)
    assert not np.isnan(spectrum.jacobian(W, slopes)).any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spectrum.jacobian(np.zeros((2, 2, 2)), np.zeros((1, 2))), r"W_hh.*\(2, 2, 2\)"),
        (lambda: spectrum.jacobian(np.eye(2), np.zeros((1, 3))), r"slopes.*H = 2.*\(1, 3\)"),
        (lambda: spectrum.jacobian(np.eye(2), [[1.0, np.inf]]), "slopes must be finite"),
        (lambda: spectrum.jacobian(np.eye(2), [[1.0, -np.inf]]), "slopes must be finite"),
        (lambda: spectrum.jacobian_singular_values(np.eye(2), np.ones((3, 2)), [4]), r"from 0 to 3.*\[4\]"),
        (lambda: spectrum.jacobian_singular_values(np.eye(2), np.ones((3, 2)), [1.5]), r"whole numbers.*1\.5"),
    ],
)
def test_errors_name_the_argument(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_slopes_given_as_logarithms_and_signs_are_those_given_as_numbers():
    """GELU's slope is negative far on the left, and signs decide how the steps' stretches combine."""
    slopes = np.random.default_rng(4).standard_normal((5, 6))
    by_logs = spectrum.jacobian_singular_values(NORMAL, np.log(np.abs(slopes)), log=True, signs=np.sign(slopes))
    np.testing.assert_allclose(by_logs, spectrum.jacobian_singular_values(NORMAL, slopes), rtol=1e-9)
    positive = spectrum.jacobian_singular_values(NORMAL, np.log(np.abs(slopes)), log=True)
    assert np.abs(positive[-1] - by_logs[-1]).max() > 0.05


def test_slopes_may_lie_any_distance_apart():
    """GELU's slope at -1e5 is 10**-2e9."""
    W, slopes = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, -5e9], [-5e9, 0.0]])
    values = spectrum.jacobian_singular_values(W, slopes, [1, 2], log=True)
    np.testing.assert_allclose(values[:, 0], np.log10([np.hypot(2.0, 4.0), 2.0 * np.hypot(1.0, 3.0)]), atol=1e-12)
    assert np.isneginf(values[:, 1]).all()
