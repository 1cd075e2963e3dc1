"""The last comparisons, so that settings which come back, or were foreseen, are there at once."""

from __future__ import annotations

from collections import OrderedDict

from ..engine.runs import Trace
from .scene import Scene

MOST = 8
BYTES = 4 * 2**20  # of one comparison; those that are larger are not kept


class Memory:
    """Keeps comparisons by the scenes that they belong to, one each."""

    def __init__(self):
        self.traces: OrderedDict[tuple, Trace] = OrderedDict()

    def find(self, scene: Scene) -> Trace | None:
        """Return the comparison of a scene where it was kept."""
        key = key_of(scene)
        if key in self.traces:
            self.traces.move_to_end(key)
        return self.traces.get(key)

    def keep(self, scene: Scene, trace: Trace) -> None:
        """Keep a comparison, in the place of the one that was not looked for longest."""
        if trace.units.nbytes <= BYTES:
            self.traces[key_of(scene)] = trace
            if len(self.traces) > MOST:
                self.traces.popitem(last=False)


def key_of(scene: Scene) -> tuple:
    """Return what decides a scene's comparison: all but the page's own choices."""
    return scene.config, scene.schemes, scene.seeds
