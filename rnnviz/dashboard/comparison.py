"""What decides a comparison, and so its results: settings, schemes, seeds, or networks that no scheme draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..engine.runs import OWN, checked, tracing
from ..engine.trace import Network, Trace
from ..learning.shown import tracing_training
from ..learning.training import Training
from ..network.config import Config
from ..network.layers import count_layers, with_gain
from ..network.sampling import draw_inputs
from ..numerics.progress import Progress
from ..text.language import _
from ..text.registry import shorten

Array = np.ndarray
# Controls that mean nothing on a page about the reader's own network: fields of Config, options, and other names.
ABSENT = (
    "scheme", "input_scheme", "cell", "activation", "hidden_size", "input_size", "output_size", "forget_bias",
    "layers", "spectral_radius", "beside", "seeds", "theory",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class OwnNetwork:
    """The reader's own network: its weights stay, and what it reads can be chosen."""

    params: dict[str, Array]  # as of `bptt`
    name: str  # what legends and sentences call it
    fixed: dict[str, Any]  # the fields of Config that it decides, by name

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


class Weights(NamedTuple):
    """The networks of a training, as they are at one of its kept steps."""

    training: Training
    step: int

    def computing(self, config: Config, seeds: int) -> Progress[Trace]:
        """Run the first seeds' networks on as many sequences of the problem as the Config has."""
        return tracing_training(self.training, self.step, config.batch_size, seeds)


class Comparison(NamedTuple):
    """What decides a comparison: its settings, its schemes (the first is the config's) and how many seeds it has.

    ``entries`` are what the names mean now: one that is registered again makes another comparison. ``network`` is the
    reader's own, or are trained ones, which take the place of what the schemes draw.
    """

    config: Config
    schemes: tuple[str, ...]
    seeds: int
    entries: tuple[Any, ...] = ()
    network: OwnNetwork | Weights | None = None

    @property
    def first_scheme(self) -> Comparison:
        """The same with the first scheme alone."""
        beside = len(self.schemes) - 1
        return self._replace(schemes=self.schemes[:1], entries=self.entries[: len(self.entries) - beside])

    def drawn(self, count: int) -> range:
        """Return the first ``count`` seeds, counted from the config's, or from lower down where they would run out."""
        first = min(self.config.seed, 2**32 - count)
        return range(first, first + count)
