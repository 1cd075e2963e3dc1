"""Whether parameters, inputs and targets fit together."""

from __future__ import annotations

import numpy as np

from ..network.cells import Cell, Params
from ..network.inputs import check_targets
from ..network.layers import count_layers, network_shapes
from ..text.registry import explain_choice

Array = np.ndarray


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
    layers = count_layers(params)
    expected = network_shapes(cell, inputs, hidden, classes, layers)
    if set(params) != set(expected):
        of = f"a cell {cell.name!r}" if layers == 1 else f"{layers} layers of the cell {cell.name!r}"
        raise ValueError(f"params of {of} are {', '.join(expected)}; got {', '.join(params)}")
    for name, shape in expected.items():
        if params[name].shape != shape:
            raise ValueError(f"{name} must have the shape {shape}; got {params[name].shape}")
    if targets.shape == (batch,) and loss_at == "last":
        targets = np.broadcast_to(targets, (steps, batch))
    check_targets(targets, steps, batch, classes)
    return targets
