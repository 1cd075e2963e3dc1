"""Pieces of work by what decides them: each is a key of the results and knows how to compute its value."""

from __future__ import annotations

from collections.abc import Generator
from math import inf
from typing import Any, NamedTuple

from ..engine import gradient_check
from ..engine.runs import Trace, comparing
from ..network.config import Config
from ..numerics.progress import Progress
from ..story.suggestions import Suggestion, suggesting
from ..text.language import N_
from ..views import VIEWS
from ..views.race import Curves
from .race import Race
from .settings import Comparison
from .state import PageState


class Part(NamedTuple):
    """Part of a comparison: its first ``seeds`` seeds, with ``sequences`` sequences in each batch."""

    of: Comparison
    seeds: int
    sequences: int

    @property
    def comparison(self) -> Comparison:
        """The part as a comparison of its own."""
        return Comparison(self.of.config.replace(batch_size=self.sequences), self.of.schemes, self.seeds)

    def compute(self, lanes: int | None = None) -> Progress[Trace]:
        config = self.comparison.config
        if self.of.network:
            return self.of.network.computing(config, self.seeds)
        return comparing(config, self.of.schemes, self.of.drawn(self.seeds), lanes)


class Pin(NamedTuple):
    """The whole comparison of a pinned scheme."""

    comparison: Comparison

    def compute(self) -> Progress[Trace]:
        return Part(self.comparison, self.comparison.seeds, self.comparison.config.batch_size).compute()


class Drawing(NamedTuple):
    """What a view shows of a trace, with its options, the pinned curves by their names, and those of a training."""

    view: str
    trace: Trace
    options: tuple[tuple[str, Any], ...]
    pins: tuple[tuple[str, Trace], ...] = ()
    curves: Curves | None = None

    @property
    def is_slow(self) -> bool:
        """Whether the other views must not wait for it."""
        return VIEWS[self.view].is_slow(self.trace.config, **dict(self.options))

    def compute(self) -> Generator[Any, None, Any]:
        return VIEWS[self.view].computing(self.trace, **self.arguments)

    def data(self) -> Any:
        """Return the view's data at once."""
        return VIEWS[self.view].data(self.trace, **self.arguments)

    @property
    def arguments(self) -> dict[str, Any]:
        view, found = VIEWS[self.view], dict(self.options)
        return (
            found | ({"pins": list(self.pins)} if view.pins else {}) | ({"curves": self.curves} if view.trains else {})
        )


class Advice(NamedTuple):
    """A suggestion for the first scheme of a trace, in a tuple, since there may be none."""

    trace: Trace

    def compute(self) -> Progress[tuple[Suggestion | None]]:
        return ((yield from suggesting(self.trace, 0)),)


class Check(NamedTuple):
    """A check of the gradients of one network."""

    config: Config

    def compute(self) -> Generator[gradient_check.Check, None, gradient_check.Check | None]:
        check = None
        for check in gradient_check.progress(self.config):
            yield check
        return check


Key = Part | Pin | Drawing | Advice | Check | Race


class Job(NamedTuple):
    """A piece of work to do."""

    key: Key
    kind: str  # "comparison", "check", "views", "pins", "ahead", "advice" or "training"
    after: float = 0.0  # seconds without a change until it is begun
    seconds: float = 0.0  # how long it will probably take, from now on; 0 where nobody knows
    is_draft: bool = False  # a moving slider waits for it
    takes_turns: bool = False  # it waits for its turn among all kernels of this machine
    within: float = inf  # seconds within which it should have its turn: whoever can wait longer comes later
    lasts: float = inf  # seconds after which its turn ends, so that others get theirs; it then goes on with the next
    lanes: int | None = None  # how many stacks of runs are computed at a time, as many as pay by default
    text: str = ""  # what the page says while it takes long, with a {share}

    def begin(self) -> Generator[Any, None, Any]:
        """Return the computation."""
        return self.key.compute(self.lanes) if isinstance(self.key, Part) else self.key.compute()

    @property
    def is_awaited(self) -> bool:
        """Whether the reader waits for it."""
        return self.kind not in ("ahead", "advice", "training")

    @property
    def recorded(self) -> Comparison | Key:
        """The key under which its result is known."""
        return self.key.of if isinstance(self.key, Part) else self.key


PINNED = N_("Computing the pinned curves: {share}")
STILL = N_("{view}, still being computed: {share}")


def drawing(
    state: PageState, view: str, trace: Trace, pins: tuple[tuple[str, Trace], ...], curves: Curves | None = None
) -> Drawing:
    """Return what a view of the page shows of a trace."""
    options = tuple((name, state.settings.option(name)) for name in VIEWS[view].options)
    if VIEWS[view].places:  # it shows settings, which trained networks no longer have
        options += (("here", state.settings.config),)
    return Drawing(view, trace, options, pins if VIEWS[view].pins else (), curves if VIEWS[view].trains else None)
