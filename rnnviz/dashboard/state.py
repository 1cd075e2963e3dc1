"""The page's state, whose methods return the state after what a reader does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from ..learning.training import Training
from ..network.config import Config
from .comparison import Comparison, Weights
from .export import CODES
from .race import Race, asked, settings_of
from .results import Results
from .scenes import SCENES, START, first_scene
from .settings import Settings

MOST_PINS = 3
MOST_SHOWN = 2  # views that are seen side by side


class Bet(NamedTuple):
    """A bet that was placed: on which settings, the answer, and whether it was right."""

    config: Config
    answer: str
    right: bool


@dataclass(frozen=True)
class PageState:
    """Everything that decides what the page shows, but for what has been computed."""

    settings: Settings  # what the controls say
    start: Settings  # the notebook's own, which links are relative to
    home: Settings  # where the page started, with its link
    scene: str = START  # the name of the one chosen last
    home_scene: str = START  # of the one that the page started with
    shown: tuple[str, ...] = ()  # the views that are seen, two at most; () for the first ones
    moved: str = ""  # the field of Config that the reader changed last, alone
    pins: tuple[Settings, ...] = ()  # their first schemes stay in grey
    step: int = -1  # that the reader points at, -1 for none
    bets: tuple[Bet, ...] = ()  # placed so far
    question: str = ""  # the class's, which a link names
    revealed: bool = False  # the class may see its answer
    race: Race | None = None  # what is trained
    training: bool = False  # it goes on now
    at: int = -1  # the training step whose weights the pictures show; -1 for the latest
    followed: int = 0  # which is the latest that they follow
    check: bool = False  # the gradients of these settings are to be checked
    stopped: frozenset[str] = frozenset()  # by the reader, for these settings: "comparison", "views", "check"
    refusal: str = ""  # why the controls' values are impossible; the settings are then the last possible ones
    message: str = ""  # what the reader has to be told about a request that is impossible
    notice: str = ""  # sentences about the link that the page was opened with
    requests: tuple[tuple[str, str], ...] = ()  # files and code asked for and not got yet, as (kind, view)
    lock: tuple[str, ...] = ()  # controls that a link freezes: fields of Config, options, "beside", "seeds", or "all"
    hide: tuple[str, ...] = ()  # or hides
    present: bool = False  # everything is enlarged for a projector
    predict: bool = False  # the gradient is covered until a bet has been placed
    lang: str = ""  # the language that the link asks for
    hidden: bool = False  # the page is out of sight, as in a browser's tab behind another one

    def seen(self, views: Iterable[str]) -> tuple[str, ...]:
        """Return which of a page's views are seen, the first ones unless the reader has chosen others."""
        known = tuple(views)
        return tuple(name for name in self.shown if name in known) or known[:MOST_SHOWN]

    @property
    def covers(self) -> bool:
        """Whether the gradient must not be seen yet: the reader has not bet on it, or the class waits for others."""
        return self.predict and (self.placed is None or self.is_held(self.settings.config))

    @property
    def placed(self) -> Bet | None:
        """The bet on the present settings, or None."""
        return self.bets[-1] if self.bets and self.bets[-1].config == self.settings.config else None

    def is_held(self, config: Config) -> bool:
        """Tell whether the class bets on these settings, of any scheme, and has not seen the answer."""
        is_open = bool(self.question) and not self.revealed
        return is_open and config.replace(scheme=self.home.config.scheme) == self.home.config

    @property
    def judged(self) -> tuple[Bet, ...]:
        """The bets whose answers the reader may know."""
        return tuple(bet for bet in self.bets if not self.is_held(bet.config))

    def change(self, settings: Settings) -> PageState:
        """The controls say something else: what was stopped, asked or checked for other settings ends.

        Code that is on the page belongs to whatever the page shows; a file, to the settings that it was asked for.
        Whoever changes something sees the page.
        """
        alone = moved(self.settings, settings) or self.moved
        state = replace(self, settings=settings, moved=alone, refusal="", message="", hidden=False)
        if settings.comparison == self.settings.comparison:
            return state
        code = tuple(each for each in self.requests if each[0] in CODES)
        return replace(state, notice="", check=False, stopped=frozenset(), requests=code)

    def refuse(self, why: str) -> PageState:
        """The controls say what is impossible, and why."""
        return replace(self, refusal=why, check=False, message="", notice="", requests=())

    def choose(self, scene: str) -> PageState:
        """A scene was chosen by its name."""
        chosen = SCENES[scene] if scene != START else first_scene(self.start)
        return replace(self.change(chosen.applied_to(self.settings)), scene=scene, moved="")

    def reset(self) -> PageState:
        """Go back to where the page started."""
        return replace(self.change(self.home), scene=self.home_scene)

    def draw_again(self) -> PageState:
        """Go on to seeds that have not been drawn yet."""
        return self.change(self.settings.replace(seed=(self.settings.config.seed + self.settings.seeds) % 2**31))

    def pin_first(self) -> PageState:
        """Keep the first scheme's curves; the oldest pin goes when there are too many."""
        others = (pin for pin in self.pins if pin != self.settings.alone)
        return replace(self, pins=(*others, self.settings.alone)[-MOST_PINS:])

    def place_bet(self, answer: str, right: bool) -> PageState:
        """A bet was placed; it cannot be placed again, unless the class has not seen the answer."""
        if not self.covers:
            return self
        config = self.settings.config
        others = tuple(bet for bet in self.bets if not (bet.config == config and self.is_held(config)))
        return replace(self, bets=(*others, Bet(config, answer, right)))

    @property
    def races(self) -> bool:
        """Whether what is trained is what the controls say."""
        return self.race is not None and self.race.asked == asked(self.settings)

    @property
    def comparison(self) -> Comparison:
        """What the pictures are to show: the networks of the training, or as the controls say."""
        asked_for = self.settings.comparison
        if self.race is None or not self.races:
            return asked_for
        return asked_for._replace(network=Weights(self.race.training, self.at if self.at >= 0 else self.followed))

    def train(self) -> PageState:
        """Train what the controls say, or go on with it."""
        race = self.race if self.races else Race.of(self.settings)
        return replace(self, race=race, training=True, at=-1, followed=race.training.step if race else 0, message="")

    def after(self, results: Results) -> PageState:
        """What is trained has come to its end: show its last weights."""
        ended = results[self.race].value if self.race and self.training else None
        return self if ended is None else replace(self, training=False, followed=ended.step)

    def pause(self) -> PageState:
        """Train no further for now, and show the weights as they are now."""
        return replace(self, training=False, followed=self.race.training.step if self.race else 0)

    def rewind(self) -> PageState:
        """Go back to the same initial weights."""
        race = self.race and replace(self.race, training=Training.of(self.race.training.settings))
        return replace(self, race=race, training=False, at=-1, followed=0)

    def draw_again_and_train(self) -> PageState:
        """Train networks of other seeds."""
        return self.draw_again().train()

    def open_training(self, training: Training) -> PageState:
        """Go on with a training that was saved, with the controls as they were."""
        settings = settings_of(training, self.settings)
        return replace(self.change(settings), race=Race.of(settings, training), training=False, at=-1)

    def start_check(self) -> PageState:
        """Check the gradients of the present settings."""
        return replace(self, check=True, stopped=self.stopped - {"check"})

    def stop(self, kind: str) -> PageState:
        """Compute no more of a kind of work for the present settings."""
        return replace(self, stopped=self.stopped | {kind})

    def ask(self, kind: str, view: str = "") -> PageState:
        """The reader asks for a file or for code, a kind of ``export.KINDS``; ``view`` is the picture's, or ""."""
        return replace(self, requests=(*(each for each in self.requests if each != (kind, view)), (kind, view)))

    def answer(self, request: tuple[str, str], message: str = "") -> PageState:
        """A request has been answered, or refused with a message."""
        return replace(self, requests=tuple(each for each in self.requests if each != request), message=message)


class Dispatch(Protocol):
    """Changes the page's state by a method of `PageState`, or by `dataclasses.replace`, with these arguments."""

    def __call__(self, change: Callable[..., PageState], /, *arguments: Any, **fields: Any) -> None: ...


def moved(before: Settings, after: Settings) -> str:
    """Return the field of Config in which settings differ, "" where they differ in none or in several."""
    old, new = before.config.to_dict(), after.config.to_dict()
    changed = [name for name in new if new[name] != old[name]]
    return changed[0] if len(changed) == 1 else ""
