"""Named scenes: one click from the whole of a page's settings to a question worth looking at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ipywidgets as widgets

from ..network.config import Config
from ..text.language import N_, _
from ..text.registry import Registry
from .controls import Controls, put_class
from .scene import Scene


@dataclass(frozen=True)
class Preset:
    """One named scene.

    Attributes
    ----------
    label : on its button.
    look : what to look at, in one sentence; it tells no result.
    beside : the schemes drawn beside the first; settings : fields of Config that differ from their defaults.
    moves : the fields of Config that ``look`` asks to be moved.
    """

    label: str
    look: str
    beside: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    moves: tuple[str, ...] = ()

    def scene(self, now: Scene) -> Scene:
        """Return the preset as a scene, with the page's own choices left as they are."""
        return now.replace(config=self.config, beside=self.beside)

    def is_about(self, now: Scene) -> bool:
        """Tell whether what the scene asks to look at is to be seen with these settings."""
        mine, theirs = self.config.to_dict(), now.config.to_dict()
        same = all(mine[name] == theirs[name] for name in SUBJECT if name not in self.moves)
        return same and self.scene(now).schemes == now.schemes

    @cached_property
    def config(self) -> Config:
        """The settings, checked once: every change of a control asks which preset it has become."""
        return Config(**self.settings)


# With other values of these, a scene's sentence may speak of what is not there; sizes and draws change no story.
SUBJECT = ("gain", "cell", "activation", "inputs", "input_scale", "input_scheme", "loss_at", "forget_bias")
PRESETS: Registry[Preset] = Registry("preset")
PRESETS.add(
    "fades",
    Preset(
        N_("Fades"),
        N_("Both schemes keep the state at one height: now follow the gradient from the right edge to the left."),
        ("orthogonal",),
        {"scheme": "xavier"},
    ),
)
PRESETS.add(
    "flat",
    Preset(
        N_("Flat"),
        N_(
            "The same scheme with a larger gain: move Gain a little to either side and watch which way the "
            "gradient tips."
        ),
        (),
        {"scheme": "xavier", "gain": 1.85, "hidden_size": 128},
        ("gain",),
    ),
)
PRESETS.add(
    "blows_up",
    Preset(
        N_("Blows up"),
        N_("ReLU has no ceiling: compare what becomes of the state with what becomes of the gradient."),
        ("he",),
        {"scheme": "uniform_centered", "activation": "relu"},
    ),
)
PRESETS.add(
    "surprise",
    Preset(
        N_("The surprise"),
        N_("Both schemes have the same variance, but one adds up to more: can both still tell the first step?"),
        ("uniform_centered",),
        {"scheme": "uniform01"},
    ),
)
PRESETS.add(
    "pytorch",
    Preset(
        N_("What PyTorch does"),
        N_("The defaults of two frameworks, when you do not ask: which of them can still tell the first step?"),
        ("keras",),
        {"scheme": "pytorch"},
    ),
)
PRESETS.add(
    "forget_bias",
    Preset(
        N_("Forget bias"),
        N_("An LSTM: move Forget bias from 0 to 5 and watch the gradient's slope; PyTorch draws its own and stays."),
        ("pytorch",),
        {"scheme": "xavier", "cell": "lstm", "forget_bias": 0.0},
        ("forget_bias",),
    ),
)


class PresetBar(widgets.VBox):
    """A button for each preset, one to go back to where the page started, and the sentence of the preset shown.

    Parameters
    ----------
    controls : what the buttons set. start : where *Reset* goes back to until a preset is chosen.
    attempt : takes a step, and says on the page what goes wrong in it.
    """

    def __init__(self, controls: Controls, start: Scene, attempt: Callable[[Callable[[], None]], None]):
        self.controls, self.shown, self.frozen = controls, start, False
        self.told: Preset | None = None  # the one whose sentence is said while it fits
        self.buttons = {name: self.button(_(preset.label), _(preset.look)) for name, preset in PRESETS.items()}
        for name, button in self.buttons.items():
            button.add_class("rnnviz-scene")
            button.on_click(lambda _, name=name: attempt(lambda: self.choose(name)))
        self.new_seed = self.button(_("New seed"), _("draw other weights and other inputs"))
        self.new_seed.on_click(lambda _: attempt(self.draw_again))
        self.reset = self.button(_("Reset"), _("go back to where this page started"))
        self.reset.on_click(lambda _: attempt(self.go_back))
        self.look = widgets.HTML(
            "<p>{}</p>".format(_("Each of the first six buttons sets a scene and says what to look at."))
        )
        self.look.add_class("rnnviz-look")
        self.look.add_class("rnnviz-live")
        self.row = widgets.Box([*self.buttons.values(), self.reset, self.new_seed])
        self.row.add_class("rnnviz-presets")
        self.row.add_class("rnnviz-scenes")
        super().__init__([self.row, self.look])

    def button(self, label: str, tooltip: str) -> widgets.Button:
        button = widgets.Button(description=label, tooltip=tooltip)
        button.add_class("rnnviz-button")
        return button

    def choose(self, name: str) -> None:
        """Set the controls to a preset and say what to look at."""
        preset = PRESETS[name]
        self.shown = preset.scene(self.controls.scene_with(preset.config))
        self.told = preset
        self.controls.assign(self.shown)

    def veil(self) -> None:
        """Call the scenes by numbers: their names tell what a bet is about."""
        for k, button in enumerate(self.buttons.values(), 1):
            button.description = _("Scene {k}").format(k=k)

    def draw_again(self) -> None:
        """Go on to seeds that were not drawn yet."""
        seed, draws = self.controls.widgets["seed"], self.controls.seeds.value
        self.controls.assign(self.controls.scene.replace(seed=(seed.value + draws) % 2**31))

    def go_back(self) -> None:
        """Set the controls to where the page, or the preset chosen last, started."""
        self.controls.assign(self.shown)

    def freeze(self, scenes: bool, seed: bool) -> None:
        """Make the buttons unusable: those that set whole scenes, and the one that draws anew."""
        self.frozen = scenes
        for button in (*self.buttons.values(), self.reset):
            button.disabled = button.disabled or scenes
        self.new_seed.disabled = seed

    def offer_reset(self) -> None:
        """Offer the way back from what cannot be."""
        self.reset.disabled = self.frozen

    def follow(self, now: Scene) -> None:
        """Mark what differs from the scene that *Reset* goes back to, and say what to look at while that is there."""
        self.controls.mark(self.shown)
        self.reset.disabled = self.frozen or now == self.shown
        if self.told:
            self.look.value = f"<p>{_(self.told.look)}</p>" if self.told.is_about(now) else "<p></p>"
        for name, button in self.buttons.items():
            chosen = now == PRESETS[name].scene(now)
            put_class(button, chosen, "rnnviz-chosen")
