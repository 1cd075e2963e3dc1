"""What a key will probably ask for next, computed at rest: one more step as a whole, the other keys' as drafts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..engine.runs import Trace
from .budget import BEARABLE, whole
from .loop import running_loop
from .scene import Scene
from .task import Part, Task

if TYPE_CHECKING:
    from .runner import Runner

PAUSE = 0.05  # seconds after the last picture until something is computed that nobody has asked for
AHEAD = 0.5  # seconds that a whole may take


class Foresight:
    """Has scenes computed one after the other in the runner's thread, until something is really asked for.

    Parameters
    ----------
    runner : knows how long what takes, and keeps what was computed.
    prepare : called with a comparison that will probably be shown next.
    """

    def __init__(self, runner: Runner, prepare: Callable[[Trace], None]):
        self.runner, self.prepare = runner, prepare
        self.timer: asyncio.TimerHandle | None = None
        self.task: Task | None = None
        self.waiting: deque[tuple[Scene, bool]] = deque()

    @property
    def active(self) -> bool:
        """Whether something is still to be computed ahead."""
        return self.timer is not None or self.task is not None

    def foresee(self, scene: Scene | None, others: Sequence[Scene]) -> None:
        """Compute a scene, and drafts of others, in a while, unless something is asked for before."""
        loop = running_loop()
        if loop is None:
            return
        self.leave()
        self.waiting.extend([*([(scene, True)] if scene else []), *((other, False) for other in others)])
        if self.waiting:
            self.timer = loop.call_later(PAUSE, self.go_on)

    def leave(self) -> None:
        """Compute nothing more ahead."""
        if self.timer:
            self.timer.cancel()
        if self.task:
            self.task.stop()
        self.timer = self.task = None
        self.waiting.clear()

    def go_on(self) -> None:
        """Prepare what is known already, up to the first scene that has to be computed; begin that."""
        self.timer = self.task = None
        while self.waiting:
            scene, as_whole = self.waiting.popleft()
            part = self.part(scene, as_whole)
            known = self.runner.wholes.find(scene) if part == whole(scene) else self.runner.known(scene)
            if known:
                self.prepare(known)
            elif part:
                # What goes wrong here will go wrong again, and be told, if somebody does ask for it.
                self.task = self.runner.task(scene, [part], self.accept, ignore, lambda error: self.go_on())
                self.task.start(self.runner.executor)
                return

    def part(self, scene: Scene, as_whole: bool) -> Part | None:
        """Return how much of a scene is worth being computed ahead."""
        budget = self.runner.budget
        if as_whole and budget.seconds(scene, whole(scene)) <= AHEAD:
            return whole(scene)
        draft = budget.first(scene)
        return draft if budget.seconds(scene, draft) <= BEARABLE else None

    def accept(self, part: Part, trace: Trace) -> None:
        self.runner.keep(self.task.scene, part, trace)
        self.prepare(trace)
        self.go_on()


def ignore(_news) -> None:
    """Say nothing."""
