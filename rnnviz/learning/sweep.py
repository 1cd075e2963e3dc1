"""Sweeps: many experiments, computed side by side on the cores of a machine or on a cluster."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeAlias

from ..engine.runs import comparing
from ..engine.trace import Trace
from ..network.config import Config
from ..numerics.progress import finish
from .workers import process_pool

Item: TypeAlias = Config | Mapping[str, Any]
WINDOW = 1000  # items that are handed to an executor and not finished: plenty for a cluster, little of a long generator


@dataclass(frozen=True)
class RunResult:
    """The numbers of one run, those of its `Trace` at the first and at the last step.

    Attributes
    ----------
    scheme, seed : which run.
    loss : as of a Trace.
    second_moment_T, variance_T, saturation_T : of the last state.
    log10_grad_norm_0, log10_grad_norm_T : log10 ||dL/dh_t|| at both ends; -inf for a true zero.
    log10_survival : log10 of the factor by which the gradient of the last step's loss changes on its way back to step
        0, exact at any magnitude; nan where there is none.
    first_nonfinite : the first step whose state is not finite, or None.
    """

    scheme: str
    seed: int
    loss: float
    second_moment_T: float
    variance_T: float
    saturation_T: float
    log10_grad_norm_0: float
    log10_grad_norm_T: float
    log10_survival: float
    first_nonfinite: int | None


Result: TypeAlias = RunResult | tuple[RunResult, ...]


def sweep(configs: Iterable[Item], executor: Executor | None = None) -> Generator[tuple[int, Result], None, None]:
    """Run many experiments side by side, and yield (index, result) as they finish.

    Parameters
    ----------
    configs : what to run, also a generator: a Config is one `run`; a dict of arguments is a `compare`.
    executor : any `concurrent.futures.Executor`, such as ``distributed.Client(...).get_executor()``. By default a
        process for each core, with one BLAS thread, which imports rnnviz but not the caller's script: use a
        ``ThreadPoolExecutor`` for schemes of your own.

    Yields
    ------
    index : place in ``configs``; result : a `RunResult`, for a dict a tuple of them, scheme by scheme and seed by seed.

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
    if executor is None:
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
            while waiting and (len(waiting) >= WINDOW or not done.empty()):
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
        error.add_note(f"raised by item {index} of the sweep: {item}")
        raise


def measure(item: Item) -> Result:
    """Run one item of a sweep, on one core."""
    if isinstance(item, Config):
        return measure({"config": item, "schemes": (item.scheme,), "seeds": (item.seed,)})[0]  # type: ignore[index]
    return rows(finish(comparing(**item, lanes=1)))


def rows(trace: Trace) -> tuple[RunResult, ...]:
    """Return the results of a comparison, run by run."""
    whole, alone = trace.log10_relative_norm, trace.log10_relative_norm_last
    values = {
        "loss": trace.loss,
        "second_moment_T": trace.second_moment[..., -1],
        "variance_T": trace.variance[..., -1],
        "saturation_T": trace.saturation[..., -1],
        "log10_grad_norm_0": trace.log10_grad_norm[..., 0],
        "log10_grad_norm_T": trace.log10_grad_norm[..., -1],
        "log10_survival": (whole if alone is None else alone)[..., 0],
    }
    return tuple(
        RunResult(scheme, seed, **{name: float(each[s, r]) for name, each in values.items()}, first_nonfinite=step)
        for s, scheme in enumerate(trace.schemes)
        for r, seed in enumerate(trace.seeds)
        for step in [None if trace.first_nonfinite[s, r] < 0 else int(trace.first_nonfinite[s, r])]
    )
