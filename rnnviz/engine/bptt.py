"""Backpropagation through time: the loss and its gradient with respect to every state and parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Cell, Params, Step, StepBack
from ..network.layers import count_layers
from ..network.losses import loss_weight
from ..numerics.progress import Progress, finish, rescaled, unwarned
from ..numerics.scaled import Scaled
from ..text.language import _
from .layers import backward_through, forward_through
from .parameter_gradients import parameter_gradients
from .passes import cross_entropy
from .shapes import check_shapes

Array = np.ndarray


@dataclass(frozen=True)
class Gradients:
    """The forward pass and the gradients of one network on one batch.

    Attributes
    ----------
    loss : float, softmax cross-entropy, mean over the batch, sum or mean over the steps that have a loss.
    h_by_layer : (L, T+1, B, H), the states, at step 0 the initial ones; ``h`` (T+1, B, H) are the top layer's.
    c_by_layer, c : likewise for an LSTM, else None.
    d_h_by_layer, d_h : as h_by_layer and h, total derivatives dL/dh_t; 0 or inf where float64 cannot hold them.
    d_c_by_layer, d_c : likewise.
    d_params : dict with the names and shapes of the parameters.
    log10_grad_norm_by_layer : (L, T+1), log10 of the Frobenius norm of dL/dh_t over batch and units, exact at any
        magnitude; ``-inf`` only for a true zero. ``log10_grad_norm`` (T+1,) is the top layer's.
    log10_grad_norm_c_by_layer, log10_grad_norm_c : the same for dL/dc_t of an LSTM, else None.
    """

    loss: float
    h_by_layer: Array
    c_by_layer: Array | None
    d_h_by_layer: Array
    d_c_by_layer: Array | None
    d_params: Params
    log10_grad_norm_by_layer: Array
    log10_grad_norm_c_by_layer: Array | None

    @property
    def h(self) -> Array:
        return self.h_by_layer[-1]

    @property
    def c(self) -> Array | None:
        return top(self.c_by_layer)

    @property
    def d_h(self) -> Array:
        return self.d_h_by_layer[-1]

    @property
    def d_c(self) -> Array | None:
        return top(self.d_c_by_layer)

    @property
    def log10_grad_norm(self) -> Array:
        return self.log10_grad_norm_by_layer[-1]

    @property
    def log10_grad_norm_c(self) -> Array | None:
        return top(self.log10_grad_norm_c_by_layer)


def top(by_layer: Array | None) -> Array | None:
    return None if by_layer is None else by_layer[-1]


def bptt(
    params: Params, x: Array, targets: Array, cell: str = "rnn", activation: str = "tanh",
    loss_at: str = "last", loss_reduction: str = "sum", truncate: int = 0,
) -> Gradients:  # fmt: skip
    """Run one network forward and back through time.

    ``h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h)``, ``y_t = h_t W_hy + b_y``,
    ``dL/dh_{t-1} = (dL/dh_t * phi'(a_t)) W_hh^T + dL/dy_{t-1} W_hy^T``.

    Parameters
    ----------
    params : dict of ``W_xh (D, kH)``, ``W_hh (H, kH)``, ``b_h (kH,)``, ``W_hy (H, O)``, ``b_y (O,)``; a GRU also
        ``b_hn (H,)``. k = 1, 4 (LSTM: i, f, g, o) or 3 (GRU: r, z, n). A second layer, which reads the states of the
        first, has ``W_xh_2 (H, kH)``, ``W_hh_2``, ``b_h_2``, and so on; W_hy reads the top layer.
    x : (T, B, D).
    targets : integers below O, (T, B); for ``loss_at="last"`` also (B,).
    cell, activation : keys of ``CELLS`` and ``ACTIVATIONS``.
    loss_at : "last" or "every" step.
    loss_reduction : "sum" or "mean" over the steps that have a loss.
    truncate : how many steps each loss reaches back, in every layer (truncated BPTT); 0 for all the way.

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
    return finish(backpropagating(params, x, targets, cell, activation, loss_at, loss_reduction, truncate))


def backpropagating(
    params, x, targets, cell: str, activation: str, loss_at: str, loss_reduction: str = "sum", truncate: int = 0
) -> Progress[Gradients]:
    """Compute what `bptt` returns, and yield the share done after every step."""
    kind, phi = CELLS[cell], ACTIVATIONS[activation]
    params = {name: np.asarray(value, dtype=float) for name, value in params.items()}
    x, targets = np.asarray(x, dtype=float), np.asarray(targets)
    targets = check_shapes(params, x, targets, kind, loss_at)
    weight, layers = loss_weight(loss_at, loss_reduction, len(x)), count_layers(params)
    steps: list[list[Step]] = [[] for _layer in range(layers)]
    backs: list[list[StepBack]] = [[] for _layer in range(layers)]
    pass_forward = into(steps, forward_through(params, x, kind, phi), layers * len(x))
    yield from rescaled(unwarned(pass_forward, over="ignore", invalid="ignore"), 0.0, 0.3)
    loss, errors = losses(params, steps[-1], targets, loss_at, weight)
    check_finite(steps, loss)
    tapes = [[step.tape for step in each] for each in steps]
    pass_back = into(backs, backward_through(params, tapes, errors, kind, truncate=truncate), layers * (len(x) + 1))
    yield from rescaled(pass_back, 0.3, 0.3)
    for each in backs:
        each.reverse()
    h = np.stack([states_of(each, "h") for each in steps])
    d_params = yield from rescaled(parameter_gradients(params, x, h, errors, backs, kind), 0.6, 0.4)
    return collect(loss, h, steps, backs, d_params, kind)


def into(found: list[list], items: Iterator[tuple[int, Step | StepBack]], count: int) -> Progress[None]:
    """Append each layer's items to its list, and yield the share of ``count`` after each."""
    for done, (layer, item) in enumerate(items, 1):
        found[layer - 1].append(item)
        yield done / count


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


def collect(
    loss: float, h: Array, steps: Sequence[Sequence[Step]], backs: Sequence[Sequence[StepBack]], d_params: Params,
    cell: Cell,
) -> Gradients:  # fmt: skip
    """Return the `Gradients` of both passes; ``backs`` run from step 0 to T in each layer."""
    has_c = "c" in cell.states

    def totals(name: str) -> list[list[Scaled]]:
        return [[back.total[name] for back in each] for each in backs]

    return Gradients(
        loss=loss,
        h_by_layer=h,
        c_by_layer=np.stack([states_of(each, "c") for each in steps]) if has_c else None,
        d_h_by_layer=floats(totals("h")),
        d_c_by_layer=floats(totals("c")) if has_c else None,
        d_params=d_params,
        log10_grad_norm_by_layer=log10_norms(totals("h")),
        log10_grad_norm_c_by_layer=log10_norms(totals("c")) if has_c else None,
    )


def floats(totals: Sequence[Sequence[Scaled]]) -> Array:
    return np.array([[d.to_float() for d in each] for each in totals])


def log10_norms(totals: Sequence[Sequence[Scaled]]) -> Array:
    return np.array([[d.balanced().log10_norm() for d in each] for each in totals])


def numbers(step: Step) -> list[Array]:
    """Return all arrays of a step that the gradient depends on."""
    values = [*step.state.values(), *step.gates.values(), *step.tape]
    return [value.m if isinstance(value, Scaled) else value for value in values]


def check_finite(steps: Sequence[Sequence[Step]], loss: float) -> None:
    """Raise a FloatingPointError that names the first step at which a layer is not finite."""
    for t, step in enumerate(zip(*steps, strict=True), 1):
        if not all(np.isfinite(array).all() for each in step for array in numbers(each)):
            raise FloatingPointError(
                _("the state is not finite from step {step} on: no gradient is defined").format(step=t)
            )
    if not np.isfinite(loss):
        raise FloatingPointError(_("the loss is not finite: no gradient is defined"))
