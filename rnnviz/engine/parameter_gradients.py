"""Gradients of the parameters, from the states and the gradients of all steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ..network.cells import Cell, Params, StepBack
from ..numerics.progress import Progress, rescaled
from ..numerics.scaled import Scaled, concatenate, pow2

Array = np.ndarray


def parameter_gradients(
    params: Params, x: Array, h: Array, errors: Sequence[Scaled | None], backs: Sequence[StepBack], cell: Cell
) -> Progress[Params]:
    """Return the parameters' gradients, sums over the steps: ``dL/dW_hh = sum_t h_{t-1}^T dL/da_t`` and so on.

    ``x`` is (T, B, D), ``h`` (T+1, B, H); ``backs`` run from step 0 to T, ``errors`` from step 1 to T.
    """
    d_in, d_rec = ([concatenate(getattr(back, name)) for back in backs[1:]] for name in ("d_in", "d_rec"))
    with_loss = [t for t, error in enumerate(errors) if error is not None]
    d_y = [error for error in errors if error is not None]
    ones = np.ones((*x.shape[:-1], 1))
    pairs = {"W_xh": (x, d_in), "W_hh": (h[:-1], d_rec), "b_h": (ones, d_in)}
    pairs |= {"W_hy": (h[1:][with_loss], d_y), "b_y": (ones[with_loss], d_y)}
    if cell.recurrent_bias:
        pairs[f"b_h{cell.recurrent_bias}"] = (ones, d_rec)
    d: Params = {}
    for name in params:
        d[name] = yield from rescaled(contract(*pairs[name]), len(d) / len(params), 1 / len(params))
    if cell.recurrent_bias:
        name = f"b_h{cell.recurrent_bias}"
        d[name] = d[name][:, cell.block(cell.recurrent_bias, h.shape[-1])]
    return {name: value.reshape(params[name].shape) for name, value in d.items()}


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
