"""What has been computed: one frozen record for each piece of work, and how fast this machine is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ..engine.trace import Trace
from .settings import Comparison

ROOM = 4 * 2**20  # bytes of the comparisons that are kept for settings that come back
BUSY = 0.02  # seconds of waiting for a turn from which on others need the machine too
PACE = 3e-10  # seconds a multiplication, until this machine's own pace is known
Kind = TypeVar("Kind", bound=tuple)


@dataclass(frozen=True)
class Result:
    """How far a piece of work is."""

    value: Any = None  # what it has returned
    error: Exception | None = None  # what it has raised
    progress: Any = None  # what it has yielded last: the share done, or an object that knows its ``share``

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to do."""
        return self.value is not None or self.error is not None

    @property
    def share(self) -> float:
        """The share done, 0 to 1."""
        return share_of(self.progress)


def share_of(progress: Any) -> float:
    """Return the share that a piece of work has yielded, by itself or in an object that knows it."""
    return float(getattr(progress, "share", progress or 0.0))


NOTHING = Result()


def is_whole(trace: Trace, comparison: Comparison) -> bool:
    """Tell whether a trace is all of a comparison, and no draft of it."""
    return (len(trace.seeds), trace.config.batch_size) == (comparison.seeds, comparison.config.batch_size)


class Results:
    """Results by their keys, the least recently used first; a comparison's value is its best trace so far."""

    def __init__(self, pace: float = PACE):
        self.pace = pace  # seconds a multiplication on this machine, learnt from finished work
        self.waited = 0.0  # seconds that the reader has waited for the last turn on this machine
        self.shown: Trace | None = None  # the comparison shown last: it stays, dimmed, while a newer one is computed
        self.known: OrderedDict[Any, Result] = OrderedDict()
        self.used: set[Any] = set()  # since the last trim

    @property
    def is_alone(self) -> bool:
        """Whether no other page of this server needs the machine."""
        return self.waited < BUSY

    def __getitem__(self, key: Hashable) -> Result:
        """Return what is known of a piece of work, and count that as a use."""
        if key not in self.known:
            return NOTHING
        self.known.move_to_end(key)
        self.used.add(key)
        return self.known[key]

    def put(self, key: Hashable, **changes: Any) -> None:
        """Record a value, an error or a progress."""
        self.known[key] = replace(self.known.get(key, NOTHING), **changes)
        self.known.move_to_end(key)
        self.used.add(key)

    def latest(self, kind: type[Kind], *fields: Any) -> tuple[Kind, Any] | None:
        """Return the key and value used last of a kind of work, whose key begins with these fields."""
        for key in reversed(self.known):
            if isinstance(key, kind) and self.known[key].value is not None and key[: len(fields)] == fields:
                return key, self[key].value
        return None

    def learn(self, seconds: float, work: float) -> None:
        """Learn this machine's pace from a finished piece of work, without believing a single one."""
        self.pace = (self.pace * seconds / work) ** 0.5

    def forgive(self) -> None:
        """Forget what went wrong: with other settings, or the same ones again, it may go right."""
        self.known = OrderedDict((key, result) for key, result in self.known.items() if result.error is None)

    def trim(self) -> None:
        """Forget what has not been used since the last time, but for comparisons that take little room."""
        room = ROOM
        for key in [key for key in reversed(self.known) if key not in self.used]:
            if isinstance(key, Comparison) and self.known[key].value is not None:
                room -= self.known[key].value.units.nbytes
                if room >= 0:
                    continue
            del self.known[key]
        self.used.clear()
