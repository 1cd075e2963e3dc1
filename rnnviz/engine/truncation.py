"""Back through the layers when every step has a loss and each loss reaches back a fixed number of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

import numpy as np

from ..network.arithmetic import Arithmetic, Gradient
from ..network.cells import Cell, Params, StepBack
from ..network.layers import layer_params
from ..numerics.scaled import Scaled, pow2


def backward_side_by_side(
    params: Params, tapes: Sequence[Sequence[tuple]], errors: Sequence[Scaled | None], cell: Cell, num: Arithmetic,
    reach: int,
) -> Iterator[tuple[int, StepBack]]:  # fmt: skip
    """Yield each step back with its layer, as `layers.backward_through` does, but step by step through all layers.

    At step t, the gradients of the losses of the steps t, t+1, ..., t+``reach`` go back side by side, along a new first
    axis: the sum of all is dL/dh_t; the last goes no further, and no weight gets any of it.
    """
    layers = [Layer(params, number, len(tapes), cell, num) for number in range(len(tapes), 0, -1)]
    for t in range(len(errors), 0, -1):
        arriving = [num.start(errors[t - 1])[None]]
        for layer in layers:
            step, arriving = layer.step_back(arriving, tapes[layer.number - 1][t - 1], reach)
            yield layer.number, step
    for layer in layers:
        yield layer.number, StepBack({name: total(each) for name, each in layer.d.items()}, {}, [], [])


class Layer:
    """The gradients of one layer's states, one for each loss that reaches them, the latest loss last."""

    def __init__(self, params: Params, number: int, count: int, cell: Cell, num: Arithmetic):
        self.number, self.cell, self.num = number, cell, num
        W_hh = layer_params(params, number)["W_hh"]
        W_out = params["W_hy"] if number == count else layer_params(params, number + 1)["W_xh"]
        self.W_back, self.W_out = (num.weights(W.swapaxes(-1, -2)) for W in (W_hh, W_out))
        self.d: dict[str, Gradient] = {}

    def step_back(self, arriving: Sequence[Gradient], tape: tuple, reach: int) -> tuple[StepBack, list[Gradient]]:
        """Go one step back, and return the sums over losses, and what arrives in the layer below, loss by loss.

        ``arriving`` comes from this step's loss, or from the layer above: of this step's loss and of later ones.
        """
        step = self.cell.step_back(self.W_back, tape, self.with_arrivals(arriving), self.num)
        self.d = {name: self.num.balanced(each[:reach]) for name, each in step.previous.items()}
        d_in = [total(part[:reach]) for part in step.d_in]
        d_rec = d_in if step.d_rec is step.d_in else [total(part[:reach]) for part in step.d_rec]
        return StepBack({name: total(each) for name, each in step.total.items()}, {}, d_in, d_rec), step.d_in

    def with_arrivals(self, arriving: Sequence[Gradient]) -> dict[str, Gradient]:
        """Return the gradients of this step's states: that of its own loss first, which begins here."""
        here = self.num.through(arriving, self.W_out)
        d = {name: here[:1] if name == "h" else self.num.zeros(here[:1].shape) for name in self.cell.states}
        if self.d:
            later = self.d | ({"h": self.d["h"] + here[1:]} if here.shape[0] > 1 else {})
            d = {name: joined(first, later[name]) for name, first in d.items()}
        return {name: self.num.balanced(each) for name, each in d.items()}


def joined(one: Gradient, other: Gradient) -> Gradient:
    """Return two stacks of gradients as one, along the first axis."""
    if not isinstance(one, Scaled):
        return np.concatenate([one, other])
    if one.is_rowwise != other.is_rowwise:
        one, other = one.spread(), other.spread()
    return Scaled(np.concatenate([one.m, other.m]), np.concatenate([one.e, other.e]))


def total(d: Gradient) -> Gradient:
    """Return the sum along the first axis."""
    if not isinstance(d, Scaled):
        return np.sum(d, axis=0)
    try:
        with np.errstate(under="raise"):
            top = d.e.max(axis=0)
            return Scaled(pow2(d.m, d.e - top).sum(axis=0), top)
    except FloatingPointError:
        return reduce(add, (d[k] for k in range(d.shape[0])))
