"""Medians and bands over seeds for values that may be infinite or missing."""

from __future__ import annotations

from typing import Any

import numpy as np

BOUND = 1e300


def median(values: np.ndarray) -> np.ndarray:
    """Return the median over the first axis, ignoring nan."""
    return over_seeds(values)[0]


def left_out(seeds: Any) -> Any:
    """Return how many of R values lie below the band over them, and above it: ``max(0, floor((R + 1) / 10) - 1)``.

    One more value would lie in the band with the probability ``1 - 2 k / (R + 1)``, ``k = 1 + left_out(R)``, whatever
    the distribution: 7/9 for R = 8, at least 4/5 from R = 9 on. Source: Wilks 1941.

    >>> left_out(np.array([1, 8, 18, 19, 32]))
    array([0, 0, 0, 1, 2])
    """
    return np.maximum(0, (seeds + 1) // 10 - 1)


def over_seeds(values: np.ndarray) -> np.ndarray:
    """Return the median and both ends of the band over the first axis, (3, ...), ignoring nan.

    They are nan where all values are. A median that falls between a finite and an infinite value is infinite. The band
    reaches from the k-th lowest of R values to the k-th highest, ``k = 1 + left_out(R)``.

    >>> over_seeds(np.array([[1.0, np.nan], [2.0, np.nan], [np.inf, np.nan]]))
    array([[ 2., nan],
           [ 1., nan],
           [inf, nan]])
    """
    if len(values) == 1:  # one seed, as in a draft, is median and band
        return np.broadcast_to(values, (3, *values.shape[1:])).astype(float)
    ordered = np.sort(np.clip(values, -BOUND, BOUND), axis=0)  # nan last
    last = np.maximum(np.count_nonzero(~np.isnan(ordered), axis=0) - 1, 0)
    out = left_out(last + 1)
    lower, upper, low, high = (
        np.take_along_axis(ordered, np.asarray(k)[None], axis=0)[0]
        for k in (last // 2, (last + 1) // 2, out, last - out)
    )
    found = np.array([(lower + upper) / 2.0, low, high])
    far = np.abs(found) > BOUND / 1e50
    found[far] = np.copysign(np.inf, found[far])
    return found
