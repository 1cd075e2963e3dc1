"""The mean-field recursion against closed forms, scipy and the literature."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from expectations import ERF, by_scipy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import ndtr

from rnnviz.network.activations import ACTIVATIONS
from rnnviz.theory import mean_field


def test_sigmoid_is_tanh_of_a_quarter_of_the_gain():
    """sigmoid(a) = 1/2 + tanh(a/2)/2, so q/4 obeys tanh's recursion with sigma_w/4 and sigma_w^2/16 + sigma_in^2/4."""
    for sigma_w, sigma_in in product([0.5, 3.0, 12.0], [0.0, 0.3, 2.0]):
        one = mean_field.fixed_point("sigmoid", sigma_w, sigma_in)
        other = mean_field.fixed_point("tanh", sigma_w / 4, math.sqrt(sigma_w**2 / 16 + sigma_in**2 / 4))
        expected = (4 * other.q, other.chi, (1 + other.m) / 4)
        assert (one.q, one.chi, one.m) == pytest.approx(expected, rel=1e-11), (sigma_w, sigma_in)


def test_fixed_points_match_measured_networks():
    """Second moments and rates measured on networks, to the digits given there (science.md, table 1)."""
    driven, weakly_driven = (mean_field.fixed_point("tanh", 1.0, sigma_in) for sigma_in in (1.0, 65**-0.5))
    assert (round(driven.m, 3), round(math.sqrt(driven.chi), 2)) == (0.464, 0.63)
    assert round(weakly_driven.m, 3) == 0.083
    assert round(math.sqrt(mean_field.fixed_point("sigmoid", 1.0, 0.0).chi), 3) == 0.236


def test_fixed_point_of_tanh_by_scipy_alone():
    """Poole et al. 2016, eq. 5: iterate the map with scipy's quadrature."""
    for sigma_w, sigma_in in [(0.5, 0.5), (1.0, 1.0), (1.5, 0.0), (2.5, 0.3), (4.0, 0.05)]:
        q, before = 1.0, 0.0
        while abs(q - before) > 1e-13:
            before, q = q, sigma_w**2 * by_scipy(lambda a: math.tanh(a) ** 2, q) + sigma_in**2
        fixed = mean_field.fixed_point("tanh", sigma_w, sigma_in)
        chi = sigma_w**2 * by_scipy(lambda a: math.cosh(a) ** -4, q)
        assert (fixed.q, fixed.chi) == pytest.approx((q, chi), rel=1e-9), (sigma_w, sigma_in)
        assert fixed.xi == pytest.approx(-1 / math.log(chi), rel=1e-7), (sigma_w, sigma_in)


SETTLING = ("tanh", "sigmoid", "softsign", "hard_tanh", "elu", "selu")


def test_chi_is_one_at_the_critical_gain():
    for phi, sigma_in in product([*SETTLING, ERF], [1e-4, 0.05, 1.0, 30.0, 1e4]):
        gain = mean_field.critical_gain(phi, sigma_in)
        below, at, above = (mean_field.fixed_point(phi, share * gain, sigma_in) for share in (0.99, 1.0, 1.01))
        assert at.chi == pytest.approx(1.0, abs=1e-8), (phi, sigma_in)
        assert above.xi < 0 < below.xi, (phi, sigma_in)


def test_a_gelu_with_little_input_runs_away_at_its_critical_gain():
    """The gain at which the two fixed points of q -> sigma_w^2 E phi^2 + sigma_in^2 meet, by a scan of sums."""
    z = np.linspace(-12.0, 12.0, 2001)
    weight = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
    for sigma_in in (0.03, 0.3):
        found = mean_field.critical_gain("gelu", sigma_in)
        q = np.linspace(sigma_in**2, 2.0, 1000)[1:]
        a = np.sqrt(q)[:, None] * z
        widths = (q - sigma_in**2) / (np.square(a * ndtr(a)) @ weight)
        peak = np.flatnonzero(np.diff(widths) < 0)[0]
        assert found == pytest.approx(math.sqrt(widths[peak]), rel=1e-3)
        below, above = (mean_field.fixed_point("gelu", share * found, sigma_in, m0=0.0) for share in (0.99, 1.01))
        assert below.chi < 1 < above.chi
        assert below.q < 1
        assert above.q == math.inf


def test_critical_gains_of_activations_with_kinks():
    """Without input, chi = sigma_w^2 E phi'^2 at q -> 0: the mean of both slopes at 0."""
    selu = [ACTIVATIONS["selu"].slope(np.array([a]))[0] for a in (-1e-9, 1e-9)]
    expected = {"elu": 1.0, "gelu": 2.0, "softsign": 1.0, "hard_tanh": 1.0}
    expected |= {"leaky_relu": math.sqrt(2 / 1.0001), "selu": math.sqrt(2 / (selu[0] ** 2 + selu[1] ** 2))}
    for name, gain in expected.items():
        assert mean_field.critical_gain(name, 0.0) == pytest.approx(gain, rel=1e-8), name
    normal = mean_field.fixed_point("selu", 1.0, 0.0)
    assert (normal.q, normal.chi) == pytest.approx((1.0, 1.0716), rel=1e-4)  # Klambauer et al. 2017, sect. 2


def test_the_gain_that_torch_recommends_for_tanh():
    fixed = mean_field.fixed_point("tanh", ACTIVATIONS["tanh"].torch_gain, 0.0)
    assert (round(fixed.m, 3), round(math.sqrt(fixed.chi), 2)) == (0.424, 1.10)


def test_critical_gains_match_published_values():
    assert round(mean_field.critical_gain("tanh", 1.0), 2) == 1.86  # science.md, measured by training
    assert round(mean_field.critical_gain("sigmoid", 0.0)) == 10
    assert mean_field.critical_gain("tanh", 0.0) == 1.0
    assert mean_field.critical_gain(ERF, 0.0) == pytest.approx(math.sqrt(math.pi) / 2, rel=1e-12)
    assert mean_field.critical_gain("relu", 3.0) == pytest.approx(math.sqrt(2.0), rel=1e-15)
    assert mean_field.critical_gain("linear", 3.0) == 1.0


def test_small_states_near_the_critical_point_match_the_expansion():
    """q = sigma_w^2 (q - 2 q^2 + 17/3 q^3): q = e/2 + O(e^2), e = 1 - 1/sigma_w^2."""
    for sigma_w in (1.001, 1 + 1e-5, 1 + 1e-7):
        e = 1 - sigma_w**-2
        exact = (2 - math.sqrt(4 - 4 * 17 / 3 * e)) / (2 * 17 / 3)
        assert mean_field.fixed_point("tanh", sigma_w, 0.0).q == pytest.approx(exact, rel=1e-4)
    assert mean_field.fixed_point("tanh", 1.0, 0.0) == mean_field.FixedPoint(0.0, 0.0, 1.0, math.inf)


def test_a_zero_state_stays_zero_without_input():
    assert mean_field.fixed_point("tanh", 2.0, 0.0, m0=0.0).chi == 4.0
    assert mean_field.fixed_point("tanh", 2.0, 0.0).q > 1.0
    without_weights = mean_field.fixed_point("tanh", 0.0, 2.0)
    assert (without_weights.q, without_weights.chi, without_weights.xi) == (4.0, 0.0, 0.0)
    assert without_weights.m == pytest.approx(by_scipy(lambda a: math.tanh(a) ** 2, 4.0), rel=1e-10)


@pytest.mark.parametrize(("name", "share"), [("relu", 0.5), ("linear", 1.0)])
def test_homogeneous_fixed_points(name, share):
    below = mean_field.fixed_point(name, math.sqrt(0.8 / share), 1.5)
    assert_allclose([below.q, below.m, below.chi], [1.5**2 / 0.2, share * 1.5**2 / 0.2, 0.8], rtol=1e-13)
    above = mean_field.fixed_point(name, math.sqrt(1.2 / share), 1.5)
    assert (above.q, above.m, above.chi) == (math.inf, math.inf, pytest.approx(1.2, rel=1e-15))
    at = mean_field.fixed_point(name, math.sqrt(1 / share), 0.0, m0=3.0)
    assert (at.q, at.chi, at.xi) == (pytest.approx(3.0 / share), 1.0, math.inf)
    assert mean_field.fixed_point(name, math.sqrt(1 / share), 0.1).q == math.inf


def test_curves_of_a_linear_network():
    """E h_t^2 = sum of sigma_w^2k; with a loss at every step the squared gradient is the same sum."""
    steps, sigma_w = 40, 0.9
    c = mean_field.curves("linear", sigma_w, 2.0, steps, m0=0.5)
    t = np.arange(steps + 1)
    sums = (1 - 0.81**t) / 0.19
    assert_allclose(c.second_moment, 4 * sums + 0.5 * 0.81**t, rtol=1e-13)
    assert_allclose(c.log10_grad_norm, (steps - t) * math.log10(0.9), atol=1e-13)
    every = mean_field.curves("linear", sigma_w, 2.0, steps, loss_at="every").log10_grad_norm
    assert_allclose(10 ** (2 * every[1:]), ((1 - 0.81 ** (steps - t + 1)) / 0.19)[1:], rtol=1e-12)
    assert every[0] == pytest.approx(every[1] + math.log10(0.9), abs=1e-14)  # h_0 has no loss of its own


@pytest.mark.parametrize(
    ("sigma_w", "loss_at", "log10_norm", "second_moment"),
    [
        (0.1, "last", -5000.0, 1 / 0.99),
        (10.0, "last", 5000.0, math.inf),
        (0.1, "every", -1.0 + 0.5 * math.log10(1 / 0.99), 1 / 0.99),
        (10.0, "every", 5000.0 + 0.5 * math.log10(1 / 0.99), math.inf),
    ],
)
def test_curves_are_accurate_far_outside_float64(sigma_w, loss_at, log10_norm, second_moment):
    c = mean_field.curves("linear", sigma_w, 1.0, 5000, loss_at=loss_at)
    assert c.log10_grad_norm[0] == pytest.approx(log10_norm, abs=1e-9)
    assert c.second_moment[-1] == pytest.approx(second_moment, rel=1e-12)


def test_curves_are_products_of_the_chi_of_each_step():
    sigmas = np.r_[1.3, np.full(29, 0.2)]
    c = mean_field.curves("tanh", 1.2, sigmas, 30)
    m, logs = 0.0, []
    for s in sigmas:
        q = 1.44 * m + s * s
        m = by_scipy(lambda a: math.tanh(a) ** 2, q)
        logs.append(0.5 * math.log10(1.44 * by_scipy(lambda a: math.cosh(a) ** -4, q)))
    assert c.second_moment[-1] == pytest.approx(m, rel=1e-10)
    assert_allclose(c.log10_grad_norm, np.r_[np.cumsum(logs[::-1])[::-1], 0.0], atol=1e-10)


def test_undriven_critical_tanh_decays_as_one_over_two_t():
    c = mean_field.curves("tanh", 1.0, np.r_[1.0, np.zeros(4999)], 5000)
    assert 2 * 5000 * c.second_moment[-1] == pytest.approx(1.0, rel=5e-3)
    slope = (c.log10_grad_norm[2500] - c.log10_grad_norm[250]) / math.log10(2500 / 250)
    assert slope == pytest.approx(0.5, abs=5e-3)  # the norm follows a power law, not an exponential


NUMBERS = st.one_of(st.just(0.0), st.floats(0.0, 20.0), st.floats(0.0, 1e100))
NAMES = st.sampled_from(list(ACTIVATIONS))


@given(NAMES, NUMBERS, NUMBERS, NUMBERS)
@settings(max_examples=60)
def test_any_fixed_point_satisfies_its_equation(name, sigma_w, sigma_in, m0):
    fixed = mean_field.fixed_point(name, sigma_w, sigma_in, m0)
    assert 0 <= fixed.q <= math.inf
    assert 0 <= fixed.m <= math.inf
    assert 0 <= fixed.chi <= math.inf
    assert not math.isnan(fixed.xi)
    if math.isfinite(fixed.q):
        again = sigma_w**2 * fixed.m + sigma_in**2
        assert again == pytest.approx(fixed.q, rel=1e-9, abs=1e-15)


@given(NAMES, NUMBERS, st.lists(NUMBERS, min_size=1, max_size=12), NUMBERS, st.sampled_from(["last", "every"]))
@settings(max_examples=50)
def test_any_curve_is_free_of_nan(name, sigma_w, sigma_in, m0, loss_at):
    c = mean_field.curves(name, sigma_w, np.array(sigma_in), len(sigma_in), m0, loss_at)
    assert c.second_moment.shape == c.log10_grad_norm.shape == (len(sigma_in) + 1,)
    assert np.all(c.second_moment >= 0)
    assert not np.isnan(c.log10_grad_norm).any()
    assert not np.isposinf(c.log10_grad_norm).any()
    assert c.log10_grad_norm[-1] == 0


@given(NAMES, NUMBERS)
@settings(max_examples=30)
def test_any_critical_gain_is_positive(name, sigma_in):
    assert 0 < mean_field.critical_gain(name, sigma_in) <= math.inf


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mean_field.fixed_point("tan", 1.0, 1.0), "Did you mean 'tanh'"),
        (lambda: mean_field.fixed_point("tanh", -1.0, 1.0), r"sigma_w must be a number from 0 to 1e\+100; got -1.0"),
        (lambda: mean_field.fixed_point("tanh", math.nan, 1.0), "sigma_w.*got nan"),
        (lambda: mean_field.fixed_point("tanh", "1", 1.0), "sigma_w.*got '1'"),
        (lambda: mean_field.fixed_point("tanh", 1.0, 1.0, m0=math.inf), "m0.*got inf"),
        (lambda: mean_field.critical_gain("tanh", 1e101), "sigma_in.*got 1e"),
        (lambda: mean_field.curves("tanh", 1.0, 1.0, 0), "seq_len must be a whole number from 1 to 1000000; got 0"),
        (lambda: mean_field.curves("tanh", 1.0, 1.0, 2.5), "seq_len.*got 2.5"),
        (lambda: mean_field.curves("tanh", 1.0, np.ones(3), 4), r"sigma_in.*\(4,\); got \(3,\)"),
        (lambda: mean_field.curves("tanh", 1.0, np.array([1.0, -1.0]), 2), "sigma_in.*at every step"),
        (lambda: mean_field.curves("tanh", 1.0, 1.0, 4, loss_at="lst"), "loss_at.*Did you mean 'last'"),
    ],
)
def test_errors_name_the_argument_and_its_bounds(call, words):
    with pytest.raises(ValueError, match=words):
        call()
