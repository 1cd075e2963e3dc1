"""Spectra against closed forms and limit laws."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.network.sampling import draw
from rnnviz.network.schemes import SCHEMES
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


@pytest.mark.parametrize("scheme", ["xavier", "pytorch"])
def test_eigenvalues_of_independent_entries_fill_the_disc_uniformly(scheme):
    # A uniform disc has P(|lambda| < r) = r^2. Eigenvalues repel each other, so the fit beats chance, 1/sqrt(N) = 0.06.
    inside = np.abs(spectrum.eigenvalues(recurrent(scheme, N))) / spectrum.expected(scheme, N).radius
    assert kolmogorov_smirnov(inside, lambda r: np.clip(r, 0.0, 1.0) ** 2) < 0.04


def test_singular_values_of_independent_entries_follow_the_quarter_circle():
    for scheme in ("xavier", "he", "glorot_uniform", "uniform_centered", "pytorch", "small_normal"):
        values, law = spectrum.singular_values(recurrent(scheme, N)), spectrum.expected(scheme, N)
        assert (law.on_circle, law.outlier) == (False, None), scheme
        assert kolmogorov_smirnov(values / law.radius, quarter_circle_cdf) < 0.02, scheme
        assert values[0] == pytest.approx(law.largest_singular_value, rel=0.05), scheme


@pytest.mark.parametrize("scheme", ["orthogonal", "keras", "identity"])
def test_orthogonal_weights_lie_on_the_circle(scheme):
    W = 1.5 * recurrent(scheme, 64)
    np.testing.assert_allclose(np.abs(spectrum.eigenvalues(W)), 1.5, rtol=1e-12)
    np.testing.assert_allclose(spectrum.singular_values(W), 1.5, rtol=1e-12)
    law = spectrum.expected(scheme, 64, 1.5)
    assert law == spectrum.Expected(1.5, True, None, 1.5)


def block_of(scheme: str, n: int, blocks: int, gain: float = 1.0) -> np.ndarray:
    """Return the first gate's block of a W_hh with ``blocks`` gates."""
    return draw(scheme, "recurrent", np.random.default_rng(2), n, n, blocks, gain)[:, :n]


@pytest.mark.parametrize(
    ("blocks", "radius", "edge"), [(4, 0.5, 3**0.5 / 2), (3, 3**-0.5, 8**0.5 / 3), (2, 0.5**0.5, 1)]
)
def test_a_gates_block_of_an_orthogonal_matrix_follows_the_law_of_truncations(blocks, radius, edge):
    """A truncation to c = 1/k has P(|lambda| < r) = (1/c - 1) r^2 / (1 - r^2); its s^2 are the Jacobi ensemble's.

    That law, W W^T = P Q P for projections P and Q of rank c, has E s^2 = c and E s^4 = c^2 (2 - c), by freeness.
    """
    W, law = block_of("keras", N, blocks, 1.5), spectrum.expected("keras", N, 1.5, blocks)
    assert (law.radius, law.largest_singular_value) == pytest.approx((1.5 * radius, 1.5 * edge))
    assert (law.on_circle, law.outlier, law.edge) == (False, None, law.largest_singular_value)
    values, sizes = spectrum.singular_values(W), np.abs(spectrum.eigenvalues(W)) / 1.5
    assert values[0] == pytest.approx(law.edge, rel=0.02)
    inside = np.minimum(sizes, radius)
    assert kolmogorov_smirnov(inside, lambda r: (blocks - 1) * r**2 / (1 - r**2)) < 0.06
    s = law.edge * np.sin(np.linspace(0.0, math.pi / 2, 100_001))[:-1]
    moments = [np.trapezoid(law.density(s) * s**k, s) for k in (0, 2, 4)]
    c = 1 / blocks
    assert moments == pytest.approx([1.0, 1.5**2 * c, 1.5**4 * c**2 * (2 - c)], rel=1e-3)
    cdf = np.concatenate([[0.0], np.cumsum(np.diff(s) * (law.density(s[1:]) + law.density(s[:-1])) / 2)])
    assert kolmogorov_smirnov(np.minimum(values, law.edge), lambda v: np.interp(v, s, cdf)) < 0.02
    np.testing.assert_array_equal(spectrum.block_density([-0.1, edge + 1e-9], blocks), 0.0)


@pytest.mark.parametrize("blocks", [1, 3, 4])
def test_every_scheme_has_the_law_that_its_matrices_follow(blocks):
    n = 128
    for scheme, entry in SCHEMES.items():
        for gain in (0.0, 0.3, 5.0):
            W, law = block_of(scheme, n, blocks, gain), spectrum.expected(scheme, n, gain, blocks)
            sizes, values = np.abs(spectrum.eigenvalues(W)), spectrum.singular_values(W)
            assert values[0] == pytest.approx(law.largest_singular_value, rel=0.05), (scheme, gain)
            assert sizes[1 if law.outlier is not None else 0] == pytest.approx(law.radius, rel=0.15), (scheme, gain)
            if law.on_circle:
                np.testing.assert_allclose([sizes, values], gain, rtol=1e-9, err_msg=scheme)
                assert "circular" not in law.law.eigenvalues
            else:
                assert np.mean(sizes < 0.8 * law.radius) > 0.3 or gain == 0, "a disc, not a circle"
                assert ("circular law" in law.law.eigenvalues) == (not entry.orthogonal), scheme


def test_what_follows_no_law_has_none():
    known = SCHEMES["xavier"]
    ones = replace(
        known,
        fn=lambda rng, fan_in, fan_out, gain: np.full((fan_in, fan_out), gain),
        mean=lambda i, o: 1.0,
        variance=lambda i, o: 0.0,
    )
    sparse = replace(known, iid=False)
    cut = replace(SCHEMES["identity"], whole=True)
    small = replace(known, whole=True, variance=lambda i, o: 2 / (i + o))
    for name, entry in {"ones": ones, "sparse": sparse, "cut": cut, "small": small}.items():
        SCHEMES.add(name, entry)
    for scheme, *sizes in (("ones", 64), ("sparse", 64), ("cut", 64, 1, 4)):
        assert spectrum.expected(scheme, *sizes) is None, scheme
    assert not sparse.independent
    assert spectrum.expected("cut", 64).on_circle
    assert spectrum.expected("small", 64, 1.0, 4).radius == pytest.approx((2 / 5) ** 0.5)  # fan_out is 4 H


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


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spectrum.eigenvalues(np.zeros((2, 3))), r"square.*\(2, 3\)"),
        (lambda: spectrum.eigenvalues(np.zeros(3)), r"square.*\(3,\)"),
        (lambda: spectrum.singular_values(np.zeros((0, 0))), r"H from 1 on.*\(0, 0\)"),
        (lambda: spectrum.singular_values([[1.0, np.inf], [np.nan, 0.0]]), "W must be finite; 2 of its 4"),
        (lambda: spectrum.quarter_circle(1.0, 0.0), "sigma_w.*0.0"),
        (lambda: spectrum.circular_law_radius(-1.0), "sigma_w.*-1.0"),
        (lambda: spectrum.block_density(0.5, 1), "blocks.*got 1"),
        (lambda: spectrum.expected("identity", 4).density(1.0), "all equal"),
        (lambda: spectrum.expected("xavir", 4), "Did you mean 'xavier'"),
    ],
)
def test_errors_name_the_argument(call, words):
    with pytest.raises(ValueError, match=words):
        call()
