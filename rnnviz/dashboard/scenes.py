"""Scenes: named settings of the page, each with a question that is worth looking at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..network.config import FIELDS, Config
from ..text.language import N_, _
from ..text.registry import Registry
from ..views import OPTIONS, VIEWS

if TYPE_CHECKING:
    from .settings import Settings

START = ""  # the scene that a page starts with has no name in links


@dataclass(frozen=True)
class Scene:
    """One named setting of the page."""

    label: str  # on its button
    look: str  # what to look at, in one sentence that gives no result away
    schemes: tuple[str, ...]  # the first is the one in the menu
    values: Mapping[str, Any] = field(default_factory=dict)  # other fields of Config, and the page's choices it sets
    moves: tuple[str, ...] = ()  # the fields of Config that ``look`` asks the reader to move
    views: tuple[str, ...] = ("gradient",)  # that ``look`` is about: a page without them does not offer the scene

    @cached_property
    def config(self) -> Config:
        """The scene's settings as a Config."""
        chosen = {name: value for name, value in self.values.items() if name in FIELDS}
        return Config(**chosen | {"scheme": self.schemes[0]})

    def applied_to(self, now: Settings) -> Settings:
        """Return the scene's settings; the page's other choices stay as they are."""
        choices = {name: value for name, value in self.values.items() if name in OPTIONS}
        return now.replace(config=self.config, beside=self.schemes[1:], **choices)

    def fits(self, now: Settings) -> bool:
        """Tell whether what the scene's sentence asks for can be seen with these settings."""
        mine, theirs = self.applied_to(now).values, now.values
        return all(mine[name] == theirs[name] for name in (*SUBJECT, *OPTIONS) if name not in self.moves)

    def can_be_seen(self, views: Sequence[str]) -> bool:
        """Tell whether a page of these views shows what the scene is about, and leaves none empty."""
        trains = {view for view in views if VIEWS[view].trains}
        is_about = set(self.views) <= set(views) and trains <= set(self.views)
        return is_about and all(VIEWS[view].can_show(self.config) for view in views)


def first_scene(start: Settings, views: Sequence[str] = ()) -> Scene:
    """Return the scene that a page starts with, which asks what its first views ask."""
    questions = [_(VIEWS[view].question) for view in views[:2] if VIEWS[view].question]
    choices = {name: start.option(name) for scene in SCENES.values() for name in scene.values if name in OPTIONS}
    return Scene(N_("Start"), " ".join(questions), start.comparison.schemes, start.config.changed | choices)


def scenes_of(start: Settings, views: Sequence[str]) -> dict[str, Scene]:
    """Return the scenes of a page by their names, first the one that it starts with."""
    others = {name: scene for name, scene in SCENES.items() if scene.can_be_seen(views)}
    return {START: first_scene(start, views), **others}


def shown_scene(chosen: str, scenes: Mapping[str, Scene], now: Settings) -> str | None:
    """Return the name of the scene that the settings show: the one chosen, while it fits, or one that they equal."""
    if chosen in scenes and scenes[chosen].fits(now):
        return chosen
    alike = (name for name, scene in scenes.items() if scene.config == now.config)  # which is told faster
    return next((name for name in alike if scenes[name].applied_to(now) == now), None)


# Other values of these make a scene's sentence wrong; sizes and seeds do not.
SUBJECT = (
    *("scheme", "beside", "gain", "cell", "activation", "inputs", "input_scale", "input_scheme", "loss_at"),
    *("forget_bias", "layers", "truncate"),
)
GATES, LAYERS, RACE = ("gates", "gradient"), ("layers_state", "layers_gradient"), ("race", "gradient")
SCENES: Registry[Scene] = Registry("scene")
SCENES |= {
    "fades": Scene(
        N_("Fades"),
        N_("In both schemes the state keeps its size: now follow the gradient from right to left."),
        ("xavier", "orthogonal"),
        views=("state", "gradient"),
    ),
    "flat": Scene(
        N_("Flat"),
        N_("Xavier with a larger gain: move Gain a little to either side and watch which way the gradient tips."),
        ("xavier",),
        {"gain": 1.85, "hidden_size": 128},
        moves=("gain",),
    ),
    "blows_up": Scene(
        N_("Blows up"),
        N_("ReLU has no upper limit: compare what happens to the state with what happens to the gradient."),
        ("uniform_centered", "he"),
        {"activation": "relu"},
        views=("state", "gradient"),
    ),
    "surprise": Scene(
        N_("The surprise"),
        N_(
            "Both schemes have the same variance, but only one has mean 0: does a gradient still reach the first step "
            "in both?"
        ),
        ("uniform01", "uniform_centered"),
    ),
    "pytorch": Scene(
        N_("What PyTorch does"),
        N_("The defaults of two frameworks: in which of them does a gradient still reach the first step?"),
        ("pytorch", "keras"),
    ),
    "no_slopes": Scene(
        N_("No slopes"),
        N_("Linear units have slope 1 everywhere: which scheme keeps every length, and which stretches some?"),
        ("xavier", "orthogonal"),
        {"activation": "linear"},
        views=("singular", "jacobian"),
    ),
    "forget_bias": Scene(
        N_("Forget bias"),
        N_("An LSTM: how fast does the gradient fade as you move Forget bias from 0 to 5? PyTorch draws its own."),
        ("xavier", "pytorch"),
        {"cell": "lstm", "forget_bias": 0.0},
        moves=("forget_bias",),
    ),
    "lstm_defaults": Scene(
        N_("Two defaults"),
        N_(
            "An LSTM as PyTorch and as Keras set it up: how far open is the forget gate, and what does the gradient do?"
        ),
        ("pytorch", "keras"),
        {"cell": "lstm"},
        views=GATES,
    ),
    "gru": Scene(
        N_("A GRU"),
        N_("The gate z keeps the old state: in which scheme does that carry the gradient back to the first step?"),
        ("xavier", "uniform01"),
        {"cell": "gru"},
        views=GATES,
    ),
    "layers_alone": Scene(
        N_("Layers alone"),
        N_("Five layers and a single step: with which scheme does more of the gradient arrive at layer 1?"),
        ("glorot_uniform", "pytorch"),
        {"layers": 5, "seq_len": 1, "inputs": "digits"},
        views=LAYERS,
    ),
    "both_ways": Scene(
        N_("Both ways"),
        N_("Four layers, 50 steps: at step 1, does more of the gradient arrive in the top layer or in layer 1?"),
        ("xavier",),
        {"layers": 4},
        views=LAYERS,
    ),
    "one_gain": Scene(
        N_("One gain for all?"),
        N_("Move Gain until the gradient survives along the top layer: what happens in layer 1 then?"),
        ("xavier",),
        {"layers": 4, "gain": 2.0},
        ("gain",),
        LAYERS,
    ),
    "cut_off": Scene(
        N_("Cut off"),
        N_("The loss reaches back 20 steps only: what has faded here, and what is cut off?"),
        ("xavier",),
        {"layers": 4, "gain": 2.0, "truncate": 20},
        ("truncate",),
        LAYERS,
    ),
    # On pages that train: which networks learn, and how soon.
    "critical_gain": Scene(
        N_("Critical gain"),
        N_("Xavier at the gain that theory calls critical here: train, move Gain to either side, and train again."),
        ("xavier", "orthogonal"),
        {"gain": 1.44, "seq_len": 20, "problem": "recall"},
        ("gain",),
        RACE,
    ),
    "saved_steps": Scene(
        N_("2 to 10 times?"),
        N_("Xavier is said to save 2 to 10 times the epochs: how many times the training steps does each scheme need?"),
        ("xavier", "uniform01", "small_normal", "pytorch"),
        {"seq_len": 8, "problem": "digits"},
        views=RACE,
    ),
    "text": Scene(
        N_("A text"),
        N_("One character per step, as in min-char-rnn: which scheme learns first, and what does the first one write?"),
        ("xavier", "small_normal", "uniform01"),
        {"hidden_size": 100, "seq_len": 25, "batch_size": 1, "problem": "characters"},
        views=RACE,
    ),
    "lstm_recalls": Scene(
        N_("An LSTM recalls"),
        N_("30 steps are to be bridged: train, raise Forget bias, and train again. PyTorch draws its own bias."),
        ("xavier", "pytorch"),
        {"cell": "lstm", "hidden_size": 32, "seq_len": 30, "forget_bias": 0.0, "problem": "recall"},
        ("forget_bias",),
        RACE,
    ),
    "identity_relu": Scene(
        N_("Identity and ReLU"),
        N_("ReLU and small input weights, as Le et al. chose them: with which W_hh can a network recall 30 steps?"),
        ("identity", "xavier", "orthogonal"),
        {"activation": "relu", "input_scheme": "small_normal", "seq_len": 30, "problem": "recall"},
        views=RACE,
    ),
}
