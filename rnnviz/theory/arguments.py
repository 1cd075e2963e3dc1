"""Checks of the arguments that theory receives; each error names the argument, its value and its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..text.registry import shorten

Array = np.ndarray
LARGEST = 1e100  # bound of sigma_w, sigma_in and m0
LONGEST = 1_000_000  # bound of seq_len and hidden_size


def activation_entry(activation: str | Activation) -> Activation:
    """Return the entry registered under a name, or the entry itself."""
    return activation if isinstance(activation, Activation) else ACTIVATIONS[activation]


def check_number(name: str, value: Any) -> None:
    """Raise a ValueError unless ``value`` is a number from 0 to 1e100."""
    if not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value <= LARGEST:
        raise ValueError(f"{name} must be a number from 0 to {LARGEST:g}; got {shorten(value)}")


def check_whole(name: str, value: Any) -> None:
    """Raise a ValueError unless ``value`` is a whole number from 1 to 1,000,000."""
    if not isinstance(value, int | np.integer) or not 1 <= value <= LONGEST:
        raise ValueError(f"{name} must be a whole number from 1 to {LONGEST}; got {shorten(value)}")


def check_steps(sigma_in: float | Array, seq_len: int) -> Array:
    """Return ``sigma_in`` for each step, (T,), or raise a ValueError."""
    if np.ndim(sigma_in) == 0:
        check_number("sigma_in", sigma_in)
        return np.full(seq_len, float(sigma_in))
    sigmas = np.asarray(sigma_in, dtype=float)
    if sigmas.shape != (seq_len,):
        raise ValueError(f"sigma_in must be a number or have the shape (T,) = ({seq_len},); got {sigmas.shape}")
    if not np.all((sigmas >= 0) & (sigmas <= LARGEST)):
        raise ValueError(f"sigma_in must be from 0 to {LARGEST:g} at every step; got {shorten(sigma_in)}")
    return sigmas


def check_square(W: Array) -> Array:
    """Return ``W`` (..., H, H) as float64, or raise a ValueError."""
    W = np.asarray(W, dtype=float)
    if W.ndim < 2 or W.shape[-1] != W.shape[-2] or W.shape[-1] == 0:
        raise ValueError(f"W must be square, (..., H, H) with H from 1 on; got the shape {W.shape}")
    if not np.isfinite(W).all():
        raise ValueError(f"W must be finite; {np.count_nonzero(~np.isfinite(W))} of its {W.size} numbers are not")
    return W


def check_trajectory(W_hh: Array, slopes: Array, log: bool = False) -> tuple[Array, Array]:
    """Return ``W_hh`` (H, H) and the slopes (k, H) as float64, or raise a ValueError."""
    W, slopes = check_square(W_hh), np.asarray(slopes, dtype=float)
    if W.ndim != 2:
        raise ValueError(f"W_hh must be one matrix (H, H); got the shape {W.shape}")
    if slopes.ndim != 2 or slopes.shape[1] != len(W):
        raise ValueError(f"slopes must have the shape (k, H) with H = {len(W)}; got {slopes.shape}")
    if not np.all(np.isfinite(slopes) | (log & np.isneginf(slopes))):
        raise ValueError("slopes must be finite" + (", or -inf for a slope of 0" if log else ""))
    return W, slopes
