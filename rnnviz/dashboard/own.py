"""A page about the reader's own network: its weights stay, and what it reads can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.runs import OWN, checked, tracing
from ..engine.trace import Network, Trace
from ..network.config import Config
from ..network.layers import count_layers, with_gain
from ..network.sampling import draw_inputs
from ..numerics.progress import Progress
from ..text.language import _
from ..text.registry import shorten

Array = np.ndarray
# Controls that mean nothing here: fields of Config, options, and the other names that a link can hide.
ABSENT = (
    "scheme", "input_scheme", "cell", "activation", "hidden_size", "input_size", "output_size", "forget_bias",
    "layers", "spectral_radius", "beside", "seeds", "theory",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class OwnNetwork:
    """A network that no scheme draws.

    Attributes
    ----------
    params : the arrays, as of `bptt`.
    name : what legends and sentences call it.
    fixed : the fields of Config that it decides, by name.
    """

    params: dict[str, Array]
    name: str
    fixed: dict[str, Any]

    @classmethod
    def of(
        cls,
        params: dict[str, Array],
        name: str | None = None,
        cell: str = "rnn",
        activation: str = "tanh",
        **_rest: Any,
    ) -> OwnNetwork:
        """Return the network of these arrays, copied; ValueError where they do not fit together."""
        inputs = len(params["W_xh"]) if "W_xh" in params else 1
        batch = np.zeros((1, 1, inputs)), np.zeros((1, 1), dtype=int)
        params = checked(params, *batch, cell, "last")[0]
        hidden, classes = params["W_hy"].shape
        sizes = {"hidden_size": hidden, "input_size": inputs, "output_size": classes, "layers": count_layers(params)}
        return cls(params, name or _(OWN), {"cell": cell, "activation": activation, "spectral_radius": 0.0, **sizes})

    def check(self, config: Config) -> None:
        """Raise a ValueError for settings that this network cannot have."""
        for name, value in self.fixed.items():
            if getattr(config, name) != value:
                text = _("{name} must be {value}, as the network has it; got {received}.")
                received = shorten(getattr(config, name))
                raise ValueError(text.format(name=name, value=shorten(value), received=received))
        (inputs, classes), wanted = config.sizes, (self.fixed["input_size"], self.fixed["output_size"])
        if inputs != wanted[0] or classes > wanted[1]:
            text = _("The network has D = {size} and O = {classes}; this input has D = {inputs} and O = {others}.")
            raise ValueError(text.format(size=wanted[0], classes=wanted[1], inputs=inputs, others=classes))

    def computing(self, config: Config, seeds: int = 1) -> Progress[Trace]:
        """Run the network, with the gain (see `with_gain`), on what a Config draws; return a comparison of it alone."""
        yield 0.0
        params = with_gain(self.params, config.gain)
        chosen = config.cell, config.activation, config.loss_at, self.name, config.loss_reduction
        own = Network(params, *draw_inputs(config), *chosen, config.truncate)
        return (yield from tracing(own, config))
