"""The one worker of a page: it does the newest plan, job by job, in a thread or in slices of the event loop."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

from .cost import amount
from .memory import give_back
from .results import Result, Results, share_of
from .turns import turn
from .work import Job, Key, Part

Mode = Literal["thread", "slices"]
TOLD = 0.15  # seconds of computing between two reports of progress
SLICE = 0.03  # seconds of computing in the event loop after which it may answer the page
WORTH = 0.75  # beyond this fraction of a draft, finishing it beats restarting
PATIENCE = 0.15  # seconds after which a moving slider has to bring a picture, if only of where it was


def best_mode() -> Mode:
    """Return "thread" where threads can be started, which a browser does not allow; RNNVIZ_WORKER overrides it."""
    asked = os.environ.get("RNNVIZ_WORKER", "")
    return "slices" if asked == "slices" or sys.platform == "emscripten" else "thread"


@dataclass(eq=False)
class Running:
    """A job that has been begun: its computation, the seconds spent on it, and whether it was left."""

    job: Job
    progress: Generator[Any, None, Any]
    spent: float = 0.0
    noted: float = 0.0  # of these, when its progress was recorded
    share: Any = 0.0
    left: bool = False
    waits: bool = True  # for its turn


class Worker:
    """Does the first job of the newest plan, and leaves the one that it was doing, or pauses it where it comes later.

    Without an event loop, as in a script, `follow` does all jobs before it returns.

    Parameters
    ----------
    results : where values, errors and progress are recorded.
    on_result : called after each value or error. on_progress : called now and then while something is computed.
    mode : "thread", or "slices" of the event loop; the better one by default.
    """

    def __init__(
        self,
        results: Results,
        on_result: Callable[[], None],
        on_progress: Callable[[], None] = lambda: None,
        mode: Mode | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.results, self.on_result, self.on_progress = results, on_result, on_progress
        self.mode, self.clock = mode or best_mode(), clock
        self.executor = ThreadPoolExecutor(max_workers=1) if self.mode == "thread" else None
        self.is_closed = False
        self.jobs: Sequence[Job] = ()
        self.since = self.shown_at = clock()
        self.running: Running | None = None
        self.paused: dict[Key, Running] = {}
        self.task: asyncio.Task | None = None
        self.timer: asyncio.TimerHandle | None = None

    def follow(self, jobs: Sequence[Job], changed: bool = False) -> None:
        """Replace the plan; if ``changed``, restart the delays of its jobs."""
        self.jobs = jobs
        if changed:
            self.since = self.clock()
        planned = {job.key for job in jobs}
        for key in [key for key in self.paused if key not in planned]:
            self.paused.pop(key).progress.close()
        if self.running:
            self.running.left = not self.is_wanted(self.running)
            if self.running.left and self.running.waits and self.task:  # else it goes on until it has paused
                self.task.cancel()
                self.running = None
        self.go_on()

    def is_wanted(self, running: Running) -> bool:
        """Tell whether to go on with a job: it is still the first, or a draft that is nearly done or long awaited."""
        keys = [job.key for job in self.jobs]
        if running.job.key in keys:
            return running.job.key == keys[0]
        late = self.clock() - self.shown_at > PATIENCE
        return running.job.is_draft and not running.left and bool(keys) and (late or share_of(running.share) > WORTH)

    def go_on(self) -> None:
        """Begin the first job when its time has come, unless another is running."""
        if self.timer:
            self.timer.cancel()
            self.timer = None
        if self.running or not self.jobs:
            return
        job, loop = self.jobs[0], running_loop()
        wait = self.since + job.after - self.clock()
        if loop is None:
            self.do(job)
        elif wait > 0:
            self.timer = loop.call_later(wait, self.go_on)
        else:
            self.running = self.paused.pop(job.key, None) or Running(job, job.begin())
            self.running.job, self.running.left, self.running.waits = job, False, job.takes_turns
            if not (self.running.spent or job.kind == "training"):  # else it goes on where it was paused, or left
                self.results.put(job.recorded, progress=None)
            self.task = loop.create_task(self.drive(self.running))

    def do(self, job: Job) -> None:
        """Do a job here and now."""
        self.running = Running(job, job.begin())
        self.accept(self.running, advance(self.running))

    async def drive(self, running: Running) -> None:
        """Compute slice by slice beside the page, a turn at a time where it takes turns."""
        outcome = None
        while outcome is None and not (running.left or self.is_closed):
            running.waits = running.job.takes_turns
            begun = self.clock()
            async with turn(running.job.within) if running.waits else nullcontext():
                if running.waits and running.job.is_awaited:
                    self.results.waited = self.clock() - begun
                running.waits, ends = False, running.spent + running.job.lasts
                while outcome is None and not (running.left or self.is_closed) and running.spent < ends:
                    outcome = await self.slice(running)
                    self.note(running)
        self.accept(running, outcome)

    async def slice(self, running: Running) -> Result | None:
        """Compute for a while, in the thread or else in the event loop, which answers the page after that."""
        if self.executor is not None:
            return await asyncio.wrap_future(self.executor.submit(advance, running, TOLD))
        outcome = advance(running, SLICE)
        await asyncio.sleep(0)
        return outcome

    def note(self, running: Running) -> None:
        """Record how far a job is, now and then."""
        if not running.left and running.spent - running.noted >= TOLD:
            running.noted = running.spent
            self.results.put(running.job.recorded, progress=running.share)
            self.on_progress()

    def accept(self, running: Running, outcome: Result | None) -> None:
        """Record how a job has ended, or keep one that was left for later."""
        self.running = None
        is_planned = any(job.key == running.job.key for job in self.jobs)
        if outcome is None or self.is_closed:
            if is_planned:
                self.paused[running.job.key] = running
            else:
                running.progress.close()
            self.go_on()
            return
        if outcome.error is not None:
            self.results.put(running.job.recorded, error=outcome.error)
        else:
            self.results.put(running.job.recorded, value=outcome.value, error=None, progress=None)
            if isinstance(running.job.key, Part):
                self.results.learn(running.spent, amount(running.job.key.comparison))
        self.shown_at = self.clock()
        if is_planned or not running.left:
            self.on_result()
        else:
            self.go_on()
        if not self.jobs and self.executor is not None:
            self.executor.submit(give_back)

    def close(self) -> None:
        """Stop all work, for good."""
        self.is_closed = True
        self.follow(())
        if self.executor is not None:
            self.executor.shutdown(wait=False, cancel_futures=True)


def advance(running: Running, seconds: float = inf) -> Result | None:
    """Compute until the end, or return None: after some seconds, or once the job was left."""
    begun = time.perf_counter()
    try:
        while not running.left and time.perf_counter() - begun < seconds:
            running.share = next(running.progress)
        return None
    except StopIteration as end:
        return Result(value=end.value)
    except Exception as error:  # whatever a computation raises is said on the page
        return Result(error=error)
    finally:
        running.spent += time.perf_counter() - begun


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the kernel's event loop, or None where there is none, as in a script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
