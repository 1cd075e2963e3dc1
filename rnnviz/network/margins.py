"""How far a state is from the ends of its activation's range, also where float64 rounds it onto an end.

With ``tanh 40 = 1`` to the last digit, the difference of two saturated states is rounding alone. Their distances from
the end, ``1 - tanh a = tanh'(a) / (1 + tanh a)``, keep all digits at any magnitude, and so does their difference.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..numerics.scaled import where
from .activations import Activation
from .arithmetic import Arithmetic, Factor, Kept

Array = np.ndarray
NEAR = 2.0**-30  # share of an end within which float64 has lost so many digits of the distance that a gradient shows it
TINY = np.finfo(float).tiny


class Margins(NamedTuple):
    """Distances from the low and the high end, (..., B, H) each."""

    above_low: Factor
    below_high: Factor

    def mixed(self, share: Factor, other: Margins, rest: Factor, num: Arithmetic) -> Margins:
        """Return the margins of ``share * self + rest * other``, where the shares add up to 1."""
        pairs = zip(self, other, strict=True)
        return Margins(*(num.sum(num.product(share, mine), num.product(rest, theirs)) for mine, theirs in pairs))

    def minus(self, other: Margins, is_high: Array, num: Arithmetic) -> Factor:
        """Return the difference of both states, taken from the end that ``other`` is nearer to."""
        low = num.sum(self.above_low, num.product(-1.0, other.above_low))
        high = num.sum(other.below_high, num.product(-1.0, self.below_high))
        return where(is_high, high, low)


def is_near_an_end(phi: Activation, value: Array) -> bool:
    """Return whether any output is so near an end that float64 loses its distance."""
    if phi.ends is None:
        return False
    low, high = phi.ends
    return bool(value.max() >= high - max(NEAR * abs(high), TINY) or value.min() <= low + max(NEAR * abs(low), TINY))


def margins_of_state(phi: Activation, h: Array) -> Margins:
    """Return the margins of a state that floats hold."""
    low, high = phi.ends or (0.0, 0.0)
    return Margins(h - low, high - h)


def margins_of_output(phi: Activation, kept: Kept, value: Array, num: Arithmetic) -> tuple[Margins, Array]:
    """Return the margins of ``phi(a)``, and where it is nearer to the high end.

    ``phi' = (phi - low) (high - phi)``: the slope over the larger margin is the smaller one.
    """
    low, high = phi.ends or (0.0, 0.0)
    is_high = value > 0.5 * (low + high)
    far = np.where(is_high, value - low, high - value)
    near = num.product(num.slope(phi, kept), 1.0 / far)
    return Margins(where(is_high, far, near), where(is_high, near, far)), is_high
