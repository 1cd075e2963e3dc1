"""What decides a comparison, and so its results."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..network.config import Config
from .own import OwnNetwork


class Comparison(NamedTuple):
    """What decides a comparison: its settings, its schemes (the first is the config's) and how many seeds it has.

    ``entries`` are what the names mean now: one that is registered again makes another comparison. ``network`` is the
    reader's own, which takes the place of the schemes.
    """

    config: Config
    schemes: tuple[str, ...]
    seeds: int
    entries: tuple[Any, ...] = ()
    network: OwnNetwork | None = None

    @property
    def first_scheme(self) -> Comparison:
        """The same with the first scheme alone."""
        beside = len(self.schemes) - 1
        return self._replace(schemes=self.schemes[:1], entries=self.entries[: len(self.entries) - beside])

    def drawn(self, count: int) -> range:
        """Return the first ``count`` seeds, counted from the config's, or from lower down where they would run out."""
        first = min(self.config.seed, 2**32 - count)
        return range(first, first + count)
