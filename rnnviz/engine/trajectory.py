"""What one sequence does to the units of an RNN."""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Params
from .layers import forward

Array = np.ndarray


def log_slopes(params: Params, x: Array, activation: str) -> tuple[Array, Array]:
    """Return ``log |phi'(a_t)|`` of an RNN at the steps 1..T of one sequence ``x`` (T, 1, D), and its signs, (T, H).

    ``a_t = x_t W_xh + h_{t-1} W_hh + b_h``; nan from where the state is not finite.
    """
    phi = ACTIVATIONS[activation]
    with np.errstate(over="ignore", invalid="ignore"):
        states = [step.state["h"][0] for step in forward(params, x, CELLS["rnn"], phi)]
        h = np.array([np.zeros_like(states[0]), *states[:-1]])
        a = x[:, 0] @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
        slopes, signs = phi.log_slope(a), np.copysign(1.0, phi.slope(a))
    slopes[~np.isfinite(a)] = np.nan
    return slopes, signs
