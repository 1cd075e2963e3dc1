"""How many runs are stacked and multiplied together, and how many stacks are computed at a time."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from ..network.cells import CELLS
from ..network.config import Config
from ..numerics.progress import Progress, rescaled

Result = TypeVar("Result")
STACK_BYTES = 192 * 2**20  # upper bound on the memory for the runs of one stack
WEIGHT_BYTES = 4 * 2**20  # upper bound on W_hh of all its runs, so that it stays in the processor's cache
STEP_BYTES = 640 * 2**10  # upper bound on what a step computes for all its runs, for the same reason
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
# Stacks at a time: on two free cores two stacks take 0.69 times as long as one after the other (H = 256, T = 200, eight
# seeds), for 12 % more CPU time; a class shares a server's cores, and memory grows with every stack.
LANES = 2
POLL = 0.02  # seconds between two looks at how far the lanes are


def run_bytes(config: Config) -> int:
    """Return the memory that one run needs: its inputs, drawn and stacked, and the tape of all layers and steps.

    Gradients of several truncated losses go back side by side: of each layer's states, and those of a step beside them.
    """
    inputs, _ = config.sizes
    cell, hidden = CELLS[config.cell], config.hidden_size
    numbers = config.seq_len * (2 * inputs + config.layers * cell.factors * hidden)
    if config.loss_at == "every" and 0 < config.truncate < config.seq_len:
        beside = config.layers * len(cell.states) + 3 * (len(cell.states) + len(cell.gates))
        numbers += (config.truncate + 1) * beside * hidden
    return 8 * config.batch_size * numbers


def weight_bytes(config: Config) -> int:
    """Return the size of one run's W_hh."""
    return 8 * len(CELLS[config.cell].gates) * config.hidden_size**2


def step_bytes(config: Config) -> int:
    """Return the size of one run's state and pre-activations at one step."""
    return 8 * config.batch_size * config.hidden_size * (1 + len(CELLS[config.cell].gates))


def split(config: Config, runs: int) -> list[slice]:
    """Return the slices of ``runs`` that form a stack each, of nearly equal size; the same on every machine."""
    bounds = (
        STACK_BYTES // run_bytes(config),
        WEIGHT_BYTES // weight_bytes(config),
        STEP_BYTES // step_bytes(config),
    )
    count = -(-runs // max(1, min(bounds)))
    if count > 1:  # so that no lane stays empty
        count = min(runs, LANES * -(-count // LANES))
    ends = [round(k * runs / count) for k in range(count + 1)]
    return [slice(*pair) for pair in zip(ends, ends[1:], strict=False)]


def lanes(
    count: int, environ: Mapping[str, str] = os.environ, cores: int | None = None, platform: str = sys.platform
) -> int:
    """Return how many of ``count`` stacks to compute at a time: several where each multiplication keeps to one core.

    Where a multiplication uses all cores, two at a time take longer than one after the other. In a browser
    ("emscripten") there are no threads.
    """
    if platform == "emscripten" or not any(environ.get(name) == "1" for name in BLAS_THREADS):
        return 1
    return min(LANES, cores or available_cores(), count)


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(
    jobs: Sequence[Progress[Result]],
    at_a_time: int | None = None,
    new_thread: Callable[..., threading.Thread] = threading.Thread,
) -> Progress[list[Result]]:
    """Run jobs, in threads where there are cores for them, and return their results in order.

    It yields the mean share of all jobs. An error in one job, or closing this generator, ends the others at their next
    ``yield``; no thread outlives it. Where no thread can be started, the jobs run one after the other.
    """
    pool = Lanes(jobs)
    threads = start_threads(pool.work, at_a_time or lanes(len(jobs)), new_thread)
    if not threads:
        return (yield from one_by_one(jobs))
    try:
        while alive := [thread for thread in threads if thread.is_alive()]:
            alive[0].join(POLL)
            yield pool.share
    finally:
        pool.ended.set()
        for thread in threads:
            thread.join()
    if pool.errors:
        raise pool.errors[0]
    return pool.results


def start_threads(work: Callable[[], None], count: int, new_thread: Callable[..., threading.Thread]) -> list:
    """Return up to ``count`` running threads: none where one would be enough, or where the system allows none."""
    threads: list[threading.Thread] = []
    for _ in range(count if count > 1 else 0):
        thread = new_thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # "can't start new thread"
            break
        threads.append(thread)
    return threads


def one_by_one(jobs: Sequence[Progress[Result]]) -> Progress[list[Result]]:
    """Run jobs one after the other in this thread, and return their results."""
    results = []
    for k, job in enumerate(jobs):
        results.append((yield from rescaled(job, k / len(jobs), 1 / len(jobs))))
    return results


class Lanes(Generic[Result]):
    """Jobs that several threads take from one queue."""

    def __init__(self, jobs: Sequence[Progress[Result]]):
        self.queue = deque(enumerate(jobs))
        self.shares = [0.0] * len(jobs)
        self.results: list = [None] * len(jobs)
        self.errors: list[BaseException] = []
        self.ended = threading.Event()

    @property
    def share(self) -> float:
        return sum(self.shares) / len(self.shares)

    def work(self) -> None:
        """Run jobs from the queue until it is empty, or until the others need not go on."""
        while self.queue and not self.ended.is_set():
            try:
                k, job = self.queue.popleft()
            except IndexError:  # the other lane took the last one
                return
            try:
                self.results[k] = self.run(k, job)
            except BaseException as error:
                self.errors.append(error)
                self.ended.set()

    def run(self, k: int, job: Progress[Result]) -> Result | None:
        try:
            while not self.ended.is_set():
                self.shares[k] = next(job)
        except StopIteration as end:
            self.shares[k] = 1.0
            return end.value
        finally:
            job.close()
        return None
