"""How few inputs make a pre-activation other than Gaussian, and what that does to the gradient.

A unit that reads one number gets ``w x``, distributed as the entries of W_xh are: mean field takes it to be Gaussian.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np

from ..network.activations import Activation
from ..network.schemes import Scheme
from .drive import Drive
from .sequences import Expected

Array = np.ndarray
FAINT = 0.1  # difference from a Gaussian's fourth moment, 3, that the quantiles of a Gaussian have, too
STEPS, SEQUENCES = 25, 4  # at which slopes are compared
LARGEST = 1e3  # q from which only the density at 0 counts


@cache
def normal(count: int) -> Array:
    """Return equally likely values of N(0, 1)."""
    return np.array([NormalDist().inv_cdf((k + 0.5) / count) for k in range(count)])


def slopes_changed(phi: Activation, scheme: Scheme, found: Expected, driven: Drive) -> Array | float:
    """Return ``ln E phi'(a)**2`` less that of a Gaussian ``a`` of the same variance, for each step (T,).

    ``a = sqrt(q) (sqrt(f) e + sqrt(1 - f) z)``: e an entry of W_xh, f the share of q that a single input brings.
    """
    entries = scheme.input_entries
    if abs(np.mean(entries**4) - 3.0) * driven.single**2 < FAINT or phi.homogeneous:
        return 0.0
    last = len(found.each_q) - 1
    steps = np.unique(np.linspace(0, last, STEPS).astype(int))
    q, inputs = (np.clip(each[steps, 0, :SEQUENCES], 0.0, 1e300) for each in (found.each_q, found.variances))
    with np.errstate(divide="ignore", invalid="ignore"):
        f = np.clip(np.nan_to_num(driven.single * (inputs - driven.bias) / q), 0.0, 1.0)
    q = np.minimum(q, LARGEST)
    means = [mean_square_slope(phi, q, f, each) for each in (entries, normal(len(entries)))]
    with np.errstate(divide="ignore", invalid="ignore"):
        changed = np.nan_to_num(np.log(means[0] / means[1]), posinf=0.0, neginf=0.0).mean(axis=-1)
    return np.interp(np.arange(last + 1), steps, changed)


def mean_square_slope(phi: Activation, q: Array, f: Array, entries: Array) -> Array:
    """Return ``E phi'(sqrt(q) (sqrt(f) e + sqrt(1 - f) z))**2`` for q and f of any shape."""
    z = normal(16)[:, None]
    means = [
        np.mean(phi.slope(np.sqrt(each) * (np.sqrt(part) * entries + np.sqrt(1.0 - part) * z)) ** 2)
        for each, part in zip(q.ravel().tolist(), f.ravel().tolist(), strict=True)
    ]
    return np.reshape(means, q.shape)
