"""Arrays whose numbers may be as small as 1e-5000 or as large as 1e+5000.

Backpropagation through time multiplies thousands of factors, and float64 ends at 1e-308 and 1e+308. A `Scaled`
array is ``m * 2**e``: a float64 array ``m`` and one power of two ``e`` per row. Scaling by a power of two is exact, so
nothing is rounded that plain float64 would not round; while no row leaves the range of float64, ``m`` is the plain
array, at the plain array's cost. When the numbers of a row lie further apart than float64 reaches, which the
processor's underflow flag reveals, each number gets its own exponent ("spread").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

Array = np.ndarray

LOG2_10 = np.log2(10.0)
SAFE = 400.0  # rows whose norm lies within 2**-SAFE .. 2**SAFE are left unchanged
WINDOW = 900.0  # numbers of a row within this many powers of two are handled as one float64 array
TINY = np.finfo(float).tiny  # the smallest number with all its digits
ZERO = -1e305  # the exponent of an exact zero; finite, so that differences of exponents are never nan


def pow2(m: Array, k: Array) -> Array:
    """Return ``m * 2**k`` for whole numbers ``k`` of any size; 0 or inf where float64 cannot hold it."""
    return np.ldexp(m, np.minimum(np.maximum(k, -4000), 4000).astype(np.int32))


def log2(a: Array) -> Array:
    """Return ``log2(a)`` with ``-inf`` at 0 and no warning."""
    with np.errstate(divide="ignore"):
        return np.log2(a)


def row_squares(m: Array) -> Array:
    """Return the sum of squares of each row, shape (..., B)."""
    return np.vecdot(m, m)


class Weights:
    """A float64 matrix ``m * 2**e`` that gradients are multiplied by, inspected once instead of at every step.

    Attributes
    ----------
    m : array (..., n, k), rescaled to a largest number near 1 where that lies outside 2**-20 .. 2**100: a smaller one
        could make a gradient just above float64's smallest number underflow.
    e : float, a whole number.
    dense : whether every number matters in a sum: none is 0 or 2**-100 times smaller than the largest.
    """

    __slots__ = ("dense", "e", "m")
    __array_ufunc__ = None

    def __init__(self, W: Array):
        sizes = np.abs(W)
        top = float(sizes.max(initial=0.0))
        self.e = 0.0 if top == 0 or 2.0**-20 < top < 2.0**100 else float(np.frexp(top)[1])
        # A copy, since BLAS takes half as long again for small transposed matrices.
        self.m = np.ascontiguousarray(W if self.e == 0 else pow2(W, np.asarray(-self.e)))
        self.dense = bool(sizes.min(initial=top) > 2.0**-100 * top)


class Scaled:
    """The numbers ``m * 2**e``.

    Parameters
    ----------
    m : array (..., B, n), float64 mantissas, all finite.
    e : array (..., B, 1), one exponent per row, or (..., B, n), one per number: whole numbers stored as float64, since
        ``log phi'`` has no lower bound. None means zeros.
    """

    __slots__ = ("_is_safe", "_largest", "_squares", "e", "m")
    __array_ufunc__ = None  # lets ``ndarray * Scaled`` reach __rmul__
    _largest: Array | None
    _squares: Array | None
    _is_safe: bool | None

    def __init__(self, m: Array, e: Array | None = None):
        self.m = m
        self.e = np.zeros((*m.shape[:-1], 1)) if e is None else e
        self._largest = self._squares = self._is_safe = None

    @classmethod
    def exp(cls, logs: Array) -> Scaled:
        """Return ``exp(logs)`` for logs of any size; ``-inf`` is an exact zero."""
        zero = np.isneginf(logs)
        powers = np.where(zero, 0.0, logs) / np.log(2.0)
        e = np.floor(powers)
        return cls(np.where(zero, 0.0, np.exp2(powers - e)), e).rowwise()

    @property
    def shape(self) -> tuple[int, ...]:
        return self.m.shape

    @property
    def is_rowwise(self) -> bool:
        return self.e.shape[-1] == 1

    @property
    def squares(self) -> Array:
        """The sum of squares of each row of ``m``, computed once."""
        if self._squares is None:
            with np.errstate(over="ignore", under="ignore"):
                self._squares = row_squares(self.m)
        return self._squares

    @property
    def largest(self) -> Array:
        """The largest magnitude in each row of ``m``, (..., B, 1), computed once."""
        if self._largest is None:
            self._largest = np.abs(self.m).max(axis=-1, keepdims=True)
        return self._largest

    @property
    def is_safe(self) -> bool:
        """Whether the norm of every row of ``m`` lies within 2**-SAFE .. 2**SAFE."""
        if self._is_safe is None:
            self._is_safe = bool(self.squares.min() > 2.0 ** (-2 * SAFE) and self.squares.max() < 2.0 ** (2 * SAFE))
        return self._is_safe

    def __getitem__(self, index: int) -> Scaled:
        """Return one of the arrays stacked along the first axis."""
        return Scaled(self.m[index], self.e[index])

    def spread(self) -> Scaled:
        """Return the same numbers with one exponent each and mantissas in [1/2, 1)."""
        m, shift = np.frexp(self.m)
        return Scaled(m, np.where(m == 0, ZERO, self.e + shift))

    def rowwise(self) -> Scaled:
        """Return the same numbers with one exponent per row if float64 can hold every row, else spread."""
        spread = self.spread()
        top = spread.e.max(axis=-1, keepdims=True)
        low = np.where(spread.m == 0, top, spread.e).min(axis=-1, keepdims=True)
        if np.any(top - low > WINDOW):
            return spread
        return Scaled(pow2(spread.m, spread.e - top), top)

    def __mul__(self, other: Array | Scaled) -> Scaled:
        try:
            with np.errstate(under="raise", over="raise"):
                if isinstance(other, Scaled):
                    return Scaled(self.m * other.m, self.e + other.e)
                return Scaled(self.m * other, self.e)
        except FloatingPointError:
            return self._mul_far(as_scaled(other))

    __rmul__ = __mul__

    def _mul_far(self, other: Scaled) -> Scaled:
        """Multiply where the product leaves float64: with rows rescaled to near 1, or else number by number."""
        a, b = self.balanced(), other.balanced()
        try:
            with np.errstate(under="raise", over="raise"):
                return Scaled(a.m * b.m, a.e + b.e)
        except FloatingPointError:
            a, b = a.spread(), b.spread()
            return Scaled(a.m * b.m, a.e + b.e).rowwise()

    def __add__(self, other: Scaled) -> Scaled:
        if self.e is other.e or np.array_equal(self.e, other.e):
            return Scaled(self.m + other.m, self.e)
        try:
            with np.errstate(under="raise", over="raise"):
                return self._add_aligned(other)
        except FloatingPointError:
            with np.errstate(under="ignore"):
                return self.spread()._add_aligned(other.spread()).rowwise()

    def _add_aligned(self, other: Scaled) -> Scaled:
        top = np.maximum(self.e, other.e)
        return Scaled(pow2(self.m, self.e - top) + pow2(other.m, other.e - top), top)

    def __matmul__(self, W: Weights) -> Scaled:
        """Return the product with a float64 matrix (..., n, k)."""
        if self.is_rowwise and (W.dense or not self._reaches_far()):
            return Scaled(self.m @ W.m, self.e + W.e if W.e else self.e)
        if W.dense:  # what lies far below a row's largest number does not change any sum
            return self._top() @ W
        return reduce(add, (Scaled(part.m @ W.m, part.e + W.e) for part in self.spread()._windows()))

    def _reaches_far(self) -> bool:
        """Whether a number is so small that its products may leave float64."""
        sizes = np.abs(self.m)
        return bool(np.any((sizes < 2.0**-WINDOW) & (sizes > 0)))

    def _top(self) -> Scaled:
        """Return the numbers with one exponent per row, 0 where float64 cannot hold them beside the largest."""
        spread = self.spread()
        top = spread.e.max(axis=-1, keepdims=True)
        return Scaled(pow2(spread.m, spread.e - top), top)

    def _windows(self) -> list[Scaled]:
        """Split a spread array into rowwise ones, each with the numbers of one range, largest first."""
        m, e = self.m, self.e
        windows: list[Scaled] = []
        while not windows or np.any(m):
            top = e.max(axis=-1, keepdims=True)
            near = (e > top - WINDOW) | (e == top)  # for huge exponents, floats lie further apart than a window
            windows.append(Scaled(pow2(np.where(near, m, 0.0), e - top), top))
            m, e = np.where(near, 0.0, m), np.where(near, ZERO, e)
        return windows

    def balanced(self) -> Scaled:
        """Return the same numbers, with rows outside 2**-SAFE .. 2**SAFE rescaled to near 1."""
        if not self.is_rowwise:
            return self.rowwise()
        if self.is_safe:
            return self
        top, shift = np.frexp(self.largest)
        try:
            with np.errstate(under="raise"):
                return Scaled(pow2(self.m, -shift), np.where(top == 0, ZERO, self.e + shift))
        except FloatingPointError:
            return self.rowwise()

    def log10_norm(self) -> Array:
        """Return ``log10`` of the Frobenius norm over the last two axes, (...); ``-inf`` for a true zero."""
        return log10_norms([row_norms(self)])[..., 0]

    def narrowed(self) -> Array | Scaled:
        """Return the float64 array where that holds every number to full precision, else these numbers."""
        a = self.to_float()
        sizes = np.abs(a)
        return a if np.all((sizes >= TINY) & (sizes < np.inf) | (self.m == 0)) else self

    def to_float(self) -> Array:
        """Return the float64 array; 0 or inf where float64 cannot hold a number."""
        with np.errstate(under="ignore", over="ignore"):
            return pow2(self.m, self.e)


def as_scaled(a: Array | Scaled) -> Scaled:
    """Return ``a`` itself, or an array as `Scaled`."""
    return a if isinstance(a, Scaled) else Scaled(np.asarray(a, dtype=float))


def where(chosen: Array, a: Array | Scaled, b: Array | Scaled) -> Array | Scaled:
    """Return ``a`` where ``chosen``, else ``b``."""
    if not (isinstance(a, Scaled) or isinstance(b, Scaled)):
        return np.where(chosen, a, b)
    a, b = as_scaled(a), as_scaled(b)
    return Scaled(np.where(chosen, a.m, b.m), np.where(chosen, a.e, b.e)).rowwise().narrowed()


def stack(parts: Sequence[Any]) -> Array | Scaled:
    """Return arrays stacked along a new first axis, as `Scaled` numbers if one of them is."""
    if not any(isinstance(part, Scaled) for part in parts):
        return np.stack(parts)
    wide = [as_scaled(part) for part in parts]
    if not all(part.is_rowwise for part in wide):
        wide = [part.spread() for part in wide]
    return Scaled(np.stack([part.m for part in wide]), np.stack([part.e for part in wide]))


def row_norms(part: Scaled) -> tuple[Array, Array]:
    """Return the sum of squares and the exponent of each row, (..., B): all that a norm needs."""
    part = part.balanced()
    part = part if part.is_rowwise else part._top()
    return part.squares, part.e[..., 0]


def log10_norms(rows: Sequence[tuple[Array, Array]]) -> Array:
    """Return ``log10`` of the Frobenius norms of arrays given by their `row_norms`.

    The norms are over the last two axes, shape (..., arrays); ``-inf`` for a true zero.
    """
    squares, e = (np.stack(values, axis=-2) for values in zip(*rows, strict=True))
    top = e.max(axis=-1, keepdims=True)
    total = pow2(squares, 2.0 * (e - top)).sum(axis=-1)
    return (top[..., 0] + 0.5 * log2(total)) / LOG2_10


def share_exponents(parts: Sequence[Scaled]) -> bool:
    """Return whether all parts have the same exponents."""
    return all(part.e is parts[0].e or np.array_equal(part.e, parts[0].e) for part in parts)


def concatenate(parts: Sequence[Scaled]) -> Scaled:
    """Join along the last axis."""
    m = np.concatenate([part.m for part in parts], axis=-1)
    if parts[0].is_rowwise and share_exponents(parts):
        return Scaled(m, parts[0].e)
    return Scaled(m, np.concatenate([np.broadcast_to(part.e, part.m.shape) for part in parts], axis=-1))


def product(parts: Sequence[Scaled], W: Weights) -> Scaled:
    """Return the product of the parts, joined along the last axis, with ``W``."""
    if len(parts) == 1:
        return parts[0] @ W
    if not W.dense or share_exponents(parts):
        return concatenate(parts) @ W
    parts = [part if part.is_rowwise else part._top() for part in (each.balanced() for each in parts)]
    top = reduce(np.maximum, (part.e for part in parts))
    return Scaled(np.concatenate([pow2(part.m, part.e - top) for part in parts], axis=-1), top) @ W
