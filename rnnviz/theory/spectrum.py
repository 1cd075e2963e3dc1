r"""Spectra of a recurrent weight matrix and of the Jacobian of many steps, with the laws that they should follow.

With row vectors, ``h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h)``, one step has the Jacobian ``W_hh diag(phi'(a_t))``, so
that ``dh_t = dh_{t-1} W_hh diag(phi'(a_t))``; gradients are multiplied by its transpose on their way back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..network.schemes import SCHEMES
from ..numerics.scaled import LOG2_10, Scaled, Weights

Array = np.ndarray
REACH = 140.0  # decades of one step's slopes that one factorisation may span
KEEP, MARGIN = 3.0, 4.0  # decades of singular values taken from one float64 matrix, and those beside them


def eigenvalues(W: Array) -> Array:
    """Return the eigenvalues, largest magnitude first: ``det(W - lambda I) = 0``.

    Parameters
    ----------
    W : array (..., H, H).

    Returns
    -------
    complex array (..., H). A real matrix has them in conjugate pairs.

    Raises
    ------
    ValueError : where W is not square, empty or not finite.

    >>> eigenvalues(np.array([[0.0, 2.0], [-2.0, 0.0]]))
    array([0.+2.j, 0.-2.j])
    """
    values = np.linalg.eigvals(check_square(W)).astype(complex)
    order = np.lexsort((-values.imag, -np.abs(values)), axis=-1)
    return np.take_along_axis(values, order, axis=-1)


def singular_values(W: Array) -> Array:
    """Return the singular values, largest first: the lengths of the half-axes of the image of the unit ball.

    Parameters
    ----------
    W : array (..., H, H).

    Returns
    -------
    array (..., H).

    Raises
    ------
    ValueError : where W is not square, empty or not finite.

    >>> singular_values(np.array([[0.0, 2.0], [-3.0, 0.0]]))
    array([3., 2.])
    """
    return np.linalg.svd(check_square(W), compute_uv=False)


def jacobian(W_hh: Array, slopes: Array) -> Array:
    """Return the Jacobian of k steps, ``J[i, j] = dh_{t+k}[j] / dh_t[i]``.

    ``J = W_hh diag(phi'(a_{t+1})) ... W_hh diag(phi'(a_{t+k}))``; ``dh_{t+k} = dh_t J`` and
    ``dL/dh_t = dL/dh_{t+k} J^T``.

    Parameters
    ----------
    W_hh : array (H, H).
    slopes : array (k, H), ``phi'(a)`` of the steps t+1 .. t+k of one sequence, in the order of time; k = 0 gives I.

    Returns
    -------
    array (H, H): entries are 0 or inf only where float64 cannot hold them (see `jacobian_singular_values`).

    Raises
    ------
    ValueError : for a shape that does not fit or a number that is not finite.

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
    W_hh: Array, slopes: Array, distances: Iterable[int] | None = None, *, log: bool = False
) -> Array:
    """Return log10 of the singular values of ``dh_T / dh_{T-k}`` for several distances k, at any magnitude.

    The product is kept as ``U diag(d) Y``: U orthogonal, d in logarithms, Y well conditioned; every step is one QR
    factorisation of ``diag(phi') W_hh U diag(d)`` with rows and columns in order of size. Each singular value is right
    relative to itself, not to the largest: to 1e-7 decades, and measured against 20,000 digits to 1e-10, as long as the
    condition number of W_hh is far below 1e16. A W_hh without full rank gives values near 1e-16 a step in place of 0.

    Parameters
    ----------
    W_hh : array (H, H).
    slopes : array (T, H), ``phi'(a_t)`` of the steps 1..T of one sequence, in the order of time.
    distances : whole numbers 0 .. T; None means 1 .. T.
    log : ``slopes`` holds ``log phi'(a_t)``, which a saturated unit needs where phi' leaves float64; ``-inf`` is 0.

    Returns
    -------
    array (len(distances), H), log10, largest first; ``-inf`` for an exact 0 (units switched off).

    Raises
    ------
    ValueError : for a shape that does not fit, a number that is not finite, or a distance out of bounds.

    Source: Golub, Solna & Van Dooren 2000; Loh et al. 1989 (U D Y); Tomas et al. 2012 (sorting before QR).

    >>> jacobian_singular_values(np.eye(2), np.full((500, 2), [1e-12, 0.1]), [1, 500]).round(6).tolist()
    [[-1.0, -12.0], [-500.0, -6000.0]]
    """
    W, slopes = check_trajectory(W_hh, slopes, log)
    wanted = list(range(1, len(slopes) + 1)) if distances is None else list(distances)
    if not all(isinstance(k, int | np.integer) and 0 <= k <= len(slopes) for k in wanted):
        raise ValueError(f"distances must be whole numbers from 0 to {len(slopes)}; got {wanted}")
    found = {0: np.zeros(len(W))} if 0 in wanted else {}
    weights = Weights(W)
    for k, product in enumerate(products(weights.m, slopes, log), 1):
        if k in wanted:
            found[k] = product.times(weights.m).log10_singular_values() + k * weights.e / LOG2_10
        if k == max(wanted):
            break
    return np.array([found[k] for k in wanted]).reshape(len(wanted), len(W))


def products(W: Array, slopes: Array, log: bool) -> Iterator[Graded]:
    """Yield ``diag(s_{T-k+1}) W ... diag(s_{T-1}) W diag(s_T)`` for k = 1, 2, ...; W times it is dh_T / dh_{T-k}."""
    size = len(W)
    product = Graded(np.eye(size), np.zeros(size), np.eye(size))
    for k, slope in enumerate(slopes[::-1]):
        with np.errstate(divide="ignore"):
            decades = slope / math.log(10.0) if log else np.log10(np.abs(slope))
        sign = np.ones(size) if log else np.where(slope < 0, -1.0, 1.0)
        product = product.times(W if k else np.eye(size), decades, sign)
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
        alive = np.isfinite(decades)
        near = np.maximum(decades, decades.max(where=alive, initial=-np.inf) - REACH, where=alive, out=decades.copy())
        rest = np.subtract(decades, near, where=alive, out=np.zeros(len(W)))
        product = self.refactor(left, near)
        # Slopes too far apart for one float64 matrix are applied in several turns.
        return product.times(np.eye(len(W)), rest) if np.any(rest) else product

    def refactor(self, left: Array, rows: Array) -> Graded:
        """Factorise ``diag(10**rows) left diag(10**d) Y`` anew; rows at ``-inf`` are 0 and lower the rank."""
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

    Householder QR does not care for the scale of a column, so unit columns are factorised.
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

    After the QR factorisation, columns that are 4 decades apart change each other's singular values by 1e-8: each group
    of 3 decades is read from a float64 matrix of its own, with 4 decades of neighbours on either side.
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


def quarter_circle(s: Array, sigma_w: float) -> Array:
    """Return the density of singular values ``p(s) = sqrt(4 sigma_w**2 - s**2) / (pi sigma_w**2)`` on 0 .. 2 sigma_w.

    For a square matrix of independent entries with mean 0 and variance ``sigma_w**2 / H``, H -> inf.

    Parameters
    ----------
    s : array of any shape.
    sigma_w : more than 0.

    Returns
    -------
    array like ``s``; 0 outside of the support.

    Raises
    ------
    ValueError : where sigma_w is not positive and finite.

    Source: Marchenko & Pastur 1967, square case.

    >>> quarter_circle(np.array([0.0, 1.0, 2.0, 3.0]), 1.0).round(4)
    array([0.6366, 0.5513, 0. , 0. ])
    """
    check_positive("sigma_w", sigma_w)
    ratio = np.asarray(s, dtype=float) / sigma_w
    inside = np.where((ratio >= 0) & (ratio <= 2), ratio, 2.0)
    return np.sqrt((2.0 - inside) * (2.0 + inside)) / (math.pi * sigma_w)


def circular_law_radius(sigma_w: float) -> float:
    """Return the radius of the disc that the eigenvalues fill evenly, ``sigma_w = sqrt(H Var(W_hh))``.

    Raises ValueError where sigma_w is negative or not finite. Source: Girko 1984; Tao & Vu 2010.

    >>> round(circular_law_radius(math.sqrt(512 / 12)), 3)  # the bulk of U[0, 1] at H = 512
    6.532
    """
    if not 0 <= sigma_w < math.inf:
        raise ValueError(f"sigma_w must be a finite number from 0 on; got {sigma_w!r}")
    return float(sigma_w)


def outlier(scheme_mean: float, n: int) -> float:
    """Return the eigenvalue that a mean adds beside the disc, ``n * mean``: for U[0, 1], n/2.

    It stands outside of the disc where its magnitude is above the radius; else it is lost within.
    Source: Tao 2013, theorem 1.7.

    >>> outlier(0.5, 512)
    256.0
    """
    return float(n * scheme_mean)


@dataclass(frozen=True)
class Expected:
    """What a scheme's W_hh should look like.

    Attributes
    ----------
    radius : of the disc, or of the circle, of eigenvalues.
    on_circle : all eigenvalues have that magnitude, and all singular values that size (orthogonal weights).
    outlier : the eigenvalue outside of the disc, or None.
    largest_singular_value : ``2 radius``, ``radius`` on a circle, or that of the outlier where it is larger.
    """

    radius: float
    on_circle: bool
    outlier: float | None
    largest_singular_value: float


def expected(scheme: str, hidden_size: int, gain: float = 1.0) -> Expected:
    """Return what theory expects of the spectrum of ``scheme``'s W_hh (H, H) as H -> inf.

    Raises ValueError for an unknown scheme. Sources: as `circular_law_radius`, `quarter_circle`, `outlier`; the largest
    singular value beside a mean: Benaych-Georges & Nadakuditi 2012, ``theta + sigma_w**2 / theta`` with theta = n mean.

    >>> expected("orthogonal", 64, 1.5)
    Expected(radius=1.5, on_circle=True, outlier=None, largest_singular_value=1.5)
    >>> expected("uniform01", 48)
    Expected(radius=2.0, on_circle=False, outlier=24.0, largest_singular_value=24.166666666666668)
    """
    known, size = SCHEMES[scheme], abs(gain)
    one = known.roles.get("recurrent", known.fn)(np.random.default_rng(0), 8, 8, 1.0)
    if np.allclose(one.T @ one, np.eye(8)):
        return Expected(size, True, None, size)
    radius = size * math.sqrt(hidden_size * known.variance(hidden_size, hidden_size))
    far = outlier(gain * known.mean(hidden_size, hidden_size), hidden_size)
    if abs(far) <= radius:
        return Expected(radius, False, None, 2.0 * radius)
    return Expected(radius, False, far, abs(far) + radius**2 / abs(far))


def check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0; got {value!r}")


def check_square(W: Array) -> Array:
    """Return ``W`` as float64, or raise a ValueError that says what is wrong with it."""
    W = np.asarray(W, dtype=float)
    if W.ndim < 2 or W.shape[-1] != W.shape[-2] or W.shape[-1] == 0:
        raise ValueError(f"W must be square, (..., H, H) with H from 1 on; got the shape {W.shape}")
    if not np.isfinite(W).all():
        raise ValueError(f"W must be finite; {np.count_nonzero(~np.isfinite(W))} of its {W.size} numbers are not")
    return W


def check_trajectory(W_hh: Array, slopes: Array, log: bool = False) -> tuple[Array, Array]:
    """Return ``W_hh`` (H, H) and the slopes (k, H) as float64, or raise a ValueError that says what is wrong."""
    W, slopes = check_square(W_hh), np.asarray(slopes, dtype=float)
    if W.ndim != 2:
        raise ValueError(f"W_hh must be one matrix (H, H); got the shape {W.shape}")
    if slopes.ndim != 2 or slopes.shape[1] != len(W):
        raise ValueError(f"slopes must have the shape (k, H) with H = {len(W)}; got {slopes.shape}")
    if not np.all(np.isfinite(slopes) | (log & np.isneginf(slopes))):
        raise ValueError("slopes must be finite" + (", or -inf for a slope of 0" if log else ""))
    return W, slopes
