"""The page's state and what changes it: `reduce(state, event)` is the only way to a new state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from ..network.config import Config
from ..network.schemes import SCHEMES
from ..text.language import _
from ..text.registry import explain_choice
from ..views import OPTIONS
from .comparison import Comparison
from .export import CODES
from .own import OwnNetwork
from .scenes import SCENES

MOST_SEEDS = 100
MOST_SCHEMES = 6
MOST_PINS = 3


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes
    ----------
    config : the experiment; its scheme is the first one drawn.
    beside : the schemes drawn beside it.
    options : the page's choices that differ from their defaults, keys of ``OPTIONS``.
    seeds : how many seeds are run.
    network : the reader's own, or None; it is run alone, with one seed.

    Raises
    ------
    ValueError : naming the scheme, option or number, and what is allowed.
    """

    config: Config = field(default_factory=Config)
    beside: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 8
    network: OwnNetwork | None = None

    def __post_init__(self):
        if self.network:
            self.network.check(self.config)
            object.__setattr__(self, "beside", ())
            object.__setattr__(self, "seeds", 1)
        for name in self.beside:
            SCHEMES[name]
        # In the order of the registry: the same settings are equal however they were put together.
        beside = tuple(name for name in SCHEMES if name in self.beside and name != self.config.scheme)
        object.__setattr__(self, "beside", beside[: MOST_SCHEMES - 1])
        for name, value in self.options.items():
            check_option(name, value)
        chosen = {name: value for name, value in self.options.items() if value != OPTIONS[name].choices[0][1]}
        object.__setattr__(self, "options", chosen)
        if isinstance(self.seeds, bool) or not isinstance(self.seeds, int) or not 1 <= self.seeds <= MOST_SEEDS:
            text = _("{name} must be a whole number from {low} to {high}; got {received}.")
            raise ValueError(text.format(name="seeds", low=1, high=MOST_SEEDS, received=repr(self.seeds)))

    @property
    def comparison(self) -> Comparison:
        """What has to be computed for these settings."""
        entries = (*self.config.entries, *(SCHEMES[name] for name in self.beside))
        return Comparison(self.config, (self.config.scheme, *self.beside), self.seeds, entries, self.network)

    @property
    def name(self) -> str:
        """What the page calls the first scheme, or the reader's own network."""
        return self.network.name if self.network else _(SCHEMES[self.config.scheme].short)

    @property
    def alone(self) -> Settings:
        """The first scheme alone, with the default options: what a pin keeps."""
        return replace(self, beside=(), options={})

    def option(self, name: str) -> Any:
        """Return the value of one of the page's choices."""
        return self.options.get(name, OPTIONS[name].choices[0][1])

    def replace(self, **changes: Any) -> Settings:
        """Return a copy; fields of Config are changed in its config."""
        own = {spec.name for spec in fields(self)}
        inner = {name: value for name, value in changes.items() if name not in own}
        outer = {name: value for name, value in changes.items() if name in own}
        config = outer.pop("config", self.config)
        return replace(self, config=config.replace(**inner), **outer)


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
    start : where the page started, which links are relative to; home : where *Reset* goes back to.
    scene : the name of the scene chosen last, or "".
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
    scene: str = ""
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


class Reset(NamedTuple):
    """Go back to where the page, or the scene chosen last, started."""


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
    Change | Refuse | Choose | Reset | DrawAgain | PinFirst | KeepPins | Point | PlaceBet | StartCheck | Stop | Ask
    | Answer
)  # fmt: skip


def reduce(state: PageState, event: Event) -> PageState:
    """Return the state after an event, the same one where nothing changes."""
    match event:
        case Change(settings):
            return replace(with_settings(state, settings), moved=moved(state.settings, settings) or state.moved)
        case Refuse(why):
            return replace(state, refusal=why, check=False, message="", notice="", requests=())
        case Choose(scene):
            settings = SCENES[scene].applied_to(state.settings)
            return replace(with_settings(state, settings), scene=scene, home=settings, moved="")
        case Reset():
            return with_settings(state, state.home)
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


def check_option(name: str, value: Any) -> None:
    """Raise a ValueError unless ``value`` is one of the option's choices."""
    allowed = [choice for _, choice in OPTIONS[name].choices]
    if not any(value == choice and type(value) is type(choice) for choice in allowed):
        raise ValueError(explain_choice(name, value, [choice for choice in allowed if choice != ""]))
