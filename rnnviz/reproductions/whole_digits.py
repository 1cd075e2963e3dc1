"""A problem for feed-forward networks: name the digit of a scan whose 64 pixels are read at once, T = 1."""

from __future__ import annotations

import numpy as np

from ..learning.digits import CLASSES, PIXELS, label_entropy, read, split
from ..learning.problem import Batch, Defaults, Problem, last_step
from ..network.config import Config

NAME = "whole_digits"


def draw(rng: np.random.Generator, config: Config, step: int) -> Batch:
    return read(rng.choice(split()[0], config.batch_size), config.input_scale, PIXELS)


def tests(rng: np.random.Generator, config: Config) -> dict[str, Batch]:
    return {"test": read(split()[1], config.input_scale, PIXELS)}


def whole_digits() -> Problem:
    """Return the problem."""
    return Problem(
        name=NAME, label="Whole digits", help="name the digit of a scan that is read at once", loss="cross-entropy",
        draw=draw, tests=tests, sizes=lambda config: (PIXELS, CLASSES), chance=label_entropy, loss_steps=last_step,
        length=lambda seq_len: 1, target=0.1,
        defaults=Defaults(seq_len=1, batch_size=100, optimiser="sgd", learning_rate=0.1),
    )  # fmt: skip
