"""The weights of all runs in one array, a row for each run, of which the matrices are views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..engine.batching import LANES, STEP_BYTES, available_cores, step_bytes
from ..network.cells import Params
from ..network.config import Config

Array = np.ndarray
# Numbers in a slice's state from which a second thread pays: where each NumPy call is shorter, handing over the
# interpreter's lock takes longer.
WORTH = 2**13


class Stack:
    """N runs with the same P parameters: ``weights``, ``gradient`` and ``change``, each (N, P)."""

    def __init__(self, drawn: Sequence[Params]):
        self.shapes = {name: value.shape for name, value in drawn[0].items()}
        ends = np.cumsum([value.size for value in drawn[0].values()])
        self.columns = {
            name: slice(int(end) - value.size, int(end))
            for end, (name, value) in zip(ends, drawn[0].items(), strict=True)
        }
        self.weights = np.stack([np.concatenate([value.ravel() for value in each.values()]) for each in drawn])
        self.gradient, self.change = np.zeros_like(self.weights), np.zeros_like(self.weights)

    def views(self, part: slice, gradients: bool = False) -> Params:
        """Return the parameters of some runs, or their gradients: matrices (N, ..., ...), biases (N, 1, ...)."""
        rows = (self.gradient if gradients else self.weights)[part]
        wide = {name: shape if len(shape) == 2 else (1, *shape) for name, shape in self.shapes.items()}
        return {name: rows[:, self.columns[name]].reshape(len(rows), *shape) for name, shape in wide.items()}

    def unpacked(self, row: Array) -> Params:
        """Return copies of the parameters in a row (P,)."""
        return {name: row[self.columns[name]].reshape(shape).copy() for name, shape in self.shapes.items()}


def parts(config: Config, runs: int) -> list[slice]:
    """Return the slices of the runs that are computed together; no number depends on it.

    One slice stays in the processor's cache; where there are cores and steps long enough for several threads, there
    are several.
    """
    count, at_a_time = -(-runs * step_bytes(config) // STEP_BYTES), min(LANES, available_cores())
    if runs * config.batch_size * config.hidden_size >= at_a_time * WORTH:
        count = at_a_time * -(-count // at_a_time)
    count = min(runs, count)
    ends = [round(k * runs / count) for k in range(count + 1)]
    return [slice(*pair) for pair in zip(ends, ends[1:], strict=False)]
