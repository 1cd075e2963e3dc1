"""Activations with two ends: tanh, sigmoid, softsign and hard tanh."""

from __future__ import annotations

import numpy as np

from ...text.language import N_
from .entry import ACTIVATIONS, Activation, magnitude

Array = np.ndarray
LOG2_E = np.log2(np.e)
SMALL = 0.0625  # below it, 1 - exp(-2|a|) has lost digits


def sigmoid(a: Array) -> Array:
    """Return ``1 / (1 + exp(-a))`` to full relative precision on both sides of 0."""
    tail = np.exp(-magnitude(a))
    return np.where(a.real >= 0, 1.0, tail) / (1.0 + tail)


def slope_sigmoid(a: Array, twice: float = 1.0) -> Array:
    """Return ``sigmoid'(a) = u / (1 + u)**2`` with ``u = exp(-|a|)``; ``twice = 2`` gives ``sigmoid'(2 a)``."""
    # In place: allocating arrays of this size costs more than the arithmetic.
    u = np.abs(a, out=np.empty_like(a))
    u *= -twice
    np.exp(u, out=u)
    below = 1.0 + u
    below *= below
    u /= below
    return u


def slope_tanh(a: Array) -> Array:
    """Return ``1 - tanh(a)**2 = 4 u / (1 + u)**2`` with ``u = exp(-2|a|)``."""
    slope = slope_sigmoid(a, twice=2.0)
    slope *= 4.0
    return slope


def tanh_with_slope(a: Array) -> tuple[Array, Array]:
    """Return ``tanh(a) = 2 / (1 + u) - 1``, with the sign of a, and ``4 u / (1 + u)**2``, where ``u = exp(-2|a|)``."""
    # Twice as fast as np.tanh and np.exp, which are not vectorised on processors without AVX-512.
    u = np.abs(a, out=np.empty(a.shape))
    small = np.flatnonzero(u < SMALL)
    u *= -2.0 * LOG2_E
    np.exp2(u, out=u)
    h = 1.0 + u
    np.divide(2.0, h, out=h)
    u *= h
    u *= h
    if 2 * small.size > a.size:
        return np.tanh(a), u
    h -= 1.0
    np.copysign(h, a, out=h)
    if small.size:
        h.reshape(-1)[small] = np.tanh(a.reshape(-1)[small])
    return h, u


def sigmoid_with_slope(a: Array) -> tuple[Array, Array]:
    """Return ``sigmoid(a)``, which is ``1 / (1 + u)`` or ``u / (1 + u)``, and its slope, where ``u = exp(-|a|)``."""
    u = np.abs(a, out=np.empty(a.shape))
    u *= -LOG2_E
    np.exp2(u, out=u)
    near = 1.0 + u
    np.divide(1.0, near, out=near)
    # Without np.where, whose branches a processor cannot foresee: it takes as long as all the rest.
    value = np.maximum(u, a >= 0)
    value *= near
    u *= near
    u *= near
    return value, u


def log_sigmoid(a: Array) -> Array:
    """Return ``log sigmoid(a) = min(a, 0) - log(1 + exp(-|a|))``."""
    return np.minimum(a, 0.0) - np.log1p(np.exp(-np.abs(a)))


def log_slope_sigmoid(a: Array) -> Array:
    """Return ``log sigmoid'(a) = log sigmoid(a) + log sigmoid(-a)``."""
    return log_sigmoid(a) + log_sigmoid(-a)


def log_slope_tanh(a: Array) -> Array:
    """Return ``log(1 - tanh(a)**2) = log 4 + log sigmoid'(2 a)``."""
    return np.log(4.0) + log_slope_sigmoid(2.0 * a)


ACTIVATIONS.add(
    "tanh",
    Activation(
        name="tanh",
        label="tanh",
        formula="φ(a) = tanh a",
        f=np.tanh,
        slope_of_output=lambda h: 1.0 - h * h,
        slope=slope_tanh,
        log_slope=log_slope_tanh,
        saturated=lambda h: np.abs(h) > 0.97,
        saturation_label=N_("share of units with |h| > 0.97"),
        both=tanh_with_slope,
        ends=(-1.0, 1.0),
        log_margin=lambda a: np.log(2.0) + log_sigmoid(-2.0 * np.abs(a)),
        torch_gain=5.0 / 3.0,
    ),
)
ACTIVATIONS.add(
    "sigmoid",
    Activation(
        name="sigmoid",
        label=N_("sigmoid"),
        formula="φ(a) = 1 / (1 + exp(−a))",
        f=sigmoid,
        slope_of_output=lambda h: h * (1.0 - h),
        slope=slope_sigmoid,
        log_slope=log_slope_sigmoid,
        saturated=lambda h: np.abs(2.0 * h - 1.0) > 0.97,
        saturation_label=N_("share of units with h < 0.015 or h > 0.985"),
        both=sigmoid_with_slope,
        ends=(0.0, 1.0),
        log_margin=lambda a: log_sigmoid(-np.abs(a)),
        torch_gain=1.0,
    ),
)
ACTIVATIONS.add(
    "softsign",
    Activation(
        name="softsign",
        label="softsign",
        formula="φ(a) = a / (1 + |a|)",
        f=lambda a: a / (1.0 + magnitude(a)),
        slope=lambda a: np.square(1.0 / (1.0 + np.abs(a))),
        log_slope=lambda a: -2.0 * np.log1p(np.abs(a)),
        saturated=lambda h: np.abs(h) > 0.76,
        saturation_label=N_("share of units with |h| > 0.76"),
        ends=(-1.0, 1.0),
        log_margin=lambda a: -np.log1p(np.abs(a)),
    ),
)
ACTIVATIONS.add(
    "hard_tanh",
    Activation(
        name="hard_tanh",
        label=N_("hard tanh"),
        formula="φ(a) = min(max(a, −1), 1)",
        f=lambda a: np.where(np.abs(a.real) < 1, a, np.sign(a.real)),
        slope_of_output=lambda h: (np.abs(h) < 1).astype(h.dtype),
        slope=lambda a: (np.abs(a) < 1) * 1.0,
        log_slope=lambda a: np.where(np.abs(a) < 1, 0.0, -np.inf),
        saturated=lambda h: np.abs(h) > 1.0 - 1e-9,
        saturation_label=N_("share of units at −1 or 1 (slope 0)"),
        kinks=(-1.0, 1.0),
    ),
)
