"""Views that take long: computed beside the page, which goes on meanwhile; only the last one asked for is shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ..engine.runs import Trace
from ..views.view import Tick
from .loop import in_loop, running_loop
from .task import TOLD, Stopped


@dataclass(frozen=True)
class Job:
    """One view's data to compute: ``view_data(trace, **options)``; one that takes long gets a ``tick`` too."""

    view_data: Callable[..., Any]
    trace: Trace
    options: dict[str, Any]

    def __call__(self, **tick: Tick) -> Any:
        return self.view_data(self.trace, **self.options, **tick)

    def same(self, other: Job) -> bool:
        """Tell whether both stand for the same picture."""
        return self.trace is other.trace and self.options == other.options


class Late:
    """Runs the late views' ``data`` in one thread, and calls ``on_done`` when there is something new to show.

    A job's ``tick`` is to be called with the share done, and ends it once it is wanted no more. Without an event loop
    everything is computed at once.

    Parameters
    ----------
    on_done : called when there is something new to show. on_error : with a job's name and what it raised.
    on_share : with a job's name and the share of it that is done, now and then.
    """

    def __init__(
        self,
        on_done: Callable[[], None],
        on_error: Callable[[str, Exception], None],
        on_share: Callable[[str, float], None] = lambda name, share: None,
    ):
        self.on_done, self.on_error, self.on_share = on_done, on_error, on_share
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.pending: dict[str, Job] = {}
        self.done: dict[str, tuple[Job, Any]] = {}

    def start(self, jobs: dict[str, Job]) -> None:
        """Start computing what is not there yet, in place of what was asked for before."""
        loop = running_loop()
        for name, job in jobs.items():
            if name in self.pending and self.pending[name].same(job):
                continue
            # What was asked for before would take the place of what is there.
            self.pending.pop(name, None)
            if self.data(name, job) is not None:
                continue
            data = job() if loop is None else None
            self.pending[name] = job
            if loop is None:
                self.accept(name, job, data)
            else:
                self.executor.submit(self.work, loop, name, job)

    def stop(self) -> bool:
        """Compute nothing more; return whether there was anything."""
        was_active = bool(self.pending)
        self.pending.clear()
        return was_active

    def work(self, loop: asyncio.AbstractEventLoop, name: str, job: Job) -> None:
        """Compute, in the thread, and bring what comes of it to the kernel's loop."""
        told = time.perf_counter()

        def tick(share: float) -> None:
            nonlocal told
            if self.pending.get(name) is not job:
                raise Stopped
            if time.perf_counter() - told > TOLD:
                told = time.perf_counter()
                in_loop(loop, self.tell, name, job, share)

        in_loop(loop, loop.call_later, TOLD, self.tell, name, job, 0.0)
        try:
            tick(0.0)
            data = job(tick=tick)
        except Stopped:
            return
        except Exception as error:
            in_loop(loop, self.fail, name, job, error)
        else:
            in_loop(loop, self.accept, name, job, data)

    def tell(self, name: str, job: Job, share: float) -> None:
        """Say how far a job is, while it is wanted."""
        if self.pending.get(name) is job:
            self.on_share(name, share)

    def fail(self, name: str, job: Job, error: Exception) -> None:
        """Say what went wrong in a job, if that is still wanted."""
        if self.pending.get(name) is job:
            del self.pending[name]
            self.on_error(name, error)

    def accept(self, name: str, job: Job, data: Any) -> None:
        """Keep a result and show it, unless a newer one has been asked for."""
        if self.pending.get(name) is job:
            del self.pending[name]
            self.done[name] = (job, data)
            self.on_done()

    def data(self, name: str, job: Job) -> Any:
        """Return a view's data where it is there for this job, else None."""
        known, data = self.done.get(name, (None, None))
        return data if known is not None and known.same(job) else None
