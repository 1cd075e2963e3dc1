"""Figures of a few small networks, run anew: medians over eight seeds."""

from __future__ import annotations

import numpy as np

from ..engine.runs import compare
from ..engine.trace import Trace
from ..network.config import Config
from ..network.schemes import sample
from ..theory.spectrum import eigenvalues

SIZES = {"hidden_size": 256, "seq_len": 60, "batch_size": 4}
SEEDS = range(8)


def run(scheme: str = "xavier", **settings) -> Trace:
    """Run eight networks of 256 units over 60 steps, unless the settings say otherwise."""
    return compare(Config(scheme=scheme, **SIZES | settings), (scheme,), SEEDS)


def size(trace: Trace, t: int = -1) -> float:
    """Return the median of E h_t^2 over seeds."""
    return float(np.median(trace.second_moment[0, :, t]))


def left(trace: Trace) -> float:
    """Return what is left of the gradient at step 0, the median over seeds."""
    return float(10 ** np.median(trace.log10_relative_norm[0, :, 0]))


def factor(trace: Trace, skip: int = 0) -> float:
    """Return by which factor the gradient changes per step, but for the ``skip`` last steps; the median over seeds."""
    norms, end = trace.log10_relative_norm[0], trace.config.seq_len - skip
    return float(10 ** (np.median(norms[:, 0] - norms[:, end]) / end))


def radius(scheme: str, units: int, draws: int = 1) -> float:
    """Return the largest magnitude of an eigenvalue of W_hh, the median over draws."""
    rng = np.random.default_rng(0)
    W = np.stack([sample(scheme, rng, units, units) for _draw in range(draws)])
    return float(np.median(np.abs(eigenvalues(W)[:, 0])))
