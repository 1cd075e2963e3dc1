r"""Activation functions ``phi`` with their slopes, also outside the range of floats.

Each entry has the slope in three forms: from the output, as an autograd engine computes it; from the pre-activation,
accurate where the first has cancelled to 0; and as a logarithm, accurate beyond float64. Where value and slope share
an exponential, a fourth function computes both at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..text.language import N_
from ..text.registry import Registry

Array = np.ndarray
LOG2_E = np.log2(np.e)
SMALL = 0.0625  # below it, 1 - exp(-2|a|) has lost digits


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation function, elementwise on arrays of any shape.

    Attributes
    ----------
    name, label, formula : its name in code, in menus and in formulas.
    f : ``a -> phi(a)``.
    slope_of_output : ``h -> phi'(a)`` with ``h = phi(a)``: what an autograd engine computes, 0 for a saturated unit.
    slope : ``a -> phi'(a)``, to full relative precision as far as float64 reaches.
    log_slope : ``a -> log phi'(a)``, accurate at every ``a``; ``-inf`` where the slope is truly 0.
    saturated : ``h -> bool``: whether the unit hardly responds to its input.
    saturation_label : what ``saturated`` counts, in words.
    homogeneous : whether ``phi(k a) = k phi(a)`` for k > 0, so that the state can grow without bound.
    both : ``a -> (phi(a), phi'(a))`` for real arrays, where that is faster than two calls.
    ends : (low, high) of the range if ``phi' = (phi - low) (high - phi)``, which gives the distance from an end where
        floats round phi onto it; else None.
    """

    name: str
    label: str
    formula: str
    f: Callable[[Array], Array]
    slope_of_output: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    log_slope: Callable[[Array], Array]
    saturated: Callable[[Array], Array]
    saturation_label: str
    homogeneous: bool = False
    both: Callable[[Array], tuple[Array, Array]] | None = None
    ends: tuple[float, float] | None = None

    @cached_property
    def bounded(self) -> bool:
        """Whether the output stays finite however large the pre-activation is."""
        with np.errstate(over="ignore"):
            return bool(np.abs(self.f(np.array([-1e300, 1e300]))).max() < 1e100)

    @cached_property
    def keeps_zero(self) -> bool:
        """Whether ``phi(0) = 0``, so that ``phi(a) = phi'(a) a`` for a tiny a."""
        return bool(self.f(np.zeros(1))[0] == 0)

    @cached_property
    def odd(self) -> bool:
        """Whether ``phi(-a) = -phi(a)``, so that the output has mean 0 for a symmetric input."""
        a = np.array([0.5, 1.0, 2.0])
        return bool(np.allclose(self.f(-a), -self.f(a), rtol=1e-12, atol=0.0))

    @cached_property
    def log10_steepest(self) -> float:
        """log10 of the largest slope."""
        return float(np.log10(self.slope(np.linspace(-20.0, 20.0, 4001)).max()))


ACTIVATIONS: Registry[Activation] = Registry("activation")


def magnitude(a: Array) -> Array:
    """Return ``a * sign(Re a)``: |a| for real arrays, and analytic on either side of 0, for complex steps."""
    return np.abs(a) if np.isrealobj(a) else np.where(a.real >= 0, a, -a)


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
    ),
)
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
    ),
)
