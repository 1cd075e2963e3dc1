"""Many runs of one shape: how many are stacked and multiplied together, and two stacks side by side on two cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..network.cells import CELLS
from ..network.config import Config

Result = TypeVar("Result")
Tick = Callable[[float], None]
STACK_BYTES = 128 * 2**20  # what the runs of a stack need stays below this
WEIGHT_BYTES = 4 * 2**20  # and W_hh of all its runs below this, to stay in the processor's cache from step to step
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
LANES = 2  # stacks at a time; a class shares a server's cores, and memory grows with every stack


class Ended(Exception):
    """Something else went wrong, so that this is no longer wanted."""


def run_bytes(config: Config) -> int:
    """Return what one run needs: its inputs, drawn and stacked, and a tape's arrays for each state and step."""
    inputs, _ = config.sizes
    numbers = 2 * inputs + CELLS[config.cell].factors * config.hidden_size
    return 8 * config.seq_len * config.batch_size * numbers


def weight_bytes(config: Config) -> int:
    """Return the size of one run's W_hh."""
    return 8 * len(CELLS[config.cell].gates) * config.hidden_size**2


def split(config: Config, runs: int) -> list[slice]:
    """Return the stacks that some runs are split into, as even as can be; the same on every machine."""
    together = max(1, min(STACK_BYTES // run_bytes(config), WEIGHT_BYTES // weight_bytes(config)))
    count = -(-runs // together)
    if count > 1:  # so that no lane stays empty
        count = min(runs, LANES * -(-count // LANES))
    ends = [round(k * runs / count) for k in range(count + 1)]
    return [slice(*pair) for pair in zip(ends, ends[1:], strict=False)]


def lanes(count: int) -> int:
    """Return how many of ``count`` stacks are computed at a time: several where each multiplication keeps to one core.

    Elsewhere one multiplication takes all cores, and two of them at a time would take longer than one by one.
    """
    if not any(os.environ.get(name) == "1" for name in BLAS_THREADS):
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(LANES, cores, count)


def side_by_side(jobs: Sequence[Callable[[Tick], Result]], tick: Tick) -> list[Result]:
    """Return what some jobs return that are called with a tick each, in threads where there are cores for them.

    ``tick`` hears the share of all of them, from one thread at a time; once anything was raised, the others end.
    """
    shares, errors, lock = [0.0] * len(jobs), [], threading.Lock()

    def do(k: int) -> Result | None:
        def hear(share: float) -> None:
            with lock:
                if errors:
                    raise Ended
                shares[k] = share
                tick(sum(shares) / len(jobs))

        try:
            return jobs[k](hear)
        except BaseException as error:
            errors.append(error)
            return None

    at_a_time = lanes(len(jobs))
    if at_a_time == 1:
        results = [do(k) for k in range(len(jobs)) if not errors]
    else:
        with ThreadPoolExecutor(at_a_time) as threads:
            try:
                results = list(threads.map(do, range(len(jobs))))
            except BaseException as error:  # an interrupt, which comes to the thread that waits
                errors.insert(0, error)
    if errors:
        raise errors[0]
    return results
