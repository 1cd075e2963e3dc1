"""Back through the layers when every step has a loss and each loss reaches back a fixed number of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

import numpy as np

from ..network.arithmetic import Gradient
from ..network.cells import StepBack
from ..numerics.scaled import Scaled, pow2
from .passes import Backward


def backward_side_by_side(
    layers: Sequence[Backward], tapes: Sequence[Sequence[tuple]], errors: Sequence[Scaled | None], reach: int
) -> Iterator[tuple[int, StepBack]]:
    """Yield each step back with its layer, from step T to 0; ``layers`` start with the top one, ``tapes`` end with it.

    At step t, the gradients of the losses of the steps t, t+1, ..., t+``reach`` go back side by side, along a new first
    axis: the sum of all is dL/dh_t; the last goes no further, and no weight gets any of it.
    """
    for t in range(len(errors), 0, -1):
        arriving = [layers[0].num.start(errors[t - 1])[None]]
        for layer, own in zip(layers, reversed(tapes), strict=True):
            step = layer.cell.step_back(layer.W_back, own[t - 1], with_arrivals(layer, arriving), layer.num)
            layer.d = {name: layer.num.balanced(each[:reach]) for name, each in step.previous.items()}
            yield layer.number, summed(step, reach)
            arriving = step.d_in
    for layer in layers:
        yield layer.number, summed(StepBack(layer.d, {}, [], []), reach)


def summed(step: StepBack, reach: int) -> StepBack:
    """Return the sums over losses: of the states' gradients all, of the weights' those that reach this step."""
    d_in = [total(part[:reach]) for part in step.d_in]
    d_rec = d_in if step.d_rec is step.d_in else [total(part[:reach]) for part in step.d_rec]
    return StepBack({name: total(each) for name, each in step.total.items()}, {}, d_in, d_rec)


def with_arrivals(layer: Backward, arriving: Sequence[Gradient]) -> dict[str, Gradient]:
    """Return the gradients of a step's states, one for each loss that reaches them, its own loss's first.

    ``arriving`` comes from the step's own loss, or from the layer above, of its own loss and of later ones.
    """
    num, here = layer.num, layer.num.through(arriving, layer.W_out)
    d = {name: here[:1] if name == "h" else num.zeros(here[:1].shape) for name in layer.cell.states}
    if layer.d:
        later = layer.d | ({"h": layer.d["h"] + here[1:]} if here.shape[0] > 1 else {})
        d = {name: joined(first, later[name]) for name, first in d.items()}
    return {name: num.balanced(each) for name, each in d.items()}


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
