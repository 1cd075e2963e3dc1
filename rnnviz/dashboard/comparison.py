"""What decides a comparison, and so its results."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..engine.trace import Trace
from ..learning.shown import tracing_training
from ..learning.training import Training
from ..network.config import Config
from ..numerics.progress import Progress
from .own import OwnNetwork


class Weights(NamedTuple):
    """The networks of a training, as they are at one of its kept steps."""

    training: Training
    step: int

    def computing(self, config: Config, seeds: int) -> Progress[Trace]:
        """Run the first seeds' networks on as many sequences of the problem as the Config has."""
        return tracing_training(self.training, self.step, config.batch_size, seeds)


class Comparison(NamedTuple):
    """What decides a comparison: its settings, its schemes (the first is the config's) and how many seeds it has.

    ``entries`` are what the names mean now: one that is registered again makes another comparison. ``network`` is the
    reader's own, or are trained ones, which take the place of what the schemes draw.
    """

    config: Config
    schemes: tuple[str, ...]
    seeds: int
    entries: tuple[Any, ...] = ()
    network: OwnNetwork | Weights | None = None

    @property
    def first_scheme(self) -> Comparison:
        """The same with the first scheme alone."""
        beside = len(self.schemes) - 1
        return self._replace(schemes=self.schemes[:1], entries=self.entries[: len(self.entries) - beside])

    def drawn(self, count: int) -> range:
        """Return the first ``count`` seeds, counted from the config's, or from lower down where they would run out."""
        first = min(self.config.seed, 2**32 - count)
        return range(first, first + count)
