"""The controls: one widget for each choice, made from what Config says about its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from ..network.config import DEFAULTS, FIELDS, applies
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..views import OPTIONS, Option
from .settings import MOST_SCHEMES, SPECS, Settings, label_of
from .slider import Slider
from .state import Dispatch, PageState

# The second row of each pair, and what comes and goes with the cell, stand where they move no other.
FIRST = ("scheme",)
SECOND = ("gain", "hidden_size", "seq_len", "cell", "activation", "inputs", "forget_bias")
WIDE = ("scheme", "gain")  # across the whole column
MORE = (
    "layers", "loss_at", "loss_reduction", "truncate", "spectral_radius", "input_scheme", "input_size", "output_size",
    "batch_size", "input_scale", "seed", "seeds", "numbers", "text",
)  # fmt: skip
LAST = SECOND.index("inputs") + 1  # after which others may stand without moving any
RAISED = ("layers", "layer", "truncate", "spectral_radius")  # stand there where a page is about them
STEPS = {"last": N_("last step"), "every": N_("every step")}  # at which there is a loss
SAME = ""  # what a menu holds for None, which ipywidgets shows as no choice at all


def control(name: str, value: Any) -> widgets.ValueWidget:
    """Return the widget for one key of ``SPECS``, set to ``value``."""
    meta = SPECS[name].metadata
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
    named = [(_(allowed[name].label if isinstance(allowed, Mapping) else STEPS[name]), name) for name in allowed]
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


def choice(option: Option, value: Any) -> widgets.ValueWidget:
    """Return the widget for a choice of the page, set to ``value``."""
    label, help = _(option.label), _(option.help)
    if {allowed for _label, allowed in option.choices} == {False, True}:
        return widgets.Checkbox(value=value, description=label, tooltip=help, indent=False).add_class("rnnviz-choice")
    choices = [(_(choice), allowed) for choice, allowed in option.choices]
    return widgets.Dropdown(options=choices, value=value, description=label, tooltip=help)


class Controls:
    """All controls of a dashboard: they change the state as a reader asks, and show its settings.

    They are laid out in the boxes ``first``, ``beside``, ``second`` and ``more``, which is folded away at first.
    """

    def __init__(self, settings: Settings, options: Sequence[str], dispatch: Dispatch):
        self.widgets = {name: control(name, value) for name, value in settings.values.items() if name in SPECS}
        self.compare = {  # the schemes drawn beside the first
            name: widgets.Checkbox(value=name in settings.beside, description=_(entry.short), indent=False)
            for name, entry in SCHEMES.items()
        }
        self.choices = {name: choice(OPTIONS[name], settings.option(name)) for name in options}
        self.as_noise = widgets.Checkbox(
            description=_("As large as noise"),
            tooltip=_("the input scale at which a one-hot input is as large as noise: the square root of its size"),
            indent=False,
        ).add_class("rnnviz-choice")
        self.dispatch, self.is_held = dispatch, False
        self.shown, self.refusal = settings, ""  # why what they say now cannot be
        self.frozen: tuple[str, ...] = ()
        self.raised: set[str] = set()
        self.lay_out()
        self.raise_changed(Settings().values, settings.values)
        for widget in (*self.widgets.values(), *self.compare.values(), *self.choices.values()):
            widget.observe(self.changed, "value")
        self.as_noise.observe(self.rescale, "value")

    def lay_out(self) -> None:
        """Put the widgets into their boxes."""
        self.first, self.second, rest = (self.grid(names) for names in (FIRST, SECOND, MORE))
        for name in WIDE:
            self.widgets[name].add_class("rnnviz-wide")
        among = (widget for name, widget in self.choices.items() if not OPTIONS[name].apart)
        rest.children = (*among, *rest.children)
        self.second.children += (self.as_noise,)
        self.usual = self.second.children, rest.children
        self.add = widgets.ToggleButton(description=_("+ add"), tooltip=_("choose the schemes to compare with"))
        self.add.add_class("rnnviz-add")
        title = _("Compare with <i>up to {count}</i>").format(count=MOST_SCHEMES - 1)
        self.beside = widgets.Box([widgets.HTML(title), self.add, *self.compare.values()]).add_class("rnnviz-compare")
        self.add.observe(lambda change: put_class(self.beside, change["new"], "rnnviz-open"), "value")
        self.more = folded(_("More settings"), rest, _("settings needed less often"))
        self.offer()

    @property
    def named(self) -> dict[str, widgets.Widget]:
        """Every control by the name that it has in a link."""
        return {**self.widgets, "beside": self.beside, **self.choices}

    def changed(self, change: Any = None) -> None:
        """Dispatch what the controls say."""
        if self.is_held:
            return
        try:
            self.shown, self.refusal = self.settings, ""
        except ValueError as error:
            self.refusal = str(error)
            self.dispatch(PageState.refuse, self.refusal)
        else:
            self.offer()
            self.dispatch(PageState.change, self.shown)

    def rescale(self, change: Any) -> None:
        """Make the input as large as noise, or as it usually is."""
        if not self.is_held:
            scale = self.shown.config.noise_scale if change["new"] else DEFAULTS["input_scale"]
            put(self.widgets["input_scale"], scale)

    @property
    def settings(self) -> Settings:
        """What the controls say; ValueError where that is impossible."""
        values = {name: getattr(widget, "exact", widget.value) for name, widget in self.widgets.items()}
        for name in ("text", "numbers"):
            if not applies(name, values):
                values[name] = getattr(self.shown.config, name)  # a hidden field must not invalidate the rest
        values["input_scheme"] = values["input_scheme"] or None
        options = {name: widget.value for name, widget in self.choices.items()}
        beside = tuple(name for name, box in self.compare.items() if box.value)
        return self.shown.replace(**values, beside=beside, options=options)

    def show(self, settings: Settings) -> None:
        """Set every control, and offer those that mean something now."""
        self.raise_changed(self.shown.values, settings.values)
        self.shown, self.refusal, self.is_held = settings, "", True
        try:
            values = settings.values
            for name, widget in self.widgets.items():
                put(widget, SAME if values[name] is None else values[name])
            for name, box in self.compare.items():
                box.value = name in settings.beside
            for name, widget in self.choices.items():
                widget.value = values[name]
        finally:
            self.is_held = False
        self.offer()

    def offer(self) -> None:
        """Hide the controls that mean nothing now, and offer no scheme to compare with that cannot be drawn too."""
        values = {name: widget.value for name, widget in self.widgets.items()}
        for name, widget in self.widgets.items():
            widget.layout.display = None if name not in FIELDS or applies(name, values) else "none"
        self.offer_choices(values)
        self.offer_noise()
        first = values["scheme"]
        full = sum(box.value for name, box in self.compare.items() if name != first) >= MOST_SCHEMES - 1
        for name, box in self.compare.items():
            box.disabled = "beside" in self.frozen or name == first or (full and not box.value)
            put_class(box, box.value and name != first, "rnnviz-ticked")
        self.add.disabled = "beside" in self.frozen

    def feature(self, moves: Sequence[str]) -> None:
        """Let the control that the question moves stand above the pictures of a phone, and fold none of them away."""
        first = next(iter(moves), "gain")
        for name, widget in self.widgets.items():
            put_class(widget, name == first, "rnnviz-early")
        up = tuple(self.named[name] for name in RAISED if name in self.named and name in {*self.raised, *moves})
        rest = self.more.children[1]
        usual, folded_away = self.usual
        self.second.children = (*usual[:LAST], *up, *usual[LAST:])
        rest.children = tuple(widget for widget in folded_away if widget not in up)

    def raise_changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Raise the controls that the page, not the reader, has moved, and lower those that it has set back."""
        usual = Settings().values
        for name in RAISED:
            if before[name] != after[name]:
                (self.raised.add if after[name] != usual[name] else self.raised.discard)(name)

    def offer_choices(self, values: Mapping[str, Any]) -> None:
        """Leave those choices in each menu that mean something now, and hide a menu of one."""
        held, self.is_held = self.is_held, True
        for name, widget in self.choices.items():
            option, chosen = OPTIONS[name], widget.value
            if isinstance(widget, widgets.Dropdown):
                offered = [(_(label), each) for label, each in option.choices if option.applies(each, values)]
                widget.layout.display = None if len(offered) > 1 else "none"
                if (wanted := tuple(offered)) != widget.options:
                    widget.options = wanted
                    widget.value = chosen if any(chosen == each for _label, each in offered) else offered[0][1]
        self.is_held = held

    def offer_noise(self) -> None:
        """Offer the size of noise where the input scale is not enough to say it, ticked where the input has it."""
        config, slider, held = self.shown.config, self.widgets["input_scale"], self.is_held
        is_offered = DEFAULTS["input_scale"] != config.noise_scale <= FIELDS["input_scale"].metadata["high"]
        self.as_noise.layout.display = None if is_offered else "none"
        self.is_held = True
        if is_offered:  # ahead of the click: a browser that has to widen a slider's range for a value answers another
            slider.max = max(slider.max, config.noise_scale)
        self.as_noise.value = config.input_scale == config.noise_scale
        self.is_held = held

    def mark(self, home: Settings) -> None:
        """Mark the controls whose value differs from that of the scene shown, or from where *Reset* leads."""
        mine, theirs = self.shown.values, home.values
        changed = [widget for name, widget in self.named.items() if mine[name] != theirs[name]]
        for widget in self.named.values():
            put_class(widget, widget in changed, "rnnviz-changed")
        button, box = self.more.children
        put_class(button, any(widget in box.children for widget in changed), "rnnviz-changed")

    def restrict(self, lock: Sequence[str], hide: Sequence[str]) -> tuple[str, ...]:
        """Freeze and hide controls by their names, "all" stands for every one; return those frozen."""
        self.frozen = tuple(name for name in self.named if name in lock or "all" in lock)
        for name, widget in (*self.named.items(), ("input_scale", self.as_noise)):
            put_class(widget, name in hide or "all" in hide, "rnnviz-hidden")
            if name != "beside":
                widget.disabled = name in self.frozen
        put_class(self.more, "all" in hide, "rnnviz-hidden")
        self.offer()
        return self.frozen

    def unknown(self, names: Sequence[str]) -> str:
        """Return a sentence where a link freezes or hides unknown controls, else ""."""
        strange = [name for name in names if name != "all" and name not in self.named]
        said = _("In this link, lock/hide contain an unknown control: {names}.")
        return said.format(names=", ".join(f"{name!r:.40}" for name in strange)) if strange else ""

    def grid(self, names: Sequence[str]) -> widgets.Box:
        """Return a box of controls that flow into as many columns as there is room for."""
        return widgets.Box([self.widgets[name] for name in names]).add_class("rnnviz-controls")


def folded(title: str, box: widgets.Box, help: str) -> widgets.Box:
    """Return a button that opens and closes ``box``, which an accordion does not do by keyboard."""
    button = widgets.ToggleButton(value=False, description=title, tooltip=help)
    box.layout.display = "none"
    button.observe(lambda change: setattr(box.layout, "display", None if change["new"] else "none"), "value")
    return widgets.VBox([button, box]).add_class("rnnviz-more")
