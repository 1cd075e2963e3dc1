"""How far a state is from the ends that its activation approaches, also where float64 rounds it onto an end.

With ``tanh 40 = 1`` to the last digit, the difference of two saturated states is rounding alone. Their distances from
the end, from ``Activation.log_margin``, keep all digits at any magnitude, and so does their difference.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..numerics.scaled import Scaled, where
from .activations import Activation
from .arithmetic import Arithmetic, Factor, Kept

Array = np.ndarray
NEAR = 2.0**-30  # share of an end within which float64 has lost so many digits of the distance that a gradient shows it
TINY = np.finfo(float).tiny


class Margins(NamedTuple):
    """Distances from the low and the high end, (..., B, H) each; from 0 where there is no such end."""

    above_low: Factor
    below_high: Factor

    def mixed(self, share: Factor, other: Margins, rest: Factor, num: Arithmetic) -> Margins:
        """Return the margins of ``share * self + rest * other``, where the shares add up to 1."""
        pairs = zip(self, other, strict=True)
        return Margins(*(num.sum(num.product(share, mine), num.product(rest, theirs)) for mine, theirs in pairs))

    def minus(self, other: Margins, side: Array, plain: Factor, num: Arithmetic) -> Factor:
        """Return the difference of both states: by the low end where ``side`` < 0, by the high one where > 0."""
        low = num.sum(self.above_low, num.product(-1.0, other.above_low))
        high = num.sum(other.below_high, num.product(-1.0, self.below_high))
        return where(side == 0, plain, where(side > 0, high, low))


def is_near_an_end(phi: Activation, value: Array) -> bool:
    """Return whether any output is so near an end that float64 loses its distance."""
    ends = [end for end in phi.ends or () if end is not None]
    return any(np.abs(value - end).min() <= max(NEAR * abs(end), TINY) for end in ends)


def margins_of_state(phi: Activation, h: Array) -> Margins:
    """Return the margins of a state that floats hold."""
    low, high = (end or 0.0 for end in phi.ends or (None, None))
    return Margins(h - low, high - h)


def margins_of_output(phi: Activation, kept: Kept, value: Array, num: Arithmetic) -> tuple[Margins, Array]:
    """Return the margins of ``phi(a)``, and on which side of its range it is: -1, 0 for the middle, or 1."""
    a, (above, below) = kept[0], margins_of_state(phi, value)
    side = np.where(np.abs(a) < 1, 0.0, np.sign(a))
    if phi.ends is None or phi.log_margin is None:
        return Margins(above, below), side
    near, (low, high) = Scaled.exp(phi.log_margin(a)), phi.ends
    if low is not None:
        above = where(side < 0, num.product(np.copysign(1.0, above), near), above)
    if high is not None:
        below = where(side > 0, num.product(np.copysign(1.0, below), near), below)
    return Margins(above, below), side
