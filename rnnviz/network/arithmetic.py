"""How gradients are multiplied: exactly at any magnitude, or as floats of one type would.

Cells are written once, in terms of an `Arithmetic`. `EXACT` keeps factors and gradients accurate far outside the range
of float64; `PLAIN` does what an autograd engine does, underflow included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from ..numerics.scaled import ZERO, Scaled, Weights, as_scaled, log2, product, row_squares, where
from .activations import ACTIVATIONS, Activation, log_sigmoid

Array = np.ndarray
Factor = Any  # ndarray or Scaled
Gradient = Any  # Scaled under EXACT, an array under PLAIN
Kept = tuple[Array, ...]  # of one step, or of many stacked
SIGMOID = ACTIVATIONS["sigmoid"]
TINY = np.finfo(float).tiny
SMALL = 2.0**-500  # its square is below float64: of such numbers phi is a straight line
FEW = 512  # below this many numbers, one NumPy function is faster than several simple ones


class Arithmetic(Protocol):
    """The operations in which exact and plain backpropagation differ; ``*``, ``+`` and ``@`` belong to the arrays.

    ``keeps_margins`` : whether states near the ends of their range keep their distance from them (see `margins`).
    """

    keeps_margins: bool

    def activate(self, phi: Activation, a: Array) -> tuple[Array, Kept]:
        """Return ``phi(a)``, and what `slope` and `gate` need."""

    def slope(self, phi: Activation, kept: Kept) -> Factor:
        """Return ``phi'(a)``."""

    def gate(self, kept: Kept, value: Array) -> Factor:
        """Return ``sigmoid(a)``, whose value is known, as a factor."""

    def output(self, phi: Activation, kept: Kept, value: Array) -> Factor:
        """Return ``phi(a)``, whose value is known, as a factor."""

    def memory(self, phi: Activation, c: Factor) -> tuple[Array, Factor, Kept]:
        """Return ``phi(c)`` as an array and as a factor, and what `slope` needs."""

    def product(self, a: Factor, b: Factor) -> Factor:
        """Return ``a * b``."""

    def sum(self, a: Factor, b: Factor) -> Factor:
        """Return ``a + b``."""

    def weights(self, W: Array) -> Any:
        """Return a matrix in the form that gradients are multiplied by, ``d @ W``."""

    def through(self, parts: Sequence[Gradient], W: Any) -> Gradient:
        """Return the gates' gradients, joined along the last axis, times ``W``."""

    def start(self, d: Factor) -> Gradient:
        """Return the gradient with which backpropagation begins."""

    def zeros(self, shape: tuple[int, ...]) -> Gradient:
        """Return a gradient of zeros."""

    def balanced(self, d: Gradient) -> Gradient:
        """Return the same gradient, rescaled to numbers near 1 where the arithmetic can."""

    def log10_norm(self, d: Gradient) -> Array:
        """Return ``log10`` of the Frobenius norm over batch and units, ``-inf`` for 0."""


def least(a: Array) -> float:
    """Return the smallest number of an array, ignoring nan."""
    return np.fmin.reduce(a, axis=None, initial=np.inf)


class Exact:
    """Accurate to float64 precision from 1e-5000 to 1e+5000."""

    keeps_margins = True

    def activate(self, phi: Activation, a: Array) -> tuple[Array, Kept]:
        # By the size of one run, so that its result does not depend on how many are stacked.
        if phi.both is None or a.shape[-2] * a.shape[-1] < FEW:
            return phi.f(a), (a,)
        value, slope = phi.both(a)
        return value, (a, slope)

    def slope(self, phi: Activation, kept: Kept) -> Factor:
        a, *known = kept
        if not known:
            try:
                with np.errstate(under="raise"):
                    return phi.slope(a)
            except FloatingPointError:
                pass
        elif least(known[0]) > 4.0 * TINY:
            return known[0]
        size = Scaled.exp(phi.log_slope(a))
        return size if phi.monotone else size * np.copysign(1.0, phi.slope(a))

    def gate(self, kept: Kept, value: Array) -> Factor:
        # Only those that floats do not hold: the others, and the states made of them, are those of a network alone.
        return value if least(value) > TINY else where(value > TINY, value, Scaled.exp(log_sigmoid(kept[0])))

    def output(self, phi: Activation, kept: Kept, value: Array) -> Factor:
        # Only towards an end at 0 can an output leave the range of floats.
        if phi.log_margin is None or phi.ends is None or phi.ends[0] != 0 or least(np.abs(value)) > TINY:
            return value
        small = Scaled.exp(phi.log_margin(kept[0])) * np.copysign(1.0, value)
        return where(np.abs(value) > TINY, value, small)

    def memory(self, phi: Activation, c: Factor) -> tuple[Array, Factor, Kept]:
        if not isinstance(c, Scaled):
            value, kept = self.activate(phi, c)
            return value, self.output(phi, kept, value), kept
        a = c.to_float()
        # Below the smallest float, phi and its slope are those of a tiny number, not of 0: ReLU tells them apart.
        a = np.where((np.abs(a) < TINY) & (c.m != 0), np.copysign(TINY, c.m), a)
        value, kept = self.activate(phi, a)
        read = self.output(phi, kept, value)
        if not phi.keeps_zero:
            return value, read, kept
        return value, where(np.abs(a) < SMALL, c * phi.slope(a), read), kept

    def sum(self, a: Factor, b: Factor) -> Factor:
        if isinstance(a, Scaled) or isinstance(b, Scaled):
            return (as_scaled(a) + as_scaled(b)).narrowed()
        return a + b

    def product(self, a: Factor, b: Factor) -> Factor:
        if not (isinstance(a, Scaled) or isinstance(b, Scaled)):
            try:
                with np.errstate(under="raise", over="raise"):
                    return a * b
            except FloatingPointError:
                pass
        return as_scaled(a) * as_scaled(b)

    def weights(self, W: Array) -> Weights:
        return Weights(W)

    def through(self, parts: Sequence[Scaled], W: Weights) -> Scaled:
        return product(parts, W)

    def start(self, d: Factor) -> Scaled:
        return as_scaled(d)

    def zeros(self, shape: tuple[int, ...]) -> Scaled:
        return Scaled(np.zeros(shape), np.full((*shape[:-1], 1), ZERO))

    def balanced(self, d: Scaled) -> Scaled:
        return d.balanced()

    def log10_norm(self, d: Scaled) -> Array:
        return d.log10_norm()


class Plain:
    """As an autograd engine computes: slopes from the outputs, products that underflow."""

    keeps_margins = False

    def activate(self, phi: Activation, a: Array) -> tuple[Array, Kept]:
        h = phi.f(a)
        return h, (a if phi.slope_of_output is None else h,)

    def slope(self, phi: Activation, kept: Kept) -> Array:
        by_output = phi.slope_of_output
        return phi.slope(kept[0]) if by_output is None else by_output(kept[0])

    def gate(self, kept: Kept, value: Array) -> Array:
        return value

    def output(self, phi: Activation, kept: Kept, value: Array) -> Array:
        return value

    def memory(self, phi: Activation, c: Array) -> tuple[Array, Array, Kept]:
        value, kept = self.activate(phi, c)
        return value, value, kept

    def product(self, a: Array, b: Array) -> Array:
        return a * b

    def sum(self, a: Array, b: Array) -> Array:
        return a + b

    def weights(self, W: Array) -> Array:
        return W

    def through(self, parts: Sequence[Array], W: Array) -> Array:
        return (parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)) @ W

    def start(self, d: Factor) -> Array:
        return d.to_float() if isinstance(d, Scaled) else d

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape)

    def balanced(self, d: Array) -> Array:
        return d

    def log10_norm(self, d: Array) -> Array:
        # The numbers keep their float type; only the norm, which is shown down to 1e-400, needs a wider range.
        d = np.asarray(d, dtype=float)
        top = np.abs(d).max(axis=(-2, -1), keepdims=True)
        rows = row_squares(d / np.where(top > 0, top, 1.0)).sum(axis=-1)
        return (log2(top[..., 0, 0]) + 0.5 * log2(rows)) / np.log2(10.0)


EXACT = Exact()
PLAIN = Plain()
