"""Forward and back through stacked layers: all steps of a layer, then those of the one that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, repeat

import numpy as np

from ..network.activations import Activation
from ..network.arithmetic import EXACT, Arithmetic, Gradient
from ..network.cells import Cell, Params, State, Step, StepBack
from ..network.layers import count_layers, layer_params
from ..numerics.scaled import Scaled
from .passes import backward, forward
from .truncation import backward_side_by_side

Array = np.ndarray


def forward_through(
    params: Params, x: Array, cell: Cell, phi: Activation, num: Arithmetic = EXACT, states: Sequence[State] = ()
) -> Iterator[tuple[int, Step]]:
    """Yield each step of the forward pass with its layer, counted from 1: T steps of the first, then of the second ...

    ``x`` is (..., T, B, D); ``states`` holds each layer's initial state, by default 0.
    """
    count = count_layers(params)
    for layer in range(1, count + 1):
        state = states[layer - 1] if states else None
        h: list[Array] = []
        for step in forward(layer_params(params, layer), x, cell, phi, num, state):
            yield layer, step
            if layer < count:
                h.append(step.state["h"])
        x = np.moveaxis(np.stack(h), 0, -3) if h else x


def backward_through(
    params: Params,
    tapes: Sequence[Sequence[tuple]],
    errors: Sequence[Scaled | None],
    cell: Cell,
    num: Arithmetic = EXACT,
    truncate: int = 0,
) -> Iterator[tuple[int, StepBack]]:
    """Yield each step of the backward pass with its layer: from T to 0 in the top layer, then in the one below ...

    ``tapes[layer - 1]`` are those of a layer's steps; ``errors`` are dL/dy of the steps 1..T, None where there is no
    loss. A loss reaches back ``truncate`` steps, if that is not 0: states before get a gradient of 0, and weights that
    of so many steps.
    """
    length = len(errors)
    reach = min(truncate or length, length)
    if reach < length and any(error is not None for error in errors[:-1]):
        yield from backward_side_by_side(params, tapes, errors, cell, num, reach)
        return
    W_out, arriving = params["W_hy"], [None if error is None else [error] for error in errors]
    for layer in range(len(tapes), 0, -1):
        own = layer_params(params, layer) | {"W_hy": W_out}
        steps = backward(own, tapes[layer - 1][-reach - 1 :], arriving[-reach - 1 :], cell, num)
        d_in: list[list[Gradient]] = []
        for back, step in enumerate(islice(steps, reach + 1)):
            yield layer, step if back < reach else step._replace(d_in=[], d_rec=[])
            d_in.append(step.d_in)
        nothing = StepBack({name: num.zeros(d.shape) for name, d in step.total.items()}, {}, [], [])
        yield from repeat((layer, nothing), length - reach)
        W_out, arriving = own["W_xh"], [parts for parts in reversed(d_in) if parts]
