"""What the tests of the worker share: made-up jobs, a clock, and a page that follows its plan."""

import asyncio
import threading
import time

from conftest import PATIENCE

from rnnviz.dashboard.results import Results
from rnnviz.dashboard.work import Job
from rnnviz.dashboard.worker import Worker

MODES = ["thread", "slices"]


class Work:
    """A computation that yields its share, every millisecond, until it is let go; it is its own key."""

    def __init__(self, name, share=0.1, error=None, is_ready=False):
        self.name, self.share, self.error = name, share, error
        self.begun = self.steps = 0
        self.is_closed = False
        self.go_on = threading.Event()
        if is_ready:
            self.go_on.set()

    def compute(self):
        self.begun += 1
        try:
            while not self.go_on.is_set():
                self.steps += 1
                time.sleep(0.001)
                yield self.share
            if self.error:
                raise self.error
            return self.name
        except GeneratorExit:
            self.is_closed = True
            raise

    def job(self, **options):
        return Job(self, options.pop("kind", "comparison"), **options)


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Page:
    """A page that follows its plan: it does what is still to be done of it."""

    def __init__(self, mode):
        self.clock, self.results, self.wanted = Clock(), Results(), []
        self.done, self.noted = [], []
        self.worker = Worker(self.results, self.go_on, self.note, mode, self.clock)

    def ask(self, *jobs, changed=True):
        """Plan these jobs, in the place of those planned before."""
        self.wanted = jobs
        self.worker.follow(self.left, changed)

    @property
    def left(self):
        return [job for job in self.wanted if not self.results[job.recorded].is_settled]

    def go_on(self):
        self.done = [key.name for key, result in self.results.known.items() if result.is_settled]
        self.worker.follow(self.left)

    def note(self):
        self.noted.append(self.results[self.worker.running.job.recorded].share)


def player(mode):
    """Return a function that runs a coroutine function on a page in an event loop, and closes the page's worker."""

    def play(session):
        async def all_of_it():
            page = Page(mode)
            try:
                async with asyncio.timeout(PATIENCE):
                    return await session(page)
            finally:
                page.worker.close()

        return asyncio.run(all_of_it())

    return play
