"""Expectations over a Gaussian pre-activation ``a = sqrt(q) z``, z ~ N(0, 1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np

from ..network.activations import Activation

Array = np.ndarray
REACH = 10.0  # standard deviations covered by the integration; the mass beyond is 1e-23
LARGEST_Q = 1e300
LOW, HIGH, PER_DECADE = -8, 8, 32  # log10 of the range of q that is tabulated, and points per decade
ROUNDED = 1e-25
TINIEST = 1e-300  # stands for 0 among logarithms


def gaussian_mean(g: Callable[[Array], Array], q: float, kinks: tuple[float, ...] = ()) -> Array:
    """Return ``E g(sqrt(q) z)`` for z ~ N(0, 1), over the last axis of what ``g`` returns.

    Gauss-Legendre on panels of ``u``, with ``a = sqrt(q) z ~ sinh(u)``: dense near a = 0, where phi bends, and reaching
    as far as the Gaussian does. The sides of 0 and of every kink are integrated separately, so that these cost no
    digits. Accurate to 1e-13 relative for q up to 1e200 where g is smooth between 0 and its kinks.
    """
    width = max(1.0, math.sqrt(q))
    u, weight = nodes(math.asinh(REACH * width), [math.asinh(abs(at) * (width / math.sqrt(q))) for at in kinks if q])
    z = np.sinh(u) / width
    density = weight * np.cosh(u) * np.exp(-0.5 * z * z)
    density *= 0.5 / density.sum()
    a = math.sqrt(q) * z
    return g(np.concatenate([a, -a])) @ np.concatenate([density, density])


def nodes(end: float, cuts: list[float]) -> tuple[Array, Array]:
    """Return nodes and weights on [0, end], in panels of at most 1 that end at every cut."""
    bounds = [0.0, *sorted({cut for cut in cuts if 0.0 < cut < end}), end]
    parts = [(low, high - low, *panels(math.ceil(high - low))) for low, high in pairwise(bounds)]
    u = np.concatenate([low + size * t for low, size, t, _weight in parts])
    return u, np.concatenate([size * weight for _low, size, _t, weight in parts])


@cache
def panels(count: int) -> tuple[Array, Array]:
    """Return nodes and weights of Gauss-Legendre quadrature on [0, 1], split into ``count`` equal panels."""
    x, w = np.polynomial.legendre.leggauss(16)
    t = (np.arange(count)[:, None] + 0.5 * (x + 1.0)) / count
    return t.ravel(), np.tile(0.5 * w / count, count)


def moments(phi: Activation, q: float) -> tuple[float, float]:
    """Return ``E phi(sqrt(q) z)**2`` and ``E phi'(sqrt(q) z)**2``."""
    if phi.homogeneous:
        one = np.array([1.0, -1.0])
        slope = float(np.mean(np.square(phi.slope(one))))
        return slope * q if slope else 0.0, slope
    if q > LARGEST_Q:
        return math.inf, float(np.mean(np.square(phi.slope(np.array([1e150, -1e150])))))
    if q == 0:  # the limit: a kink at 0 has two slopes
        return float(phi.f(np.zeros(1))[0]) ** 2, float(np.mean(np.square(phi.slope(np.array([-TINIEST, TINIEST])))))
    m, slope = gaussian_mean(lambda a: np.square(np.stack([phi.f(a), phi.slope(a)])), q, phi.kinks)
    return float(m), float(slope)


@dataclass(frozen=True)
class Tabulated:
    """Expectations for arrays of q, interpolated: 1e-4 relative for a smooth phi, 1e-13 for a homogeneous one.

    Attributes
    ----------
    phi2, slope2, phi4, slope4 : ``E phi**2``, ``E phi'**2``, ``E phi**4`` and ``E phi'**4``.
    mean_slope2, mean2 : ``(E phi')**2`` and ``(E phi)**2``.
    """

    phi2: Array
    slope2: Array
    phi4: Array
    slope4: Array
    mean_slope2: Array
    mean2: Array


def tabulated(phi: Activation, q: Array) -> Tabulated:
    """Return the expectations at each q >= 0, of any shape."""
    with np.errstate(over="ignore"):
        return Tabulated(*10.0 ** log10_tabulated(phi, q, slice(None)))


def log10_tabulated(phi: Activation, q: Array, rows: slice | int) -> Array:
    """Return log10 of one of the expectations of `Tabulated` at each q, (...), or of a slice of them, (rows, ...).

    Between the points of the `table` and beyond them a moment is a power of q, as it is in both limits.
    """
    with np.errstate(divide="ignore"):
        at = np.log10(q)
        np.minimum(np.maximum(at, -400.0, out=at), 400.0, out=at)
        at = (at - LOW) * PER_DECADE
        left = np.minimum(np.maximum(at.astype(int), 0), (HIGH - LOW) * PER_DECADE - 1)
        at -= left
        values, steps = table(phi)
        found = values[rows][..., left] + at * steps[rows][..., left]
        if np.all(q):
            return found
        f, slope = float(phi.f(np.zeros(1))[0]), float(phi.slope(np.zeros(1))[0])
        zero = np.log10([f**2, slope**2, f**4, slope**4, slope**2, f**2])[rows]
    return np.where(q == 0, np.reshape(zero, np.shape(zero) + (1,) * np.ndim(q)), found)


@lru_cache(maxsize=32)
def table(phi: Activation) -> tuple[Array, Array]:
    """Return log10 of the moments of `Tabulated` at equally spaced log10 q, (6, points), and their differences."""

    def powers(a: Array) -> Array:
        f, slope = phi.f(a), phi.slope(a)
        return np.stack([f**2, slope**2, f**4, slope**4, slope, f])

    points = np.linspace(LOW, HIGH, (HIGH - LOW) * PER_DECADE + 1)
    rows = np.array([gaussian_mean(powers, 10.0**point, phi.kinks) for point in points]).T
    rows[4:] **= 2
    rows[4:][rows[4:] < ROUNDED * rows[[1, 0]]] = 0.0  # the mean of an odd function is rounding
    values = np.log10(np.maximum(rows, TINIEST))
    return values, np.diff(values)
