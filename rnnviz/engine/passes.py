"""Forward through the steps of one layer, the loss, and back again.

Everything works on stacks: arrays may have leading axes (schemes, seeds, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..network.activations import Activation
from ..network.arithmetic import EXACT, Arithmetic, Gradient
from ..network.cells import Cell, Params, State, Step, StepBack
from ..numerics.scaled import Scaled, stack
from .fast_backward import LONGEST, SHORTEST, fast_steps, most_steps

Array = np.ndarray
Errors = Sequence[Sequence[Gradient] | None]  # what arrives from outside at each step, by block of columns
AT_ONCE = 2**14  # numbers in the states of all steps computed at once: more would not stay in the processor's cache
MOST = 16  # steps computed at once


def forward(
    params: Params, x: Array, cell: Cell, phi: Activation, num: Arithmetic = EXACT, state: State | None = None
) -> Iterator[Step]:
    """Yield the T steps of the forward pass from ``state``, or from ``h_0 = 0``.

    ``x`` is (..., T, B, D); the states are (..., B, H).
    """
    steps, batch, inputs = x.shape[-3:]
    stack = np.broadcast_shapes(x.shape[:-3], params["W_xh"].shape[:-2])
    size = params["W_hh"].shape[-2]
    if state is None:
        zeros = np.zeros((*stack, batch, size), dtype=params["W_hh"].dtype)
        state = dict.fromkeys(cell.states, zeros)
    at_once = min(MOST, max(1, AT_ONCE // state["h"].size))
    for start in range(0, steps, at_once):
        block = x[..., start : start + at_once, :, :]
        rows = block.reshape((*x.shape[:-3], -1, inputs)) @ params["W_xh"] + params["b_h"]
        projected = rows.reshape((*stack, -1, batch, rows.shape[-1]))
        taken = take_steps(params, projected, state, cell, phi, num)
        yield from taken
        state = taken[-1].state


def take_steps(params, projected: Array, state: State, cell: Cell, phi: Activation, num: Arithmetic) -> list[Step]:
    """Return the steps for some projected inputs (..., steps, B, kH); only the states are computed one by one."""
    taken = []
    with np.errstate(under="ignore"):
        for t in range(projected.shape[-3]):
            taken.append(cell.step(params, projected[..., t, :, :], state, phi, num))
            state = taken[-1][0]
        if len(taken) == 1:
            ((state, kept, gates),) = taken
            return [Step(state, cell.tape(kept, phi, num), gates)]
        factors = cell.tape(stacked([kept for _state, kept, _gates in taken]), phi, num)
    return [Step(state, tuple(factor[t] for factor in factors), gates) for t, (state, _kept, gates) in enumerate(taken)]


def stacked(kept: Sequence):
    """Return arrays stacked along a new first axis, or tuples of them, tuple by tuple."""
    return tuple(map(stacked, zip(*kept, strict=True))) if isinstance(kept[0], tuple) else stack(kept)


def cross_entropy(params: Params, h: Array, targets: Array, weight: float = 1.0) -> tuple[Array, Scaled]:
    """Return the softmax cross-entropy of ``y = h W_hy + b_y``, a mean over the batch, and its gradient dL/dy.

    ``dL/dy_k = p_k / B`` and ``-(1 - p_target) / B``, where ``1 - p_target`` is summed from the other classes, so that
    a loss that is nearly 0 keeps its digits; both times ``weight``.
    Shapes: h (..., B, H), targets (..., B) -> (...), (..., B, O).
    """
    y = h @ params["W_hy"] + params["b_y"]
    target = np.arange(y.shape[-1]) == targets[..., None]
    best_other = np.where(target, -np.inf, y.real).max(axis=-1, keepdims=True)
    others = np.where(target, 0.0, np.exp(np.where(target, 0.0, y - best_other)))
    total = others.sum(axis=-1, keepdims=True)
    lead = np.where(target, y, 0.0).sum(axis=-1, keepdims=True) - best_other
    ahead = np.maximum(lead.real, 0.0)
    # p_k = others exp(-ahead) / below, with every exponent at most 0
    below = total * np.exp(-ahead) + np.exp(lead - ahead)
    behind = np.where(lead.real > 0, 0.0, lead)
    sure = np.log1p(total * np.exp(behind - lead))  # keeps its digits where the loss is nearly 0
    loss = np.where(lead.real > 0, sure, np.log(total + np.exp(behind)) - behind)[..., 0].mean(axis=-1)
    powers = np.floor(ahead / np.log(2.0))
    m = np.where(target, -total, others) * (np.exp(np.clip(powers * np.log(2.0) - ahead, -1.0, 0.0)) / below)
    return weight * loss, Scaled(weight * m.real / y.shape[-2], -powers)


def backward(
    params: Params, tapes: Sequence[tuple], errors: Errors, cell: Cell, num: Arithmetic = EXACT
) -> Iterator[StepBack]:
    """Yield the steps of the backward pass from T to 1, then one more with the gradient of the initial state.

    ``errors[t]`` holds the gradients, by block of columns, of what reads h_{t+1} by ``params["W_hy"]``: dL/dy_{t+1}, or
    the next layer's ``d_in`` where its W_xh takes the place of W_hy; None where nothing does. ``total`` holds the total
    derivatives dL/dh_t.
    """
    W_out, W_back = (num.weights(params[name].swapaxes(-1, -2)) for name in ("W_hy", "W_hh"))
    d = no_gradient(params, errors, cell, num)
    tapes, errors = tapes[::-1], errors[::-1]
    at = retry = 0
    while at < len(tapes):
        if (error := errors[at]) is not None:
            d["h"] = num.balanced(d["h"] + num.through([num.start(part) for part in error], W_out))
        taken = []
        if num is EXACT and at >= retry:
            taken = fast_steps(W_back, free_tapes(tapes, errors, at, most_steps(d)), d, cell)
            retry = at if len(taken) >= SHORTEST else at + LONGEST
        taken = taken or [cell.step_back(W_back, tapes[at], d, num)]
        yield from taken
        at += len(taken)
        d = {name: num.balanced(value) for name, value in taken[-1].previous.items()}
    yield StepBack(d, {}, [], [])


def no_gradient(params: Params, errors: Errors, cell: Cell, num: Arithmetic) -> dict:
    """Return a gradient of 0 for each state, stacked as the errors are."""
    last = next(error for error in reversed(errors) if error is not None)[0]
    return {name: num.zeros((*last.shape[:-1], params["W_hh"].shape[-2])) for name in cell.states}


def free_tapes(tapes: Sequence[tuple], errors: Sequence, at: int, most: int) -> Sequence[tuple]:
    """Return the tapes from ``at`` up to the next step that has an error of its own."""
    end = min(at + most, len(tapes))
    return tapes[at : next((t for t in range(at + 1, end) if errors[t] is not None), end)]
