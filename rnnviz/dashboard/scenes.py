"""Scenes: named settings of the page, each with a question that is worth looking at."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..network.config import Config
from ..text.language import N_
from ..text.registry import Registry

if TYPE_CHECKING:
    from .state import Settings


@dataclass(frozen=True)
class Scene:
    """One named setting of the page.

    Attributes
    ----------
    label : on its button.
    look : what to look at, in one sentence that gives no result away.
    beside : the schemes drawn beside the first; settings : fields of Config that differ from their defaults.
    moves : the fields of Config that ``look`` asks the reader to move.
    """

    label: str
    look: str
    beside: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    moves: tuple[str, ...] = ()

    @cached_property
    def config(self) -> Config:
        """The scene's settings as a Config."""
        return Config(**self.settings)

    def applied_to(self, now: Settings) -> Settings:
        """Return the scene's settings; the page's own choices stay as they are."""
        return now.replace(config=self.config, beside=self.beside)

    def fits(self, now: Settings) -> bool:
        """Tell whether what the scene's sentence asks for can be seen with these settings."""
        mine, theirs = self.config.to_dict(), now.config.to_dict()
        same = all(mine[name] == theirs[name] for name in SUBJECT if name not in self.moves)
        return same and self.applied_to(now).comparison.schemes == now.comparison.schemes


# Other values of these make a scene's sentence wrong; sizes and seeds do not.
SUBJECT = ("gain", "cell", "activation", "inputs", "input_scale", "input_scheme", "loss_at", "forget_bias")
SCENES: Registry[Scene] = Registry("scene")
SCENES.add(
    "fades",
    Scene(
        N_("Fades"),
        N_("Both schemes keep the state at one height: now follow the gradient from the right edge to the left."),
        ("orthogonal",),
        {"scheme": "xavier"},
    ),
)
SCENES.add(
    "flat",
    Scene(
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
SCENES.add(
    "blows_up",
    Scene(
        N_("Blows up"),
        N_("ReLU has no ceiling: compare what becomes of the state with what becomes of the gradient."),
        ("he",),
        {"scheme": "uniform_centered", "activation": "relu"},
    ),
)
SCENES.add(
    "surprise",
    Scene(
        N_("The surprise"),
        N_("Both schemes have the same variance, but one adds up to more: can both still tell the first step?"),
        ("uniform_centered",),
        {"scheme": "uniform01"},
    ),
)
SCENES.add(
    "pytorch",
    Scene(
        N_("What PyTorch does"),
        N_("The defaults of two frameworks, when you do not ask: which of them can still tell the first step?"),
        ("keras",),
        {"scheme": "pytorch"},
    ),
)
SCENES.add(
    "forget_bias",
    Scene(
        N_("Forget bias"),
        N_("An LSTM: move Forget bias from 0 to 5 and watch the gradient's slope; PyTorch draws its own and stays."),
        ("pytorch",),
        {"scheme": "xavier", "cell": "lstm", "forget_bias": 0.0},
        ("forget_bias",),
    ),
)
