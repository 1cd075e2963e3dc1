"""When a comparison is computed: a draft at once or beside the page, everything at rest."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ..engine.runs import Trace
from .budget import AT_ONCE, BEARABLE, Budget, amount, whole
from .foresight import Foresight
from .loop import running_loop
from .memory import Memory
from .scene import Scene
from .task import Part, Task, compare_part

SOON = 0.002  # seconds until a draft is begun
HERE = 1.5 * AT_ONCE  # seconds for which a page with pictures may stand still; what takes longer goes to the thread
REST = 0.03  # seconds after the last change until the rest is computed
WORTH = 0.75  # share of a draft after which it is done sooner than one that is begun now
PATIENCE = 0.15  # seconds after which a moving slider has to bring a picture, if only of where it was


class Runner:
    """Runs scenes; a newer one takes the place of what is still being computed for an older one.

    The last comparisons and drafts are kept, and those that are foreseen are computed at rest. Where no event loop
    runs, as in a script, everything is computed at once, and nothing ahead.

    Parameters
    ----------
    show : called with a comparison and whether it is the whole of what was asked for.
    tell : called with the share done (0 to 1) while the rest is computed, and with None once nothing is.
    explain : called with what a computation raised.
    prepare : called with a comparison that will probably be shown next.
    """

    def __init__(
        self,
        show: Callable[[Trace, bool], None],
        tell: Callable[[float | None], None],
        explain: Callable[[Exception], None],
        prepare: Callable[[Trace], None] = lambda trace: None,
    ):
        self.show, self.tell, self.explain = show, tell, explain
        self.budget, self.foresight = Budget(), Foresight(self, prepare)
        self.wholes, self.drafts = Memory(), Memory()
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.timer: asyncio.TimerHandle | None = None
        self.job: Task | None = None
        self.is_first = False
        self.waiting: Scene | None = None
        self.shown_at = 0.0

    @property
    def active(self) -> bool:
        """Whether something is still to come."""
        return self.timer is not None or self.job is not None or self.waiting is not None

    def run(self, scene: Scene, wait: float = SOON) -> None:
        """Show what is known, or what there is time for; the rest follows once nothing newer has come for a while.

        A draft waits for some seconds, in which the page is answered, so that it sends what comes next meanwhile; for 0
        it is there on return, unless it takes long. Without an event loop: compute and show the whole.
        """
        known, loop = self.known(scene), running_loop()
        if known is None and self.is_worth_finishing:
            self.waiting = scene
            return
        was_active = self.leave()
        if loop is None:
            self.deliver(scene, whole(scene), self.wholes.find(scene) or self.compute(scene, whole(scene)))
            return
        part = part_of(known) if known else self.budget.first(scene)
        seconds = 0.0 if known else self.budget.seconds(scene, part)
        if seconds > BEARABLE:
            self.timer = loop.call_later(REST, self.begin, scene, [part, *self.left(scene, part)])
            self.tell(0.0)
            return
        if was_active:
            self.tell(None)
        if known:
            self.rest_later(scene, part)
            self.display(known, part == whole(scene))
        elif not wait:
            self.draft(scene, part)
        elif seconds <= HERE:
            self.timer = loop.call_later(wait, self.draft, scene, part)
        else:
            self.timer = loop.call_later(wait, self.begin, scene, [part], True)

    def draft(self, scene: Scene, part: Part) -> None:
        """Compute and show a first part here and now, and see to the rest."""
        self.rest_later(scene, part)
        try:
            trace = self.compute(scene, part)
        except Exception as error:
            self.fail(error)
        else:
            self.deliver(scene, part, trace)

    def rest_later(self, scene: Scene, done: Part) -> None:
        """See to it that what is left of a scene is computed at rest."""
        left = self.left(scene, done)
        self.timer = running_loop().call_later(REST, self.begin, scene, left) if left else None

    def left(self, scene: Scene, done: Part) -> list[Part]:
        """Return the parts of a scene that are left to compute."""
        return [] if done == whole(scene) else [part for part in self.budget.rest(scene) if part != done]

    def begin(self, scene: Scene, parts: Sequence[Part], is_first: bool = False) -> None:
        """Compute parts one after the other in the thread; ``is_first``: they are what a moving slider shows."""
        self.timer, self.is_first = None, is_first
        self.job = self.task(scene, parts, self.accept, self.tell, self.fail)
        slow = self.budget.pace * self.job.total > BEARABLE
        self.job.start(self.executor)
        if slow:
            self.tell(0.0)

    def task(self, scene: Scene, parts: Sequence[Part], on_part, on_share, on_error) -> Task:
        amounts = [(part, amount(scene, part)) for part in parts]
        return Task(scene, amounts, on_part, on_share, on_error, self.budget.learn)

    def accept(self, part: Part, trace: Trace) -> None:
        """Show what the thread has computed; then comes what has waited for it, or what is left."""
        scene, next_scene = self.job.scene, self.waiting
        if part == self.job.parts[-1][0]:
            self.job = None
            self.rest_later(scene, part)
        self.keep(scene, part, trace)
        self.display(trace, part == whole(scene) and not next_scene)
        if next_scene:
            self.waiting = None
            self.run(next_scene)
        elif part == whole(scene):
            self.tell(None)

    @property
    def is_worth_finishing(self) -> bool:
        """Whether a draft for older settings is soon done, or would be the first picture in a while."""
        if self.job is None or not self.is_first:
            return False
        return self.job.share > WORTH or time.perf_counter() - self.shown_at > PATIENCE

    def deliver(self, scene: Scene, part: Part, trace: Trace) -> None:
        """Show a part that was computed, and keep it."""
        self.keep(scene, part, trace)
        self.display(trace, part == whole(scene))

    def display(self, trace: Trace, is_whole: bool) -> None:
        self.shown_at = time.perf_counter()
        self.show(trace, is_whole)

    def keep(self, scene: Scene, part: Part, trace: Trace) -> None:
        """Keep a part that was computed."""
        (self.wholes if part == whole(scene) else self.drafts).keep(scene, trace)

    def known(self, scene: Scene) -> Trace | None:
        """Return the whole of a scene, or a draft of it, where that was kept."""
        return self.wholes.find(scene) or self.drafts.find(scene)

    def compute(self, scene: Scene, part: Part) -> Trace:
        """Compute a part here and now, and learn from it how fast this machine is."""
        start = time.perf_counter()
        trace = compare_part(scene, part)
        self.budget.learn(time.perf_counter() - start, amount(scene, part))
        return trace

    def stop(self) -> None:
        """Compute no more of what was asked for."""
        if self.leave():
            self.tell(None)

    def leave(self) -> bool:
        """Let go of what is still to come; return whether there was anything."""
        was_active = self.active
        self.foresight.leave()
        if self.timer:
            self.timer.cancel()
        if self.job:
            self.job.stop()
        self.timer = self.job = self.waiting = None
        return was_active

    def fail(self, error: Exception) -> None:
        """Tell what went wrong, unless something newer waits: then it concerns nobody."""
        next_scene = self.waiting
        if next_scene:
            self.leave()
            self.run(next_scene)
            return
        self.stop()
        self.explain(error)

    def foresee(self, scene: Scene | None, others: Sequence[Scene] = ()) -> None:
        """Compute what will probably be asked for next, and drafts of what else may be, unless something is to come."""
        if not self.active:
            self.foresight.foresee(scene, others)


def part_of(trace: Trace) -> Part:
    """Return how much of its scene a comparison is."""
    return Part(len(trace.seeds), trace.config.batch_size)
