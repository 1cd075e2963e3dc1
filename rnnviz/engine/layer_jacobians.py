"""What each layer of an RNN does to the directions of the layer below: Jacobians through layers, not through time."""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Params
from ..network.layers import count_layers, layer_params
from .layers import forward_through

Array = np.ndarray


def layer_jacobians(params: Params, x: Array, activation: str) -> list[Array]:
    """Return ``dh^l_T / dh^{l-1}_T`` of the layers 2..L of an RNN at the last step of a sequence, each (H, H).

    ``J[i, j] = dh^l[j] / dh^{l-1}[i] = W_xh[i, j] phi'(a^l[j])`` with layer l's own W_xh; so ``dh^l = dh^{l-1} J``. nan
    where a state is not finite.

    Parameters
    ----------
    params : as of `bptt`, with L layers.
    x : (T, 1, D), one sequence.
    activation : a key of ``ACTIVATIONS``.

    Source: Glorot & Bengio 2010, sect. 4.2.1, for T = 1.
    """
    phi, layers, found = ACTIVATIONS[activation], count_layers(params), []
    states = [[np.zeros(params["W_hh"].shape[0])] for _layer in range(layers)]
    with np.errstate(over="ignore", invalid="ignore"):
        for layer, step in forward_through(params, x, CELLS["rnn"], phi):
            states[layer - 1].append(step.state["h"][0])
        for layer in range(2, layers + 1):
            own, below, before = layer_params(params, layer), states[layer - 2][-1], states[layer - 1][-2]
            a = below @ own["W_xh"] + before @ own["W_hh"] + own["b_h"]
            found.append(own["W_xh"] * phi.slope(a))
    return found
