"""The page's state and what changes it: `reduce(state, event)` is the only way to a new state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..network.config import Config
from .export import CODES
from .scenes import SCENES, START
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
    """Everything that decides what the page shows, but for what has been computed.

    Attributes
    ----------
    settings : what the controls say.
    start : the notebook's own settings, which links are relative to; home : where the page started, with its link.
    scene, home_scene : the name of the scene chosen last, and of the one that the page started with.
    shown : the views that are seen, two at most; () for the first ones.
    moved : the field of Config that the reader changed last, alone, or "".
    pins : the settings whose first scheme stays in grey.
    step : the step that the reader points at, -1 for none.
    bets : those placed so far.
    check : whether the gradients of these settings are to be checked.
    stopped : what the reader has stopped for these settings: "comparison", "views", "check".
    refusal : why the controls' values are impossible, or ""; the settings are then the last possible ones.
    message : what the reader has to be told about a request that is impossible, or "".
    notice : sentences about the link that the page was opened with.
    requests : files and code that the reader has asked for and not got yet, as (kind, view).
    lock, hide : controls that a link freezes or hides: fields of Config, options, "beside", "seeds", or "all".
    present : enlarge everything for a projector. predict : cover the gradient until a bet has been placed.
    lang : the language that the link asks for, or "".
    """

    settings: Settings
    start: Settings
    home: Settings
    scene: str = START
    home_scene: str = START
    shown: tuple[str, ...] = ()
    moved: str = ""
    pins: tuple[Settings, ...] = ()
    step: int = -1
    bets: tuple[Bet, ...] = ()
    check: bool = False
    stopped: frozenset[str] = frozenset()
    refusal: str = ""
    message: str = ""
    notice: str = ""
    requests: tuple[tuple[str, str], ...] = ()
    lock: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    present: bool = False
    predict: bool = False
    lang: str = ""

    def seen(self, views: Iterable[str]) -> tuple[str, ...]:
        """Return which of a page's views are seen, the first ones unless the reader has chosen others."""
        known = tuple(views)
        return tuple(name for name in self.shown if name in known) or known[:MOST_SHOWN]

    @property
    def covers(self) -> bool:
        """Whether the gradient must not be seen yet: the reader has not bet on it."""
        return self.predict and (not self.bets or self.bets[-1].config != self.settings.config)


class Change(NamedTuple):
    """The controls say something else."""

    settings: Settings


class Refuse(NamedTuple):
    """The controls say what is impossible, and why."""

    why: str


class Choose(NamedTuple):
    """A scene was chosen by its name."""

    scene: str


class Open(NamedTuple):
    """The settings, scene and views of a link are to be shown without a reload."""

    settings: Settings
    scene: str
    shown: tuple[str, ...]


class See(NamedTuple):
    """These views are to be seen."""

    shown: tuple[str, ...]


class Predict(NamedTuple):
    """Cover the gradient until a bet is placed, or no more."""

    wanted: bool


class Reset(NamedTuple):
    """Go back to where the page started."""


class DrawAgain(NamedTuple):
    """Go on to seeds that have not been drawn yet."""


class PinFirst(NamedTuple):
    """Keep the first scheme's curves; the oldest pin goes when there are too many."""


class KeepPins(NamedTuple):
    """Keep only these pins."""

    pins: tuple[Settings, ...]


class Point(NamedTuple):
    """The reader points at a step."""

    step: int


class PlaceBet(NamedTuple):
    """A bet was placed."""

    answer: str
    right: bool


class StartCheck(NamedTuple):
    """Check the gradients of the present settings."""


class Stop(NamedTuple):
    """Compute no more of a kind of work for the present settings."""

    kind: str


class Ask(NamedTuple):
    """The reader asks for a file or for code, a kind of ``export.KINDS``; ``view`` is the picture's, or ""."""

    kind: str
    view: str = ""


class Answer(NamedTuple):
    """A request has been answered, or refused with a message."""

    request: tuple[str, str]
    message: str = ""


Event = (
    Change | Refuse | Choose | Open | See | Predict | Reset | DrawAgain | PinFirst | KeepPins | Point | PlaceBet
    | StartCheck | Stop | Ask | Answer
)  # fmt: skip


def reduce(state: PageState, event: Event) -> PageState:
    """Return the state after an event, the same one where nothing changes."""
    match event:
        case Change(settings):
            return replace(with_settings(state, settings), moved=moved(state.settings, settings) or state.moved)
        case Refuse(why):
            return replace(state, refusal=why, check=False, message="", notice="", requests=())
        case Choose(scene):
            source = state.start if scene == START else SCENES[scene]
            settings = state.settings.replace(config=source.config, beside=source.beside)
            return replace(with_settings(state, settings), scene=scene, moved="")
        case Open(settings, scene, shown):
            return replace(with_settings(state, settings), scene=scene, shown=shown or state.shown, moved="")
        case See(shown):
            return replace(state, shown=shown)
        case Predict(wanted):
            return replace(state, predict=wanted)
        case Reset():
            return replace(with_settings(state, state.home), scene=state.home_scene)
        case DrawAgain():
            seed = (state.settings.config.seed + state.settings.seeds) % 2**31
            return with_settings(state, state.settings.replace(seed=seed))
        case PinFirst():
            others = (pin for pin in state.pins if pin != state.settings.alone)
            return replace(state, pins=(*others, state.settings.alone)[-MOST_PINS:])
        case KeepPins(pins):
            return replace(state, pins=pins)
        case Point(step):
            return replace(state, step=step)
        case PlaceBet(answer, right) if state.covers:
            return replace(state, bets=(*state.bets, Bet(state.settings.config, answer, right)))
        case StartCheck():
            return replace(state, check=True, stopped=state.stopped - {"check"})
        case Stop(kind):
            return replace(state, stopped=state.stopped | {kind})
        case Ask(kind, view):
            return replace(state, requests=(*(each for each in state.requests if each != (kind, view)), (kind, view)))
        case Answer(request, message):
            left = tuple(each for each in state.requests if each != request)
            return replace(state, requests=left, message=message)
    return state


def with_settings(state: PageState, settings: Settings) -> PageState:
    """Return the state with other settings; what was stopped, asked or checked for others concerns them no more.

    Code that is on the page belongs to whatever the page shows; a file, to the settings that it was asked for.
    """
    is_same = settings.comparison == state.settings.comparison
    state = replace(state, settings=settings, refusal="", message="")
    if is_same:
        return state
    code = tuple(each for each in state.requests if each[0] in CODES)
    return replace(state, notice="", check=False, stopped=frozenset(), requests=code)


def moved(before: Settings, after: Settings) -> str:
    """Return the field of Config in which settings differ, "" where they differ in none or in several."""
    old, new = before.config.to_dict(), after.config.to_dict()
    changed = [name for name in new if new[name] != old[name]]
    return changed[0] if len(changed) == 1 else ""
