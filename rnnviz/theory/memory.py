"""For how many steps a wide RNN remembers a small or large change of its state, on both sides of criticality."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..network.activations import Activation
from .arguments import activation_entry, check_number
from .mean_field import fixed_point, time_scale
from .roots import root

Array = np.ndarray
# Of the quadrature: standard deviations covered, its spacing, and the spacing in units of the pre-activation, as coarse
# as tanh, whose nearest pole is at i pi / 2, allows for five digits.
REACH, SPACING, BEND = 8.0, 0.25, 0.4
ALIKE = 1e-6  # 1 - c below which two states count as the same


def correlation_length(activation: str | Activation, sigma_w: float, sigma_in: float) -> float:
    """Return ``xi_c = -1 / ln chi_c``, the steps in which the correlation of two states comes e times nearer its limit.

    Two copies of a network read the same input from different states. With the correlation c of their pre-activations,

        c_t = (sigma_w**2 E phi(u) phi(v) + sigma_in**2) / q,   chi_c = sigma_w**2 E phi'(u) phi'(v)

    for u, v of variance q and correlation c, at the limit c* of c_t: 1 where chi at c = 1 is below 1, else less than 1.
    So xi_c is finite on both sides of ``chi = 1``, and inf only there. Networks can be trained to about 6 xi_c layers.

    Parameters
    ----------
    activation, sigma_w, sigma_in : as for `fixed_point`.

    Returns
    -------
    float, in steps; nan where q grows without bound.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Schoenholz et al. 2017, eq. 7-9 and sect. 5.

    >>> round(correlation_length("tanh", 1.0, 1.0), 3), round(correlation_length("tanh", 3.0, 1.0), 3)
    (1.088, 3.63)
    """
    phi = activation_entry(activation)
    check_number("sigma_w", sigma_w)
    fixed = fixed_point(phi, sigma_w, sigma_in)
    if not math.isfinite(fixed.q):
        return math.nan
    if fixed.chi <= 1.0 or phi.homogeneous:
        return abs(time_scale(fixed.chi))
    c = limit(phi, float(sigma_w) ** 2, float(sigma_in) ** 2, fixed.q)
    chi = float(sigma_w) ** 2 * mixed_mean(phi.slope, fixed.q, c)
    return time_scale(chi) if chi < 1.0 else math.inf


def limit(phi: Activation, w: float, s: float, q: float) -> float:
    """Return the correlation below 1 at which two states stay, where 1 is unstable."""
    whole = w * mixed_mean(phi.f, q, 1.0) + s  # q, with the same errors of quadrature as below

    def excess(c: float) -> float:
        return (w * mixed_mean(phi.f, q, c) + s) / whole - c

    return root(excess, 0.0, 1.0 - ALIKE) if excess(1.0 - ALIKE) < 0 else 1.0


def mixed_mean(g: Callable[[Array], Array], q: float, c: float) -> float:
    """Return ``E g(u) g(v)`` for Gaussian u and v of variance q and correlation c, by the trapezoidal rule."""
    a = math.sqrt(q)
    z = np.arange(-REACH, REACH, min(SPACING, BEND / a) if a else SPACING)
    weight = np.exp(-0.5 * z * z)
    weight /= weight.sum()
    u, v = a * z, a * (c * z[:, None] + math.sqrt(max(0.0, 1.0 - c * c)) * z)
    return float((weight * g(u)) @ g(v) @ weight)
