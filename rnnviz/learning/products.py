"""Matrix products whose bits do not depend on the number of BLAS threads.

OpenBLAS computes a product of more than `LIMIT` multiplications in several threads, and rounds differently where it
does. Larger products are therefore made of smaller ones, at a cost of about a tenth.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
LIMIT = 2**18


def product(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return ``a @ b`` of stacks (..., m, k) and (..., k, p), in ``out`` if given.

    >>> product(np.ones((2, 50, 300)), np.ones((2, 300, 70)))[0, 0, :2]
    array([300., 300.])
    """
    m, k, p = *a.shape[-2:], b.shape[-1]
    if m * k * p <= LIMIT:
        return np.matmul(a, b, out=out)
    if out is None:
        out = np.empty((*a.shape[:-1], p))
    half = max(m, k, p) // 2
    if p >= max(m, k):
        product(a, b[..., :half], out[..., :half])
        product(a, b[..., half:], out[..., half:])
    elif m >= k:
        product(a[..., :half, :], b, out[..., :half, :])
        product(a[..., half:, :], b, out[..., half:, :])
    else:
        product(a[..., :half], b[..., :half, :], out)
        out += product(a[..., half:], b[..., half:, :])
    return out


class Weights(np.ndarray):
    """A matrix, or a stack of matrices, whose products `product` computes."""

    def __rmatmul__(self, left: Array) -> Array:  # type: ignore[override]
        return product(left, self.view(np.ndarray))


def weights(W: Array, rows: int) -> Array:
    """Return ``W`` in a form in which ``a @ W``, with this many rows of ``a``, is deterministic."""
    return W if rows * W.shape[-2] * W.shape[-1] <= LIMIT else W.view(Weights)
