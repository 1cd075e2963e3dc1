"""What the slopes of the top layer would be without what it reads: whether its input keeps them flat."""

from __future__ import annotations

import numpy as np

from ..engine import runs
from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..network.cells import Params
from ..network.config import Config
from ..network.layers import layer_params
from .judgement import followed_to, input_kind

QUIET_STEPS, QUIET_BATCH = 50, 4  # of the run that shows the slopes without an input


def top_layer(trace: Trace, k: int, run: int) -> Params:
    """Return the top layer's parameters, under the names of a network's only layer."""
    return layer_params(trace.parameters(k, run), trace.config.layers)


def input_may_flatten(config: Config, slopes: float | None, backward: str) -> bool:
    """Return whether it is worth asking what the slopes would be without the input."""
    if slopes is None or not backward.startswith("fades") or ACTIVATIONS[config.activation].homogeneous:
        return False
    return input_kind(config) != "nothing" and bool(np.isfinite(slopes)) and slopes < 0


def slopes_without_input(trace: Trace, k: int, run: int) -> float:
    """Return log10 of the slopes' factor per step in the top layer without its input, or long after it has ended.

    An impulse ends by itself: what the later steps contribute is then what the input does not explain.
    """
    config, first = trace.config, followed_to(trace.config)
    if config.seq_len > 1 and config.layers == 1 and input_kind(config) == "impulse":
        return float(trace.log10_step_factor[k][run, max(2, first + 1) :].sum()) / (config.seq_len - first)
    drawn = trace.parameters(k, run)
    params = layer_params(drawn, config.layers) | {name: drawn[name] for name in ("W_hy", "b_y")}
    x, targets = trace.inputs(k, run)  # drawn once: each move of a slider waits for it
    x = x if config.layers == 1 else trace.layer_inputs(config.layers, k, run)
    steps = QUIET_STEPS if config.seq_len > 1 else 1
    quiet = np.zeros((steps, min(QUIET_BATCH, x.shape[1]), x.shape[2]))
    quiet[0] = x[0, : quiet.shape[1]] if steps > 1 else 0.0
    targets = np.broadcast_to(targets[-1, : quiet.shape[1]], quiet.shape[:2])
    factors = runs.trace(params, quiet, targets, config.cell, config.activation).log10_step_factor
    return float(np.mean(factors[-((steps + 1) // 2) :]))
