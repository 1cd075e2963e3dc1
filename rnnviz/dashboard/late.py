"""Views that take long: computed beside the page, which goes on meanwhile; only the last one asked for is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..runs import Trace
from .loop import in_loop, running_loop


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
