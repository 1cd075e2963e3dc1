"""What both passes are made of: some steps of one layer forward, the loss, some steps of one layer back.

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


def project(params: Params, x: Array) -> Array:
    """Return ``x_t W_xh + b_h`` for some steps, (..., steps, B, D) -> (..., steps, B, kH)."""
    steps, batch, inputs = x.shape[-3:]
    rows = x.reshape((*x.shape[:-3], -1, inputs)) @ params["W_xh"] + params["b_h"]
    return rows.reshape((*rows.shape[:-2], steps, batch, rows.shape[-1]))


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


class Backward:
    """The way back through the steps of one layer, some steps at a time.

    Attributes
    ----------
    number : the layer's, counted from 1.
    d : the gradients of the states that the steps so far have reached, empty before the first.
    wait : how many steps to take one by one before several at once are tried again.
    """

    def __init__(self, number: int, W_hh: Array, W_out: Array, cell: Cell, num: Arithmetic):
        self.number, self.cell, self.num, self.size = number, cell, num, W_hh.shape[-2]
        self.W_back, self.W_out = (num.weights(W.swapaxes(-1, -2)) for W in (W_hh, W_out))
        self.d: dict[str, Gradient] = {}
        self.wait = 0

    def through(self, tapes: Sequence[tuple], errors: Errors) -> Iterator[StepBack]:
        """Yield the steps back through some tapes, the last step first; ``errors`` arrive in front of them.

        ``errors[t]`` are the gradients of what reads h_t by ``W_out``, None where nothing does.
        """
        tapes, errors = tapes[::-1], errors[::-1]
        at = 0
        while at < len(tapes):
            self.receive(errors[at])
            taken = []
            if self.num is EXACT and self.wait <= 0:
                end = end_of_stretch(errors, at + 1, min(at + most_steps(self.d), len(tapes)))
                arriving = self.arriving(errors[at + 1 : end])
                taken = fast_steps(self.W_back, tapes[at:end], self.d, self.cell, arriving)
                self.wait = 0 if len(taken) >= SHORTEST else LONGEST
            taken = taken or [self.cell.step_back(self.W_back, tapes[at], self.d, self.num)]
            self.d = {name: self.num.balanced(value) for name, value in taken[-1].previous.items()}
            yield from taken
            at, self.wait = at + len(taken), self.wait - len(taken)

    def receive(self, error: Sequence[Gradient] | None) -> None:
        """Add what arrives at the states that have been reached."""
        if error is None:
            return
        arriving = self.num.through([self.num.start(part) for part in error], self.W_out)
        self.d = self.d or {name: self.num.zeros(arriving.shape) for name in self.cell.states}
        self.d["h"] = self.num.balanced(self.d["h"] + arriving)

    def arriving(self, errors: Errors) -> Scaled | None:
        """Return what arrives at consecutive steps of which all have errors, stacked, or None where none has."""
        if len(errors) < SHORTEST - 1 or errors[0] is None:
            return None
        parts = [stack(each) for each in zip(*errors, strict=True)]
        return self.num.through([self.num.start(part) for part in parts], self.W_out)


def end_of_stretch(errors: Errors, start: int, end: int) -> int:
    """Return where, from ``start`` on but before ``end``, steps with errors and steps without meet."""
    changes = (t for t in range(start + 1, end) if (errors[t] is None) != (errors[start] is None))
    return next(changes, max(start, end))
