"""Long computations that can be watched, interleaved and abandoned."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

Result = TypeVar("Result")
Progress: TypeAlias = Generator[float, None, Result]
"""A computation that yields the share done, 0 to 1, and returns its result; closing it abandons it."""


def finish(progress: Progress[Result]) -> Result:
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
