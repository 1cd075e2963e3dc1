"""How much of a comparison there is time for, on a machine whose pace is learnt as it goes."""

from __future__ import annotations

from ..engine.batching import lanes, split
from ..network.cells import CELLS
from ..network.config import Config
from .scene import Scene
from .task import Part

AT_ONCE = 0.01  # seconds of computing that a moving slider bears
BEARABLE = 0.25  # seconds for which nothing need be said
BAND = 0.12  # seconds of computing after which all seeds have to be seen, if only with some of their sequences
A_LANE = 0.6  # of what one stack gets done, another does beside it
# How many multiplications, at a good pace, the rest of a computation is worth.
A_START, A_RUN, A_STEP, A_DRAW, AN_ENTRY = 6e6, 1e6, 2.3e5, 60, 60


def work(config: Config, runs: int, sequences: int) -> float:
    """Return roughly how many multiplications some runs in one stack take: to begin, to draw each run's, and to go."""
    inputs, _ = config.sizes
    size, blocks = config.hidden_size, len(CELLS[config.cell].gates)
    draws = runs * (A_RUN + A_DRAW * blocks * size * (size + inputs))
    steps = config.seq_len * (A_STEP * blocks + 2.0 * runs * sequences * size * (blocks * (size + inputs) + AN_ENTRY))
    return A_START + draws + steps


def amount(scene: Scene, part: Part) -> float:
    """Return how much work a part of a scene is: less time goes by where two stacks are computed side by side."""
    runs = len(scene.schemes) * part.seeds
    stacks = split(scene.config.replace(batch_size=part.sequences), runs)
    return work(scene.config, runs, part.sequences) / (1.0 + A_LANE * (lanes(len(stacks)) - 1))


def whole(scene: Scene) -> Part:
    """Return the part that is everything."""
    return Part(scene.seeds, scene.config.batch_size)


class Budget:
    """Foretells how long parts of scenes take; ``pace``: seconds a multiplication."""

    def __init__(self, pace: float = 3e-10):
        self.pace = pace

    def learn(self, seconds: float, done: float) -> None:
        """Learn how fast this machine is, without believing a single run."""
        self.pace = (self.pace * seconds / done) ** 0.5

    def seconds(self, scene: Scene, part: Part) -> float:
        """Return how long a part will probably take."""
        return self.pace * amount(scene, part)

    def first(self, scene: Scene) -> Part:
        """Return what is shown first: the whole, or a draft of one seed."""
        everything = whole(scene)
        return everything if self.seconds(scene, everything) <= AT_ONCE else self.fitting(scene, 1, AT_ONCE)

    def rest(self, scene: Scene) -> list[Part]:
        """Return what is computed at rest: the whole, and a band over all seeds before it where that takes long."""
        everything = whole(scene)
        band = self.fitting(scene, scene.seeds, BAND)
        is_long = self.seconds(scene, band) <= 0.5 * self.seconds(scene, everything)
        return [band, everything] if is_long else [everything]

    def fitting(self, scene: Scene, seeds: int, limit: float) -> Part:
        """Return as many sequences, a power of two or all, as these seeds have time for; at least one."""
        part = Part(seeds, scene.config.batch_size)
        while part.sequences > 1 and self.seconds(scene, part) > limit:
            part = Part(seeds, 2 ** ((part.sequences - 1).bit_length() - 1))
        return part
