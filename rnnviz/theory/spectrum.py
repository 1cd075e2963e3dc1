"""Spectra of a recurrent weight matrix, and the laws of random matrix theory that they should follow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..network.schemes import SCHEMES
from ..text.language import N_
from .arguments import check_number, check_square
from .jacobians import jacobian, jacobian_progress, jacobian_singular_values  # noqa: F401  (part of `rv.spectrum`)

Array = np.ndarray
# Units from which the laws for H -> inf are worth showing: the largest eigenvalue of four matrices in five has 0.84 to
# 1.33 times the radius at H = 8, 0.99 to 1.11 times at H = 64, but 0.42 to 1.53 times at H = 2.
LEAST_SIZE = 8


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


def block_density(s: Array, blocks: int) -> Array:
    """Return the density of singular values of a block (H, H) of an orthogonal matrix (H, k H) with k blocks.

    ``p(s) = k sqrt(e**2 - s**2) / (pi (1 - s**2))`` on 0 .. e, with the edge ``e = 2 sqrt(k - 1) / k``: sqrt(3)/2 for
    the 4 gates of an LSTM, sqrt(8)/3 for the 3 of a GRU. For orthonormal rows, uniformly drawn, H -> inf.

    Parameters
    ----------
    s : array of any shape.
    blocks : k, from 2 on.

    Returns
    -------
    array like ``s``; 0 outside the support.

    Raises
    ------
    ValueError : if blocks is below 2: all singular values of the whole matrix are 1.

    Source: Wachter 1980 (the limit of the Jacobi ensemble); Collins 2005, for blocks of unitary matrices.

    >>> block_density(np.array([0.0, 0.5, 0.9]), 4).round(4)
    array([1.1027, 1.2004, 0.    ])
    """
    if blocks < 2:
        raise ValueError(f"blocks must be 2 or more; got {blocks!r}")
    s = np.asarray(s, dtype=float)
    edge = 2.0 * math.sqrt(blocks - 1) / blocks
    inside = (s >= 0) & (s < edge)
    squares = np.square(np.where(inside, s, 0.0))
    return np.where(inside, blocks * np.sqrt(edge**2 - squares) / (math.pi * (1.0 - squares)), 0.0)


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
class Law:
    """What a law of random matrices says, in words.

    Attributes
    ----------
    disc, curve : what legends call its disc of eigenvalues and its density of singular values; "" for none.
    eigenvalues, singular_values : a sentence on each, with ``{radius}``, ``{edge}``, ``{outlier}`` and ``{largest}``.
    """

    disc: str
    curve: str
    eigenvalues: str
    singular_values: str


INDEPENDENT = Law(
    N_("circular law"),
    N_("quarter-circle law"),
    N_("By the circular law, for large H, they fill the disc of radius {radius}."),
    N_("By the quarter-circle law, for large H, they reach up to {edge}."),
)
WITH_MEAN = Law(
    INDEPENDENT.disc,
    INDEPENDENT.curve,
    N_(
        "By the circular law, for large H, all but one fill the disc of radius {radius}; "
        "the mean of the weights puts that one near {outlier}."
    ),
    N_(
        "By the quarter-circle law, for large H, all but one reach up to {edge}; "
        "the mean of the weights puts that one near {largest}."
    ),
)
ORTHOGONAL = Law(
    "",
    "",
    N_("The matrix is orthogonal but for the gain: all lie on the circle of radius {radius}."),
    N_("The matrix is orthogonal but for the gain: all are {largest}."),
)
BLOCK = Law(
    N_("law for a block"),
    N_("law for a block"),
    N_(
        "The matrix is one gate's block of an orthogonal matrix: for large H they fill the disc of radius {radius}, "
        "most densely at its edge."
    ),
    N_("The matrix is one gate's block of an orthogonal matrix: for large H they reach up to {edge}."),
)


@dataclass(frozen=True)
class Expected:
    """The spectrum that theory expects of a scheme's W_hh, or of one gate's block of it.

    Attributes
    ----------
    radius : of the disc, or of the circle, of eigenvalues.
    on_circle : all eigenvalues have that magnitude, and all singular values equal it (orthogonal weights).
    outlier : the eigenvalue outside the disc, or None.
    largest_singular_value : ``2 radius``, ``radius`` on a circle, or that of the outlier if larger.
    blocks : how many gates' blocks an orthogonal matrix is cut into, of which this is one; else 1.
    """

    radius: float
    on_circle: bool
    outlier: float | None
    largest_singular_value: float
    blocks: int = 1

    @property
    def law(self) -> Law:
        """The law that says so."""
        if self.blocks > 1:
            return BLOCK
        if self.on_circle:
            return ORTHOGONAL
        return INDEPENDENT if self.outlier is None else WITH_MEAN

    @property
    def edge(self) -> float:
        """Where the singular values end, but for that of the outlier."""
        return self.largest_singular_value if self.outlier is None else 2.0 * self.radius

    def density(self, s: Array) -> Array:
        """Return the density of singular values at ``s``; ValueError where all of them are equal."""
        if self.blocks > 1:
            gain = self.radius * math.sqrt(self.blocks)
            return block_density(s / gain, self.blocks) / gain
        if self.on_circle:
            raise ValueError("singular values that are all equal have no density")
        return quarter_circle(s, self.radius)


def expected(scheme: str, hidden_size: int, gain: float = 1.0, blocks: int = 1) -> Expected | None:
    """Return what theory expects of the spectrum of ``scheme``'s W_hh (H, H) as H -> inf, None where it has no law.

    With ``blocks`` gates it is the spectrum of one gate's block (H, H). A scheme that is drawn over all gates at once
    gives a block of a matrix (H, blocks H): the eigenvalues of an orthogonal one fill the disc of radius
    ``gain / sqrt(blocks)``.

    Raises ValueError for an unknown scheme. Sources: as `circular_law_radius`, `quarter_circle`, `outlier`,
    `block_density`; the eigenvalues of a block: Zyczkowski & Sommers 2000; Khoruzhenko, Sommers & Zyczkowski 2010; the
    largest singular value with a mean: Benaych-Georges & Nadakuditi 2012, ``theta + sigma_w**2 / theta`` with
    theta = n mean.

    >>> expected("orthogonal", 64, 1.5)
    Expected(radius=1.5, on_circle=True, outlier=None, largest_singular_value=1.5, blocks=1)
    >>> expected("uniform01", 48)
    Expected(radius=2.0, on_circle=False, outlier=24.0, largest_singular_value=24.166666666666668, blocks=1)
    >>> expected("keras", 64, blocks=4).radius  # of an LSTM
    0.5
    """
    known, size = SCHEMES[scheme], abs(gain)
    blocks = blocks if known.whole else 1
    if known.orthogonal and blocks == 1:
        return Expected(size, True, None, size)
    if not known.random or not known.iid and not known.orthogonal:
        return None
    if known.orthogonal:
        return Expected(size / math.sqrt(blocks), False, None, 2.0 * size * math.sqrt(blocks - 1) / blocks, blocks)
    fans = hidden_size, blocks * hidden_size
    radius = size * math.sqrt(hidden_size * known.variance(*fans))
    far = outlier(gain * known.mean(*fans), hidden_size)
    if abs(far) <= radius:
        return Expected(radius, False, None, 2.0 * radius)
    return Expected(radius, False, far, abs(far) + radius**2 / abs(far))
