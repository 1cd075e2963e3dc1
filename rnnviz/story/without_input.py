"""What the slopes of the top layer would be without what it reads: whether its input keeps them flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..engine.runs import stack_params
from ..engine.statistics import Statistics, classified
from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..network.cells import Params
from ..network.config import Config
from ..network.layers import READOUT, layer_params
from ..numerics.progress import finish
from .judgement import followed_to, input_kind

Array = np.ndarray
QUIET_STEPS, QUIET_BATCH = 50, 4  # of the run that shows the slopes without an input


def top_layer(trace: Trace, k: int, run: int) -> Params:
    """Return the top layer's parameters, under the names of a network's only layer."""
    return layer_params(trace.parameters(k, run), trace.config.layers)


def input_may_flatten(config: Config, known: Mapping[str, Any]) -> bool:
    """Return whether it is worth asking what the slopes would be without the input, given fields of a `Diagnosis`."""
    slopes = known["slopes"]
    if slopes is None or not known["backward"].startswith("fades") or ACTIVATIONS[config.activation].homogeneous:
        return False
    return input_kind(config) != "nothing" and bool(np.isfinite(slopes)) and slopes < 0


def slopes_without_input(trace: Trace, places: Sequence[tuple[int, int]]) -> Array:
    """Return log10 of the slopes' factor per step, in the top layer without its input, of runs (scheme, seed).

    An impulse ends by itself: what the later steps contribute is then what the input does not explain.
    """
    config, first = trace.config, followed_to(trace.config)
    if not places:
        return np.zeros(0)
    if config.seq_len > 1 and config.layers == 1 and input_kind(config) == "impulse":
        after = [trace.log10_step_factor[place][max(2, first + 1) :].sum() for place in places]
        return np.array(after) / (config.seq_len - first)
    steps, batch = (QUIET_STEPS if config.seq_len > 1 else 1), min(QUIET_BATCH, config.batch_size)
    later = (steps + 1) // 2  # the steps whose slopes count, and none before them
    quiet = config.replace(layers=1, seq_len=steps, batch_size=batch, loss_at="last", truncate=later)
    x, targets, drawn = zip(*(quiet_run(trace, *place, quiet) for place in places), strict=True)
    params = {name: stack_params([each[name] for each in drawn]) for name in drawn[0]}
    # One stack, since each move of a slider waits for it.
    job = Statistics(quiet, len(drawn)).collecting(params, np.stack(x), classified(quiet, np.stack(targets)))
    return finish(job)["by_layer"][0]["log10_step_factor"][:, -later:].mean(axis=1)


def quiet_run(trace: Trace, k: int, run: int, quiet: Config) -> tuple[Array, Array, Params]:
    """Return what a run's top layer reads at its first step and no more, the targets, and a network of that layer."""
    drawn = trace.parameters(k, run)
    params = layer_params(drawn, trace.config.layers) | {name: drawn[name] for name in READOUT}
    x, targets = trace.inputs(k, run)
    x = x if trace.config.layers == 1 else trace.layer_inputs(trace.config.layers, k, run)
    read = np.zeros((quiet.seq_len, quiet.batch_size, x.shape[2]))
    read[0] = x[0, : quiet.batch_size] if quiet.seq_len > 1 else 0.0
    return read, np.broadcast_to(targets[-1, : quiet.batch_size], read.shape[:2]), params
