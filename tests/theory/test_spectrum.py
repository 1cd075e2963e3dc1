"""Spectra against closed forms, limit laws and arithmetic with thousands of digits."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.schemes import SCHEMES, sample
from rnnviz.theory import spectrum

N = 300


def recurrent(scheme: str, n: int, seed: int = 0) -> np.ndarray:
    entry = SCHEMES[scheme]
    return entry.roles.get("recurrent", entry.fn)(np.random.default_rng(seed), n, n, 1.0)


def kolmogorov_smirnov(values: np.ndarray, cdf) -> float:
    """Return the largest distance between the empirical distribution of ``values`` and ``cdf``."""
    values = np.sort(values)
    steps = np.arange(len(values) + 1) / len(values)
    return max(np.max(cdf(values) - steps[:-1]), np.max(steps[1:] - cdf(values)))


def quarter_circle_cdf(s: np.ndarray) -> np.ndarray:
    """Return the integral of ``sqrt(4 - s**2) / pi`` from 0, by hand."""
    s = np.clip(s, 0.0, 2.0)
    return (s * np.sqrt(4.0 - s * s) / 2.0 + 2.0 * np.arcsin(s / 2.0)) / math.pi


@pytest.mark.parametrize("scheme", ["xavier", "he", "glorot_uniform", "uniform_centered", "pytorch", "small_normal"])
def test_eigenvalues_fill_the_disc_evenly_and_singular_values_the_quarter_circle(scheme):
    W = recurrent(scheme, N)
    law = spectrum.expected(scheme, N)
    assert (law.on_circle, law.outlier) == (False, None)
    # An even disc has P(|lambda| < r) = r^2. Eigenvalues repel each other: far closer than chance, 1/sqrt(N) = 0.06.
    inside = np.abs(spectrum.eigenvalues(W)) / law.radius
    assert kolmogorov_smirnov(inside, lambda r: np.clip(r, 0.0, 1.0) ** 2) < 0.04
    singular = spectrum.singular_values(W) / law.radius
    assert kolmogorov_smirnov(singular, quarter_circle_cdf) < 0.02
    assert singular[0] * law.radius == pytest.approx(law.largest_singular_value, rel=0.05)


@pytest.mark.parametrize("scheme", ["orthogonal", "keras", "identity"])
def test_orthogonal_weights_lie_on_the_circle(scheme):
    W = 1.5 * recurrent(scheme, 64)
    np.testing.assert_allclose(np.abs(spectrum.eigenvalues(W)), 1.5, rtol=1e-12)
    np.testing.assert_allclose(spectrum.singular_values(W), 1.5, rtol=1e-12)
    law = spectrum.expected(scheme, 64, 1.5)
    assert law == spectrum.Expected(1.5, True, None, 1.5)


def test_a_mean_sends_one_eigenvalue_to_half_of_n():
    W, law = recurrent("uniform01", N), spectrum.expected("uniform01", N)
    values = spectrum.eigenvalues(W)
    assert law.outlier == N / 2
    # The mean of N^2 numbers of U[0, 1], times N, has the standard deviation sqrt(1/12).
    assert abs(values[0] - N / 2) < 5 * math.sqrt(1 / 12)
    assert abs(values[1]) < 1.1 * law.radius
    assert law.radius == pytest.approx(math.sqrt(N / 12))
    assert spectrum.singular_values(W)[0] == pytest.approx(law.largest_singular_value, rel=1e-2)


def test_eigenvalues_have_the_trace_and_determinant_of_their_matrix():
    W = np.random.default_rng(1).standard_normal((3, 2, 7, 7))
    values = spectrum.eigenvalues(W)
    assert values.shape == (3, 2, 7)
    assert values.dtype == complex
    np.testing.assert_allclose(values.sum(axis=-1), np.trace(W, axis1=-2, axis2=-1), atol=1e-12)
    np.testing.assert_allclose(values.prod(axis=-1), np.linalg.det(W), atol=1e-10)
    assert np.all(np.diff(np.abs(values)) <= 0)
    np.testing.assert_allclose(spectrum.singular_values(W).prod(axis=-1), np.abs(np.linalg.det(W)), rtol=1e-10)


@pytest.mark.parametrize("sigma_w", [0.1, 1.0, 7.0])
def test_quarter_circle_is_a_density_with_the_second_moment_of_the_weights(sigma_w):
    s = np.linspace(0.0, 2.0 * sigma_w, 200_001)
    p = spectrum.quarter_circle(s, sigma_w)
    assert np.trapezoid(p, s) == pytest.approx(1.0, abs=1e-6)
    assert np.trapezoid(p * s**2, s) == pytest.approx(sigma_w**2, rel=1e-6)
    np.testing.assert_array_equal(spectrum.quarter_circle([-1e-9, 2.001 * sigma_w, np.nan], sigma_w), 0.0)


def test_jacobian_is_what_a_small_step_of_the_state_does():
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
    """Return log10 of the singular values of the whole product, the slopes being 2**powers, at so many digits."""
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
PRODUCTS = {  # W, powers of two that are the slopes, digits
    "5,000 decades down": (uniform(4, 4), powers(2000, 4, 16), 7000),
    "5,000 decades up": (NORMAL * 2000, powers(1700, 6, 2), 1500),
    "saturated": (uniform(6, 6), powers(12, 6, 700), 3000),
    "slopes that float64 cannot hold": (uniform(5, 5), powers(5, 5, 7000), 12000),
    "nearly orthogonal": (recurrent("orthogonal", 6), powers(40, 6, 1), 300),
    "identity": (np.eye(6), powers(200, 6, 4), 1000),
    "cycle": (np.roll(np.eye(6), 1, axis=0), powers(100, 6, 30), 1000),
    "triangular": (np.triu(NORMAL), powers(100, 6, 4), 800),
    "units switched off": (NORMAL, np.where(powers(9, 6, 9) < -8, -np.inf, 0.0), 200),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_singular_values_of_a_product_at_any_magnitude(name):
    W, exponents, digits = PRODUCTS[name]
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


def test_volumes_multiply():
    """The sum of the logs is log |det|, which multiplies, at a size where no digits would help."""
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
@settings(max_examples=150)
def test_any_trajectory_gives_numbers_in_order(W, slopes):
    values = spectrum.jacobian_singular_values(W, slopes, [1, 7])
    assert not np.isnan(values).any()
    assert not np.isposinf(values).any()
    assert np.all(values[:, :-1] >= values[:, 1:] - 1e-9)
    assert not np.isnan(spectrum.jacobian(W, slopes)).any()
    assert np.isfinite(spectrum.eigenvalues(W)).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spectrum.eigenvalues(np.zeros((2, 3))), r"square.*\(2, 3\)"),
        (lambda: spectrum.eigenvalues(np.zeros(3)), r"square.*\(3,\)"),
        (lambda: spectrum.singular_values(np.zeros((0, 0))), r"H from 1 on.*\(0, 0\)"),
        (lambda: spectrum.singular_values([[1.0, np.inf], [np.nan, 0.0]]), "W must be finite; 2 of its 4"),
        (lambda: spectrum.jacobian(np.zeros((2, 2, 2)), np.zeros((1, 2))), r"W_hh.*\(2, 2, 2\)"),
        (lambda: spectrum.jacobian(np.eye(2), np.zeros((1, 3))), r"slopes.*H = 2.*\(1, 3\)"),
        (lambda: spectrum.jacobian(np.eye(2), [[1.0, np.inf]]), "slopes must be finite"),
        (lambda: spectrum.jacobian(np.eye(2), [[1.0, -np.inf]]), "slopes must be finite"),
        (lambda: spectrum.jacobian_singular_values(np.eye(2), np.ones((3, 2)), [4]), r"from 0 to 3.*\[4\]"),
        (lambda: spectrum.jacobian_singular_values(np.eye(2), np.ones((3, 2)), [1.5]), r"whole numbers.*1\.5"),
        (lambda: spectrum.quarter_circle(1.0, 0.0), "sigma_w.*0.0"),
        (lambda: spectrum.circular_law_radius(-1.0), "sigma_w.*-1.0"),
        (lambda: spectrum.expected("xavir", 4), "Did you mean 'xavier'"),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
