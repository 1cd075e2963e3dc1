"""Several steps of the backward pass at once, in plain floats, for as long as no number nears the ends of float64.

The numbers of all states share one exponent per row, and powers of two keep them near 1 where the cell's slope or gate
factor shrinks them. Only the steps before the first inexact one are kept: the processor's flags find it, and a check of
all numbers afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ..network.arithmetic import PLAIN
from ..network.cells import Cell, StepBack
from ..numerics.scaled import SAFE, WINDOW, Scaled, Weights, pow2

Array = np.ndarray
AT_ONCE = 2**14  # numbers in the gradients of all steps; more would not stay in the processor's cache
LONGEST, SHORTEST = 32, 4  # steps
SHRINK = -8  # rows that shrink by this power of two per step have to be kept near 1


def most_steps(d: dict[str, Scaled]) -> int:
    """Return how many steps may be taken at once, for gradients of this size."""
    return min(LONGEST, AT_ONCE // d["h"].m.size)


def fast_steps(
    W: Weights, tapes: Sequence[tuple], d: dict[str, Scaled], cell: Cell, arriving: Scaled | None = None
) -> list[StepBack]:
    """Return as many steps back through ``tapes``, the last step first, as plain floats compute exactly.

    ``arriving`` (steps - 1, ..., B, H) is added to dL/dh after each step but the last. There are none where a factor
    itself lies outside float64, or where there are too few tapes to be worth it.
    """
    is_plain = not any(isinstance(factor, Scaled) for tape in tapes for factor in tape)
    rowwise = all(part.is_rowwise for part in (*d.values(), *([] if arriving is None else [arriving])))
    if len(tapes) < SHORTEST or not is_plain or W.e or not rowwise:
        return []
    growth, powers = kept_near_one([tape[cell.step_factor[1]] for tape in tapes])
    flows, ends, steps, exponents = [], [], [], []
    try:
        with np.errstate(under="raise", over="raise", invalid="raise"):
            m, e = aligned(d)
            exponents = [e] * (len(tapes) + 1) if powers is None else [e, *(e + powers)]
            added = None if arriving is None else shifted(arriving, exponents[1:-1])
            for k, tape in enumerate(tapes):
                flows.append(m if added is None or k == 0 else m | {"h": m["h"] + added[k - 1]})
                step = cell.step_back(W.m, tape, flows[-1], PLAIN)
                m = step.previous if growth is None else {name: a * growth[k] for name, a in step.previous.items()}
                ends.append(m)
                steps.append(step)
    except FloatingPointError:
        pass
    flows = flows[: len(steps)]
    exact = exact_steps(flows, ends, steps, growth, W)
    return scaled(ends, steps[:exact], exponents)


def shifted(d: Scaled, exponents: Sequence[Array]) -> Array:
    """Return the numbers of ``d`` in units of these powers of two, one for each entry along the first axis."""
    powers = d.e - np.stack(exponents)
    return pow2(d.m, powers) if powers.any() else d.m


def aligned(d: dict[str, Scaled]) -> tuple[dict[str, Array], Array]:
    """Return the numbers of all states with one common exponent per row."""
    e = reduce(np.maximum, (part.e for part in d.values()))
    return {name: part.m if len(d) == 1 else pow2(part.m, part.e - e) for name, part in d.items()}, e


def kept_near_one(step_factors: Sequence[Array]) -> tuple[Array | None, Array | None]:
    """Return what multiplies each row after each step, (steps, ..., B, 1), and the exponents that compensate for it.

    None where no row shrinks that fast.
    """
    shift = np.frexp(np.abs(np.stack(step_factors)).max(axis=-1, keepdims=True))[1]
    return (None, None) if shift.min() > SHRINK else (np.ldexp(1.0, -shift), np.cumsum(shift, axis=0, dtype=float))


def exact_steps(
    flows: Sequence[dict[str, Array]], ends: Sequence[dict[str, Array]], steps: Sequence[StepBack],
    growth: Array | None, W: Weights,
) -> int:  # fmt: skip
    """Return how many of the steps started near 1 and lost no number that matters in a product with ``W``."""
    if not steps:
        return 0
    good = np.ones(len(steps), dtype=bool)
    for name in flows[0]:
        before = largest([flow[name] for flow in flows])
        # What ends a step starts the next one, unless something arrives in between.
        same = all(flow[name] is end[name] for flow, end in zip(flows[1:], ends, strict=False))
        after = [before[1:], largest([ends[-1][name]])] if same else [largest([end[name] for end in ends])]
        unscaled = np.concatenate(after) if growth is None else np.concatenate(after) / growth[: len(steps)]
        good &= every((before == 0) | ((before > 2.0**-SAFE) & (before < 2.0**SAFE)))
        # Beside a largest number that is not small, lost ones do not matter. A product of 0 may have underflowed.
        good &= every((unscaled > 2.0**-WINDOW) | ((unscaled == 0) & (before == 0)))
    if not W.dense:
        for parts in zip(*(step.d_rec for step in steps), strict=True):
            sizes = np.abs(np.stack(parts))
            good &= every((sizes == 0) | (sizes > 2.0**-WINDOW))
    return len(steps) if good.all() else int(np.argmin(good))


def largest(arrays: Sequence[Array]) -> Array:
    """Return the largest magnitude in each row of some arrays, stacked."""
    return np.abs(np.stack(arrays)).max(axis=-1, keepdims=True)


def every(good: Array) -> Array:
    """Return for each entry along the first axis whether it is True throughout."""
    return np.all(good.reshape(len(good), -1), axis=1)


def scaled(ends: Sequence[dict[str, Array]], steps: Sequence[StepBack], exponents: Sequence[Array]) -> list[StepBack]:
    """Return steps in plain floats as steps of `Scaled` numbers; ``exponents`` belong to the rows of each step."""
    backs = []
    for k, (step, e) in enumerate(zip(steps, exponents, strict=False)):
        d_in = [Scaled(part, e) for part in step.d_in]
        d_rec = d_in if step.d_rec is step.d_in else [Scaled(part, e) for part in step.d_rec]
        total = {name: Scaled(a, e) for name, a in step.total.items()}
        previous = {name: Scaled(a, exponents[k + 1]) for name, a in ends[k].items()}
        backs.append(StepBack(total, previous, d_in, d_rec))
    return backs
