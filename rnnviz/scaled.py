"""Arrays whose numbers may be as small as 1e-5000 or as large as 1e+5000.

Backpropagation through time multiplies thousands of factors, and float64 ends at 1e-308 and 1e+308. A `Scaled`
array is ``m * 2**e``: a float64 array ``m`` and, for each row, one power of two ``e``. Scaling by a power of two is
exact, so nothing is rounded that plain float64 would not have rounded, and as long as no row leaves the range
``m`` is the plain array at the plain array's cost. Where the numbers of one row lie further apart than float64
reaches, which the processor's underflow flag tells, each number gets an exponent of its own ("spread").
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np

Array = np.ndarray

LOG2_10 = np.log2(10.0)
SAFE = 400.0  # rows whose norm lies within 2**-SAFE .. 2**SAFE are left as they are
WINDOW = 900.0  # numbers of a row within this many powers of two are handled as one float64 array
ZERO = -1e305  # the exponent of an exact zero: finite, so that differences of exponents are never nan


def pow2(m: Array, k: Array) -> Array:
    """Return ``m * 2**k`` for whole numbers ``k`` of any size, 0 or inf where float64 cannot hold it."""
    return np.ldexp(m, np.clip(k, -4000, 4000).astype(np.int32))


def log2(a: Array) -> Array:
    """Return ``log2(a)`` with ``-inf`` at 0 and no warning."""
    with np.errstate(divide="ignore"):
        return np.log2(a)


def row_squares(m: Array) -> Array:
    """Return the sum of squares of each row, shape (..., B)."""
    return np.einsum("...n,...n->...", m, m)


class Scaled:
    """The numbers ``m * 2**e``.

    Parameters
    ----------
    m : array (..., B, n), float64 mantissas, all finite.
    e : array (..., B, 1), one exponent a row, or (..., B, n), one a number: whole numbers stored as float64, since
        ``log phi'`` has no least value. None means zeros.
    """

    __slots__ = ("e", "m")
    __array_ufunc__ = None  # lets ``ndarray * Scaled`` reach __rmul__

    def __init__(self, m: Array, e: Array | None = None):
        self.m = m
        self.e = np.zeros((*m.shape[:-1], 1)) if e is None else e

    @classmethod
    def exp(cls, logs: Array) -> Scaled:
        """Return ``exp(logs)`` for logs of any size; ``-inf`` is an exact zero."""
        zero = np.isneginf(logs)
        powers = np.where(zero, 0.0, logs) / np.log(2.0)
        e = np.floor(powers)
        return cls(np.where(zero, 0.0, np.exp2(powers - e)), e).rowwise()

    @property
    def is_rowwise(self) -> bool:
        return self.e.shape[-1] == 1

    def spread(self) -> Scaled:
        """Return the same numbers with an exponent for each and mantissas in [1/2, 1)."""
        m, shift = np.frexp(self.m)
        return Scaled(m, np.where(m == 0, ZERO, self.e + shift))

    def rowwise(self) -> Scaled:
        """Return the same numbers with one exponent a row where float64 can hold every row, else spread."""
        spread = self.spread()
        top = spread.e.max(axis=-1, keepdims=True)
        low = np.where(spread.m == 0, top, spread.e).min(axis=-1, keepdims=True)
        if np.any(top - low > WINDOW):
            return spread
        return Scaled(pow2(spread.m, spread.e - top), top)

    def __mul__(self, other: Array | Scaled) -> Scaled:
        m, e = (other.m, other.e) if isinstance(other, Scaled) else (other, 0.0)
        try:
            with np.errstate(under="raise", over="raise"):
                return Scaled(self.m * m, self.e + e)
        except FloatingPointError:
            a, b = self.spread(), as_scaled(other).spread()
            return Scaled(a.m * b.m, a.e + b.e).rowwise()

    __rmul__ = __mul__

    def __add__(self, other: Scaled) -> Scaled:
        try:
            with np.errstate(under="raise", over="raise"):
                if np.array_equal(self.e, other.e):
                    return Scaled(self.m + other.m, self.e)
                return self._add_aligned(other)
        except FloatingPointError:
            with np.errstate(under="ignore"):
                return self.spread()._add_aligned(other.spread()).rowwise()

    def _add_aligned(self, other: Scaled) -> Scaled:
        top = np.maximum(self.e, other.e)
        return Scaled(pow2(self.m, self.e - top) + pow2(other.m, other.e - top), top)

    def __matmul__(self, W: Array) -> Scaled:
        """Return the product with a float64 matrix (..., n, k)."""
        if self.is_rowwise:
            return Scaled(self.m @ W, self.e)
        windows = self._windows()
        # What lies a window below a row's largest number can show only where W has zeros that hide that one.
        used = windows[:1] if np.all(W) else windows
        return reduce(add, (Scaled(part.m @ W, part.e) for part in used))

    def _windows(self) -> list[Scaled]:
        """Split into rowwise arrays, each with the numbers of one range of magnitudes, the largest first."""
        m, e, windows = self.m, self.e, []
        while not windows or np.any(m):
            top = e.max(axis=-1, keepdims=True)
            near = e > top - WINDOW
            windows.append(Scaled(pow2(np.where(near, m, 0.0), e - top), top))
            m, e = np.where(near, 0.0, m), np.where(near, ZERO, e)
        return windows

    def balanced(self) -> Scaled:
        """Return the same numbers with every row brought near 1 that has left 2**-SAFE .. 2**SAFE."""
        if not self.is_rowwise:
            return self.rowwise()
        with np.errstate(over="ignore", under="ignore"):
            squares = row_squares(self.m)
        if np.all((squares > 4.0**-SAFE) & (squares < 4.0**SAFE)):
            return self
        shift = np.frexp(np.abs(self.m).max(axis=-1, keepdims=True))[1].astype(float)
        try:
            with np.errstate(under="raise"):
                return Scaled(pow2(self.m, -shift), self.e + shift)
        except FloatingPointError:
            return self.rowwise()

    def log10_norm(self) -> Array:
        """Return ``log10`` of the Frobenius norm over the last two axes, shape (...); ``-inf`` for a true zero.

        The rows must be balanced.
        """
        top = self.e.max(axis=-1, keepdims=True)
        with np.errstate(under="ignore"):
            squares = row_squares(self.m if self.is_rowwise else pow2(self.m, self.e - top))
            rows = 2.0 * top[..., 0] + log2(squares)
            most = np.maximum(rows.max(axis=-1, keepdims=True), ZERO)
            return 0.5 * (most[..., 0] + log2(np.exp2(rows - most).sum(axis=-1))) / LOG2_10

    def to_float(self) -> Array:
        """Return the float64 array, 0 or inf where float64 cannot hold a number."""
        with np.errstate(under="ignore", over="ignore"):
            return pow2(self.m, self.e)


def as_scaled(a: Array | Scaled) -> Scaled:
    """Return ``a`` itself, or an array as `Scaled`."""
    return a if isinstance(a, Scaled) else Scaled(np.asarray(a, dtype=float))


def concatenate(parts: Sequence[Scaled]) -> Scaled:
    """Join along the last axis."""
    if all(part.is_rowwise and np.array_equal(part.e, parts[0].e) for part in parts):
        return Scaled(np.concatenate([part.m for part in parts], axis=-1), parts[0].e)
    spread = [part.spread() for part in parts]
    m, e = (np.concatenate([getattr(part, name) for part in spread], axis=-1) for name in ("m", "e"))
    return Scaled(m, e).rowwise()
