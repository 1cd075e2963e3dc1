"""How well a network does on sequences, without learning from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.arithmetic import PLAIN
from ..network.cells import CELLS, Params
from ..network.config import Config
from ..network.layers import count_layers, layer_params
from .losses import LOSSES
from .problem import Batch, Problem
from .products import product, weights

Array = np.ndarray


class Score(NamedTuple):
    """The loss of some sequences, and the share of their outputs that are right."""

    loss: float | Array
    accuracy: float | Array


def outputs(params: Params, x: Array, config: Config, where: Array) -> Array:
    """Return the outputs (K, B, O) of one network at the steps ``where``, from a state of zeros."""
    cell, phi = CELLS[config.cell], ACTIVATIONS[config.activation]
    for layer in range(1, count_layers(params) + 1):
        own = layer_params(params, layer)
        projected = product(x, own["W_xh"]) + own["b_h"]
        own = own | {"W_hh": weights(own["W_hh"], x.shape[1])}
        h = np.empty((*x.shape[:2], own["W_hh"].shape[0]))
        state = {name: np.zeros(h.shape[1:]) for name in cell.states}
        for t in range(len(x)):
            state, _, _ = cell.step(own, projected[t], state, phi, PLAIN)
            h[t] = state["h"]
        x = h
    return product(x[where], params["W_hy"]) + params["b_y"]


def score(params: Params, batch: Batch, config: Config, problem: Problem) -> Score:
    """Return the mean loss and the share of right outputs of one network, both nan where its numbers overflow."""
    where = problem.losses_in(len(batch.x))
    with np.errstate(all="ignore"):
        y = outputs(params, batch.x, config, where)
        loss = float(LOSSES[problem.loss].fn(y, batch.targets)[0].mean())
        if not np.isfinite(loss):
            return Score(np.nan, np.nan)
        return Score(loss, float(problem.is_right(y, batch.targets).mean()))
