"""What a view is: how it is drawn from data, and how it says in words what it shows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..text.language import N_
from ..text.registry import Registry

Tick = Callable[[float], None]


@dataclass(frozen=True)
class View:
    """One kind of picture.

    Attributes
    ----------
    name, label, help : how code, menus and help texts name it.
    data : ``data(trace, **options) -> data``, everything that the picture shows; ``trace`` is a comparison (S, R).
    frame : ``frame(data) -> Hashable``: the axes. While it stays the same, only artists are drawn anew.
    head : ``head(data, width) -> px`` that title and legend need above axes of this width.
    draw : ``draw(ax, data) -> artists``, a dict of lists, in the order in which they are painted.
    update : ``update(artists, data)``.
    describe : ``describe(data) -> str``, the alt text, with numbers.
    options : the names of the page's choices, keys of ``OPTIONS``, that ``data`` takes.
    timed : whether its horizontal axis counts steps.
    back : ``back(data) -> T`` where that axis is the distance T - t and not the step t.
    pins : whether ``data`` takes ``pins``, pairs of a name and another comparison, to draw in grey.
    late : whether ``data`` takes so long that the other views must not wait for it. It takes a ``tick``, which it calls
        with the share that is done, and which may raise to end it.
    """

    name: str
    label: str
    help: str
    data: Callable[..., Any]
    frame: Callable[[Any], Hashable]
    head: Callable[[Any, float], float]
    draw: Callable[..., dict[str, list]]
    update: Callable[[dict[str, list], Any], None]
    describe: Callable[[Any], str]
    options: tuple[str, ...] = ()
    timed: bool = False
    back: Callable[[Any], int] | None = None
    pins: bool = False
    late: bool = False


@dataclass(frozen=True)
class Option:
    """A choice of the page that changes what views show and not what is run.

    Attributes
    ----------
    name, label, help : how code, menus and help texts name it.
    choices : (label, value) pairs, the first one the default.
    rare : whether it is needed less often, and folded away at first.
    """

    name: str
    label: str
    help: str
    choices: tuple[tuple[str, Any], ...]
    rare: bool = False


def quiet(share: float) -> None:
    """Stand for a ``tick`` that tells nobody."""


def ticking(items: Sequence, tick: Tick) -> Iterator:
    """Yield items, and tell before each what share of them is done."""
    for k, item in enumerate(items):
        tick(k / len(items))
        yield item


VIEWS: Registry[View] = Registry("view")
OPTIONS: Registry[Option] = Registry("option")
OPTIONS.add(
    "theory",
    Option(
        "theory",
        N_("Theory"),
        N_("what mean-field theory expects, drawn over the measured curves"),
        ((N_("hide"), False), (N_("show"), True)),
    ),
)
