"""The strip above the pictures: the scenes as tabs, and the question of the one shown; and the row of actions."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

import ipywidgets as widgets

from ..text.language import _
from .controls import put_class
from .render import Frame
from .scenes import START, Scene, shown_scene
from .state import Dispatch, PageState


def button(label: str, tooltip: str, act: Callable[[], None]) -> widgets.Button:
    """Return a button that does something when it is clicked."""
    made = widgets.Button(description=label, tooltip=tooltip).add_class("rnnviz-button")
    made.on_click(lambda _: act())
    return made


def row(children: list[widgets.Widget], *classes: str) -> widgets.Box:
    """Return a box with these classes."""
    box = widgets.Box(children)
    for name in classes:
        box.add_class(name)
    return box


def paragraphs(*texts: str) -> str:
    """Return sentences as HTML."""
    return "".join(f"<p>{html.escape(text, quote=False)}</p>" for text in texts)


class Strip(widgets.VBox):
    """A tab for each scene of the page, the question of the scene shown, and what turns bets and controls on."""

    def __init__(self, scenes: Mapping[str, Scene], bet: widgets.Widget, frozen: Collection[str], dispatch: Dispatch):
        self.of_page, self.scenes, home = scenes, {}, _("go back to how this notebook starts")
        for name, scene in scenes.items():
            choose = partial(dispatch, PageState.choose, name)
            self.scenes[name] = button(_(scene.label), _(scene.look) if scene.look else home, choose)
            self.scenes[name].add_class("rnnviz-scene").disabled = bool(frozen)
        self.look = widgets.HTML().add_class("rnnviz-look").add_class("rnnviz-live")
        self.predict = widgets.ToggleButton(
            description=_("Predict first"), tooltip=_("cover the gradient, say what it will do, then see")
        )
        self.predict.observe(lambda change: dispatch(replace, predict=change["new"]), "value")
        self.drawer = widgets.ToggleButton(description=_("Controls"), tooltip=_("show or hide the controls"))
        self.predict.add_class("rnnviz-toggle").add_class("rnnviz-predict")
        self.drawer.add_class("rnnviz-toggle").add_class("rnnviz-drawer")
        tabs = row(list(self.scenes.values()), "rnnviz-scenes")
        question = row([self.look, bet, row([], "rnnviz-question-slot")], "rnnviz-question")
        super().__init__([row([tabs, self.drawer, self.predict], "rnnviz-tabs"), question])
        self.add_class("rnnviz-strip")

    def show(self, state: PageState) -> tuple[str, ...]:
        """Show which scene the page has, and its question; return the fields that the question asks to move.

        Settings that belong to no scene have the question that the page starts with, which holds for all of them.

        Where there are bets, scenes have numbers, since their names give the answer away.
        """
        shown = shown_scene(state.scene, self.of_page, state.settings)
        asks = self.of_page.get(START if shown is None else shown)
        self.look.value = paragraphs(_(asks.look) if asks else "")
        self.predict.value, self.predict.disabled = state.predict, "all" in state.lock or bool(state.question)
        for k, (name, each) in enumerate(self.scenes.items()):
            put_class(each, name == shown, "rnnviz-chosen")
            label = _("Scene {k}").format(k=k) if state.predict and name != START else _(self.of_page[name].label)
            each.description = label
        return asks.moves if asks else ()


class Actions(widgets.Box):
    """*New seed*, *Pin*, *Unpin* and *Reset*, and whether the page is as it started."""

    def __init__(self, frozen: Collection[str], dispatch: Dispatch):
        self.frozen = frozen
        self.reset = button(_("Reset"), _("go back to where this page started"), partial(dispatch, PageState.reset))
        self.new_seed = button(_("New seed"), _("draw new weights and inputs"), partial(dispatch, PageState.draw_again))
        self.new_seed.disabled = "seed" in frozen
        pin, unpin = _("keep the first scheme's curves in grey, for comparison"), _("remove the grey curves")
        self.pin = button(_("Pin"), pin, partial(dispatch, PageState.pin_first))
        self.unpin = button(_("Unpin"), unpin, partial(dispatch, replace, pins=()))
        self.said = widgets.Label().add_class("rnnviz-said").add_class("rnnviz-live")
        super().__init__([self.new_seed, self.pin, self.unpin, self.reset])
        self.add_class("rnnviz-actions")

    def show(self, state: PageState, frame: Frame) -> None:
        """Show which buttons can be used, and say where *Reset* leads."""
        at_home = state.settings == state.home and not state.refusal
        self.reset.disabled = bool(self.frozen) or at_home
        self.unpin.disabled = not state.pins
        self.said.value = _("This page is where it started.") if at_home else ""
