"""The controls: one widget for each choice, made from what Config says about its fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from ..config import FIELDS, Config
from ..schemes import SCHEMES
from ..views import OPTIONS, Option

FIRST = ("scheme", "hidden_size", "seq_len")
SECOND = ("gain", "cell", "forget_bias", "activation", "inputs", "loss_at")
MORE = ("input_scheme", "input_size", "output_size", "batch_size", "input_scale", "seed", "text")
# Controls that mean something only for some values of another one.
ONLY_FOR = {"forget_bias": ("cell", ("lstm",)), "text": ("inputs", ("text",))}
MOST_SCHEMES = 6
SAME = ""  # what a menu holds for None, which ipywidgets shows as no choice at all


def control(name: str, value: Any) -> widgets.ValueWidget:
    """Return the widget for one field of Config, set to ``value``."""
    meta = FIELDS[name].metadata
    common = {"value": value, "description": meta["label"], "tooltip": meta["help"]}
    if meta["kind"] == "choice":
        return widgets.Dropdown(options=options(meta), **common | {"value": value or SAME})
    if meta["kind"] == "text":
        return widgets.Textarea(continuous_update=False, rows=3, **common)
    low, high = meta["slider"]
    common |= {"min": min(low, value), "max": max(high, value), "step": meta["step"]}
    return widgets.IntSlider(**common) if meta["kind"] == "int" else widgets.FloatSlider(**common)


def options(meta) -> list[tuple[str, str | None]]:
    """Return a menu's entries as (label, value)."""
    allowed = meta["allowed"]
    named = [(allowed[name].label if isinstance(allowed, dict) else f"{name} step", name) for name in allowed]
    return [("the same as W_hh", SAME), *named] if meta["optional"] else named


def choice(option: Option) -> widgets.ValueWidget:
    """Return the widget for a choice of the page."""
    if {value for _, value in option.choices} == {False, True}:
        box = widgets.Checkbox(value=False, description=option.label, tooltip=option.help, indent=False)
        box.add_class("rnnviz-choice")
        return box
    return widgets.Dropdown(options=option.choices, description=option.label, tooltip=option.help)


class Controls:
    """All controls of a dashboard, and the only place where its state lives.

    Attributes
    ----------
    widgets : field of Config -> widget.
    compare : scheme -> checkbox, the schemes drawn beside the first.
    choices : option -> widget, what the views show of it.
    first, beside, second, more : the widgets laid out; ``more`` is folded away at first.
    """

    def __init__(
        self,
        config: Config,
        schemes: Sequence[str],
        options: Sequence[str],
        on_change: Callable[[], None],
        on_choice: Callable[[], None],
    ):
        self.widgets = {name: control(name, value) for name, value in config.to_dict().items()}
        self.compare = {
            name: widgets.Checkbox(value=name in schemes[1:], description=entry.short, indent=False)
            for name, entry in SCHEMES.items()
        }
        self.choices = {name: choice(OPTIONS[name]) for name in options}
        self.first, self.second, rest = (self.grid(names) for names in (FIRST, SECOND, MORE))
        self.second.children += tuple(self.choices.values())
        self.second.add_class("rnnviz-second")
        for name, (other, values) in ONLY_FOR.items():
            self.show_only_for(name, other, values)
        self.beside = widgets.Box([widgets.HTML("Compare with"), *self.compare.values()])
        self.beside.add_class("rnnviz-compare")
        self.more = self.folded("More settings", rest)
        for widget in (*self.widgets.values(), *self.compare.values()):
            widget.observe(lambda change: on_change(), "value")
        for widget in self.choices.values():
            widget.observe(lambda change: on_choice(), "value")

    def show_only_for(self, name: str, other: str, values: Sequence[str]) -> None:
        """Hide a control unless another one has one of these values."""

        def follow(change=None):
            self.widgets[name].layout.display = None if self.widgets[other].value in values else "none"

        self.widgets[other].observe(follow, "value")
        follow()

    def grid(self, names: Sequence[str]) -> widgets.Box:
        """Return a box of controls that flow into as many columns as there is room for."""
        box = widgets.Box([self.widgets[name] for name in names])
        box.add_class("rnnviz-controls")
        return box

    def folded(self, title: str, box: widgets.Box) -> widgets.Box:
        """Return a button that opens and closes ``box``, which an accordion does not do by keyboard."""
        button = widgets.ToggleButton(value=False, description=title, icon="")
        box.layout.display = "none"

        def unfold(change):
            box.layout.display = None if change["new"] else "none"

        button.observe(unfold, "value")
        outer = widgets.VBox([button, box])
        outer.add_class("rnnviz-more")
        return outer

    @property
    def config(self) -> Config:
        """Return what the controls say; ValueError where they say what cannot be."""
        values = {name: widget.value for name, widget in self.widgets.items()}
        return Config(**values | {"input_scheme": values["input_scheme"] or None})

    @property
    def schemes(self) -> tuple[str, ...]:
        """Return the schemes to draw, the first one first."""
        first = self.widgets["scheme"].value
        return (first, *(name for name, box in self.compare.items() if box.value and name != first))[:MOST_SCHEMES]
