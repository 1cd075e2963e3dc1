"""Backpropagation through time: the loss and its gradient with respect to every state and parameter.

Everything takes stacks: arrays may carry leading axes (schemes, seeds, ...) that are multiplied together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import EXACT, Arithmetic
from ..network.cells import CELLS, Cell, Params, State, Step, StepBack
from ..numerics.scaled import Scaled, concatenate, pow2
from ..text.language import _
from ..text.registry import explain_choice
from .fast_backward import LONGEST, SHORTEST, room, take_stretch

Array = np.ndarray
BLOCK = 16  # steps whose inputs are projected in one multiplication
AT_ONCE = 2**14  # numbers of a state, of as many steps, whose factors are computed in one go


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
    for start in range(0, steps, BLOCK):
        block = x[..., start : start + BLOCK, :, :]
        rows = block.reshape((*x.shape[:-3], -1, inputs)) @ params["W_xh"] + params["b_h"]
        projected = np.moveaxis(rows.reshape((*stack, -1, batch, rows.shape[-1])), -3, 0)
        at_once = max(1, AT_ONCE // state["h"].size) if isinstance(rows, np.ndarray) else 1
        for t in range(0, block.shape[-3], at_once):
            taken = take_steps(params, projected[t : t + at_once], state, cell, phi, num)
            yield from taken
            state = taken[-1].state


def take_steps(params, projected: Array, state: State, cell: Cell, phi: Activation, num: Arithmetic) -> list[Step]:
    """Return the steps for some projected inputs (steps, ..., B, kH); what does not hand on is done for all at once."""
    taken = []
    with np.errstate(under="ignore"):
        for t in range(projected.shape[0]):
            taken.append(cell.step(params, projected[t], state, phi, num))
            state = taken[-1][0]
        if len(taken) == 1:
            ((state, kept, gates),) = taken
            return [Step(state, cell.tape(kept, phi, num), gates)]
        factors = cell.tape(stacked([kept for _state, kept, _gates in taken]), phi, num)
    return [Step(state, tuple(factor[t] for factor in factors), gates) for t, (state, _kept, gates) in enumerate(taken)]


def stacked(kept: Sequence):
    """Return arrays stacked along a new first axis, or tuples of them, tuple by tuple."""
    return tuple(map(stacked, zip(*kept, strict=True))) if isinstance(kept[0], tuple) else np.stack(kept)


def cross_entropy(params: Params, h: Array, targets: Array) -> tuple[Array, Scaled]:
    """Return the softmax cross-entropy of ``y = h W_hy + b_y``, a mean over the batch, and its gradient dL/dy.

    ``dL/dy_k = p_k / B`` and ``-(1 - p_target) / B``, where ``1 - p_target`` is summed from the other classes, so that
    a loss that is nearly 0 keeps its digits. Shapes: h (..., B, H), targets (..., B) -> (...), (..., B, O).
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
    loss = (ahead - lead + np.log(below))[..., 0].mean(axis=-1)
    powers = np.floor(ahead / np.log(2.0))
    m = np.where(target, -total, others) * (np.exp(np.clip(powers * np.log(2.0) - ahead, -1.0, 0.0)) / below)
    return loss, Scaled(m.real / y.shape[-2], -powers)


def backward(
    params: Params, tapes: Sequence[tuple], errors: Sequence[Scaled | None], cell: Cell, num: Arithmetic = EXACT
) -> Iterator[StepBack]:
    """Yield the steps of the backward pass from T to 1, and last what flows into the initial state.

    ``errors[t]`` is dL/dy_{t+1}, or None where the step has no loss. ``total`` holds the total derivatives dL/dh_t.
    """
    last = next(error for error in reversed(errors) if error is not None)
    W_out, W_back = (num.weights(params[name].swapaxes(-1, -2)) for name in ("W_hy", "W_hh"))
    d = {name: num.zeros((*last.m.shape[:-1], params["W_hh"].shape[-2])) for name in cell.states}
    tapes, errors = tapes[::-1], errors[::-1]
    at = retry = 0
    while at < len(tapes):
        if errors[at] is not None:
            d["h"] = num.balanced(d["h"] + num.start(errors[at]) @ W_out)
        taken = []
        if num is EXACT and at >= retry:
            taken = take_stretch(W_back, free_tapes(tapes, errors, at, room(d)), d, cell)
            retry = at if len(taken) >= SHORTEST else at + LONGEST
        taken = taken or [cell.step_back(W_back, tapes[at], d, num)]
        yield from taken
        at += len(taken)
        d = {name: num.balanced(value) for name, value in taken[-1].previous.items()}
    yield StepBack(d, {}, [], [])


def free_tapes(tapes: Sequence[tuple], errors: Sequence[Scaled | None], at: int, most: int) -> Sequence[tuple]:
    """Return the tapes from ``at`` up to the next step that has a loss of its own."""
    end = min(at + most, len(tapes))
    return tapes[at : next((t for t in range(at + 1, end) if errors[t] is not None), end)]


@dataclass(frozen=True)
class Gradients:
    """The forward pass and the gradients of one network on one batch.

    Attributes
    ----------
    loss : float, softmax cross-entropy, mean over the batch, summed over the steps that have a loss.
    h : (T+1, B, H), the states, ``h[0]`` the initial one; ``c`` likewise for an LSTM, else None.
    d_h : (T+1, B, H), total derivatives dL/dh_t; 0 or inf where float64 cannot hold them. ``d_c`` likewise.
    d_params : dict, shapes as the parameters.
    log10_grad_norm : (T+1,), log10 of the Frobenius norm of dL/dh_t over batch and units, exact at any magnitude;
        ``-inf`` only for a true zero.
    log10_grad_norm_c : (T+1,), the same for dL/dc_t of an LSTM, else None.
    """

    loss: float
    h: Array
    c: Array | None
    d_h: Array
    d_c: Array | None
    d_params: Params
    log10_grad_norm: Array
    log10_grad_norm_c: Array | None


def bptt(
    params: Params, x: Array, targets: Array, cell: str = "rnn", activation: str = "tanh", loss_at: str = "last"
) -> Gradients:
    """Run one network forward and back through time.

    ``h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h)``, ``y_t = h_t W_hy + b_y``,
    ``dL/dh_{t-1} = (dL/dh_t * phi'(a_t)) W_hh^T + dL/dy_{t-1} W_hy^T``.

    Parameters
    ----------
    params : dict of ``W_xh (D, kH)``, ``W_hh (H, kH)``, ``b_h (kH,)``, ``W_hy (H, O)``, ``b_y (O,)``; a GRU also
        ``b_hn (H,)``. k = 1, 4 (LSTM: i, f, g, o) or 3 (GRU: r, z, n).
    x : (T, B, D).
    targets : whole numbers below O, (T, B); for ``loss_at="last"`` (B,) will do.
    cell, activation : keys of ``CELLS`` and ``ACTIVATIONS``.
    loss_at : "last" or "every" step.

    Raises
    ------
    ValueError : for an unknown name, or a shape that does not fit, naming it.
    FloatingPointError : where a state is not finite, naming its step, or the loss.

    Source: Rumelhart, Hinton & Williams 1986; Werbos 1990.

    >>> one = np.ones((1, 1))
    >>> params = {"W_xh": one, "W_hh": one / 2, "b_h": np.zeros(1), "W_hy": np.array([[1.0, -1.0]]), "b_y": np.zeros(2)}
    >>> g = bptt(params, np.ones((3, 1, 1)), np.array([0]), activation="linear")
    >>> g.h.ravel()
    array([0.  , 1.  , 1.5 , 1.75])
    >>> g.log10_grad_norm - g.log10_grad_norm[-1]  # a factor 1/2 each step back
    array([-0.90308999, -0.60205999, -0.30103   ,  0.        ])
    """
    kind, phi = CELLS[cell], ACTIVATIONS[activation]
    params = {name: np.asarray(value, dtype=float) for name, value in params.items()}
    x, targets = np.asarray(x, dtype=float), np.asarray(targets)
    targets = check_shapes(params, x, targets, kind, loss_at)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = list(forward(params, x, kind, phi))
        pairs = [
            cross_entropy(params, step.state["h"], target) if loss_at == "every" or step is steps[-1] else (0.0, None)
            for step, target in zip(steps, targets, strict=True)
        ]
    loss, errors = float(sum(loss for loss, _ in pairs)), [error for _, error in pairs]
    check_finite(steps, loss)
    states = [{name: np.zeros_like(steps[0].state["h"]) for name in kind.states}, *(step.state for step in steps)]
    backs = list(backward(params, [step.tape for step in steps], errors, kind))[::-1]
    return collect(params, x, states, loss, errors, backs, kind)


def collect(params, x, states, loss, errors, backs, cell: Cell) -> Gradients:
    """Gather what the passes left into a `Gradients`; ``states`` and ``backs`` run from step 0 to T."""
    h = np.stack([state["h"] for state in states])
    has_c = "c" in cell.states
    totals = {name: [back.total[name] for back in backs] for name in cell.states}
    return Gradients(
        loss=loss,
        h=h,
        c=np.stack([state["c"] for state in states]) if has_c else None,
        d_h=np.stack([d.to_float() for d in totals["h"]]),
        d_c=np.stack([d.to_float() for d in totals["c"]]) if has_c else None,
        d_params=parameter_gradients(params, x, h, errors, backs, cell),
        log10_grad_norm=np.array([d.balanced().log10_norm() for d in totals["h"]]),
        log10_grad_norm_c=np.array([d.balanced().log10_norm() for d in totals["c"]]) if has_c else None,
    )


def parameter_gradients(params, x, h, errors, backs, cell: Cell) -> Params:
    """Sum the parameters' gradients over the steps: ``dL/dW_hh = sum_t h_{t-1}^T dL/da_t`` and so on."""
    d_in, d_rec = ([concatenate(getattr(back, name)) for back in backs[1:]] for name in ("d_in", "d_rec"))
    with_loss = [t for t, error in enumerate(errors) if error is not None]
    d_y = [errors[t] for t in with_loss]
    ones = np.ones((*x.shape[:-1], 1))
    d = {
        "W_xh": contract(x, d_in),
        "W_hh": contract(h[:-1], d_rec),
        "b_h": contract(ones, d_in)[0],
        "W_hy": contract(h[1:][with_loss], d_y),
        "b_y": contract(ones[with_loss], d_y)[0],
    }
    if cell.recurrent_bias:
        block = cell.block(cell.recurrent_bias, h.shape[-1])
        d[f"b_h{cell.recurrent_bias}"] = contract(ones, d_rec)[0, block]
    return {name: d[name] for name in params}


def contract(left: Array, right: Sequence[Scaled]) -> Array:
    """Return ``sum_t left_t^T right_t`` as float64 without leaving its range on the way."""
    spread = [d.spread() for d in right]
    top = reduce(np.maximum, (d.e.max(axis=0) for d in spread))
    with np.errstate(over="ignore", under="ignore"):
        total = sum(a.T @ pow2(d.m, d.e - top) for a, d in zip(left, spread, strict=True))
        return pow2(total, top)


def numbers(step: Step) -> list[Array]:
    """Return every array of numbers in a step that a gradient will meet."""
    factors = [factor.m if isinstance(factor, Scaled) else factor for factor in step.tape]
    return [*step.state.values(), *step.gates.values(), *factors]


def check_finite(steps: Sequence[Step], loss: float) -> None:
    for t, step in enumerate(steps, 1):
        if not all(np.isfinite(array).all() for array in numbers(step)):
            raise FloatingPointError(
                _("the state is not finite from step {step} on: no gradient is defined").format(step=t)
            )
    if not np.isfinite(loss):
        raise FloatingPointError(_("the loss is not finite: no gradient is defined"))


def check_shapes(params: Params, x: Array, targets: Array, cell: Cell, loss_at: str) -> Array:
    """Return the targets as (T, B), or raise a ValueError that names what does not fit."""
    if loss_at not in ("last", "every"):
        raise ValueError(explain_choice("loss_at", loss_at, ("last", "every")))
    if x.ndim != 3 or 0 in x.shape:
        raise ValueError(f"x must have the shape (T, B, D) with no empty axis; got {x.shape}")
    steps, batch, inputs = x.shape
    if params.get("W_hh", np.empty(0)).ndim != 2 or params.get("W_hy", np.empty(0)).ndim != 2:
        raise ValueError("params must have matrices W_hh (H, kH) and W_hy (H, O)")
    hidden, classes = params["W_hh"].shape[0], params["W_hy"].shape[1]
    if classes < 2:
        raise ValueError(
            f"W_hy must have a column for each of at least 2 classes; got the shape {params['W_hy'].shape}"
        )
    expected = cell.shapes(inputs, hidden) | {"W_hy": (hidden, classes), "b_y": (classes,)}
    if set(params) != set(expected):
        raise ValueError(f"params of a cell {cell.name!r} are {', '.join(expected)}; got {', '.join(params)}")
    for name, shape in expected.items():
        if params[name].shape != shape:
            raise ValueError(f"{name} must have the shape {shape}; got {params[name].shape}")
    if targets.shape == (batch,) and loss_at == "last":
        targets = np.broadcast_to(targets, (steps, batch))
    if targets.shape != (steps, batch):
        raise ValueError(f"targets must have the shape (T, B) = {(steps, batch)}; got {targets.shape}")
    if not np.issubdtype(targets.dtype, np.integer) or targets.min() < 0 or targets.max() >= classes:
        raise ValueError(f"targets must be whole numbers from 0 to {classes - 1}; got {targets.min()}..{targets.max()}")
    return targets
