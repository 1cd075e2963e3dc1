"""Activations and their slopes against mpmath."""

from __future__ import annotations

from itertools import cycle, product

import mpmath as mp
import numpy as np
import pytest

from rnnviz.network import arithmetic
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.numerics.scaled import as_scaled

POINTS = np.array([0.0, 1e-300, 1e-8, 0.1, 0.5, 1.0, 3.0, 8.0, 19.0, 37.0, 100.0, 350.0, 700.0, 746.0, 1e3, 1e4])
POINTS = np.concatenate([-POINTS[::-1], POINTS])

F = {
    "tanh": mp.tanh,
    "sigmoid": lambda a: 1 / (1 + mp.exp(-a)),
    "relu": lambda a: a if a > 0 else mp.mpf(0),
    "linear": lambda a: a,
}
SLOPE = {
    "tanh": lambda a: mp.sech(a) ** 2,
    "sigmoid": lambda a: 1 / (2 + mp.exp(a) + mp.exp(-a)),
    "relu": lambda a: mp.mpf(a > 0),
    "linear": lambda a: mp.mpf(1),
}


def by_mpmath(f, points):
    with mp.workdps(50):
        return np.array([float(f(mp.mpf(float(a)))) for a in points])


def assert_close(name, ours, theirs, **tolerance):
    np.testing.assert_allclose(ours, theirs, err_msg=name, **tolerance)


def test_value_slope_and_log_slope_to_full_relative_precision():
    for name, f in F.items():
        phi, slope = ACTIVATIONS[name], by_mpmath(SLOPE[name], POINTS)
        assert_close(name, phi.f(POINTS), by_mpmath(f, POINTS), rtol=1e-15, atol=5e-324)
        normal = (slope == 0) | (slope > 1e-307)
        assert_close(name, phi.slope(POINTS)[normal], slope[normal], rtol=4e-15)
        logs = by_mpmath(lambda a, d=SLOPE[name]: mp.log(d(a)) if d(a) else mp.mpf("-inf"), POINTS)
        with np.errstate(divide="raise"):
            assert_close(name, phi.log_slope(POINTS), logs, rtol=1e-15, atol=2e-15)


def test_value_and_slope_computed_together():
    tiny = 4 * np.finfo(float).tiny
    for name, points in product(("tanh", "sigmoid"), (POINTS, POINTS / 1e5, POINTS.reshape(8, 4).T)):
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
                assert mp.almosteq(mp.ldexp(mp.mpf(m), int(e)), theirs, rel_eps=1e-11), (name, size)


def test_every_slope_is_the_derivative_of_f():
    a = np.linspace(-3, 3, 62)  # 0, ReLU's kink, is not among them
    for name, phi in ACTIVATIONS.items():
        numeric = (phi.f(a + 1e-6) - phi.f(a - 1e-6)) / 2e-6
        assert_close(name, phi.slope(a), numeric, atol=1e-8)
        assert_close(name, phi.slope_of_output(phi.f(a)), numeric, atol=1e-8)
        assert_close(name, np.exp(phi.log_slope(a)), phi.slope(a), rtol=1e-14)


def test_f_and_the_slope_of_its_output_keep_the_type():
    for (name, phi), dtype in product(ACTIVATIONS.items(), (np.float32, np.float64)):
        h = phi.f(np.linspace(-1, 1, 5, dtype=dtype))
        assert h.dtype == phi.slope_of_output(h).dtype == dtype, name


def test_the_slope_of_the_output_is_zero_where_an_autograd_engine_has_zero():
    assert ACTIVATIONS["tanh"].slope_of_output(np.tanh(np.array([20.0])))[0] == 0
    assert ACTIVATIONS["tanh"].slope(np.array([20.0]))[0] > 0


def test_saturated():
    for name, outputs, expected in (
        ("tanh", [-1, -0.98, -0.5, 0, 0.96, 0.98], [1, 1, 0, 0, 0, 1]),
        ("sigmoid", [0.0, 0.01, 0.02, 0.5, 0.98, 0.99], [1, 1, 0, 0, 0, 1]),
        ("relu", [0.0, 1e-9, 5.0], [1, 0, 0]),
        ("linear", [0.0, 1e300], [0, 0]),
    ):
        assert ACTIVATIONS[name].saturated(np.array(outputs, float)).tolist() == [bool(each) for each in expected], name


def test_properties_of_the_functions():
    steepest = {"tanh": 1.0, "sigmoid": 0.25, "relu": 1.0, "linear": 1.0}
    for name, phi in ACTIVATIONS.items():
        assert phi.homogeneous == np.allclose(phi.f(7.0 * POINTS), 7.0 * phi.f(POINTS)), name
        assert phi.bounded == (name in ("tanh", "sigmoid")), name
        assert phi.odd == (name in ("tanh", "linear")), name
        assert 10.0**phi.log10_steepest == pytest.approx(steepest[name]), name


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(ValueError, match="activation must be one of tanh.*Did you mean 'sigmoid'"):
        ACTIVATIONS["sigmiod"]
