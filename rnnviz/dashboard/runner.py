"""When a comparison is computed, and how much of it: at once what a moving slider bears, everything at rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..cells import CELLS
from ..config import Config
from ..runs import Trace
from .late import running_loop
from .memory import Memory
from .scene import Scene
from .task import Part, Task, compare_part

AT_ONCE = 0.01  # seconds of computing that a moving slider bears
BEARABLE = 0.25  # seconds for which the page may stand still for a first picture
BAND = 0.25  # seconds after which all seeds have to be seen, if only with some of their sequences
REST = 0.06  # seconds after the last change until the rest is computed
PAUSE = 0.05  # seconds after the last picture until something is computed that nobody has asked for
AHEAD = 0.5  # seconds that this may take
# How many multiplications, at a good pace, the rest of a computation is worth.
A_START, A_RUN, A_STEP, A_DRAW, AN_ENTRY = 6e6, 1e6, 2.3e5, 60, 60


def work(config: Config, runs: int, sequences: int) -> float:
    """Return roughly how many multiplications some runs in one stack take: to begin, to draw each run's, and to go."""
    inputs, _ = config.sizes
    size, blocks = config.hidden_size, len(CELLS[config.cell].gates)
    draws = runs * (A_RUN + A_DRAW * blocks * size * (size + inputs))
    steps = config.seq_len * (A_STEP * blocks + 2.0 * runs * sequences * size * (blocks * (size + inputs) + AN_ENTRY))
    return A_START + draws + steps


class Runner:
    """Runs scenes; a newer one takes the place of what is still being computed for an older one.

    Whole comparisons are kept, and one that is foreseen is computed at rest. Where no event loop runs, as in a script,
    everything is computed at once, and nothing ahead.

    Parameters
    ----------
    show : called with a comparison and whether it is the whole of what was asked for.
    tell : called with the share done (0 to 1) while the rest is computed, and with None once nothing is.
    explain : called with what a computation raised.
    prepare : called with a comparison that will probably be shown next.
    """

    def __init__(
        self,
        show: Callable[[Trace, bool], None],
        tell: Callable[[float | None], None],
        explain: Callable[[Exception], None],
        prepare: Callable[[Trace], None] = lambda trace: None,
    ):
        self.show, self.tell, self.explain, self.prepare = show, tell, explain, prepare
        self.memory = Memory()
        self.pace = 3e-10  # seconds a multiplication, measured as it goes
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.timer: asyncio.TimerHandle | None = None
        self.job: Task | None = None
        self.guess_timer: asyncio.TimerHandle | None = None
        self.guess: Task | None = None

    @property
    def active(self) -> bool:
        """Whether something is still to come."""
        return self.timer is not None or self.job is not None

    def run(self, scene: Scene) -> None:
        """Compute and show at once what there is time for; the rest follows once nothing newer has come for a while."""
        was_active = self.leave()
        known, whole, loop = self.memory.find(scene), whole_of(scene), running_loop()
        if known:
            if was_active:
                self.tell(None)
            self.show(known, True)
            return
        first = whole if loop is None else self.at_once(scene)
        if first != whole:
            parts = [part for part in self.parts(scene) if part != first]
            self.timer = loop.call_later(REST, self.begin, scene, parts)
        if first is None:
            self.tell(0.0)
            return
        if was_active:
            self.tell(None)
        self.deliver(scene, first, self.compute(scene, first))

    def deliver(self, scene: Scene, part: Part, trace: Trace) -> None:
        """Show a part that was computed, and keep it where it is the whole."""
        whole = part == whole_of(scene)
        if whole:
            self.memory.keep(scene, trace)
        self.show(trace, whole)

    def stop(self) -> None:
        """Compute no more of what was asked for."""
        if self.leave():
            self.tell(None)

    def leave(self) -> bool:
        """Let go of what is still to come; return whether there was anything."""
        was_active = self.active
        for timer in filter(None, (self.timer, self.guess_timer)):
            timer.cancel()
        for task in filter(None, (self.job, self.guess)):
            task.stop()
        self.timer = self.job = self.guess_timer = self.guess = None
        return was_active

    def compute(self, scene: Scene, part: Part) -> Trace:
        """Compute a part here and now, and learn from it how fast this machine is."""
        start = time.perf_counter()
        trace = compare_part(scene, part)
        self.learn(time.perf_counter() - start, self.amount(scene, part))
        return trace

    def learn(self, seconds: float, amount: float) -> None:
        """Learn how fast this machine is, without believing a single run."""
        self.pace = (self.pace * seconds / amount) ** 0.5

    def amount(self, scene: Scene, part: Part) -> float:
        return work(scene.config, len(scene.schemes) * part.seeds, part.sequences)

    def seconds(self, scene: Scene, part: Part) -> float:
        """Return how long a part will probably take."""
        return self.pace * self.amount(scene, part)

    def at_once(self, scene: Scene) -> Part | None:
        """Return the part for a moving slider; None where even the least takes too long."""
        whole = whole_of(scene)
        if self.seconds(scene, whole) <= AT_ONCE:
            return whole
        draft = self.fitting(scene, 1, AT_ONCE)
        return draft if self.seconds(scene, draft) <= BEARABLE else None

    def parts(self, scene: Scene) -> list[Part]:
        """Return what is computed at rest: the whole, and a band over all seeds before it where that takes long."""
        whole = whole_of(scene)
        band = self.fitting(scene, scene.seeds, BAND)
        return [whole] if self.seconds(scene, band) > 0.5 * self.seconds(scene, whole) else [band, whole]

    def fitting(self, scene: Scene, seeds: int, limit: float) -> Part:
        """Return as many sequences, a power of two or all, as these seeds have time for; at least one."""
        part = Part(seeds, scene.config.batch_size)
        while part.sequences > 1 and self.seconds(scene, part) > limit:
            part = Part(seeds, 2 ** ((part.sequences - 1).bit_length() - 1))
        return part

    def begin(self, scene: Scene, parts: Sequence[Part]) -> None:
        """Compute parts one after the other in the thread, the last one the whole."""
        self.timer = None
        self.job = self.task(scene, parts, lambda part, trace: self.accept(scene, part, trace), self.tell, self.fail)
        slow = self.pace * self.job.total > BEARABLE
        self.job.start(self.executor)
        if slow:
            self.tell(0.0)

    def task(self, scene: Scene, parts: Sequence[Part], on_part, on_share, on_error) -> Task:
        amounts = [(part, self.amount(scene, part)) for part in parts]
        return Task(scene, amounts, on_part, on_share, on_error, self.learn)

    def accept(self, scene: Scene, part: Part, trace: Trace) -> None:
        """Show what the thread has computed."""
        whole = part == whole_of(scene)
        if whole:
            self.job = None
        self.deliver(scene, part, trace)
        if whole:
            self.tell(None)

    def fail(self, error: Exception) -> None:
        self.stop()
        self.explain(error)

    def foresee(self, scene: Scene | None) -> None:
        """Compute what will probably be asked for next, in a while, unless that takes long or something else comes."""
        loop = running_loop()
        if loop is not None and scene is not None and not self.active:
            self.guess_timer = loop.call_later(PAUSE, self.begin_ahead, scene)

    def begin_ahead(self, scene: Scene) -> None:
        """Compute a scene that nobody has asked for."""
        known, whole = self.memory.find(scene), whole_of(scene)
        if known:
            self.prepare(known)
        elif self.seconds(scene, whole) <= AHEAD:
            # What goes wrong here will go wrong again, and be told, if somebody does ask for it.
            self.guess = self.task(scene, [whole], lambda _, trace: self.foreseen(scene, trace), ignore, ignore)
            self.guess.start(self.executor)

    def foreseen(self, scene: Scene, trace: Trace) -> None:
        self.memory.keep(scene, trace)
        self.prepare(trace)


def whole_of(scene: Scene) -> Part:
    """Return the part that is everything."""
    return Part(scene.seeds, scene.config.batch_size)


def ignore(_news) -> None:
    """Say nothing."""
