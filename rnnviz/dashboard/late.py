"""Views that take long: computed beside the page, which goes on meanwhile; only the last one asked for is shown."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..runs import Trace


@dataclass(frozen=True)
class Job:
    """One view's data to compute: ``view_data(trace, **options)``."""

    view_data: Callable[..., Any]
    trace: Trace
    options: dict[str, Any]

    def __call__(self) -> Any:
        return self.view_data(self.trace, **self.options)

    def same(self, other: Job) -> bool:
        """Tell whether both stand for the same picture."""
        return self.trace is other.trace and self.options == other.options


SENT = 0.03  # seconds that a frame takes to leave
GIVE_WAY = 0.0001  # seconds after which a thread that computes lets others go on, as those that send what is ready


def be_polite() -> None:
    """In a kernel, let threads give way sooner than Python's 5 ms, a third of a picture's time on the screen."""
    if running_loop():
        sys.setswitchinterval(min(sys.getswitchinterval(), GIVE_WAY))


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the kernel's event loop, or None where there is none, as in a script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def later(act: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Do something once the frame is on its way: the thread that sends it would wait for this one."""
    loop = running_loop()
    return loop.call_later(SENT, act) if loop else act()


def in_loop(loop: asyncio.AbstractEventLoop | None, act: Callable[..., None], *arguments) -> None:
    """From a thread, have something done in the kernel's loop, unless that is over; at once where there is none."""
    if loop is None:
        act(*arguments)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(act, *arguments)


class Late:
    """Runs the late views' ``data`` in one thread, and calls ``on_done`` when there is something new to show.

    NumPy's linear algebra lets the kernel work on meanwhile. Without an event loop everything is computed at once.
    ``on_error`` gets what a computation raised.
    """

    def __init__(self, on_done: Callable[[], None], on_error: Callable[[Exception], None]):
        self.on_done, self.on_error = on_done, on_error
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.pending: dict[str, tuple[Job, Future]] = {}
        self.done: dict[str, tuple[Job, Any]] = {}

    def start(self, jobs: dict[str, Job]) -> None:
        """Start computing what is not there yet, in place of what was asked for before."""
        loop = running_loop()
        for name, job in jobs.items():
            if name in self.pending and self.pending[name][0].same(job):
                continue
            if self.data(name, job) is not None:
                self.drop(name)
                continue
            if loop is None:
                self.done[name] = (job, job())
                self.on_done()
                continue
            self.drop(name)
            future = self.executor.submit(job)
            self.pending[name] = (job, future)
            future.add_done_callback(lambda done, name=name: self.hand_over(loop, name, done))

    def drop(self, name: str) -> None:
        """Compute no more what was asked for before, which would take the place of what is there."""
        if name in self.pending:
            self.pending.pop(name)[1].cancel()

    def hand_over(self, loop: asyncio.AbstractEventLoop, name: str, future: Future) -> None:
        """Bring a result from the thread to the kernel's loop."""
        if not future.cancelled():
            in_loop(loop, self.accept, name, future)

    def accept(self, name: str, future: Future) -> None:
        """Keep a result and show it, unless a newer one has been asked for."""
        job, wanted = self.pending.get(name, (None, None))
        if wanted is not future:
            return
        del self.pending[name]
        try:
            self.done[name] = (job, future.result())
        except Exception as error:
            self.on_error(error)
        else:
            self.on_done()

    def data(self, name: str, job: Job) -> Any:
        """Return a view's data where it is there for this job, else None."""
        known, data = self.done.get(name, (None, None))
        return data if known is not None and known.same(job) else None
