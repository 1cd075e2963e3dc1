"""Long computations that report their progress and can be interleaved or abandoned."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

import numpy as np

Result = TypeVar("Result")
Given = TypeVar("Given")
Shown = TypeVar("Shown")
Progress: TypeAlias = Generator[float, None, Result]
"""A computation that yields the share done, 0 to 1, and returns its result; closing it abandons it."""


def finish(progress: Generator[Any, None, Result]) -> Result:
    """Run a computation to its end and return its result.

    >>> def three():
    ...     yield 0.5
    ...     return 3
    >>> finish(three())
    3
    """
    while True:
        try:
            next(progress)
        except StopIteration as end:
            return end.value


def mapped(
    progress: Generator[Given, None, Result], change: Callable[[Given], Shown]
) -> Generator[Shown, None, Result]:
    """Run a computation, and yield ``change(share)`` instead of each share, or of what it yields else."""
    try:
        while True:
            try:
                share = next(progress)
            except StopIteration as end:
                return end.value
            yield change(share)
    finally:
        progress.close()


def showing(progress: Generator[Any, None, Result], shown: Shown) -> Generator[Shown, None, Result]:
    """Run a computation, and yield ``shown`` whatever it yields."""
    return mapped(progress, lambda share: shown)


def rescaled(progress: Progress[Result], start: float, amount: float) -> Progress[Result]:
    """Run a part of a longer computation: its share of 0 to 1 becomes ``start`` to ``start + amount``."""
    return mapped(progress, lambda share: start + amount * share)


def unwarned(progress: Progress[Result], **ignored: Any) -> Progress[Result]:
    """Run a computation within ``np.errstate(**ignored)``, such as ``over="ignore"``.

    A generator must not hold ``np.errstate`` across a ``yield``: that would change its caller's state meanwhile, and
    fail where the generator goes on in, or is closed from, another thread or callback.
    """
    try:
        while True:
            with np.errstate(**ignored):
                try:
                    share = next(progress)
                except StopIteration as end:
                    return end.value
            yield share
    finally:
        progress.close()
