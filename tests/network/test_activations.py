"""Activations and their slopes against mpmath."""

from __future__ import annotations

from itertools import cycle, product

import mpmath as mp
import numpy as np
import pytest
import reference

from rnnviz.network import arithmetic
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.numerics.scaled import as_scaled

POINTS = np.array([0.0, 1e-300, 1e-8, 0.1, 0.5, 1.0, 3.0, 8.0, 19.0, 37.0, 100.0, 350.0, 700.0, 746.0, 1e3, 1e4])
POINTS = np.concatenate([-POINTS[::-1], POINTS])
FAR = np.array([1e-150, 0.7, 0.7517915246935645, 0.76, 0.88, 1.4142, 8.99, 9.01, 38.5, 40.0, 1e8, 1e100, 1e153, 1e300])
EVERYWHERE = np.concatenate([POINTS, -FAR, FAR])
F = {name: f for name, (f, _slope) in reference.MP_PHI.items()}
SLOPE = {name: slope for name, (_f, slope) in reference.MP_PHI.items()}
SMOOTH = ("tanh", "sigmoid")


def by_mpmath(f, points):
    with mp.workdps(50):
        return np.array([float(f(mp.mpf(float(a)))) for a in points])


def assert_close(name, ours, theirs, **tolerance):
    np.testing.assert_allclose(ours, theirs, err_msg=name, **tolerance)


def test_value_slope_and_log_slope_to_full_relative_precision():
    for name, f in F.items():
        points = POINTS if name in SMOOTH else EVERYWHERE
        phi, slope = ACTIVATIONS[name], by_mpmath(SLOPE[name], points)
        assert_close(name, phi.f(points), by_mpmath(f, points), rtol=1e-15, atol=1e-322)
        normal = (slope == 0) | (np.abs(slope) > 1e-307)
        assert_close(name, phi.slope(points)[normal], slope[normal], rtol=4e-15, atol=5e-324)
        logs = by_mpmath(lambda a, d=SLOPE[name]: mp.log(abs(d(a))) if d(a) else mp.mpf("-inf"), points)
        with np.errstate(divide="raise"):
            assert_close(name, phi.log_slope(points), logs, rtol=1e-15, atol=2e-15)


def test_the_slope_of_gelu_keeps_its_digits_beside_its_zero():
    zero = 0.7517915246935645
    points = -zero * (1.0 + np.array([-0.3, -0.1, -1e-3, -1e-8, -2e-16, 0.0, 2e-16, 1e-12, 1e-5, 0.16, 0.17]))
    phi, slope = ACTIVATIONS["gelu"], by_mpmath(SLOPE["gelu"], points)
    assert_close("gelu", phi.slope(points), slope, rtol=2e-15, atol=0)
    assert_close("gelu", phi.log_slope(points), np.log(np.abs(slope)), rtol=1e-15, atol=2e-15)
    assert np.abs(slope).min() < 1e-16
    assert slope.min() < 0 < slope.max()


def test_values_and_derivatives_agree_with_torch():
    torch = pytest.importorskip("torch")
    points = torch.linspace(-30, 30, 4001, dtype=torch.float64, requires_grad=True)
    named = {"leaky_relu": torch.nn.LeakyReLU(), "hard_tanh": torch.nn.Hardtanh(), "softsign": torch.nn.Softsign()}
    for name, f in (named | {"elu": torch.nn.ELU(), "selu": torch.nn.SELU(), "gelu": torch.nn.GELU()}).items():
        value, phi, a = f(points), ACTIVATIONS[name], points.detach().numpy()
        (slope,) = torch.autograd.grad(value.sum(), points)
        assert_close(name, phi.f(a), value.detach().numpy(), rtol=1e-12, atol=1e-14)
        assert_close(name, phi.slope(a), slope.numpy(), rtol=1e-12, atol=1e-14)
    for name in ("tanh", "sigmoid", "relu", "linear", "leaky_relu", "selu"):
        assert ACTIVATIONS[name].torch_gain == torch.nn.init.calculate_gain(name), name
    for name in ("elu", "gelu", "softsign", "hard_tanh"):
        assert ACTIVATIONS[name].torch_gain is None, name


def test_value_and_slope_computed_together():
    tiny = 4 * np.finfo(float).tiny
    for name, points in product(SMOOTH, (POINTS, POINTS / 1e5, POINTS.reshape(8, 4).T)):
        value, slope = ACTIVATIONS[name].both(points)
        # A sigmoid's tail equals its slope; both are as accurate as the rounded exponent of a power of two.
        rtol = 2e-13 if name == "sigmoid" else 4e-15
        assert_close(name, value.ravel(), by_mpmath(F[name], points.ravel()), rtol=rtol, atol=5e-324)
        expected = by_mpmath(SLOPE[name], points.ravel())
        assert_close(name, slope.ravel()[expected > tiny], expected[expected > tiny], rtol=2e-13)
        assert np.all(slope.ravel()[expected <= tiny] <= tiny), f"{name}: too small a slope must show"


def test_exact_arithmetic_gives_each_slope_at_any_size():
    """Small and large arrays take different branches, as do slopes that float64 cannot hold."""
    for name, size in product(F, (1, arithmetic.FEW // 4, arithmetic.FEW)):
        points = np.resize(POINTS, (1, 4, size))
        for a in (points, np.clip(points, -300, 300)):
            value, kept = arithmetic.EXACT.activate(ACTIVATIONS[name], a)
            slope = as_scaled(arithmetic.EXACT.slope(ACTIVATIONS[name], kept))
            # POINTS repeat in a larger array, so that mpmath is needed for the first of them only.
            count = min(a.size, len(POINTS))
            exact = np.resize(by_mpmath(F[name], a.ravel()[:count]), a.size)
            assert_close(name, value.ravel(), exact, rtol=2e-13, atol=5e-324)
            with mp.workdps(50):
                exact = [SLOPE[name](mp.mpf(number)) for number in a.ravel().tolist()[:count]]
            powers = np.broadcast_to(slope.e, slope.m.shape).ravel()
            for m, e, theirs in zip(slope.m.ravel().tolist(), powers, cycle(exact), strict=False):
                digits = 1e-15 * max(1e4, abs(float(mp.log(abs(theirs))))) if theirs else 0  # of a logarithm as float
                assert mp.almosteq(mp.ldexp(mp.mpf(m), int(e)), theirs, rel_eps=digits, abs_eps=0), (name, size)


def test_every_slope_is_the_derivative_of_f():
    a = np.linspace(-3, 3, 62)  # 0, ReLU's kink, is not among them
    for name, phi in ACTIVATIONS.items():
        numeric = (phi.f(a + 1e-6) - phi.f(a - 1e-6)) / 2e-6
        assert_close(name, phi.slope(a), numeric, atol=1e-8)
        assert_close(name, plain_slope(phi, a), numeric, atol=1e-8)
        assert_close(name, np.exp(phi.log_slope(a)), np.abs(phi.slope(a)), rtol=1e-14)


def plain_slope(phi, a):
    """Return the slope as an autograd engine computes it."""
    return arithmetic.PLAIN.slope(phi, arithmetic.PLAIN.activate(phi, a)[1])


def test_f_and_the_slope_of_its_output_keep_the_type():
    for (name, phi), dtype in product(ACTIVATIONS.items(), (np.float32, np.float64)):
        a = np.linspace(-1, 1, 5, dtype=dtype)
        assert phi.f(a).dtype == plain_slope(phi, a).dtype == dtype, name


def test_the_slope_of_the_output_is_zero_where_an_autograd_engine_has_zero():
    assert ACTIVATIONS["tanh"].slope_of_output(np.tanh(np.array([20.0])))[0] == 0
    assert ACTIVATIONS["tanh"].slope(np.array([20.0]))[0] > 0


def test_saturated():
    for name, outputs, expected in (
        ("tanh", [-1, -0.98, -0.5, 0, 0.96, 0.98], [1, 1, 0, 0, 0, 1]),
        ("sigmoid", [0.0, 0.01, 0.02, 0.5, 0.98, 0.99], [1, 1, 0, 0, 0, 1]),
        ("relu", [0.0, 1e-9, 5.0], [1, 0, 0]),
        ("linear", [0.0, 1e300], [0, 0]),
        ("leaky_relu", [-1e-9, 0.0, 5.0], [1, 0, 0]),
        ("elu", [-1.0, -0.95, -0.93, 0.0, 9.0], [1, 1, 0, 0, 0]),
        ("selu", [-1.75, -1.66, -1.64, 0.0, 9.0], [1, 1, 0, 0, 0]),
        ("gelu", [-0.17, -1e-9, 0.0, 5.0], [1, 1, 0, 0]),
        ("softsign", [-0.77, -0.75, 0.0, 0.77], [1, 0, 0, 1]),
        ("hard_tanh", [-1.0, -0.999, 0.0, 0.999, 1.0], [1, 0, 0, 0, 1]),
    ):
        assert ACTIVATIONS[name].saturated(np.array(outputs, float)).tolist() == [bool(each) for each in expected], name


def test_properties_of_the_functions():
    steepest = {"sigmoid": 0.25, "selu": 1.7581, "gelu": 1.1289}
    for name, phi in ACTIVATIONS.items():
        assert phi.homogeneous == np.allclose(phi.f(7.0 * POINTS), 7.0 * phi.f(POINTS)), name
        assert phi.bounded == (name in ("tanh", "sigmoid", "softsign", "hard_tanh")), name
        assert phi.odd == (name in ("tanh", "linear", "softsign", "hard_tanh")), name
        assert phi.monotone == (name != "gelu"), name
        assert phi.stops == (name in ("relu", "hard_tanh")), name
        assert 10.0**phi.log10_steepest == pytest.approx(steepest.get(name, 1.0), rel=1e-4), name


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(ValueError, match="activation must be one of tanh.*Did you mean 'sigmoid'"):
        ACTIVATIONS["sigmiod"]
