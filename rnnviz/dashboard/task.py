"""Work beside the page: parts of a scene computed in a thread, until something newer is wanted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

from ..engine.runs import Trace, compare
from .loop import in_loop
from .scene import Scene

TOLD = 0.15  # seconds between two words about how far it is
SEEN = 0.5  # seconds at most that the thread waits for a part to be shown


class Stopped(Exception):
    """The rest is no longer wanted."""


@dataclass(frozen=True)
class Part:
    """How much of a scene is computed: its first ``seeds`` seeds, and that many sequences of each batch."""

    seeds: int
    sequences: int


class Task:
    """Parts of one scene, computed one after the other; all that it has to say is said in the kernel's loop.

    Once it was stopped it says nothing but how long a part has taken.

    Parameters
    ----------
    parts : each with the amount of work in it.
    on_part : called with a part and its comparison. on_share : with the share of the work done, now and then.
    on_error : with what a computation raised. on_time : with the seconds that an amount of work has taken.
    """

    def __init__(
        self,
        scene: Scene,
        parts: Sequence[tuple[Part, float]],
        on_part: Callable[[Part, Trace], None],
        on_share: Callable[[float], None],
        on_error: Callable[[Exception], None],
        on_time: Callable[[float, float], None],
    ):
        self.scene, self.parts = scene, parts
        self.on_part, self.on_share, self.on_error, self.on_time = on_part, on_share, on_error, on_time
        self.loop = asyncio.get_running_loop()
        self.total, self.done = sum(amount for _part, amount in parts), 0.0
        self.share = 0.0  # of the work done
        self.stopped = False
        self.future: Future | None = None
        self.told = time.perf_counter()

    def start(self, executor: Executor) -> None:
        """Begin as soon as the thread has time."""
        self.future = executor.submit(self.run)
        self.future.add_done_callback(self.end)

    def run(self) -> None:
        """Compute, in the thread."""
        for part, amount in self.parts:
            start = time.perf_counter()
            trace = compare_part(self.scene, part, lambda share, amount=amount: self.tick(self.done + share * amount))
            self.done += amount
            self.say(self.on_time, time.perf_counter() - start, amount)
            self.hand_over(part, trace)

    def hand_over(self, part: Part, trace: Trace) -> None:
        """Have a part shown before the next one is begun: beside that, painting would take several times as long."""
        seen = threading.Event()
        self.tell(self.on_part, part, trace)
        self.say(seen.set)
        seen.wait(SEEN)

    def stop(self) -> None:
        """Begin no more, and end at the next tick."""
        self.stopped = True
        if self.future:
            self.future.cancel()

    def tick(self, done: float) -> None:
        """Stop where that is wanted, and say now and then how far it is."""
        if self.stopped:
            raise Stopped
        self.share = done / self.total
        now = time.perf_counter()
        if now - self.told > TOLD:
            self.told = now
            self.tell(self.on_share, self.share)

    def say(self, act: Callable, *arguments) -> None:
        """Have something done in the loop."""
        in_loop(self.loop, act, *arguments)

    def tell(self, act: Callable, *arguments) -> None:
        """Have something done in the loop unless this was stopped by then."""
        self.say(lambda: self.stopped or act(*arguments))

    def end(self, future: Future) -> None:
        """Tell what went wrong, if anything did."""
        error = None if future.cancelled() else future.exception()
        if error and not isinstance(error, Stopped):
            self.tell(self.on_error, error)


def compare_part(scene: Scene, part: Part, tick: Callable[[float], None] = lambda share: None) -> Trace:
    """Compute a part of a scene; ``tick`` is told the share done, and may raise to stop."""
    config = scene.config.replace(batch_size=part.sequences)
    return compare(config, scene.schemes, scene.drawn(part.seeds), tick=tick)
