"""Clip gradients by their norm or by their values, a row of the array for each run."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
EPS = 1e-6  # as in torch.nn.utils.clip_grad_norm_


def norms(g: Array) -> Array:
    """Return the Euclidean norm of each row of (N, P), also where the squares leave the range of floats.

    >>> norms(np.array([[3e200, 4e200], [3e-200, 4e-200]]))
    array([5.e+200, 5.e-200])
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        squares = np.einsum("np,np->n", g, g)
        if not ((squares > 1e-280) & (squares < 1e280)).all():
            top = np.abs(g).max(axis=1, initial=0.0)
            scaled = g / np.where((top > 0) & np.isfinite(top), top, 1.0)[:, None]
            return top * np.sqrt(np.einsum("np,np->n", scaled, scaled))
    return np.sqrt(squares)


def clip_by_norm(g: Array, norm: Array, limit: float) -> None:
    """Scale the rows whose norm is above ``limit`` down to it: ``g <- g min(1, limit / (norm + 1e-6))``.

    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1; the 1e-6 is PyTorch's.
    """
    factor = limit / (norm + EPS)
    if (factor < 1.0).any():
        g *= np.minimum(factor, 1.0)[:, None]


def clip_by_value(g: Array, limit: float) -> None:
    """Move every number into [-limit, limit] (Mikolov 2012)."""
    np.clip(g, -limit, limit, out=g)
