"""Shared by the benchmarks: runs in alternation, medians, and a description of the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def alternate(
    contenders: dict[str, Callable[[], object]], rounds: int = 7, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return each contender's median seconds; each runs once per round, so that a busy machine slows all alike."""
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = clock()
            run()
            times[name].append(clock() - start)
    return {name: median(values) for name, values in times.items()}


def machine() -> str:
    """Describe the machine and the libraries."""
    import numpy as np

    threads = os.environ.get(THREADS[0], "default")
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"NumPy {np.__version__}, threads: {threads}"
    )


def again(threads: int | None, *arguments: str) -> None:
    """Run the calling script again in a process of its own, with this many threads (None: the libraries' default)."""
    env = {key: value for key, value in os.environ.items() if key not in THREADS}
    env |= {key: str(threads) for key in THREADS} if threads else {}
    subprocess.run([sys.executable, sys.argv[0], *arguments], env=env, check=True)


def verdict(name: str, value: float, low: float = 0.0, high: float = float("inf")) -> None:
    """Print a figure beside its limits."""
    bar = f"at least {low:g}" if high == float("inf") else f"at most {high:g}" if low == 0 else f"{low:g} to {high:g}"
    print(f"  {name:<58} {value:8.2f}   bar: {bar}   {'ok' if low <= value <= high else 'MISSED'}", flush=True)
