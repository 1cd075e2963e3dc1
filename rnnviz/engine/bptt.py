"""Backpropagation through time: the loss and its gradient with respect to every state and parameter.

Everything works on stacks: arrays may have leading axes (schemes, seeds, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import EXACT, Arithmetic
from ..network.cells import CELLS, Cell, Params, State, Step, StepBack
from ..network.losses import loss_weight
from ..numerics.progress import Progress, finish, rescaled, unwarned
from ..numerics.scaled import Scaled, stack
from ..text.language import _
from .fast_backward import LONGEST, SHORTEST, fast_steps, most_steps
from .parameter_gradients import parameter_gradients
from .shapes import check_shapes

Array = np.ndarray
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
    params: Params, tapes: Sequence[tuple], errors: Sequence[Scaled | None], cell: Cell, num: Arithmetic = EXACT
) -> Iterator[StepBack]:
    """Yield the steps of the backward pass from T to 1, then one more with the gradient of the initial state.

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
            taken = fast_steps(W_back, free_tapes(tapes, errors, at, most_steps(d)), d, cell)
            retry = at if len(taken) >= SHORTEST else at + LONGEST
        taken = taken or [cell.step_back(W_back, tapes[at], d, num)]
        yield from taken
        at += len(taken)
        d = {name: num.balanced(value) for name, value in taken[-1].previous.items()}
    yield StepBack(d, {}, [], [])


def free_tapes(tapes: Sequence[tuple], errors: Sequence[Scaled | None], at: int, most: int) -> Sequence[tuple]:
    """Return the tapes from ``at`` up to the next step that has a loss."""
    end = min(at + most, len(tapes))
    return tapes[at : next((t for t in range(at + 1, end) if errors[t] is not None), end)]


@dataclass(frozen=True)
class Gradients:
    """The forward pass and the gradients of one network on one batch.

    Attributes
    ----------
    loss : float, softmax cross-entropy, mean over the batch, sum or mean over the steps that have a loss.
    h : (T+1, B, H), the states, ``h[0]`` the initial one; ``c`` likewise for an LSTM, else None.
    d_h : (T+1, B, H), total derivatives dL/dh_t; 0 or inf where float64 cannot hold them. ``d_c`` likewise.
    d_params : dict with the names and shapes of the parameters.
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
    params: Params, x: Array, targets: Array, cell: str = "rnn", activation: str = "tanh",
    loss_at: str = "last", loss_reduction: str = "sum",
) -> Gradients:  # fmt: skip
    """Run one network forward and back through time.

    ``h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h)``, ``y_t = h_t W_hy + b_y``,
    ``dL/dh_{t-1} = (dL/dh_t * phi'(a_t)) W_hh^T + dL/dy_{t-1} W_hy^T``.

    Parameters
    ----------
    params : dict of ``W_xh (D, kH)``, ``W_hh (H, kH)``, ``b_h (kH,)``, ``W_hy (H, O)``, ``b_y (O,)``; a GRU also
        ``b_hn (H,)``. k = 1, 4 (LSTM: i, f, g, o) or 3 (GRU: r, z, n).
    x : (T, B, D).
    targets : integers below O, (T, B); for ``loss_at="last"`` also (B,).
    cell, activation : keys of ``CELLS`` and ``ACTIVATIONS``.
    loss_at : "last" or "every" step.
    loss_reduction : "sum" or "mean" over the steps that have a loss.

    Raises
    ------
    ValueError : for an unknown name or a wrong shape; the message names it.
    FloatingPointError : where a state (the message names its step) or the loss is not finite.

    Notes
    -----
    The gradient is that of the states as float64 computes them, to 1e-6 decades at any magnitude. Three things it
    cannot know: in a chaotic network, those states depend on the last bit of the weights (see `sensitivity`); a state
    below 1e-308 is 0, so that a ReLU that reads it is off; and where saturated terms of an LSTM's c cancel each other,
    what is left is rounding, which shows in the output gate's gradient of that step.

    Source: Rumelhart, Hinton & Williams 1986; Werbos 1990.

    >>> one = np.ones((1, 1))
    >>> params = {"W_xh": one, "W_hh": one / 2, "b_h": np.zeros(1), "W_hy": np.array([[1.0, -1.0]]), "b_y": np.zeros(2)}
    >>> g = bptt(params, np.ones((3, 1, 1)), np.array([0]), activation="linear")
    >>> g.h.ravel()
    array([0.  , 1.  , 1.5 , 1.75])
    >>> g.log10_grad_norm - g.log10_grad_norm[-1]  # a factor 1/2 each step back
    array([-0.90308999, -0.60205999, -0.30103   ,  0.        ])
    """
    return finish(backpropagating(params, x, targets, cell, activation, loss_at, loss_reduction))


def backpropagating(
    params, x, targets, cell: str, activation: str, loss_at: str, loss_reduction: str = "sum"
) -> Progress[Gradients]:
    """Compute what `bptt` returns, and yield the share done after every step."""
    kind, phi = CELLS[cell], ACTIVATIONS[activation]
    params = {name: np.asarray(value, dtype=float) for name, value in params.items()}
    x, targets = np.asarray(x, dtype=float), np.asarray(targets)
    targets = check_shapes(params, x, targets, kind, loss_at)
    weight = loss_weight(loss_at, loss_reduction, len(x))
    steps: list[Step] = []
    backs: list[StepBack] = []
    pass_forward = into(steps, forward(params, x, kind, phi), len(x))
    yield from rescaled(unwarned(pass_forward, over="ignore", invalid="ignore"), 0.0, 0.3)
    loss, errors = losses(params, steps, targets, loss_at, weight)
    check_finite(steps, loss)
    pass_back = into(backs, backward(params, [step.tape for step in steps], errors, kind), len(x) + 1)
    yield from rescaled(pass_back, 0.3, 0.3)
    backs.reverse()
    h = states_of(steps, "h")
    d_params = yield from rescaled(parameter_gradients(params, x, h, errors, backs, kind), 0.6, 0.4)
    return collect(loss, h, steps, backs, d_params, kind)


def into(found: list, items: Iterator, count: int) -> Progress[None]:
    """Append items to a list, and yield the share of ``count`` after each."""
    for item in items:
        found.append(item)
        yield len(found) / count


def losses(
    params: Params, steps: Sequence[Step], targets: Array, loss_at: str, weight: float
) -> tuple[float, list[Scaled | None]]:
    """Return the loss of all steps, each with a weight, and each step's dL/dy, None where it has no loss."""
    loss = 0.0
    errors: list[Scaled | None] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for step, target in zip(steps, targets, strict=True):
            error = None
            if loss_at == "every" or step is steps[-1]:
                more, error = cross_entropy(params, step.state["h"], target, weight)
                loss += float(more)
            errors.append(error)
    return loss, errors


def states_of(steps: Sequence[Step], name: str) -> Array:
    """Return a state's values at steps 0..T, the initial ones 0."""
    values = [step.state[name] for step in steps]
    return np.stack([np.zeros_like(values[0]), *values])


def collect(loss: float, h: Array, steps, backs: Sequence[StepBack], d_params: Params, cell: Cell) -> Gradients:
    """Return the `Gradients` of both passes; ``backs`` run from step 0 to T."""
    has_c = "c" in cell.states
    totals = {name: [back.total[name] for back in backs] for name in cell.states}
    return Gradients(
        loss=loss,
        h=h,
        c=states_of(steps, "c") if has_c else None,
        d_h=np.stack([d.to_float() for d in totals["h"]]),
        d_c=np.stack([d.to_float() for d in totals["c"]]) if has_c else None,
        d_params=d_params,
        log10_grad_norm=np.array([d.balanced().log10_norm() for d in totals["h"]]),
        log10_grad_norm_c=np.array([d.balanced().log10_norm() for d in totals["c"]]) if has_c else None,
    )


def numbers(step: Step) -> list[Array]:
    """Return all arrays of a step that the gradient depends on."""
    values = [*step.state.values(), *step.gates.values(), *step.tape]
    return [value.m if isinstance(value, Scaled) else value for value in values]


def check_finite(steps: Sequence[Step], loss: float) -> None:
    for t, step in enumerate(steps, 1):
        if not all(np.isfinite(array).all() for array in numbers(step)):
            raise FloatingPointError(
                _("the state is not finite from step {step} on: no gradient is defined").format(step=t)
            )
    if not np.isfinite(loss):
        raise FloatingPointError(_("the loss is not finite: no gradient is defined"))
