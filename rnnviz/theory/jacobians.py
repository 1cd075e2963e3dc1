"""The Jacobian of many steps of an RNN and its singular values, accurate at any magnitude.

With row vectors, ``h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h)``, one step has the Jacobian ``W_hh diag(phi'(a_t))``, so
that ``dh_t = dh_{t-1} W_hh diag(phi'(a_t))``; backpropagation multiplies gradients by its transpose.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from ..numerics.progress import Progress, finish
from ..numerics.scaled import LOG2_10, Scaled, Weights
from .arguments import check_trajectory

Array = np.ndarray
REACH = 140.0  # decades of one step's slopes that one factorisation may span
FARTHEST = 100 * REACH  # decades below the largest slope of a step, from which on a slope counts as 0
KEEP, MARGIN = 3.0, 4.0  # decades of singular values taken from one float64 matrix, and of neighbours on either side


def jacobian(W_hh: Array, slopes: Array) -> Array:
    """Return the Jacobian of k steps, ``J[i, j] = dh_{t+k}[j] / dh_t[i]``.

    ``J = W_hh diag(phi'(a_{t+1})) ... W_hh diag(phi'(a_{t+k}))``; ``dh_{t+k} = dh_t J`` and
    ``dL/dh_t = dL/dh_{t+k} J^T``.

    Parameters
    ----------
    W_hh : array (H, H).
    slopes : array (k, H), ``phi'(a)`` of the steps t+1 .. t+k of one sequence, in time order; k = 0 gives I.

    Returns
    -------
    array (H, H); entries that float64 cannot hold are 0 or inf (see `jacobian_singular_values`).

    Raises
    ------
    ValueError : for a mismatched shape or a number that is not finite.

    Source: Pascanu, Mikolov & Bengio 2013, eq. 5.

    >>> jacobian(np.array([[1.0, 2.0], [0.0, 1.0]]), np.array([[1.0, 0.5], [1.0, 1.0]]))
    array([[1. , 3. ],
           [0. , 0.5]])
    """
    W, slopes = check_trajectory(W_hh, slopes)
    weights, J = Weights(W), Scaled(np.eye(len(W)))
    for slope in slopes:
        J = ((J @ weights) * slope).balanced()
    return J.to_float()


def jacobian_singular_values(
    W_hh: Array,
    slopes: Array,
    distances: Iterable[int] | None = None,
    *,
    log: bool = False,
    signs: Array | None = None,
) -> Array:
    """Return log10 of the singular values of ``dh_T / dh_{T-k}`` for several distances k.

    The product is kept as ``U diag(d) Y``: U orthogonal, d in logarithms, Y well conditioned; each step is one QR
    factorisation of ``diag(phi') W_hh U diag(d)`` with rows and columns sorted by size. The error is relative to each
    singular value, not to the largest: at most 1e-7 decades (1e-10 when compared with 20,000 digits) as long as the
    condition number of W_hh is far below 1e16. A W_hh without full rank gives values near 1e-16 per step instead of 0.

    Parameters
    ----------
    W_hh : array (H, H).
    slopes : array (T, H), ``phi'(a_t)`` of the steps 1..T of one sequence, in time order.
    distances : whole numbers 0 .. T; None means 1 .. T.
    log : ``slopes`` holds ``log |phi'(a_t)|``, for saturated units whose phi' is below float64; ``-inf`` is 0.
    signs : array (T, H), 1 or -1, the signs of slopes given as logarithms; None for positive ones.

    Returns
    -------
    array (len(distances), H), log10, largest first; ``-inf`` for an exact 0 (dead units, or slopes that lie more than
    14,000 decades apart at one step).

    Raises
    ------
    ValueError : for a mismatched shape, a number that is not finite, or a distance out of bounds.

    Source: Golub, Solna & Van Dooren 2000; Loh et al. 1989 (U D Y); Tomas et al. 2012 (sorting before QR).

    >>> jacobian_singular_values(np.eye(2), np.full((500, 2), [1e-12, 0.1]), [1, 500]).round(6).tolist()
    [[-1.0, -12.0], [-500.0, -6000.0]]
    """
    return finish(jacobian_progress(W_hh, slopes, distances, log=log, signs=signs))


def jacobian_progress(
    W_hh: Array,
    slopes: Array,
    distances: Iterable[int] | None = None,
    *,
    log: bool = False,
    signs: Array | None = None,
) -> Progress[Array]:
    """Compute `jacobian_singular_values`, yielding after each step."""
    W, slopes = check_trajectory(W_hh, slopes, log)
    wanted = list(range(1, len(slopes) + 1)) if distances is None else list(distances)
    if not all(isinstance(k, int | np.integer) and 0 <= k <= len(slopes) for k in wanted):
        raise ValueError(f"distances must be whole numbers from 0 to {len(slopes)}; got {wanted}")
    found = {0: np.zeros(len(W))} if 0 in wanted else {}
    weights, last = Weights(W), max(wanted, default=0)
    with np.errstate(divide="ignore"):
        decades = slopes / math.log(10.0) if log else np.log10(np.abs(slopes))
    if signs is None:
        signs = np.ones_like(slopes) if log else np.where(slopes < 0, -1.0, 1.0)
    for k, product in enumerate(islice(products(weights.m, decades, signs), last), 1):
        if k in wanted:
            found[k] = product.times(weights.m).log10_singular_values() + k * weights.e / LOG2_10
        yield k / last
    return np.array([found[k] for k in wanted]).reshape(len(wanted), len(W))


def products(W: Array, decades: Array, signs: Array) -> Iterator[Graded]:
    """Yield ``diag(s_{T-k+1}) W ... diag(s_{T-1}) W diag(s_T)`` for k = 1, 2, ...; W times it is dh_T / dh_{T-k}.

    The slopes are ``s_t = signs * 10**decades``.
    """
    size = len(W)
    product = Graded(np.eye(size), np.zeros(size), np.eye(size))
    for k, slopes in enumerate(zip(decades[::-1], signs[::-1], strict=True)):
        product = product.times(W if k else np.eye(size), *slopes)
        yield product


@dataclass(frozen=True)
class Graded:
    """The matrix ``U diag(10**d) Y`` of rank r: U (H, r) orthonormal columns, d (r,), Y (r, H) well conditioned."""

    U: Array
    d: Array
    Y: Array

    def times(self, W: Array, decades: Array | None = None, sign: Array | float = 1.0) -> Graded:
        """Return ``diag(sign * 10**decades) W`` times this matrix."""
        left = (W @ self.U) * np.reshape(sign, (-1, 1))
        if decades is None:
            return self.refactor(left, np.zeros(len(W)))
        top = decades.max()
        alive = np.isfinite(decades) & (decades > top - FARTHEST)
        decades = np.where(alive, decades, -np.inf)
        near = np.maximum(decades, top - REACH, where=alive, out=decades.copy())
        rest = np.subtract(decades, near, where=alive, out=np.zeros(len(W)))
        product = self.refactor(left, near)
        # Slopes too far apart for one float64 matrix are applied in several passes.
        return product.times(np.eye(len(W)), rest) if np.any(rest) else product

    def refactor(self, left: Array, rows: Array) -> Graded:
        """Factorise ``diag(10**rows) left diag(10**d) Y`` anew; rows at ``-inf`` are 0 and reduce the rank."""
        order = np.argsort(-rows, kind="stable")[: np.count_nonzero(np.isfinite(rows))]
        top = rows[order[0]] if len(order) else 0.0
        Q, d, Y = graded_qr(left[order] * 10.0 ** (rows[order, None] - top), self.d + top)
        U = np.zeros((len(rows), len(d)))
        U[order] = Q
        return Graded(U, d, Y @ self.Y)

    def log10_singular_values(self) -> Array:
        """Return log10 of the H singular values, largest first."""
        _, d, Y = graded_qr(self.Y.T, self.d)
        values = np.full(len(self.U), -np.inf)
        values[: len(d)] = windowed_svd(Y.T, d)
        return values


def sorted_qr(M: Array, d: Array) -> tuple[Array, Array, Array, Array]:
    """Return Q, R, sizes, order with ``(M diag(10**d))[:, order] = Q R diag(10**sizes)``, the largest columns first.

    Householder QR is invariant to the scale of a column, so unit columns are factorised.
    """
    top = np.abs(M).max(axis=0, initial=0.0)
    top = np.where(top > 0, top, 1.0)
    norms = np.linalg.norm(M / top, axis=0)
    with np.errstate(divide="ignore"):
        sizes = d + np.log10(norms) + np.log10(top)
    order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(norms)]
    Q, R = np.linalg.qr((M / top)[:, order] / norms[order])
    return Q, R, sizes[order], order


def graded_qr(M: Array, d: Array) -> tuple[Array, Array, Array]:
    """Return Q, e, Y with ``M diag(10**d) = Q diag(10**e) Y``, Q with orthonormal columns, Y with rows up to 1."""
    Q, R, sizes, order = sorted_qr(M, d)
    with np.errstate(divide="ignore"):
        logs = np.log10(np.abs(R)) + sizes
    e = logs.max(axis=1, initial=-np.inf)
    kept = np.isfinite(e)
    Y = np.zeros((np.count_nonzero(kept), M.shape[1]))
    Y[:, order] = np.copysign(10.0 ** (logs[kept] - e[kept, None]), R[kept])
    return Q[:, kept], e[kept], Y


def windowed_svd(M: Array, d: Array) -> Array:
    """Return log10 of the singular values of ``M diag(10**d)``, largest first.

    After the QR factorisation, columns 4 decades apart change each other's singular values by 1e-8 only. So each group
    of 3 decades is taken from a separate float64 matrix, with 4 decades of neighbours on either side.
    """
    _, R, sizes, _ = sorted_qr(M, d)
    values, first = np.empty(len(sizes)), 0
    while first < len(sizes):
        top = sizes[first]
        low, high = np.searchsorted(-sizes, [-(top + MARGIN), KEEP + MARGIN - top])
        end = np.searchsorted(-sizes, KEEP - top, side="right")
        block = R[low:high, low:high] * 10.0 ** (sizes[low:high] - top)
        with np.errstate(divide="ignore"):
            found = np.log10(np.linalg.svd(block, compute_uv=False)) + top
        values[first:end], first = found[first - low : end - low], end
    return values
