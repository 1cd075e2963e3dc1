"""The row of buttons: the scenes with their question, pins, new seeds, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import ipywidgets as widgets

from ..text.language import _
from .controls import put_class
from .scenes import SCENES, Scene
from .state import Choose, DrawAgain, Event, KeepPins, PageState, PinFirst, Reset


def button(label: str, tooltip: str, act: Callable[[], None]) -> widgets.Button:
    """Return a button that does something when it is clicked."""
    made = widgets.Button(description=label, tooltip=tooltip)
    made.add_class("rnnviz-button")
    made.on_click(lambda _: act())
    return made


class ButtonRow(widgets.VBox):
    """A button for each scene, *Reset*, *New seed*, *Pin* and *Unpin*, and the question of the scene shown."""

    def __init__(self, dispatch: Callable[[Event], None], scenes: Mapping[str, Scene]):
        self.scenes = {
            name: button(_(scene.label), _(scene.look), partial(dispatch, Choose(name)))
            for name, scene in scenes.items()
        }
        for each in self.scenes.values():
            each.add_class("rnnviz-scene")
        self.reset = button(_("Reset"), _("go back to where this page started"), partial(dispatch, Reset()))
        self.new_seed = button(_("New seed"), _("draw other weights and other inputs"), partial(dispatch, DrawAgain()))
        pin, unpin = _("keep the first scheme's curves in grey, to compare with"), _("take the grey curves away")
        self.pin = button(_("Pin"), pin, partial(dispatch, PinFirst()))
        self.unpin = button(_("Unpin"), unpin, partial(dispatch, KeepPins(())))
        look = _("Each of the first six buttons sets a scene and says what to look at.")
        self.look = widgets.HTML(f"<p>{look if scenes else ''}</p>")
        self.look.add_class("rnnviz-look")
        self.look.add_class("rnnviz-live")
        row = widgets.Box([*self.scenes.values(), self.reset, self.new_seed, self.pin, self.unpin])
        row.add_class("rnnviz-presets")
        row.add_class("rnnviz-scenes")
        super().__init__([row, self.look])

    def restrict(self, state: PageState, is_frozen: bool, seed_is_frozen: bool) -> None:
        """Freeze or hide what a link asks for; in a bet, call scenes by numbers, since their names give it away."""
        self.is_frozen = is_frozen
        for k, each in enumerate(self.scenes.values(), 1):
            each.disabled = is_frozen
            if state.predict:
                each.description = _("Scene {k}").format(k=k)
        self.new_seed.disabled = seed_is_frozen
        put_class(self, "all" in state.hide, "rnnviz-hidden")

    def show(self, state: PageState) -> None:
        """Show which scene the page has, with its question while that fits, and which buttons can be used."""
        now = state.settings
        self.reset.disabled = self.is_frozen or (now == state.home and not state.refusal)
        self.unpin.disabled = not state.pins
        if state.scene:
            scene = SCENES[state.scene]
            self.look.value = f"<p>{_(scene.look)}</p>" if scene.fits(now) else "<p></p>"
        for name, each in self.scenes.items():
            put_class(each, now == SCENES[name].applied_to(now), "rnnviz-chosen")
