"""Pins: curves that stay, in grey, while the settings go on changing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from ..config import FIELDS, label_of
from ..language import _
from ..runs import Trace, compare
from ..schemes import SCHEMES
from ..words import plain
from .scene import Scene

MOST = 3


@dataclass(frozen=True)
class Pin:
    """One scene whose first scheme's curves stay."""

    name: str
    scene: Scene
    trace: Trace


def name_of(scene: Scene, start: Scene) -> str:
    """Return what a pin is called: its scheme, and the settings in which it differs from where the page started."""
    mine, theirs = scene.config.to_dict(), start.config.to_dict()
    changed = [
        f"{label_of(name)} {in_words(name, value)}"
        for name, value in mine.items()
        if value != theirs[name] and name not in ("scheme", "text")
    ]
    pinned = _("pinned: {scheme}").format(scheme=_(SCHEMES[scene.config.scheme].short))
    return ", ".join([pinned, *changed[:3]])


def in_words(name: str, value: Any) -> str:
    """Return a setting's value as short as a legend needs it."""
    allowed = FIELDS[name].metadata.get("allowed")
    if value is None:
        return _("the same as W_hh")
    if isinstance(allowed, Mapping):
        return _(getattr(allowed[value], "short", allowed[value].label))
    return plain(value, ".4g") if isinstance(value, float) else _(str(value))


class PinBar:
    """Buttons that pin the first scheme's present curves and take pins away.

    Parameters
    ----------
    scene : returns what the controls say. start : where the page started.
    known : returns the comparison of a scene's first scheme where the page has it, else None.
    on_change : called when the pins have changed.
    attempt : takes a step, and says on the page what goes wrong in it.
    """

    def __init__(
        self,
        scene: Callable[[], Scene],
        start: Scene,
        known: Callable[[Scene], Trace | None],
        on_change: Callable[[], None],
        attempt: Callable[[Callable[[], None]], None],
    ):
        self.start, self.known, self.on_change = start, known, on_change
        self.pins: tuple[Pin, ...] = ()
        pin = widgets.Button(description=_("Pin"), tooltip=_("keep the first scheme's curves in grey, to compare with"))
        unpin = widgets.Button(description=_("Unpin"), tooltip=_("take the grey curves away"), disabled=True)
        pin.on_click(lambda _: attempt(lambda: self.add(scene())))
        unpin.on_click(lambda _: attempt(lambda: self.put(())))
        self.buttons = (pin, unpin)
        for button in self.buttons:
            button.add_class("rnnviz-button")

    def add(self, scene: Scene) -> None:
        """Pin a scene's first scheme; the oldest pin goes when there are too many.

        Raises
        ------
        ValueError : where the page does not have the whole of it.
        """
        if self.known(scene) is None:
            raise ValueError(_("Pin it once everything is computed."))
        alone = scene.replace(beside=(), options={})
        self.put((*(pin.scene for pin in self.pins if pin.scene != alone), alone)[-MOST:])

    def put(self, scenes: Sequence[Scene]) -> None:
        """Put these scenes in the place of those that are pinned."""
        known = {pin.scene.to_query(self.start): pin for pin in self.pins}
        self.pins = tuple(known.get(scene.to_query(self.start)) or self.make(scene) for scene in scenes[:MOST])
        self.buttons[1].disabled = not self.pins
        self.on_change()

    def make(self, scene: Scene) -> Pin:
        """Return a pin, its scheme run where the page has not done so."""
        trace = self.known(scene) or compare(scene.config, (scene.config.scheme,), scene.drawn(scene.seeds))
        return Pin(name_of(scene, self.start), scene, trace)

    @property
    def traces(self) -> list[tuple[str, Trace]]:
        """The pins as views take them."""
        return [(pin.name, pin.trace) for pin in self.pins]
