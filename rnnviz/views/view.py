"""What a view is, which draws what it takes from a Trace and describes it in words, and what several views share."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from matplotlib.axes import Axes

from ..engine.trace import Trace
from ..network.config import Config
from ..numerics.progress import finish
from ..text.language import N_, _
from ..text.registry import Registry

Artists = dict[str, list[Any]]


class Partial(NamedTuple):
    """What a slow view can show before it is finished: the share done, and its data so far."""

    share: float
    data: Any


class View:
    """One kind of picture: subclass it, set ``name``, ``label`` and ``help``, and decorate it with ``@register``.

    Attributes
    ----------
    name, label, help : how code, menus and help texts refer to it.
    question : what a page that starts with it asks.
    terms : what its pictures always show that needs a definition, keys of ``rnnviz.text.glossary.TERMS``.
    options : the names of the page's choices, keys of ``OPTIONS``, that ``data`` takes.
    pins : whether ``data`` takes ``pins``, pairs of a name and another comparison, to draw in grey.
    timed : whether the horizontal axis counts steps.
    trains : whether ``data`` takes ``curves``, those of a training.
    places : whether a click sets the fields that `place` returns.
    reveals_gradient : whether the picture answers a bet on what the gradient does.
    shows_gates : whether it shows the gates of an LSTM or GRU.
    slow : whether it takes so long that the other views must not wait for it.
    first_seed : whether it shows the first seed alone.

    A slow view defines ``computing``, any other ``data``. Data that draws itself, as `Lines` does, needs no more than
    ``describe``.
    """

    name: str
    label: str
    help: str
    question = ""
    terms: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    pins = False
    timed = False
    trains = False
    places = False
    reveals_gradient = False
    shows_gates = False
    slow = False
    first_seed = False

    def data(self, trace: Trace, *args: Any, **options: Any) -> Any:
        """Return everything the picture shows, with its axes as a hashable ``frame``."""
        return finish(self.computing(trace, *args, **options))

    def computing(self, trace: Trace, *args: Any, **options: Any) -> Generator[float | Partial, None, Any]:
        """Yield the share done, 0 to 1, or a `Partial` with data to show, and return what ``data`` returns."""
        return self.data(trace, *args, **options)
        yield

    def is_slow(self, config: Config, **options: Any) -> bool:
        """Tell whether the other views must not wait for it with these options."""
        return self.slow

    def can_show(self, config: Config) -> bool:
        """Tell whether there is anything to see with these settings."""
        return True

    def frame(self, data: Any) -> Hashable:
        """Return the axes: as long as they stay the same, only the artists are drawn again."""
        return data.frame

    def head(self, data: Any, width: float) -> float:
        """Return the pixels that title and legend need above axes of this width."""
        return data.head(width)

    def draw(self, ax: Axes, data: Any) -> Artists:
        """Draw the axes, and return lists of the artists by kind, in the order in which they are painted."""
        return data.draw(ax)

    def update(self, artists: Artists, data: Any) -> None:
        """Move the artists to ``data``, whose frame is the one that they were drawn in."""
        data.update(artists)

    def uses(self, data: Any) -> tuple[str, ...]:
        """Return the keys of ``TERMS`` that this picture needs."""
        used = getattr(data, "uses", None)
        return used(self.terms) if used else self.terms

    def describe(self, data: Any) -> str:
        """Return the alt text, with numbers."""
        raise NotImplementedError

    def covered(self, data: Any) -> Any:
        """Return data whose picture gives nothing away while a bet is open, None where there are none."""
        cover = getattr(data, "covered", None)
        return cover and cover()

    def place(self, config: Config, x: float, y: float) -> dict[str, Any]:
        """Return the fields of Config that a point of the picture stands for, x and y from 0 to 1 in its axes."""
        return {}

    def counts_steps(self, data: Any) -> bool:
        """Tell whether the horizontal axis of this picture counts steps."""
        return self.timed and getattr(data, "timed", True)


@dataclass(frozen=True)
class Option:
    """A choice on the page that changes what views show, not what is run.

    Attributes
    ----------
    name, label, help : how code, menus and help texts refer to it.
    choices : (label, value) pairs, the default first.
    apart : whether its control stands in a row of its own, and not among the other settings.
    applies : ``applies(choice, values)``, whether a choice means something, given the values of all fields of Config.
    """

    name: str
    label: str
    help: str
    choices: Sequence[tuple[str, Any]]
    apart: bool = False
    applies: Callable[[Any, Mapping[str, Any]], bool] = lambda choice, values: True


def check_view(view: View) -> None:
    """Raise a ValueError where a view lacks what only it can know."""
    kind = type(view)
    if getattr(kind, "describe", None) is View.describe:
        raise ValueError(f"view {view.name!r} must have a describe(data) that returns its alt text")
    if getattr(kind, "data", None) is View.data and kind.computing is View.computing:
        raise ValueError(f"view {view.name!r} must have a data(trace) that returns what it draws")


VIEWS: Registry[View] = Registry("view", check_view)
OPTIONS: Registry[Option] = Registry("option")
OPTIONS.add(
    "theory",
    Option(
        "theory",
        N_("Theory"),
        N_(
            "what mean-field theory expects; dashed where the median of many networks may differ by more than a factor "
            "of 2"
        ),
        ((N_("hide"), False), (N_("show"), True)),
    ),
)
AnyView = TypeVar("AnyView", bound=type[View])


def register(kind: AnyView) -> AnyView:
    """Register the decorated view under its name."""
    VIEWS.add(kind.name, kind())
    return kind


# The layer that curves and units belong to
MOST_LAYERS = 16
OPTIONS.add(
    "layer",
    Option(
        "layer",
        N_("Layer shown"),
        N_("the layer that curves and units belong to; the output reads the top one"),
        ((N_("top"), 0), *((str(layer), layer) for layer in range(1, MOST_LAYERS + 1))),
        applies=lambda layer, values: not layer or layer <= values["layers"] > 1,
    ),
)
# The traces of single layers, as long as the whole one, by which what is known of them is kept.
CHOSEN: WeakKeyDictionary[Trace, dict[int, Trace]] = WeakKeyDictionary()


def of_layer(trace: Trace, layer: int) -> Trace:
    """Return the comparison with one layer's curves, counted from 1; the top one's for 0, or where there is none."""
    trace = trace.as_comparison()
    if not 0 < layer < trace.config.layers:
        return trace
    kept = CHOSEN.setdefault(trace, {})
    if layer not in kept:
        kept[layer] = trace.of_layer(layer)
    return kept[layer]


def shown_layer(trace: Trace) -> int:
    """Return the layer, counted from 1, whose curves a Trace has."""
    return trace.layer or trace.config.layers


def titled(title: str, trace: Trace) -> str:
    """Return a title with the layer shown, where there are several."""
    layers, text = trace.config.layers, _("{title}, layer {layer} of {layers}")
    return text.format(title=title, layer=shown_layer(trace), layers=layers) if layers > 1 else title
