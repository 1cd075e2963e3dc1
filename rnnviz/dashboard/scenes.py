"""Scenes: named settings of the page, each with a question that is worth looking at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..network.config import Config
from ..text.language import N_, _
from ..text.registry import Registry
from ..views import VIEWS

if TYPE_CHECKING:
    from .settings import Settings

START = ""  # the scene that a page starts with has no name in links


@dataclass(frozen=True)
class Scene:
    """One named setting of the page.

    Attributes
    ----------
    label : on its button.
    look : what to look at, in one sentence that gives no result away.
    beside : the schemes drawn beside the first; settings : fields of Config that differ from their defaults.
    moves : the fields of Config that ``look`` asks the reader to move.
    views : the views that ``look`` is about; a page without them does not offer the scene, nor does a page that trains
        where ``look`` is not about training.
    options : the page's choices that the scene sets, by name.
    """

    label: str
    look: str
    beside: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    moves: tuple[str, ...] = ()
    views: tuple[str, ...] = ("gradient",)
    options: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def config(self) -> Config:
        """The scene's settings as a Config."""
        return Config(**self.settings)

    def applied_to(self, now: Settings) -> Settings:
        """Return the scene's settings; the page's other choices stay as they are."""
        return now.replace(config=self.config, beside=self.beside, options={**now.options, **self.options})

    def fits(self, now: Settings) -> bool:
        """Tell whether what the scene's sentence asks for can be seen with these settings."""
        mine, theirs = self.config.to_dict(), now.config.to_dict()
        same = all(mine[name] == theirs[name] for name in SUBJECT if name not in self.moves)
        chosen = all(now.option(name) == value for name, value in self.options.items())
        return same and chosen and self.applied_to(now).comparison.schemes == now.comparison.schemes

    def can_be_seen(self, views: Sequence[str]) -> bool:
        """Tell whether a page of these views shows what the scene is about, and leaves none of them empty."""
        trains = {view for view in views if VIEWS[view].trains}
        is_about = set(self.views) <= set(views) and trains <= set(self.views)
        return is_about and all(VIEWS[view].can_show(self.config) for view in views)


def scenes_of(start: Settings, views: Sequence[str]) -> dict[str, Scene]:
    """Return the scenes of a page by their names, first the one that it starts with, which asks what its views ask."""
    questions = [_(VIEWS[view].question) for view in views[:2] if VIEWS[view].question]
    first = Scene(
        N_("Start"), " ".join(questions), start.beside, start.config.changed, options=options_of_scenes(start)
    )
    return {START: first} | {name: scene for name, scene in SCENES.items() if scene.can_be_seen(views)}


def options_of_scenes(start: Settings) -> dict[str, Any]:
    """Return the values that a page starts with of the options that some scene sets."""
    return {name: start.option(name) for scene in SCENES.values() for name in scene.options}


def shown_scene(chosen: str, scenes: Mapping[str, Scene], now: Settings) -> str | None:
    """Return the name of the scene that the settings show: the one chosen, while it fits, or one that they equal."""
    if chosen in scenes and scenes[chosen].fits(now):
        return chosen
    return next((name for name, scene in scenes.items() if scene.applied_to(now) == now), None)


# Other values of these make a scene's sentence wrong; sizes and seeds do not.
SUBJECT = (
    *("gain", "cell", "activation", "inputs", "input_scale", "input_scheme", "loss_at", "forget_bias"),
    *("layers", "truncate"),
)
SCENES: Registry[Scene] = Registry("scene")
SCENES.add(
    "fades",
    Scene(
        N_("Fades"),
        N_("In both schemes the state keeps its size: now follow the gradient from right to left."),
        ("orthogonal",),
        {"scheme": "xavier"},
        views=("state", "gradient"),
    ),
)
SCENES.add(
    "flat",
    Scene(
        N_("Flat"),
        N_("Xavier with a larger gain: move Gain a little to either side and watch which way the gradient tips."),
        (),
        {"scheme": "xavier", "gain": 1.85, "hidden_size": 128},
        ("gain",),
    ),
)
SCENES.add(
    "blows_up",
    Scene(
        N_("Blows up"),
        N_("ReLU has no upper limit: compare what happens to the state with what happens to the gradient."),
        ("he",),
        {"scheme": "uniform_centered", "activation": "relu"},
        views=("state", "gradient"),
    ),
)
SCENES.add(
    "surprise",
    Scene(
        N_("The surprise"),
        N_(
            "Both schemes have the same variance, but only one has mean 0: does a gradient still reach the first step "
            "in both?"
        ),
        ("uniform_centered",),
        {"scheme": "uniform01"},
    ),
)
SCENES.add(
    "pytorch",
    Scene(
        N_("What PyTorch does"),
        N_("The defaults of two frameworks: in which of them does a gradient still reach the first step?"),
        ("keras",),
        {"scheme": "pytorch"},
    ),
)
SCENES.add(
    "no_slopes",
    Scene(
        N_("No slopes"),
        N_("Linear units have slope 1 everywhere: which scheme keeps every length, and which stretches some?"),
        ("orthogonal",),
        {"scheme": "xavier", "activation": "linear"},
        views=("singular", "jacobian"),
    ),
)
SCENES.add(
    "forget_bias",
    Scene(
        N_("Forget bias"),
        N_("An LSTM: how fast does the gradient fade as you move Forget bias from 0 to 5? PyTorch draws its own."),
        ("pytorch",),
        {"scheme": "xavier", "cell": "lstm", "forget_bias": 0.0},
        ("forget_bias",),
    ),
)
SCENES.add(
    "lstm_defaults",
    Scene(
        N_("Two defaults"),
        N_(
            "An LSTM as PyTorch and as Keras set it up: how far open is the forget gate, and what does the gradient do?"
        ),
        ("keras",),
        {"scheme": "pytorch", "cell": "lstm"},
        views=("gates", "gradient"),
    ),
)
SCENES.add(
    "gru",
    Scene(
        N_("A GRU"),
        N_("The gate z keeps the old state: in which scheme does that carry the gradient back to the first step?"),
        ("uniform01",),
        {"scheme": "xavier", "cell": "gru"},
        views=("gates", "gradient"),
    ),
)
SCENES.add(
    "layers_alone",
    Scene(
        N_("Layers alone"),
        N_("Five layers and a single step: with which scheme does more of the gradient arrive at layer 1?"),
        ("pytorch",),
        {"scheme": "glorot_uniform", "layers": 5, "seq_len": 1, "inputs": "digits"},
        views=("layers_state", "layers_gradient"),
    ),
)
SCENES.add(
    "both_ways",
    Scene(
        N_("Both ways"),
        N_("Four layers, 50 steps: at step 1, does more of the gradient arrive in the top layer or in layer 1?"),
        (),
        {"scheme": "xavier", "layers": 4},
        views=("layers_state", "layers_gradient"),
    ),
)
SCENES.add(
    "one_gain",
    Scene(
        N_("One gain for all?"),
        N_("Move Gain until the gradient survives along the top layer: what happens in layer 1 then?"),
        (),
        {"scheme": "xavier", "layers": 4, "gain": 2.0},
        ("gain",),
        views=("layers_state", "layers_gradient"),
    ),
)
SCENES.add(
    "cut_off",
    Scene(
        N_("Cut off"),
        N_("The loss reaches back 20 steps only: what has faded here, and what is cut off?"),
        (),
        {"scheme": "xavier", "layers": 4, "gain": 2.0, "truncate": 20},
        ("truncate",),
        views=("layers_state", "layers_gradient"),
    ),
)
