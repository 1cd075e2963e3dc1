"""How far a network's states depend on the last bits of its weights."""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Params
from .layers import forward_through

Array = np.ndarray
DECIDED = 0.01  # change of a state by the last bit of the weights above which rounding decides it
SEQUENCES = 4  # of the batch that are run again


def jitter(shape: tuple[int, ...], rng: np.random.Generator, bits: int) -> Array:
    """Return random factors ``1 +- bits * 2**-52``."""
    return 1.0 + bits * np.finfo(float).eps * rng.choice((-1.0, 1.0), shape)


def nearby(params: Params, seed: int = 0) -> Params:
    """Return the parameters with the last bit of each changed."""
    rng = np.random.default_rng(seed)
    return {name: value * jitter(value.shape, rng, 1) for name, value in params.items()}


def state_change(params: Params, x: Array, cell: str, activation: str) -> float:
    """Return the largest change of a state when the last bit of every weight changes.

    It is relative to the largest state of the same step; ``x`` is (T, B, D).

    >>> params = {"W_xh": np.eye(1), "W_hh": np.eye(1), "b_h": np.zeros(1)}
    >>> state_change(params, np.ones((9, 1, 1)), "rnn", "tanh") < 1e-14
    True
    """
    kind, phi = CELLS[cell], ACTIVATIONS[activation]
    largest = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        both = (forward_through(each, x, kind, phi) for each in (params, nearby(params)))
        for (_layer, one), (_same, other) in zip(*both, strict=True):
            h = one.state["h"]
            size, change = np.abs(h).max(), np.abs(other.state["h"] - h).max()
            if not np.isfinite(size):
                break
            largest = max(largest, float(change / size) if size else 0.0)
    return largest


def is_chaotic(params: Params, x: Array, cell: str, activation: str) -> bool:
    """Return whether rounding decides the states of the first sequences."""
    return state_change(params, x[:, :SEQUENCES], cell, activation) > DECIDED
