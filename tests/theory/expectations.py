"""Gaussian expectations computed without rnnviz, and an activation with closed forms."""

import math
from dataclasses import replace

import mpmath
import numpy as np
from scipy.integrate import quad
from scipy.special import erf

from rnnviz.network.activations import ACTIVATIONS

ERF = replace(
    ACTIVATIONS["tanh"],
    name="erf",
    f=erf,
    slope=lambda a: 2.0 / math.sqrt(math.pi) * np.exp(-a * a),
    log_slope=lambda a: math.log(2.0 / math.sqrt(math.pi)) - a * a,
)


def by_mpmath(f, q: float) -> float:
    """Return E f(sqrt(q) z) to 25 digits, splitting the range where f bends and where the Gaussian falls."""
    with mpmath.workdps(25):
        width = mpmath.sqrt(q)
        ends = {0, *(mpmath.mpf(10) ** k for k in range(-1, 5)), *(width * k for k in (1, 3, 6, 11))}
        ends = sorted(end for end in ends if end <= 11 * width)

        def weighted(a):
            return (f(a) + f(-a)) * mpmath.exp(-a * a / (2 * q)) / mpmath.sqrt(2 * mpmath.pi * q)

        return float(mpmath.quad(weighted, ends))


def by_scipy(f, q: float) -> float:
    """Return E f(sqrt(q) z) for an f that is smooth on either side of 0."""

    def weighted(z):
        return (f(math.sqrt(q) * z) + f(-math.sqrt(q) * z)) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    return quad(weighted, 0, 12, epsabs=0, epsrel=1e-11, limit=200)[0]
