"""Several steps back in one go, in plain floats: exact arithmetic for as long as nothing comes near an end of float64.

The numbers of all states share one exponent a row, and powers of two keep them near 1 where the cell's carry shrinks
them. A stretch ends before the first step that would not have been exact: the processor's flags tell it, and a look at
all steps once they are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ..network.arithmetic import PLAIN
from ..network.cells import Cell, StepBack
from ..numerics.scaled import SAFE, WINDOW, Scaled, Weights, pow2

Array = np.ndarray
AT_ONCE = 2**14  # numbers of a gradient, of as many steps; more would not stay in the processor's cache
LONGEST, SHORTEST = 32, 4  # steps
SHRINK = -8  # the power of two a step from which on rows have to be kept near 1


def room(d: dict[str, Scaled]) -> int:
    """Return how many steps a stretch may have, for gradients of this size."""
    return min(LONGEST, AT_ONCE // d["h"].m.size)


def take_stretch(W: Weights, tapes: Sequence[tuple], d: dict[str, Scaled], cell: Cell) -> list[StepBack]:
    """Return the first steps back through ``tapes``, the last step first, as far as plain floats are exact.

    There may be none, as where a factor itself lies outside of float64, or where so few are not worth it.
    """
    is_plain = not any(isinstance(factor, Scaled) for tape in tapes for factor in tape)
    if len(tapes) < SHORTEST or not is_plain or W.e or not all(part.is_rowwise for part in d.values()):
        return []
    growth, powers = kept_near_one([tape[cell.carry[1]] for tape in tapes])
    flows, steps = [], []
    try:
        with np.errstate(under="raise", over="raise", invalid="raise"):
            m, e = aligned(d)
            flows.append(m)
            for k, tape in enumerate(tapes):
                step = cell.step_back(W.m, tape, m, PLAIN)
                m = step.previous if growth is None else {name: a * growth[k] for name, a in step.previous.items()}
                steps.append(step)
                flows.append(m)
    except FloatingPointError:
        pass
    steps = steps[: exact_steps(flows, steps, growth, W)]
    if not steps:
        return []
    exponents = [e] * len(flows) if growth is None else [e, *(e + powers)]
    return scaled(flows, steps, exponents)


def aligned(d: dict[str, Scaled]) -> tuple[dict[str, Array], Array]:
    """Return the states' numbers with one exponent a row for all of them."""
    e = reduce(np.maximum, (part.e for part in d.values()))
    return {name: part.m if len(d) == 1 else pow2(part.m, part.e - e) for name, part in d.items()}, e


def kept_near_one(carries: Sequence[Array]) -> tuple[Array | None, Array | None]:
    """Return by what each row is multiplied after each step, (steps, ..., B, 1), and the exponents that make up for it.

    None where nothing shrinks so fast.
    """
    shift = np.frexp(np.abs(np.stack(carries)).max(axis=-1, keepdims=True))[1]
    return (None, None) if shift.min() > SHRINK else (np.ldexp(1.0, -shift), np.cumsum(shift, axis=0, dtype=float))


def exact_steps(flows: Sequence[dict[str, Array]], steps: Sequence[StepBack], growth: Array | None, W: Weights) -> int:
    """Return how many of the steps have started near 1, and have lost nothing that shows in a product with ``W``."""
    if not steps:
        return 0
    good = np.ones(len(steps), dtype=bool)
    for name in flows[0]:
        largest = np.abs(np.stack([flow[name] for flow in flows])).max(axis=-1, keepdims=True)
        before, after = largest[:-1], largest[1:] if growth is None else largest[1:] / growth[: len(steps)]
        good &= every((before == 0) | ((before > 2.0**-SAFE) & (before < 2.0**SAFE)))
        # A product whose largest number is not small has lost none that shows beside it; why one is 0 is not known.
        good &= every((after > 2.0**-WINDOW) | ((after == 0) & (before == 0)))
    if not W.dense:
        for parts in zip(*(step.d_rec for step in steps), strict=True):
            sizes = np.abs(np.stack(parts))
            good &= every((sizes == 0) | (sizes > 2.0**-WINDOW))
    return len(steps) if good.all() else int(np.argmin(good))


def every(good: Array) -> Array:
    """Tell of each entry along the first axis whether all in it is true."""
    return good.reshape(len(good), -1).all(axis=1)


def scaled(flows: Sequence[dict[str, Array]], steps: Sequence[StepBack], exponents: Sequence[Array]) -> list[StepBack]:
    """Return steps in plain floats as steps of `Scaled` numbers; ``exponents`` are those of the rows that flow."""
    wide = [{name: Scaled(a, e) for name, a in flow.items()} for flow, e in zip(flows, exponents, strict=False)]
    backs = []
    for k, (step, e) in enumerate(zip(steps, exponents, strict=False)):
        total = wide[k] if step.total is flows[k] else {name: Scaled(a, e) for name, a in step.total.items()}
        d_in = [Scaled(part, e) for part in step.d_in]
        d_rec = d_in if step.d_rec is step.d_in else [Scaled(part, e) for part in step.d_rec]
        backs.append(StepBack(total, wide[k + 1], d_in, d_rec))
    return backs
