"""What a problem is: its sequences, its loss, and the losses that mean something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..network.config import Config
from ..text.language import _

Array = np.ndarray
TEST_SEQUENCES = 256


class Batch(NamedTuple):
    """Sequences ``x`` (T, B, D), and ``targets`` at the K steps that have a loss: (K, B), or (K, B, O) numbers."""

    x: Array
    targets: Array


@dataclass(frozen=True)
class Defaults:
    """The setting in which a problem is usually shown; ``clip_norm`` and ``clip_value`` 0: no clipping."""

    seq_len: int
    batch_size: int = 32
    hidden_size: int = 64
    steps: int = 1000
    optimiser: str = "adam"
    learning_rate: float = 0.003
    clip_norm: float = 1.0
    clip_value: float = 0.0


def same_class(y: Array, targets: Array) -> Array:
    """Return where the largest of the outputs (..., O) is that of the target class."""
    return y.argmax(axis=-1) == targets


@dataclass(frozen=True, eq=False)
class Problem:
    """One problem that networks are trained on. It brings its own inputs and sizes: ``config.inputs`` is not read.

    Attributes
    ----------
    name, label, help : its name in code, in menus and in help texts.
    loss : a key of ``LOSSES``; its mean over the sequences, and over the steps that have one, is reported.
    draw : ``(rng, config, step) -> Batch``; ``step`` counts from 0. The same arguments give the same batch.
    sizes : ``config -> (D, O)``.
    chance : ``config -> float``, the loss of the best guess that reads no input.
    solved : ``config -> float``, the loss below which it counts as solved; None where there is no such level.
    target : fraction of the chance level that "steps to reach the target" waits for.
    defaults : the setting in which it is usually shown.
    length : ``seq_len -> T``, the steps of a sequence.
    loss_steps : ``T -> (K,)``, the steps that have a loss, from 0; None: all.
    is_right : ``(y (..., O), targets) -> bool (...)``, whether an output counts as right.
    tests : ``(rng, config) -> {name: Batch}``, sequences to evaluate on; by default 256 fresh ones, as "test".
    is_summed : whether the gradient is that of the sum over the steps, not of the mean; it matters for clipping.
    continues : ``(config, step) -> bool``, whether a batch goes on where the one before ended, so that the state is
        carried over; None: never.
    write : ``(params, config, length, rng, start, temperature) -> str`` for a problem whose outputs are characters.
    shortest : the smallest ``seq_len``.
    """

    name: str
    label: str
    help: str
    loss: str
    draw: Callable[[np.random.Generator, Config, int], Batch]
    sizes: Callable[[Config], tuple[int, int]]
    chance: Callable[[Config], float]
    defaults: Defaults
    solved: Callable[[Config], float] | None = None
    target: float = 0.1
    length: Callable[[int], int] = lambda seq_len: seq_len
    loss_steps: Callable[[int], Array] | None = None
    is_right: Callable[[Array, Array], Array] = same_class
    tests: Callable[[np.random.Generator, Config], dict[str, Batch]] | None = None
    is_summed: bool = False
    continues: Callable[[Config, int], bool] | None = None
    write: Callable[..., str] | None = None
    shortest: int = 1

    def config(self, **changes: Any) -> Config:
        """Return a Config with the problem's usual sizes.

        >>> from rnnviz.learning.problems import PROBLEMS
        >>> PROBLEMS["adding"].config(cell="gru")
        Config(cell='gru')
        """
        usual = {name: getattr(self.defaults, name) for name in ("seq_len", "batch_size", "hidden_size")}
        return Config(**(usual | changes))

    def check(self, config: Config) -> None:
        """Raise a ValueError for sequences that are too short."""
        if config.seq_len < self.shortest:
            text = _("seq_len must be at least {shortest} for the problem {problem}; got {received}.")
            raise ValueError(text.format(shortest=self.shortest, problem=self.name, received=config.seq_len))

    def steps_with_loss(self, config: Config) -> Array:
        """Return the steps that have a loss, from 0 to T - 1."""
        return self.losses_in(self.length(config.seq_len))

    def losses_in(self, steps: int) -> Array:
        """Return the steps that have a loss, of a sequence of so many steps."""
        return np.arange(steps) if self.loss_steps is None else self.loss_steps(steps)

    def test_batches(self, rng: np.random.Generator, config: Config) -> dict[str, Batch]:
        """Return the sequences to evaluate on, by name."""
        if self.tests is not None:
            return self.tests(rng, config)
        return {"test": self.draw(rng, config.replace(batch_size=TEST_SEQUENCES), 0)}


def last_step(steps: int) -> Array:
    return np.array([steps - 1])
