"""Digits: name the digit of a scan that is read a row or a pixel per step."""

from __future__ import annotations

import numpy as np

from ..network.config import Config
from ..network.inputs import scans
from ..text.language import N_
from .problem import Batch, Defaults, Problem, last_step

Array = np.ndarray
TRAIN = 1437  # of the 1,797 scans; the others are for testing
SIDE, PIXELS, CLASSES = 8, 64, 10


def split() -> tuple[Array, Array]:
    """Return which scans are for training and which for testing, always the same."""
    order = np.random.default_rng(0).permutation(len(scans()[1]))
    return order[:TRAIN], order[TRAIN:]


def read(chosen: Array, scale: float, width: int) -> Batch:
    """Return scans as sequences, ``width`` pixels per step; the target is the digit, at the last step."""
    images, labels = scans()
    rows = images[chosen].reshape(len(chosen), -1, width).transpose(1, 0, 2)
    return Batch(scale * rows, labels[chosen][None])


def problem(name: str, label: str, help: str, width: int, **more) -> Problem:
    """Return the problem that reads ``width`` pixels per step."""

    def draw(rng: np.random.Generator, config: Config, step: int) -> Batch:
        return read(rng.choice(split()[0], config.batch_size), config.input_scale, width)

    def tests(rng: np.random.Generator, config: Config) -> dict[str, Batch]:
        parts = zip(("train", "test"), split(), strict=True)
        return {part: read(chosen, config.input_scale, width) for part, chosen in parts}

    return Problem(
        name=name, label=label, help=help, loss="cross-entropy", draw=draw, tests=tests,
        sizes=lambda config: (width, CLASSES), chance=label_entropy, loss_steps=last_step,
        length=lambda seq_len: PIXELS // width, **more,
    )  # fmt: skip


def label_entropy(config: Config) -> float:
    """Return the loss of the best guess without reading: the entropy of the digits' frequencies, nearly ln 10."""
    p = np.bincount(scans()[1][split()[0]]) / TRAIN
    return float(-np.sum(p * np.log(p)))


DIGITS = problem(
    "digits",
    N_("Digits, a row per step"),
    N_("name the handwritten digit of a scan, read one row of 8 pixels per step"),
    SIDE,
    defaults=Defaults(seq_len=SIDE, steps=1000),
)
PIXEL_DIGITS = problem(
    "pixels",
    N_("Digits, a pixel per step"),
    N_("name the handwritten digit of a scan, read one pixel per step"),
    1,
    defaults=Defaults(seq_len=PIXELS, steps=3000),
)
