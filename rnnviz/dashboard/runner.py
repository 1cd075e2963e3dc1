"""When a comparison is computed, and how much of it: at once what a moving slider bears, everything at rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from ..cells import CELLS
from ..config import Config
from ..runs import Trace, compare
from .late import running_loop
from .scene import Scene

AT_ONCE = 0.01  # seconds of computing that a moving slider bears
BEARABLE = 0.25  # seconds for which the page may stand still for a first picture
BAND = 0.25  # seconds after which all seeds have to be seen, if only with some of their sequences
REST = 0.12  # seconds after the last change until the rest is computed
TOLD = 0.15  # seconds between two words about how far it is
A_STEP = 4e5  # multiplications that one step's overhead is worth


class Stopped(Exception):
    """The rest is no longer wanted."""


@dataclass(frozen=True)
class Part:
    """How much of a scene is computed: its first ``seeds`` seeds, and that many sequences of each batch."""

    seeds: int
    sequences: int


def work(config: Config, runs: int) -> float:
    """Return roughly how many multiplications some runs in one stack take, each step's overhead included."""
    inputs, _ = config.sizes
    size, blocks = config.hidden_size, len(CELLS[config.cell].gates)
    return config.seq_len * (2.0 * runs * config.batch_size * size * (blocks * (size + inputs) + 60) + A_STEP * blocks)


class Runner:
    """Runs scenes; a newer one takes the place of what is still being computed for an older one.

    Where no event loop runs, as in a script, everything is computed at once.

    Parameters
    ----------
    show : called with a comparison and whether it is the whole of what was asked for.
    tell : called with the share done (0 to 1) while the rest is computed, and with None once nothing is.
    explain : called with what a computation raised.
    """

    def __init__(
        self,
        show: Callable[[Trace, bool], None],
        tell: Callable[[float | None], None],
        explain: Callable[[Exception], None],
    ):
        self.show, self.tell, self.explain = show, tell, explain
        self.pace = 4e-10  # seconds a multiplication, measured as it goes
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.timer: asyncio.TimerHandle | None = None
        self.job: Rest | None = None

    @property
    def active(self) -> bool:
        """Whether something is still to come."""
        return self.timer is not None or self.job is not None

    def run(self, scene: Scene) -> None:
        """Compute and show at once what there is time for; the rest follows once nothing newer has come for a while."""
        was_active = self.leave()
        whole, loop = Part(scene.seeds, scene.config.batch_size), running_loop()
        first = whole if loop is None else self.at_once(scene)
        if first != whole:
            parts = [part for part in self.parts(scene) if part != first]
            self.timer = loop.call_later(REST, self.begin, scene, parts)
        if first is None:
            self.tell(0.0)
            return
        if was_active:
            self.tell(None)
        self.show(self.compute(scene, first), first == whole)

    def stop(self) -> None:
        """Compute no more of what was asked for."""
        if self.leave():
            self.tell(None)

    def leave(self) -> bool:
        """Let go of what is still to come; return whether there was anything."""
        was_active = self.active
        if self.timer:
            self.timer.cancel()
        if self.job:
            self.job.stop()
        self.timer = self.job = None
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
        return work(scene.config.replace(batch_size=part.sequences), len(scene.schemes) * part.seeds)

    def seconds(self, scene: Scene, part: Part) -> float:
        """Return how long a part will probably take."""
        return self.pace * self.amount(scene, part)

    def at_once(self, scene: Scene) -> Part | None:
        """Return the part for a moving slider; None where even the least takes too long."""
        whole = Part(scene.seeds, scene.config.batch_size)
        if self.seconds(scene, whole) <= AT_ONCE:
            return whole
        draft = self.fitting(scene, 1, AT_ONCE)
        return draft if self.seconds(scene, draft) <= BEARABLE else None

    def parts(self, scene: Scene) -> list[Part]:
        """Return what is computed at rest: the whole, and a band over all seeds before it where that takes long."""
        whole = Part(scene.seeds, scene.config.batch_size)
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
        amounts = [self.amount(scene, part) for part in parts]
        self.job = job = Rest(self, asyncio.get_running_loop(), sum(amounts))
        slow = self.pace * sum(amounts) > BEARABLE
        job.future = self.executor.submit(job.run, scene, parts, amounts)
        job.future.add_done_callback(job.end)
        if slow:
            self.tell(0.0)


class Rest:
    """The rest of one scene, on its way in the thread; all that it has to say is said in the kernel's loop."""

    def __init__(self, runner: Runner, loop: asyncio.AbstractEventLoop, total: float):
        self.runner, self.loop, self.total = runner, loop, total
        self.stopped = False
        self.future: Future | None = None
        self.done = 0.0
        self.told = time.perf_counter()

    def run(self, scene: Scene, parts: Sequence[Part], amounts: Sequence[float]) -> None:
        """Compute, in the thread."""
        for part, amount in zip(parts, amounts, strict=True):
            start = time.perf_counter()
            trace = compare_part(scene, part, lambda share, amount=amount: self.tick(self.done + share * amount))
            self.done += amount
            self.say(self.runner.learn, time.perf_counter() - start, amount)
            self.say(self.accept, trace, part is parts[-1])

    def stop(self) -> None:
        """Begin no more, and end at the next tick."""
        self.stopped = True
        if self.future:
            self.future.cancel()

    def tick(self, done: float) -> None:
        """Stop where that is wanted, and say now and then how far it is."""
        if self.stopped:
            raise Stopped
        now = time.perf_counter()
        if now - self.told > TOLD:
            self.told = now
            self.say(self.tell, done / self.total)

    def say(self, act: Callable, *arguments) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(act, *arguments)

    def tell(self, share: float) -> None:
        if not self.stopped:
            self.runner.tell(share)

    def accept(self, trace: Trace, whole: bool) -> None:
        """Show what was computed, unless something newer has been asked for."""
        if self.stopped:
            return
        if whole:
            self.runner.job = None
        self.runner.show(trace, whole)
        if whole:
            self.runner.tell(None)

    def end(self, future: Future) -> None:
        """Explain what went wrong, if anything did."""
        error = None if future.cancelled() else future.exception()
        if error and not isinstance(error, Stopped):
            self.say(self.fail, error)

    def fail(self, error: Exception) -> None:
        if not self.stopped:
            self.runner.stop()
            self.runner.explain(error)


def compare_part(scene: Scene, part: Part, tick: Callable[[float], None] = lambda share: None) -> Trace:
    """Compute a part of a scene; ``tick`` is told the share done, and may raise to stop."""
    config = scene.config.replace(batch_size=part.sequences)
    return compare(config, scene.schemes, scene.drawn(part.seeds), tick=tick)
