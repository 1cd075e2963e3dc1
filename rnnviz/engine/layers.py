"""Forward and back through stacked layers: some steps of a layer, then the same steps of the one that reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from math import prod

import numpy as np

from ..network.activations import Activation
from ..network.arithmetic import EXACT, Arithmetic, Gradient
from ..network.cells import Cell, Params, State, Step, StepBack
from ..network.layers import count_layers, layer_params, name_in
from ..numerics.scaled import Scaled
from . import fast_backward
from .passes import Backward, Errors, project, take_steps
from .truncation import backward_side_by_side

Array = np.ndarray
Dl_dy = Sequence[Scaled | None]  # of the steps 1..T, None where there is no loss
AT_ONCE = 2**14  # numbers in the states of all steps computed at once: more would not stay in the processor's cache
MOST, FEWEST = 16, 4  # steps computed at once, where it is not one: stacking two costs more than it saves


def forward(
    params: Params, x: Array, cell: Cell, phi: Activation, num: Arithmetic = EXACT, state: State | None = None
) -> Iterator[Step]:
    """Yield the T steps of a single layer from ``state``, or from ``h_0 = 0``; shapes as of `forward_through`."""
    return (step for _layer, step in forward_through(params, x, cell, phi, num, [state] if state else ()))


def forward_through(
    params: Params, x: Array, cell: Cell, phi: Activation, num: Arithmetic = EXACT, states: Sequence[State] = ()
) -> Iterator[tuple[int, Step]]:
    """Yield each step of the forward pass with its layer, counted from 1, in every layer from step 1 to T.

    ``x`` is (..., T, B, D); the states are (..., B, H), by layer, at first 0 or ``states``.
    """
    layers = [layer_params(params, number) for number in range(1, count_layers(params) + 1)]
    states = list(states) or [zero_state(params, x, cell)] * len(layers)
    at_once = min(MOST, AT_ONCE // states[0]["h"].size)
    at_once = at_once if at_once >= FEWEST else 1
    for start in range(0, x.shape[-3], at_once):
        read = x[..., start : start + at_once, :, :]
        for number, own in enumerate(layers, 1):
            taken = take_steps(own, project(own, read), states[number - 1], cell, phi, num)
            yield from ((number, step) for step in taken)
            states[number - 1] = taken[-1].state
            read = joined([step.state["h"] for step in taken]) if number < len(layers) else read


def joined(states: Sequence[Array]) -> Array:
    """Return the states (..., B, H) of some steps as one array (..., steps, B, H)."""
    return states[0][..., None, :, :] if len(states) == 1 else np.stack(states, axis=-3)


def zero_state(params: Params, x: Array, cell: Cell) -> State:
    """Return the state ``h_0 = 0`` of a layer."""
    leading = np.broadcast_shapes(x.shape[:-3], params["W_xh"].shape[:-2])
    shape = (*leading, x.shape[-2], params["W_hh"].shape[-2])
    return dict.fromkeys(cell.states, np.zeros(shape, dtype=params["W_hh"].dtype))


def backward(params: Params, tapes: Sequence[tuple], errors: Dl_dy, cell: Cell, num: Arithmetic = EXACT):
    """Yield the steps back of a single layer, from T to 0; arguments as of `backward_through`."""
    return (step for _layer, step in backward_through(params, [tapes], errors, cell, num))


def backward_through(
    params: Params,
    tapes: Sequence[Sequence[tuple]],
    errors: Dl_dy,
    cell: Cell,
    num: Arithmetic = EXACT,
    truncate: int = 0,
) -> Iterator[tuple[int, StepBack]]:
    """Return an iterator over the steps of the backward pass with their layers, in every layer from step T to 0.

    A step's ``total`` holds the total derivatives dL/dh_t, 0 where no loss reaches; step 0 is the initial state.

    Parameters
    ----------
    tapes : those of the steps 1..T of each layer, the top layer's last; where the lowest are left out, so are they.
    errors : dL/dy of the steps 1..T, None where there is no loss.
    truncate : how many steps back a loss reaches, 0 for all; of so many steps, weights get a gradient.
    """
    first = max(len(errors) - truncate, 0) if truncate else 0
    layers = ways_back(params, len(tapes), cell, num)
    if first and any(error is not None for error in errors[:-1]):
        return backward_side_by_side(layers, tapes, errors, truncate)
    return backward_from_top(layers, tapes, errors, first)


def ways_back(params: Params, wanted: int, cell: Cell, num: Arithmetic) -> list[Backward]:
    """Return the ways back through the ``wanted`` highest layers, the top one first."""
    count, ways = count_layers(params), []
    for number in range(count, count - wanted, -1):
        W_out = params["W_hy" if number == count else name_in("W_xh", number + 1)]
        ways.append(Backward(number, params[name_in("W_hh", number)], W_out, cell, num))
    return ways


def backward_from_top(
    layers: Sequence[Backward], tapes: Sequence[Sequence[tuple]], errors: Dl_dy, first: int
) -> Iterator[tuple[int, StepBack]]:
    """Yield the steps of `backward_through`, where no loss reaches further back than step ``first``.

    At step ``first`` the gradient still goes down to the layers below, but no weight gets any.
    """
    lowest, at_once = max(first - 1, 0), steps_at_once(layers, errors)
    for end in range(len(errors), lowest, -at_once):
        part = slice(max(end - at_once, lowest), end)
        arriving: Errors = [None if error is None else [error] for error in errors[part]]
        for layer, own in zip(layers, reversed(tapes), strict=True):
            d_in: list[list[Gradient]] = []
            for t, step in zip(range(end, 0, -1), layer.through(own[part], arriving), strict=False):
                yield layer.number, step._replace(d_in=[], d_rec=[]) if t == first else step
                if layer is not layers[-1]:
                    d_in.append(step.d_in)
            arriving = d_in[::-1]
    for layer in layers:
        nothing = {name: layer.num.zeros(each.shape) for name, each in layer.d.items()}
        yield from repeat((layer.number, StepBack(nothing if first else layer.d, {}, [], [])), max(first, 1))


def steps_at_once(layers: Sequence[Backward], errors: Dl_dy) -> int:
    """Return how many steps one layer goes back before the next one does."""
    if len(layers) == 1:
        return len(errors)
    last = next(error for error in reversed(errors) if error is not None)
    size = prod(last.shape[:-1]) * layers[0].size
    return fast_backward.LONGEST if fast_backward.AT_ONCE // size >= fast_backward.SHORTEST else 1
