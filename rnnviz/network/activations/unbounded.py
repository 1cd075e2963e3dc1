"""Activations that pass large numbers on: linear, ReLU, and the rectifiers that came after it."""

from __future__ import annotations

import math

import numpy as np

from ...numerics.normal import FARTHEST, density, log_density, mills
from ...text.language import N_
from .entry import ACTIVATIONS, Activation, magnitude

Array = np.ndarray
LEAK = 0.01
SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
SELU_END = SELU_SCALE * SELU_ALPHA
# Where GELU's slope is 0: there M(x) = x, for x = -a, the sum of two floats.
GELU_LEAST = (0.7517915246935645, -1.4956759177009883e-17)
FAR = 9.0  # from here on, GELU's slope is 1 to the last digit
LARGEST = 1e300
WINDOW = 0.125  # around it, M(x) - x is summed as a power series


def elu(a: Array) -> Array:
    """Return ``a`` for a > 0, else ``exp(a) - 1``."""
    return np.where(a.real > 0, a, np.expm1(np.where(a.real > 0, 0.0, a)))


def slope_elu(a: Array) -> Array:
    """Return 1 for a > 0, else ``exp(a)``."""
    return np.exp(np.minimum(a, 0.0))


def selu(a: Array) -> Array:
    """Return ``scale * a`` for a > 0, else ``scale * alpha * (exp(a) - 1)``."""
    return np.where(a.real > 0, SELU_SCALE * a, SELU_END * np.expm1(np.where(a.real > 0, 0.0, a)))


def slope_selu(a: Array) -> Array:
    """Return ``scale`` for a > 0, else ``scale * alpha * exp(a)``."""
    return np.where(a > 0, SELU_SCALE, SELU_END * slope_elu(a))


def log_slope_selu(a: Array) -> Array:
    """Return the logarithm of `slope_selu`."""
    return np.where(a > 0, math.log(SELU_SCALE), math.log(SELU_END) + np.minimum(a, 0.0))


def gelu(a: Array) -> Array:
    """Return ``a P(z <= a)``, z ~ N(0, 1); for a < 0 this is ``a p(a) M(-a)`` (see `normal`)."""
    x = magnitude(a)
    tail = density(x) * mills(x)
    return np.where(np.isneginf(a.real), -0.0, a) * np.where(a.real > 0, 1.0 - tail, tail)


def bend(x: Array) -> Array:
    """Return ``M(x) - x`` to full relative precision for x >= 0, also near its zero."""
    high, low = GELU_LEAST
    d = np.where(np.abs(x - high) < WINDOW, x - high - low, 0.0)
    series = BEND[-1] * d
    for c in reversed(BEND[:-1]):
        series = (series + c) * d
    return np.where(d == 0, mills(x) - x, series)


def bend_series(terms: int = 18) -> list[float]:
    """Return the Taylor coefficients of ``M(x) - x`` at its zero, from the first power on, by ``M' = x M - 1``."""
    x = GELU_LEAST[0]
    derivatives = [x, x * x - 1.0]
    for n in range(1, terms):
        derivatives.append(x * derivatives[n] + n * derivatives[n - 1])
    derivatives[1] -= 1.0
    return [value / math.factorial(n) for n, value in enumerate(derivatives[1:], 1)]


BEND = bend_series()


def slope_gelu(a: Array) -> Array:
    """Return ``P(z <= a) + a p(a)``: ``p(a) (M(-a) + a)`` for a < 0, and 1 minus that of -a for a > 0."""
    x = np.abs(a)
    x = np.where(a > 0, np.minimum(x, FAR), np.minimum(x, FARTHEST))
    left = density(x) * bend(x)
    return np.where(a > 0, 1.0 - left, left)


def log_slope_gelu(a: Array) -> Array:
    """Return ``log |gelu'(a)|``: ``log p(a) + log |M(-a) + a|`` for a < 0."""
    x = np.minimum(np.abs(a), LARGEST)
    factor = bend(x)
    with np.errstate(divide="ignore"):
        left = log_density(x) + np.log(np.abs(factor))
    return np.where(a > 0, np.log1p(-density(x) * factor), left)


def log_gelu(a: Array) -> Array:
    """Return ``log |gelu(a)|``."""
    x = np.minimum(np.abs(a), LARGEST)
    tail = mills(x)
    with np.errstate(divide="ignore"):
        return np.log(x) + np.where(a > 0, np.log1p(-density(x) * tail), log_density(x) + np.log(tail))


ACTIVATIONS.add(
    "relu",
    Activation(
        name="relu",
        label="ReLU",
        formula="φ(a) = max(a, 0)",
        f=lambda a: np.where(a.real > 0, a, 0.0) if np.iscomplexobj(a) else np.maximum(a, 0.0),
        slope_of_output=lambda h: (h > 0).astype(h.dtype),
        slope=lambda a: (a > 0) * 1.0,
        log_slope=lambda a: np.where(a > 0, 0.0, -np.inf),
        saturated=lambda h: h == 0,
        saturation_label=N_("share of units at 0 (switched off)"),
        homogeneous=True,
        switched_off=N_("{saturation} of the units are off at the last step: {factors}"),
        torch_gain=math.sqrt(2.0),
    ),
)
ACTIVATIONS.add(
    "leaky_relu",
    Activation(
        name="leaky_relu",
        label=N_("leaky ReLU"),
        formula="φ(a) = max(a, a/100)",
        f=lambda a: np.where(a.real > 0, a, LEAK * a),
        slope_of_output=lambda h: np.where(h > 0, 1.0, LEAK).astype(h.dtype),
        slope=lambda a: np.where(a > 0, 1.0, LEAK),
        log_slope=lambda a: np.where(a > 0, 0.0, math.log(LEAK)),
        saturated=lambda h: h < 0,
        saturation_label=N_("share of units with h < 0 (slope 0.01)"),
        homogeneous=True,
        switched_off=N_("{saturation} of the units are negative at the last step, where the slope is 0.01: {factors}"),
        torch_gain=math.sqrt(2.0 / (1.0 + LEAK**2)),
    ),
)
ACTIVATIONS.add(
    "elu",
    Activation(
        name="elu",
        label="ELU",
        formula="φ(a) = a (a > 0), exp(a) − 1 (a ≤ 0)",
        f=elu,
        slope=slope_elu,
        log_slope=lambda a: np.minimum(a, 0.0),
        saturated=lambda h: h < -0.94,
        saturation_label=N_("share of units with h < −0.94"),
        ends=(-1.0, None),
        log_margin=lambda a: np.minimum(a, 0.0),
    ),
)
ACTIVATIONS.add(
    "selu",
    Activation(
        name="selu",
        label="SELU",
        formula="φ(a) = λ a (a > 0), λ α (exp(a) − 1) (a ≤ 0)",
        f=selu,
        slope=slope_selu,
        log_slope=log_slope_selu,
        saturated=lambda h: h < -1.65,
        saturation_label=N_("share of units with h < −1.65"),
        ends=(-SELU_END, None),
        log_margin=lambda a: math.log(SELU_END) + np.minimum(a, 0.0),
        torch_gain=0.75,
    ),
)
ACTIVATIONS.add(
    "gelu",
    Activation(
        name="gelu",
        label="GELU",
        formula="φ(a) = a · P(z ≤ a), z ~ N(0, 1)",
        f=gelu,
        slope=slope_gelu,
        log_slope=log_slope_gelu,
        saturated=lambda h: h < 0,
        saturation_label=N_("share of units with h < 0 (slope below ½)"),
        ends=(0.0, None),
        log_margin=log_gelu,
        switched_off=N_("{saturation} of the units are negative at the last step, where the slope is small: {factors}"),
    ),
)
ACTIVATIONS.add(
    "linear",
    Activation(
        name="linear",
        label=N_("linear"),
        formula="φ(a) = a",
        f=lambda a: a,
        slope_of_output=lambda h: np.ones_like(h),
        slope=lambda a: np.ones_like(a),
        log_slope=lambda a: np.zeros_like(a),
        saturated=lambda h: np.zeros(h.shape, dtype=bool),
        saturation_label=N_("share of units saturated (never, for a linear unit)"),
        homogeneous=True,
        torch_gain=1.0,
    ),
)
