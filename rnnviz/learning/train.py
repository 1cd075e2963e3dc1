"""`rv.train`: train networks on a problem in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..network.config import Config
from .progress import TrainingProgress
from .settings import whole
from .training import Training


def train(
    config: Config | None = None, problem: str = "adding", *, schemes: Sequence[str] | str | None = None,
    seeds: Iterable[int] | int | None = None, steps: int | None = None, optimiser: str | None = None,
    learning_rate: float | None = None, clip_norm: float | None = None, clip_value: float | None = None,
    every: int = 1,
) -> Iterator[TrainingProgress]:  # fmt: skip
    """Train networks on a problem, and yield the progress of every step.

    Parameters
    ----------
    config : cell, activation, layers, sizes, batch and how far the gradient reaches (``truncate``); None: those in
        which the problem is usually shown. The problem brings its own inputs, D, O and loss: ``inputs``,
        ``input_size``, ``output_size`` and ``loss_at`` are not read; ``input_scale`` is.
    problem : a key of ``PROBLEMS``: "adding", "copying", "recall", "characters", "digits", "pixels".
    schemes, seeds : several of them train side by side, S schemes x R seeds; all schemes of a seed read the same
        batches. By default one run, that of the Config.
    steps : how many; by default the problem's number.
    optimiser : a key of ``OPTIMISERS``: "sgd", "momentum", "rmsprop", "adagrad", "adam"; by default the problem's.
    learning_rate : by default the problem's, or the optimiser's where it is not the problem's.
    clip_norm, clip_value : limits of the gradient's norm and of its numbers, the norm first; 0: no clipping. By default
        the problem's.
    every : how many steps one record stands for; the last step has one in any case.

    Yields
    ------
    TrainingProgress with ``step``, ``loss``, ``grad_norm``, ``diverged``, ``overflow`` and ``params()``; arrays (S, R)
    where schemes or seeds were given. A run whose numbers overflow ends, with the step and what overflowed; the others
    go on.

    Raises
    ------
    ValueError : naming the argument, the value received and the values allowed.

    >>> config = Config(hidden_size=16, seq_len=5)
    >>> for progress in train(config, "recall", schemes=("xavier", "uniform01"), seeds=range(3), steps=2):
    ...     print(progress.step, progress.loss.shape)
    1 (2, 3)
    2 (2, 3)

    Sources: backpropagation through time, Werbos 1990; truncated, Williams & Peng 1990.
    """
    training = Training(config, problem, schemes, seeds, optimiser, learning_rate, clip_norm, clip_value)
    steps = training.problem.defaults.steps if steps is None else steps
    return training.run(whole("steps", steps), whole("every", every))
