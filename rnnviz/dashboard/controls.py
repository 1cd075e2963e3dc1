"""The controls: one widget for each choice, made from what Config says about its fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from ..network.config import FIELDS, Config, label_of
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..views import OPTIONS, Option
from .fault import Refusal, config_of
from .scene import MOST_SCHEMES, Scene
from .slider import Slider

FIRST = ("scheme", "hidden_size", "seq_len")
SECOND = ("gain", "cell", "activation", "inputs", "loss_at")
GUEST = "forget_bias"  # comes and goes with the cell, so it stands last in the second row, where it moves no other
MORE = ("input_scheme", "input_size", "output_size", "batch_size", "input_scale", "seed", "text")
# Controls that mean something only for some values of another one.
ONLY_FOR = {"forget_bias": ("cell", ("lstm",)), "text": ("inputs", ("text",))}
STEPS = {"last": N_("last step"), "every": N_("every step")}  # at which there is a loss
A_PAGE = 5  # steps that the keys Page Up and Page Down move a slider
SAME = ""  # what a menu holds for None, which ipywidgets shows as no choice at all


def control(name: str, value: Any) -> widgets.ValueWidget:
    """Return the widget for one field of Config, set to ``value``."""
    meta = FIELDS[name].metadata
    help = meta["help"]
    common = {"value": value, "description": label_of(name), "tooltip": _(help)}
    if meta["kind"] == "choice":
        return widgets.Dropdown(options=options(meta), **common | {"value": value or SAME})
    if meta["kind"] == "text":
        return widgets.Textarea(continuous_update=False, rows=3, **common)
    low, high = meta["slider"]
    common |= {"min": min(low, value), "max": max(high, value), "step": meta["step"]}
    return widgets.IntSlider(**common) if meta["kind"] == "int" else Slider(**common)


def options(meta) -> list[tuple[str, str | None]]:
    """Return a menu's entries as (label, value)."""
    allowed = meta["allowed"]
    named = [(_(allowed[name].label if isinstance(allowed, dict) else STEPS[name]), name) for name in allowed]
    return [(_("the same as W_hh"), SAME), *named] if meta["optional"] else named


def put(widget: widgets.ValueWidget, value: Any) -> None:
    """Set a control, and let a slider reach a value that lies outside of its usual range."""
    if hasattr(widget, "min"):
        widget.min, widget.max = min(widget.min, value), max(widget.max, value)
    if isinstance(widget, Slider):
        widget.put(value)
    else:
        widget.value = value


def put_class(widget: widgets.DOMWidget, wanted: bool, name: str) -> None:
    """Give a widget a class, or take it away."""
    (widget.add_class if wanted else widget.remove_class)(name)


def move_of(controls: dict[str, widgets.ValueWidget], change) -> tuple[str, int] | None:
    """Return which control was moved, and by how many steps, where a key may have done that, else 1 or -1.

    None for a control without steps.
    """
    for name, widget in controls.items():
        if widget is change["owner"]:
            place = {value: k for k, (_label, value) in enumerate(getattr(widget, "options", ()))}
            old, new = (place.get(change[key], change[key]) for key in ("old", "new"))
            if isinstance(new, str):
                return None
            steps = round((new - old) / getattr(widget, "step", 1))
            return name, steps if abs(steps) in keys_of(widget) else 1 if new > old else -1
    return None


def keys_of(widget: widgets.ValueWidget) -> tuple[int, ...]:
    """Return by how many steps a key moves a control, up or down; none where it has no steps."""
    if isinstance(widget, widgets.Dropdown):
        return (1,)
    return (1, A_PAGE) if hasattr(widget, "step") else ()


def step_of(widget: widgets.ValueWidget, by: int) -> Any:
    """Return a control's value after some steps up or down; None where it has none left."""
    if isinstance(widget, widgets.Dropdown):
        values = [value for _label, value in widget.options]
        at = values.index(widget.value) + by
        return values[at] if 0 <= at < len(values) else None
    value = widget.step_to(by) if isinstance(widget, Slider) else widget.value + by * widget.step
    return value if widget.min <= value <= widget.max else None


def choice(option: Option, value: Any) -> widgets.ValueWidget:
    """Return the widget for a choice of the page, set to ``value``."""
    label, help = _(option.label), _(option.help)
    if {allowed for _label, allowed in option.choices} == {False, True}:
        box = widgets.Checkbox(value=value, description=label, tooltip=help, indent=False)
        box.add_class("rnnviz-choice")
        return box
    choices = [(_(choice), allowed) for choice, allowed in option.choices]
    return widgets.Dropdown(options=choices, value=value, description=label, tooltip=help)


class Controls:
    """All controls of a dashboard, and the only place where its state lives.

    Attributes
    ----------
    widgets : field of Config -> widget.
    compare : scheme -> checkbox, the schemes drawn beside the first.
    choices : option -> widget, what the views show of it.
    seeds : the widget for how many seeds are run.
    first, beside, second, more : the widgets laid out; ``more`` is folded away at first.
    """

    def __init__(
        self, scene: Scene, options: Sequence[str], on_change: Callable[[], None], on_choice: Callable[[], None]
    ):
        self.widgets = {name: control(name, value) for name, value in scene.config.to_dict().items()}
        self.compare = {
            name: widgets.Checkbox(value=name in scene.beside, description=_(entry.short), indent=False)
            for name, entry in SCHEMES.items()
        }
        self.choices = {name: choice(OPTIONS[name], scene.option(name)) for name in options}
        self.seeds = widgets.IntSlider(
            scene.seeds,
            1,
            max(32, scene.seeds),
            description=_("Draws"),
            tooltip=_("how many seeds the median is taken over"),
        )
        self.on_change, self.on_choice, self.held = on_change, on_choice, False
        self.text = scene.config.text  # the last one that can be
        self.told: Scene | None = scene
        self.moved: tuple[str, int] | None = None  # the control moved last, and by how many steps
        self.frozen: tuple[str, ...] = ()
        self.lay_out()
        for widget in (*self.widgets.values(), *self.compare.values(), self.seeds):
            widget.observe(lambda change: self.held or self.follow(change), "value")
        for widget in self.choices.values():
            widget.observe(lambda change: self.held or self.on_choice(), "value")

    def lay_out(self) -> None:
        """Put the widgets into their boxes."""
        self.first, self.second, rest = (self.grid(names) for names in (FIRST, SECOND, MORE))
        rare = tuple(widget for name, widget in self.choices.items() if OPTIONS[name].rare)
        self.second.children += tuple(widget for widget in self.choices.values() if widget not in rare)
        self.second.children += (self.widgets[GUEST],)
        self.second.add_class("rnnviz-second")
        self.widgets["gain"].add_class("rnnviz-early")
        rest.children = (*rest.children[:-1], self.seeds, *rare, rest.children[-1])
        for name, (other, values) in ONLY_FOR.items():
            self.show_only_for(name, other, values)
        self.beside = widgets.Box([widgets.HTML(_("Compare with")), *self.compare.values()])
        self.beside.add_class("rnnviz-compare")
        for widget in (self.widgets["scheme"], *self.compare.values()):
            widget.observe(lambda change: self.enable_others(), "value")
        self.enable_others()
        self.more = self.folded(_("More settings"), rest)

    @property
    def named(self) -> dict[str, widgets.Widget]:
        """Every control by the name that it has in a link."""
        return {**self.widgets, "beside": self.beside, "seeds": self.seeds, **self.choices}

    @property
    def scene(self) -> Scene:
        """Return what the controls say; Refusal where they say what cannot be."""
        return self.scene_with(self.config)

    def scene_with(self, config: Config) -> Scene:
        """Return these settings with all else that the controls say."""
        options = {name: widget.value for name, widget in self.choices.items()}
        beside = tuple(name for name, box in self.compare.items() if box.value)
        return Scene(config, beside, options, self.seeds.value)

    def assign(self, scene: Scene) -> None:
        """Set every control, as one change."""
        self.held = True
        try:
            for name, value in scene.config.to_dict().items():
                put(self.widgets[name], SAME if value is None else value)
            for name, box in self.compare.items():
                box.value = name in scene.beside
            for name, widget in self.choices.items():
                widget.value = scene.option(name)
            put(self.seeds, scene.seeds)
        finally:
            self.held = False
        self.text, self.told, self.moved = scene.config.text, scene, None
        self.on_change()

    def follow(self, change) -> None:
        """Tell of a change, unless all is as it was told last: a browser sends values back that it has only rounded."""
        try:
            now = self.scene
        except Refusal:
            now = None
        if now is None or now != self.told:
            self.text = now.config.text if now else self.text
            self.told, self.moved = now, move_of(self.widgets, change)
            self.on_change()

    def attend(self, label: str) -> None:
        """Expect that the control of this label will be moved next: it was given the focus."""
        named = {widget.description: name for name, widget in self.widgets.items()}
        if label in named and (self.moved or ("", 0))[0] != named[label]:
            self.moved = named[label], 0

    @property
    def next(self) -> Scene | None:
        """What the controls would say after one more move like the last; None where there is no such move."""
        return self.after(self.moved[1]) if self.moved else None

    @property
    def others(self) -> list[Scene]:
        """What they would say after any other key on the control moved last."""
        keys = keys_of(self.widgets[self.moved[0]]) if self.moved else ()
        moves = [by for key in keys for by in (key, -key) if by != self.moved[1]]
        return [scene for scene in map(self.after, moves) if scene]

    def after(self, by: int) -> Scene | None:
        """Return what the controls would say after some steps of the one moved last."""
        name = self.moved[0]
        value = step_of(self.widgets[name], by) if by and self.told else None
        return None if value is None else self.told.replace(**{name: None if value == SAME else value})

    def mark(self, start: Scene) -> None:
        """Mark the controls whose value is another than at the start."""
        now = self.scene
        mine, theirs = now.config.to_dict(), start.config.to_dict()
        changed = {name: mine[name] != theirs[name] for name in mine}
        changed |= {name: now.option(name) != start.option(name) for name in self.choices}
        changed |= {"beside": now.beside != start.beside, "seeds": now.seeds != start.seeds}
        for name, widget in self.named.items():
            put_class(widget, changed[name], "rnnviz-changed")
        button, box = self.more.children
        folded = [name for name, widget in self.named.items() if widget in box.children]
        put_class(button, any(changed[name] for name in folded), "rnnviz-changed")

    def freeze(self, names: Sequence[str]) -> None:
        """Make controls unchangeable; "all" stands for every one."""
        self.frozen = tuple(name for name in self.named if name in names or "all" in names)
        for name in self.frozen:
            if name != "beside":
                self.named[name].disabled = True
        self.enable_others()

    def enable_others(self) -> None:
        """Offer every scheme to compare with but the first, which is drawn anyway, while there is a colour left."""
        first = self.widgets["scheme"].value
        full = sum(box.value for name, box in self.compare.items() if name != first) >= MOST_SCHEMES - 1
        for name, box in self.compare.items():
            box.disabled = "beside" in self.frozen or name == first or (full and not box.value)

    def hide(self, names: Sequence[str]) -> None:
        """Take controls off the page; "all" stands for every one."""
        for name, widget in self.named.items():
            if name in names or "all" in names:
                widget.add_class("rnnviz-hidden")
        if "all" in names:
            self.more.add_class("rnnviz-hidden")

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
        button = widgets.ToggleButton(
            value=False, description=title, tooltip=_("settings that are needed less often"), icon=""
        )
        box.layout.display = "none"

        def unfold(change):
            box.layout.display = None if change["new"] else "none"

        button.observe(unfold, "value")
        outer = widgets.VBox([button, box])
        outer.add_class("rnnviz-more")
        return outer

    @property
    def config(self) -> Config:
        """The settings that the controls say; Refusal where they say what cannot be."""
        values = {name: getattr(widget, "exact", widget.value) for name, widget in self.widgets.items()}
        if values["inputs"] != "text":
            values["text"] = self.text  # what nobody sees must not make all else impossible
        return config_of(values | {"input_scheme": values["input_scheme"] or None})
