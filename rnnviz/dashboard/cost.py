"""A cost model: roughly how many multiplications a comparison takes, from which its seconds are foretold."""

from __future__ import annotations

from ..engine.batching import lanes, split
from ..network.cells import CELLS
from ..network.config import Config, applies
from .settings import Comparison

LANE = 0.6  # of what one stack gets done, a second one gets done beside it
BESIDE = 0.15  # of a whole run is each further loss whose gradient goes back side by side with the others
# Worth in multiplications: beginning a comparison, a step of a block of gates, and an entry of a state.
START, STEP, ENTRY = 6e6, 2.3e5, 60
EIGENVALUE = 15  # times H^2, as for a spectral radius


def work_of(config: Config, runs: int) -> float:
    """Return the work of some runs in one stack: to begin, to draw the weights, and to go through the steps."""
    inputs, _ = config.sizes
    size, blocks = config.hidden_size, len(CELLS[config.cell].gates)
    weights = blocks * size * (size * (2 * config.layers - 1) + inputs)
    entries = config.layers * size * ENTRY
    steps = config.seq_len * (STEP * blocks * config.layers + 2.0 * runs * config.batch_size * (weights + entries))
    if config.truncate and config.loss_at == "every":
        steps *= 1 + BESIDE * min(config.truncate, config.seq_len)
    radii = 0.0 if applies("gain", config.to_dict()) else runs * config.layers * EIGENVALUE * size**3
    return START + ENTRY * runs * weights + radii + steps


def amount(comparison: Comparison) -> float:
    """Return the work of a comparison, of which less time goes by where two stacks are computed side by side."""
    runs = len(comparison.schemes) * comparison.seeds
    stacks = len(split(comparison.config, runs))
    return work_of(comparison.config, runs) / (1.0 + LANE * (lanes(stacks) - 1))
