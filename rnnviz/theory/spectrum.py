"""Spectra of a recurrent weight matrix, and the laws of random matrix theory that they should follow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..network.schemes import SCHEMES
from .arguments import check_number, check_square
from .jacobians import jacobian, jacobian_progress, jacobian_singular_values  # noqa: F401  (part of `rv.spectrum`)

Array = np.ndarray


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
    ValueError : if W is empty, not square or not finite.

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
    ValueError : if W is empty, not square or not finite.

    >>> singular_values(np.array([[0.0, 2.0], [-3.0, 0.0]]))
    array([3., 2.])
    """
    return np.linalg.svd(check_square(W), compute_uv=False)


def quarter_circle(s: Array, sigma_w: float) -> Array:
    """Return the density of singular values ``p(s) = sqrt(4 sigma_w**2 - s**2) / (pi sigma_w**2)`` on 0 .. 2 sigma_w.

    For a square matrix of independent entries with mean 0 and variance ``sigma_w**2 / H``, H -> inf.

    Parameters
    ----------
    s : array of any shape.
    sigma_w : more than 0.

    Returns
    -------
    array like ``s``; 0 outside the support.

    Raises
    ------
    ValueError : if sigma_w is not positive and finite.

    Source: Marchenko & Pastur 1967, square case.

    >>> quarter_circle(np.array([0.0, 1.0, 2.0, 3.0]), 1.0).round(4)
    array([0.6366, 0.5513, 0. , 0. ])
    """
    if not 0 < sigma_w < math.inf:
        raise ValueError(f"sigma_w must be a finite number above 0; got {sigma_w!r}")
    ratio = np.asarray(s, dtype=float) / sigma_w
    inside = np.where((ratio >= 0) & (ratio <= 2), ratio, 2.0)
    return np.sqrt((2.0 - inside) * (2.0 + inside)) / (math.pi * sigma_w)


def circular_law_radius(sigma_w: float) -> float:
    """Return the radius of the disc that the eigenvalues fill uniformly, ``sigma_w = sqrt(H Var(W_hh))``.

    Raises ValueError unless sigma_w is a number from 0 to 1e100. Source: Girko 1984; Tao & Vu 2010.

    >>> round(circular_law_radius(math.sqrt(512 / 12)), 3)  # the bulk of U[0, 1] at H = 512
    6.532
    """
    check_number("sigma_w", sigma_w)
    return float(sigma_w)


def outlier(scheme_mean: float, n: int) -> float:
    """Return the eigenvalue that a mean adds, ``n * mean``: n/2 for U[0, 1].

    It is visible only where its magnitude exceeds the radius of the disc.
    Source: Tao 2013, theorem 1.7.

    >>> outlier(0.5, 512)
    256.0
    """
    return float(n * scheme_mean)


@dataclass(frozen=True)
class Expected:
    """The spectrum that theory expects of a scheme's W_hh.

    Attributes
    ----------
    radius : of the disc, or of the circle, of eigenvalues.
    on_circle : all eigenvalues have that magnitude, and all singular values equal it (orthogonal weights).
    outlier : the eigenvalue outside the disc, or None.
    largest_singular_value : ``2 radius``, ``radius`` on a circle, or that of the outlier if larger.
    """

    radius: float
    on_circle: bool
    outlier: float | None
    largest_singular_value: float


def expected(scheme: str, hidden_size: int, gain: float = 1.0) -> Expected:
    """Return what theory expects of the spectrum of ``scheme``'s W_hh (H, H) as H -> inf.

    Raises ValueError for an unknown scheme. Sources: as `circular_law_radius`, `quarter_circle`, `outlier`; the largest
    singular value with a mean: Benaych-Georges & Nadakuditi 2012, ``theta + sigma_w**2 / theta`` with theta = n mean.

    >>> expected("orthogonal", 64, 1.5)
    Expected(radius=1.5, on_circle=True, outlier=None, largest_singular_value=1.5)
    >>> expected("uniform01", 48)
    Expected(radius=2.0, on_circle=False, outlier=24.0, largest_singular_value=24.166666666666668)
    """
    known, size = SCHEMES[scheme], abs(gain)
    if known.orthogonal:
        return Expected(size, True, None, size)
    radius = size * math.sqrt(hidden_size * known.variance(hidden_size, hidden_size))
    far = outlier(gain * known.mean(hidden_size, hidden_size), hidden_size)
    if abs(far) <= radius:
        return Expected(radius, False, None, 2.0 * radius)
    return Expected(radius, False, far, abs(far) + radius**2 / abs(far))
