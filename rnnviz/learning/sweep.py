"""Sweeps: many experiments, computed side by side on the cores of a machine or on a cluster."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import Any, TypeAlias

from ..engine.runs import comparing
from ..network.config import Config
from ..numerics.progress import finish
from ..text.registry import shorten
from .results import RunResult, TrainingResult, run_results, training_results
from .train import train

Item: TypeAlias = Config | Mapping[str, Any]
AHEAD = 1000  # items that are handed to an executor and not finished: plenty for a cluster, little of a long generator


Result: TypeAlias = RunResult | tuple[RunResult, ...] | tuple[TrainingResult, ...]


def sweep(configs: Iterable[Item], executor: Executor | None = None) -> Generator[tuple[int, Result], None, None]:
    """Run many experiments side by side, and yield (index, result) as they finish.

    Parameters
    ----------
    configs : what to run, also a generator: a Config is one `run`; a dict holds the arguments of `train` where
        "problem" is among them, else those of `compare`.
    executor : any `concurrent.futures.Executor`, such as ``distributed.Client(...).get_executor()``. By default a
        process for each core, with one BLAS thread, which imports rnnviz but not the caller's script: use a
        ``ThreadPoolExecutor`` for schemes of your own. Python in a browser has no processes: there, one item after
        another.

    Yields
    ------
    index : place in ``configs``.
    result : a `RunResult`; for a dict a tuple of these or of `TrainingResult`, scheme by scheme and seed by seed.

    Raises
    ------
    What an experiment raises, with a note that names it; the others are abandoned, as where the caller stops.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> configs = [Config(scheme="orthogonal", activation="linear", gain=g, hidden_size=16) for g in (0.1, 1.0, 10.0)]
    >>> with ThreadPoolExecutor(1) as one:
    ...     found = dict(sweep(configs, one))
    >>> [found[k].log10_survival for k in range(3)]  # 50 steps
    [-50.0, 0.0, 50.0]
    """
    if executor is None and sys.platform == "emscripten":
        yield from ((index, measure(item)) for index, item in enumerate(configs))
        return
    if executor is None:
        from .workers import process_pool  # which imports what no browser has

        with process_pool() as pool:
            yield from sweep(configs, pool)
        return
    done: SimpleQueue[Future] = SimpleQueue()
    waiting: dict[Future, tuple[int, Item]] = {}
    try:
        for pair in enumerate(configs):
            future = executor.submit(measure, pair[1])
            waiting[future] = pair
            future.add_done_callback(done.put)
            while waiting and (len(waiting) >= AHEAD or not done.empty()):
                yield outcome(future := done.get(), *waiting.pop(future))
        while waiting:
            yield outcome(future := done.get(), *waiting.pop(future))
    finally:
        for future in waiting:
            future.cancel()


def outcome(future: Future, index: int, item: Item) -> tuple[int, Result]:
    """Return the index and the result of a finished experiment; what it raised gets a note."""
    try:
        return index, future.result()
    except Exception as error:
        error.add_note(f"raised by item {index} of the sweep: {shorten(item, 200)}")
        raise


def measure(item: Item) -> Result:
    """Run one item of a sweep, on one core."""
    if isinstance(item, Config):
        (result,) = run_results(finish(comparing(item, (item.scheme,), (item.seed,), lanes=1)))
        return result
    if "problem" in item:
        *_, last = train(**{**item, "every": sys.maxsize})
        return training_results(last.training)
    return run_results(finish(comparing(**item, lanes=1)))
