"""Gradients of the parameters, from the states and the gradients of all steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ..network.cells import Cell, Params, StepBack
from ..network.layers import name_in
from ..numerics.progress import Progress, rescaled
from ..numerics.scaled import Scaled, concatenate, pow2

Array = np.ndarray
Pairs = dict[str, tuple[Array, Sequence[Scaled]]]  # what a parameter multiplies at each step, and dL/d(product)


def parameter_gradients(
    params: Params, x: Array, h: Array, errors: Sequence[Scaled | None], backs: Sequence[Sequence[StepBack]], cell: Cell
) -> Progress[Params]:
    """Return the parameters' gradients, sums over the steps: ``dL/dW_hh = sum_t h_{t-1}^T dL/da_t`` and so on.

    ``x`` is (T, B, D), ``h`` (L, T+1, B, H); each layer's ``backs`` run from step 0 to T, ``errors`` from step 1 to T.
    """
    pairs = readout_pairs(h[-1, 1:], errors)
    for layer, steps in enumerate(backs, 1):
        own = layer_pairs(x if layer == 1 else h[layer - 2, 1:], h[layer - 1, :-1], steps[1:], cell)
        pairs |= {name_in(name, layer): pair for name, pair in own.items()}
    d: Params = {}
    for name, value in params.items():
        total = yield from rescaled(contract(*pairs[name]), len(d) / len(params), 1 / len(params))
        d[name] = total.reshape(value.shape)
    return d


def readout_pairs(h: Array, errors: Sequence[Scaled | None]) -> Pairs:
    """Return the pairs of ``W_hy`` and ``b_y``, which act at the steps that have a loss."""
    with_loss = [t for t, error in enumerate(errors) if error is not None]
    d_y = [error for error in errors if error is not None]
    return {"W_hy": (h[with_loss], d_y), "b_y": (ones(h[with_loss]), d_y)}


def layer_pairs(x: Array, h: Array, steps: Sequence[StepBack], cell: Cell) -> Pairs:
    """Return the pairs of one layer's parameters, at the steps 1..T that a gradient reaches."""
    reached = [t for t, step in enumerate(steps) if step.d_in]
    d_in, d_rec = ([concatenate(getattr(steps[t], name)) for t in reached] for name in ("d_in", "d_rec"))
    x, h = x[reached], h[reached]
    pairs: Pairs = {"W_xh": (x, d_in), "W_hh": (h, d_rec), "b_h": (ones(x), d_in)}
    if cell.recurrent_bias:
        alone = [steps[t].d_rec[cell.gates.index(cell.recurrent_bias)] for t in reached]
        pairs[f"b_h{cell.recurrent_bias}"] = (ones(x), alone)
    return pairs


def ones(x: Array) -> Array:
    """Return what a bias multiplies: 1 for each row of ``x``."""
    return np.ones((*x.shape[:-1], 1))


def contract(left: Array, right: Sequence[Scaled]) -> Progress[Array]:
    """Return ``sum_t left_t^T right_t`` in float64, without overflow or underflow in between."""
    spread = [d.spread() for d in right]
    top = reduce(np.maximum, (d.e.max(axis=0) for d in spread))
    total = np.zeros(1)
    for k, (a, d) in enumerate(zip(left, spread, strict=True), 1):
        with np.errstate(over="ignore", under="ignore"):
            total = total + a.T @ pow2(d.m, d.e - top)
        yield k / len(spread)
    with np.errstate(over="ignore", under="ignore"):
        return pow2(total, top)
