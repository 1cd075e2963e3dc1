"""What one sequence does to the units of an RNN."""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.config import Config
from ..network.sampling import draw_inputs, init_params
from .bptt import forward


def log_slopes(config: Config, sequence: int = 0) -> np.ndarray:
    """Return ``log phi'(a_t)`` of the steps 1..T of one sequence of the batch, (T, H).

    ``a_t = x_t W_xh + h_{t-1} W_hh + b_h``; nan from where the state is not finite.

    Raises
    ------
    ValueError : for a cell other than "rnn", whose step is not one slope.
    """
    if config.cell != "rnn":
        raise ValueError(f"cell must be 'rnn' for the slopes of a trajectory; got {config.cell!r}.")
    params, phi = init_params(config), ACTIVATIONS[config.activation]
    x = draw_inputs(config)[0][:, sequence : sequence + 1]
    with np.errstate(over="ignore", invalid="ignore"):
        states = [step.state["h"][0] for step in forward(params, x, CELLS["rnn"], phi)]
        h = np.array([np.zeros(config.hidden_size), *states[:-1]])
        a = x[:, 0] @ params["W_xh"] + h @ params["W_hh"] + params["b_h"]
        slopes = phi.log_slope(a)
    slopes[~np.isfinite(a)] = np.nan
    return slopes
