"""Mean-field theory against closed forms, scipy, mpmath, the literature and real networks."""

from __future__ import annotations

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import erf

from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.schemes import sample
from rnnviz.theory import mean_field
from rnnviz.theory.validity import trusted_until

ERF = replace(
    ACTIVATIONS["tanh"],
    name="erf",
    f=erf,
    slope=lambda a: 2.0 / math.sqrt(math.pi) * np.exp(-a * a),
    log_slope=lambda a: math.log(2.0 / math.sqrt(math.pi)) - a * a,
)
ELU = replace(
    ACTIVATIONS["tanh"],
    name="elu",
    f=lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0.0))),
    slope=lambda a: np.where(a > 0, 1.0, np.exp(np.minimum(a, 0.0))),
)


def by_mpmath(f, q: float) -> float:
    """Return E f(sqrt(q) z) at 25 digits, cut where f bends and where the Gaussian does."""
    with mpmath.workdps(25):
        width = mpmath.sqrt(q)
        ends = sorted(
            {mpmath.mpf(0), *(mpmath.mpf(10) ** k for k in range(-1, 5)), *(width * k for k in (1, 3, 6, 11))}
        )
        ends = [end for end in ends if end <= 11 * width]

        def weighted(a):
            return (f(a) + f(-a)) * mpmath.exp(-a * a / (2 * q)) / mpmath.sqrt(2 * mpmath.pi * q)

        return float(mpmath.quad(weighted, ends))


@pytest.mark.parametrize("q", [1e-12, 1e-3, 0.3, 1.0, 7.0, 300.0, 1e4, 1e6])
@pytest.mark.parametrize(
    ("name", "f", "slope"),
    [
        ("tanh", mpmath.tanh, lambda a: mpmath.sech(a) ** 2),
        ("sigmoid", lambda a: 1 / (1 + mpmath.exp(-a)), lambda a: 1 / (2 + 2 * mpmath.cosh(a))),
    ],
)
def test_expectations_to_ten_digits(name, f, slope, q):
    m, second = mean_field.moments(ACTIVATIONS[name], q)
    assert m == pytest.approx(by_mpmath(lambda a: f(a) ** 2, q), rel=1e-11)
    assert second == pytest.approx(by_mpmath(lambda a: slope(a) ** 2, q), rel=1e-11)


@pytest.mark.parametrize("q", [1e-6, 0.5, 3.0, 1e3, 1e6, 1e12, 1e100])
def test_erf_has_a_closed_form(q):
    """E erf(sqrt(q) z)^2 = 2/pi asin(2q / (1 + 2q)) (Williams 1997); E erf'^2 = 4/pi / sqrt(1 + 4q)."""
    m, slope = mean_field.moments(ERF, q)
    # asin loses its digits near 1; there 1 - 2/pi acos.
    exact = (
        2 / math.pi * math.atan2(2 * q, math.sqrt(1 + 4 * q)) if q > 1 else 2 / math.pi * math.asin(2 * q / (1 + 2 * q))
    )
    assert m == pytest.approx(exact, rel=1e-12)
    assert slope == pytest.approx(4 / math.pi / math.sqrt(1 + 4 * q), rel=1e-12)


@pytest.mark.parametrize("q", [0.01, 1.0, 50.0])
def test_a_kink_at_zero_costs_no_digits(q):
    def integrand(z):
        return ELU.f(np.asarray(math.sqrt(q) * z)) ** 2 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    expected = sum(quad(integrand, *ends, epsabs=0, epsrel=1e-12)[0] for ends in [(-12, 0), (0, 12)])
    assert mean_field.moments(ELU, q)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("sigma_w", [0.5, 3.0, 12.0])
@pytest.mark.parametrize("sigma_in", [0.0, 0.3, 2.0])
def test_sigmoid_is_tanh_of_a_quarter_of_the_gain(sigma_w, sigma_in):
    """sigmoid(a) = 1/2 + tanh(a/2)/2, so q/4 obeys tanh's recursion with sigma_w/4 and sigma_w^2/16 + sigma_in^2/4."""
    one = mean_field.fixed_point("sigmoid", sigma_w, sigma_in)
    other = mean_field.fixed_point("tanh", sigma_w / 4, math.sqrt(sigma_w**2 / 16 + sigma_in**2 / 4))
    assert one.q / 4 == pytest.approx(other.q, rel=1e-11)
    assert one.chi == pytest.approx(other.chi, rel=1e-11)
    assert one.m == pytest.approx((1 + other.m) / 4, rel=1e-11)


@pytest.mark.parametrize(
    ("activation", "sigma_w", "sigma_in", "m", "rate"),
    [  # science.md, table 1, measured on networks
        ("tanh", 1.0, 1.0, 0.464, 0.63),
        ("tanh", 1.0, 65**-0.5, 0.083, None),
        ("sigmoid", 1.0, 0.0, None, 0.236),
    ],
)
def test_values_known_from_elsewhere(activation, sigma_w, sigma_in, m, rate):
    fixed = mean_field.fixed_point(activation, sigma_w, sigma_in)
    assert m is None or round(fixed.m, 3) == m
    assert rate is None or round(math.sqrt(fixed.chi), len(str(rate)) - 2) == rate


@pytest.mark.parametrize(("sigma_w", "sigma_in"), [(0.5, 0.5), (1.0, 1.0), (1.5, 0.0), (2.5, 0.3), (4.0, 0.05)])
def test_fixed_point_of_tanh_by_scipy_alone(sigma_w, sigma_in):
    """Poole et al. 2016, eq. 5: iterate the map with scipy's quadrature."""
    q = 1.0
    for _ in range(300):
        before, q = q, sigma_w**2 * gaussian_by_scipy(lambda a: math.tanh(a) ** 2, q) + sigma_in**2
        if abs(q - before) < 1e-13:
            break
    fixed = mean_field.fixed_point("tanh", sigma_w, sigma_in)
    assert fixed.q == pytest.approx(q, rel=1e-9)
    chi = sigma_w**2 * gaussian_by_scipy(lambda a: math.cosh(a) ** -4, q)
    assert fixed.chi == pytest.approx(chi, rel=1e-9)
    assert fixed.xi == pytest.approx(-1 / math.log(chi), rel=1e-7)


def gaussian_by_scipy(f, q: float) -> float:
    def integrand(z):
        return 2 * f(math.sqrt(q) * z) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    return quad(integrand, 0, 10, epsabs=0, epsrel=1e-11, limit=200)[0]


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "erf"])
@pytest.mark.parametrize("sigma_in", [1e-4, 0.05, 1.0, 30.0, 1e4])
def test_the_critical_gain_is_where_chi_is_one(name, sigma_in):
    phi = ERF if name == "erf" else name
    gain = mean_field.critical_gain(phi, sigma_in)
    assert mean_field.fixed_point(phi, gain, sigma_in).chi == pytest.approx(1.0, abs=1e-8)
    assert mean_field.fixed_point(phi, 0.99 * gain, sigma_in).xi > 0
    assert mean_field.fixed_point(phi, 1.01 * gain, sigma_in).xi < 0


def test_critical_gains_known_from_elsewhere():
    assert round(mean_field.critical_gain("tanh", 1.0), 2) == 1.86  # science.md, measured by training
    assert round(mean_field.critical_gain("sigmoid", 0.0)) == 10
    assert mean_field.critical_gain("tanh", 0.0) == 1.0
    assert mean_field.critical_gain(ERF, 0.0) == pytest.approx(math.sqrt(math.pi) / 2, rel=1e-12)
    assert mean_field.critical_gain("relu", 3.0) == pytest.approx(math.sqrt(2.0), rel=1e-15)
    assert mean_field.critical_gain("linear", 3.0) == 1.0


def test_near_the_critical_point_the_state_is_as_small_as_the_expansion_says():
    """q = sigma_w^2 (q - 2 q^2 + 17/3 q^3): q = e/2 + O(e^2), e = 1 - 1/sigma_w^2."""
    for sigma_w in (1.001, 1 + 1e-5, 1 + 1e-7):
        e = 1 - sigma_w**-2
        exact = (2 - math.sqrt(4 - 4 * 17 / 3 * e)) / (2 * 17 / 3)
        assert mean_field.fixed_point("tanh", sigma_w, 0.0).q == pytest.approx(exact, rel=1e-4)
    assert mean_field.fixed_point("tanh", 1.0, 0.0) == mean_field.FixedPoint(0.0, 0.0, 1.0, math.inf)


def test_an_empty_state_stays_empty_without_input():
    assert mean_field.fixed_point("tanh", 2.0, 0.0, m0=0.0).chi == 4.0
    assert mean_field.fixed_point("tanh", 2.0, 0.0).q > 1.0
    assert mean_field.fixed_point("tanh", 0.0, 2.0) == mean_field.FixedPoint(
        4.0, mean_field.moments(ACTIVATIONS["tanh"], 4.0)[0], 0, 0
    )


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
def test_curves_hold_far_outside_of_float64(sigma_w, loss_at, log10_norm, second_moment):
    c = mean_field.curves("linear", sigma_w, 1.0, 5000, loss_at=loss_at)
    assert c.log10_grad_norm[0] == pytest.approx(log10_norm, abs=1e-9)
    assert c.second_moment[-1] == pytest.approx(second_moment, rel=1e-12)


def test_curves_are_products_of_the_chi_of_each_step():
    kick = np.r_[1.3, np.full(29, 0.2)]
    c = mean_field.curves("tanh", 1.2, kick, 30)
    m, logs = 0.0, []
    for s in kick:
        q = 1.44 * m + s * s
        m = gaussian_by_scipy(lambda a: math.tanh(a) ** 2, q)
        logs.append(0.5 * math.log10(1.44 * gaussian_by_scipy(lambda a: math.cosh(a) ** -4, q)))
    assert c.second_moment[-1] == pytest.approx(m, rel=1e-10)
    assert_allclose(c.log10_grad_norm, np.r_[np.cumsum(logs[::-1])[::-1], 0.0], atol=1e-10)


def test_without_input_the_state_of_tanh_fades_as_one_over_two_t():
    c = mean_field.curves("tanh", 1.0, np.r_[1.0, np.zeros(4999)], 5000)
    assert 2 * 5000 * c.second_moment[-1] == pytest.approx(1.0, rel=5e-3)
    slope = (c.log10_grad_norm[2500] - c.log10_grad_norm[250]) / math.log10(2500 / 250)
    assert slope == pytest.approx(0.5, abs=5e-3)  # the norm over a stretch of time is a power law, not exponential


def network(scheme: str, gain: float, scale: float, seed: int, steps: int = 60, n: int = 512, batch: int = 4):
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


@pytest.mark.parametrize(("scheme", "gain", "scale"), [("xavier", 1.0, 1.0), ("orthogonal", 1.5, 0.5)])
def test_real_networks_follow_the_curves_as_far_as_they_are_trusted(scheme, gain, scale):
    runs = [network(scheme, gain, scale, seed) for seed in range(5)]
    c = mean_field.curves("tanh", gain, scale, 60)
    assert trusted_until("tanh", gain, scale, 512, 60, scheme).steps == 60
    second, norms = (np.array(part) for part in zip(*runs, strict=True))
    assert_allclose(np.median(second, axis=0)[1:], c.second_moment[1:], rtol=0.04)
    band = norms.max(axis=0) - norms.min(axis=0)
    assert np.all(np.abs(np.median(norms, axis=0) - c.log10_grad_norm) < 0.02 + 0.75 * band)
    assert band.max() < 0.6  # of 12 decades (xavier)


def test_trust_ends_where_tied_weights_show():
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
    steps = trusted_until("linear", 1.0, 0.0, n, 1000).steps
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
def test_trust_says_how_far_and_why(arguments, steps, words):
    trust = trusted_until(*arguments)
    assert trust.steps == math.ceil(steps)
    assert words in trust.reason


def test_chance_adds_up_sooner_where_slopes_are_remembered():
    """Until n (1 - sigma_w^2 (E phi')^2) steps."""
    for sigma_w in (1.0, 1.8):
        q = mean_field.fixed_point("tanh", sigma_w, 1.0).q
        memory = sigma_w**2 * gaussian_by_scipy(lambda a: math.cosh(a) ** -2, q) ** 2
        trust = trusted_until("tanh", sigma_w, 1.0, 1000, 5000)
        assert trust.steps == math.ceil(1000 * (1 - memory))
        assert "chance" in trust.reason


NUMBERS = st.one_of(st.just(0.0), st.floats(0.0, 20.0), st.floats(0.0, 1e100))
NAMES = st.sampled_from(list(ACTIVATIONS))


@given(NAMES, NUMBERS, NUMBERS, NUMBERS)
@settings(max_examples=250)
def test_any_fixed_point_is_one(name, sigma_w, sigma_in, m0):
    fixed = mean_field.fixed_point(name, sigma_w, sigma_in, m0)
    assert 0 <= fixed.q <= math.inf
    assert 0 <= fixed.m <= math.inf
    assert 0 <= fixed.chi <= math.inf
    assert not math.isnan(fixed.xi)
    if math.isfinite(fixed.q):
        again = sigma_w**2 * fixed.m + sigma_in**2
        assert again == pytest.approx(fixed.q, rel=1e-9, abs=1e-15)


@given(NAMES, NUMBERS, st.lists(NUMBERS, min_size=1, max_size=12), NUMBERS, st.sampled_from(["last", "every"]))
@settings(max_examples=150)
def test_any_curve_is_a_number_or_an_infinity(name, sigma_w, sigma_in, m0, loss_at):
    c = mean_field.curves(name, sigma_w, np.array(sigma_in), len(sigma_in), m0, loss_at)
    assert c.second_moment.shape == c.log10_grad_norm.shape == (len(sigma_in) + 1,)
    assert np.all(c.second_moment >= 0)
    assert not np.isnan(c.log10_grad_norm).any()
    assert not np.isposinf(c.log10_grad_norm).any()
    assert c.log10_grad_norm[-1] == 0
    trust = trusted_until(name, sigma_w, np.array(sigma_in), 30, len(sigma_in))
    assert 1 <= trust.steps <= len(sigma_in)


@given(NAMES, NUMBERS)
@settings(max_examples=60)
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
        (lambda: trusted_until("tanh", 1.0, 1.0, 0, 4), "hidden_size.*got 0"),
        (lambda: trusted_until("tanh", 1.0, 1.0, 9, 4, "xavir"), "Did you mean 'xavier'"),
    ],
)
def test_what_is_out_of_bounds_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
