"""Activations and their slopes against mpmath."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from rnnviz.network import arithmetic
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.numerics.scaled import as_scaled
from rnnviz.text.registry import Registry

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


@pytest.mark.parametrize("name", F)
def test_f(name):
    np.testing.assert_allclose(ACTIVATIONS[name].f(POINTS), by_mpmath(F[name], POINTS), rtol=1e-15, atol=5e-324)


@pytest.mark.parametrize("name", F)
def test_slope_to_full_relative_precision(name):
    expected = by_mpmath(SLOPE[name], POINTS)
    normal = (expected == 0) | (expected > 1e-307)
    np.testing.assert_allclose(ACTIVATIONS[name].slope(POINTS)[normal], expected[normal], rtol=4e-15)


@pytest.mark.parametrize("points", [POINTS, POINTS / 1e5, POINTS.reshape(8, 4).T], ids=["large", "small", "turned"])
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_value_and_slope_at_once(name, points):
    value, slope = ACTIVATIONS[name].both(points)
    # A sigmoid's tail is its slope: both are as good as the exponent, rounded once, of a power of two.
    rtol = 2e-13 if name == "sigmoid" else 4e-15
    np.testing.assert_allclose(value.ravel(), by_mpmath(F[name], points.ravel()), rtol=rtol, atol=5e-324)
    expected = by_mpmath(SLOPE[name], points.ravel())
    normal = expected > 4 * np.finfo(float).tiny
    np.testing.assert_allclose(slope.ravel()[normal], expected[normal], rtol=2e-13)
    assert np.all(slope.ravel()[~normal] <= 4 * np.finfo(float).tiny), "by which it is known"


@pytest.mark.parametrize("size", [1, arithmetic.FEW // 4, arithmetic.FEW])
@pytest.mark.parametrize("name", F)
def test_exact_arithmetic_gives_each_slope_at_any_size(name, size):
    """Few numbers and many go different ways, and so do those whose slope float64 cannot hold."""
    points = np.resize(POINTS, (1, 4, size))
    for a in (points, np.clip(points, -300, 300)):
        value, kept = arithmetic.EXACT.activate(ACTIVATIONS[name], a)
        slope = as_scaled(arithmetic.EXACT.slope(ACTIVATIONS[name], kept))
        np.testing.assert_allclose(value.ravel(), by_mpmath(F[name], a.ravel()), rtol=2e-13, atol=5e-324)
        with mp.workdps(50):
            exact = [SLOPE[name](mp.mpf(number)) for number in a.ravel().tolist()]
        powers = np.broadcast_to(slope.e, slope.m.shape).ravel()
        for m, e, theirs in zip(slope.m.ravel().tolist(), powers, exact, strict=True):
            assert mp.almosteq(mp.ldexp(mp.mpf(m), int(e)), theirs, rel_eps=1e-11)


@pytest.mark.parametrize("name", F)
def test_log_slope_where_float64_has_ended(name):
    expected = by_mpmath(lambda a: mp.log(SLOPE[name](a)) if SLOPE[name](a) else mp.mpf("-inf"), POINTS)
    with np.errstate(divide="raise"):
        np.testing.assert_allclose(ACTIVATIONS[name].log_slope(POINTS), expected, rtol=1e-15, atol=2e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_slope_is_the_derivative_of_f(name):
    phi, a = ACTIVATIONS[name], np.linspace(-3, 3, 62)  # 0, ReLU's kink, is not among them
    numeric = (phi.f(a + 1e-6) - phi.f(a - 1e-6)) / 2e-6
    np.testing.assert_allclose(phi.slope(a), numeric, atol=1e-8)
    np.testing.assert_allclose(phi.slope_of_output(phi.f(a)), numeric, atol=1e-8)
    np.testing.assert_allclose(np.exp(phi.log_slope(a)), phi.slope(a), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_f_and_the_slope_of_its_output_keep_the_type(name, dtype):
    h = ACTIVATIONS[name].f(np.linspace(-1, 1, 5, dtype=dtype))
    assert h.dtype == dtype
    assert ACTIVATIONS[name].slope_of_output(h).dtype == dtype


def test_the_slope_of_the_output_is_zero_where_an_autograd_engine_has_zero():
    assert ACTIVATIONS["tanh"].slope_of_output(np.tanh(np.array([20.0])))[0] == 0
    assert ACTIVATIONS["tanh"].slope(np.array([20.0]))[0] > 0


@pytest.mark.parametrize(
    ("name", "outputs", "expected"),
    [
        ("tanh", [-1, -0.98, -0.5, 0, 0.96, 0.98], [1, 1, 0, 0, 0, 1]),
        ("sigmoid", [0.0, 0.01, 0.02, 0.5, 0.98, 0.99], [1, 1, 0, 0, 0, 1]),
        ("relu", [0.0, 1e-9, 5.0], [1, 0, 0]),
        ("linear", [0.0, 1e300], [0, 0]),
    ],
)
def test_saturated(name, outputs, expected):
    np.testing.assert_array_equal(ACTIVATIONS[name].saturated(np.array(outputs, float)), np.array(expected, bool))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_homogeneous_says_whether_the_state_can_grow(name):
    phi = ACTIVATIONS[name]
    scales = np.allclose(phi.f(7.0 * POINTS), 7.0 * phi.f(POINTS))
    assert phi.homogeneous == scales


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(ValueError, match="activation must be one of tanh.*Did you mean 'sigmoid'"):
        ACTIVATIONS["sigmiod"]


def test_a_name_is_registered_once():
    names = Registry("colour")
    names.add("red", 1)
    with pytest.raises(ValueError, match="registered already"):
        names.add("red", 2)
