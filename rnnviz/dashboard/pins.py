"""Pins: curves that stay, in grey, while the settings go on changing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets as widgets

from ..engine.runs import Trace
from ..network import config
from ..network.config import FIELDS
from ..network.schemes import SCHEMES
from ..text.language import _
from ..text.number_format import plain
from ..text.registry import shorten
from .budget import amount, whole
from .loop import running_loop
from .scene import Scene
from .task import Part, Task, compare_part

MOST = 3
MOST_TOLD = 3  # settings in a pin's name


@dataclass(frozen=True)
class Pin:
    """One scene whose first scheme's curves stay; ``trace`` is None until they are computed."""

    scene: Scene
    trace: Trace | None


def names_of(scenes: Sequence[Scene], start: Scene) -> list[str]:
    """Return what pins are called: the scheme and some settings, those first in which they differ from one another.

    Then come those that are others than where the page started, and a number where two would still be called the same.
    """
    first, all_settings = settings(start), [settings(scene) for scene in scenes]
    apart = [name for name in first if len({str(each[name]) for each in all_settings}) > 1]
    names = []
    for scene, mine in zip(scenes, all_settings, strict=True):
        changed = [name for name in first if mine[name] != first[name] and name not in apart]
        told = [f"{label_of(name)} {in_words(name, mine[name])}" for name in [*apart, *changed][:MOST_TOLD]]
        name = ", ".join([_("pinned: {scheme}").format(scheme=_(SCHEMES[scene.config.scheme].short)), *told])
        names.append(f"{name} ({len(names) + 1})" if name in names else name)
    return names


def settings(scene: Scene) -> dict[str, Any]:
    """Return what may tell one pin from another, but for its scheme."""
    return {name: value for name, value in scene.config.to_dict().items() if name != "scheme"} | {"seeds": scene.seeds}


def label_of(name: str) -> str:
    """Return what the page calls a setting."""
    return _("Draws") if name == "seeds" else config.label_of(name)


def in_words(name: str, value: Any) -> str:
    """Return a setting's value as short as a legend needs it."""
    allowed = FIELDS[name].metadata.get("allowed") if name in FIELDS else None
    if name == "text":
        return shorten(value)
    if value is None:
        return _("the same as W_hh")
    if isinstance(allowed, Mapping):
        return _(getattr(allowed[value], "short", allowed[value].label))
    return plain(value, ".4g") if isinstance(value, float) else _(str(value))


class PinBar:
    """Buttons that pin the first scheme's present curves and take pins away.

    Pins that a link brings are computed one after the other, in a thread where an event loop runs: see `go_on`.

    Parameters
    ----------
    scene : returns what the controls say. start : where the page started.
    known : returns the comparison of a scene's first scheme where the page has it, else None.
    on_change : called when the pins have changed, or their curves have come.
    attempt : takes a step, and says on the page what goes wrong in it.
    on_share : called with the share of a pin's work that is done, now and then. on_error : with what it raised.
    """

    def __init__(
        self,
        scene: Callable[[], Scene],
        start: Scene,
        known: Callable[[Scene], Trace | None],
        on_change: Callable[[], None],
        attempt: Callable[[Callable[[], None]], None],
        on_share: Callable[[float], None],
        on_error: Callable[[Exception], None],
    ):
        self.start, self.known, self.on_change = start, known, on_change
        self.on_share, self.on_error = on_share, on_error
        self.pins: tuple[Pin, ...] = ()
        self.task: Task | None = None
        self.executor = ThreadPoolExecutor(max_workers=1)
        pin = widgets.Button(description=_("Pin"), tooltip=_("keep the first scheme's curves in grey, to compare with"))
        unpin = widgets.Button(description=_("Unpin"), tooltip=_("take the grey curves away"), disabled=True)
        pin.on_click(lambda _: attempt(lambda: self.add(scene())))
        unpin.on_click(lambda _: attempt(lambda: self.put(())))
        self.buttons = (pin, unpin)
        for button in self.buttons:
            button.add_class("rnnviz-button")

    def add(self, scene: Scene) -> None:
        """Pin a scene's first scheme; the oldest pin goes when there are too many."""
        alone = scene.replace(beside=(), options={})
        self.put((*(pin.scene for pin in self.pins if pin.scene != alone), alone)[-MOST:])

    def put(self, scenes: Sequence[Scene]) -> None:
        """Put these scenes in the place of those that are pinned."""
        was_busy = self.task is not None
        if was_busy:
            self.task.stop()
            self.task = None
        known = {pin.scene.to_query(self.start): pin for pin in self.pins}
        self.pins = tuple(known.get(scene.to_query(self.start)) or self.make(scene) for scene in scenes[:MOST])
        self.buttons[1].disabled = not self.pins
        self.on_change()
        if was_busy:
            self.go_on()

    def make(self, scene: Scene) -> Pin:
        """Return a pin, with its curves where the page has them or may take its time."""
        trace = self.known(scene)
        if trace is None and running_loop() is None:
            trace = compare_part(scene, whole(scene))
        return Pin(scene, trace)

    @property
    def missing(self) -> list[Pin]:
        """The pins whose curves are still to come."""
        return [pin for pin in self.pins if pin.trace is None]

    def go_on(self) -> None:
        """Take the curves that the page has by now, and see to it that the others are computed."""
        before = len(self.missing)
        self.pins = tuple(replace(pin, trace=pin.trace or self.known(pin.scene)) for pin in self.pins)
        if self.task and all(pin.scene != self.task.scene for pin in self.missing):
            self.task.stop()
            self.task = None
        if len(self.missing) < before:
            self.on_change()
        if self.missing and self.task is None:
            scene = self.missing[0].scene
            work = [(whole(scene), amount(scene, whole(scene)))]
            self.task = Task(scene, work, self.accept, self.on_share, self.fail, lambda seconds, amount: None)
            self.task.start(self.executor)

    def accept(self, part: Part, trace: Trace) -> None:
        """Take the curves that have come."""
        scene, self.task = self.task.scene, None
        self.pins = tuple(replace(pin, trace=trace) if pin.scene == scene else pin for pin in self.pins)
        self.go_on()
        self.on_change()

    def fail(self, error: Exception) -> None:
        self.give_up()
        self.on_error(error)

    def give_up(self) -> None:
        """Take away the pins whose curves have not come."""
        if self.missing:
            self.put([pin.scene for pin in self.pins if pin.trace is not None])

    @property
    def traces(self) -> list[tuple[str, Trace]]:
        """The pins as views take them, those whose curves are there."""
        names = names_of([pin.scene for pin in self.pins], self.start)
        return [(name, pin.trace) for name, pin in zip(names, self.pins, strict=True) if pin.trace is not None]
