"""What the network reads: noise, an impulse, a text, own numbers, or scans of digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..text.language import N_
from ..text.registry import Registry
from .numbers import table

Array = np.ndarray

TEXT = (
    "A recurrent network reads one character at a time. What it has read lives in its hidden state, and what it "
    "learns must travel back along the same road. If each step shrinks the message to two thirds, then after fifty "
    "steps a billionth is left; if each step doubles it, the message drowns everything else. Why, then, does it ever "
    "work? Because somebody chose the first weights with care: Xavier Glorot in 2010, Andrew Saxe in 2013, Kaiming He "
    "in 2015. Question what you read here! Move a slider & look: 0.5, 1.0, 1.5, 2.0."
)


@dataclass(frozen=True, eq=False)
class Input:
    """One kind of input.

    Attributes
    ----------
    name, label, help : its name in code, in menus and in help texts.
    fn : ``fn(rng, sizes, text) -> x (T, B, D), targets (T, B)``, with x of unit scale.
    sizes : ``(D, O, text) -> (D, O)``: the sizes that the data require, whatever the Config asks for.
    steady : whether it acts at every step; False for an impulse at the first step.
    reads : the field of Config that ``fn`` and ``sizes`` get as ``text``: "text", "numbers", or "" for none.
    one_hot : whether each x is a single 1 among D numbers, so that ``E x^2 = 1/D``; the others have unit variance.
    """

    name: str
    label: str
    help: str
    fn: Callable[..., tuple[Array, Array]]
    sizes: Callable[[int, int, str], tuple[int, int]] = lambda input_size, output_size, text: (input_size, output_size)
    steady: bool = True
    reads: str = ""
    one_hot: bool = False


@dataclass(frozen=True)
class Sizes:
    """The sizes of one batch of sequences: T steps, B sequences, D inputs, O classes."""

    seq_len: int
    batch_size: int
    input_size: int
    output_size: int


INPUTS: Registry[Input] = Registry("inputs")


def check_targets(targets: Array, steps: int, batch: int, classes: int) -> None:
    """Raise a ValueError unless targets are (T, B) whole numbers below O."""
    if targets.shape != (steps, batch):
        raise ValueError(f"targets must have the shape (T, B) = {(steps, batch)}; got {targets.shape}")
    if not np.issubdtype(targets.dtype, np.integer) or targets.min() < 0 or targets.max() >= classes:
        raise ValueError(f"targets must be whole numbers from 0 to {classes - 1}; got {targets.min()}..{targets.max()}")


def random_targets(rng: np.random.Generator, sizes: Sizes) -> Array:
    return rng.integers(sizes.output_size, size=(sizes.seq_len, sizes.batch_size))


def gaussian(rng: np.random.Generator, sizes: Sizes, text: str) -> tuple[Array, Array]:
    """Draw ``x ~ N(0, 1)`` at every step, and random targets."""
    x = rng.standard_normal((sizes.seq_len, sizes.batch_size, sizes.input_size))
    return x, random_targets(rng, sizes)


def impulse(rng: np.random.Generator, sizes: Sizes, text: str) -> tuple[Array, Array]:
    """Draw ``x_1 ~ N(0, 1)``, then zeros: what follows is the network's own dynamics."""
    x = np.zeros((sizes.seq_len, sizes.batch_size, sizes.input_size))
    x[0] = rng.standard_normal(x.shape[1:])
    return x, random_targets(rng, sizes)


def alphabet(text: str) -> list[str]:
    """Return the distinct characters of ``text``, sorted."""
    return sorted(set(text))


def one_hot_text(rng: np.random.Generator, sizes: Sizes, text: str) -> tuple[Array, Array]:
    """Read the text from random positions, one character per step; the target is the next character."""
    codes = np.searchsorted(alphabet(text), list(text))
    steps = np.arange(sizes.seq_len + 1)[:, None] + rng.integers(len(text), size=sizes.batch_size)
    window = codes[steps % len(text)]
    return np.eye(sizes.input_size)[window[:-1]], window[1:]


def own_numbers(rng: np.random.Generator, sizes: Sizes, text: str) -> tuple[Array, Array]:
    """Read the rows of `table` from random positions, one per step, from the end on to the beginning again.

    The target is the class of the next number in the first column: O classes, of equally many rows where none are
    equal, from the smallest numbers to the largest.
    """
    rows = table(text)
    steps = np.arange(sizes.seq_len + 1)[:, None] + rng.integers(len(rows), size=sizes.batch_size)
    window = steps % len(rows)
    bounds = np.quantile(rows[:, 0], np.arange(1, sizes.output_size) / sizes.output_size)
    classes = np.searchsorted(bounds, rows[:, 0], side="right")
    return rows[window[:-1]], classes[window[1:]]


@cache
def scans() -> tuple[Array, Array]:
    """Return scikit-learn's 1,797 scans of digits as (N, 8, 8), mean 0 and variance 1 overall, and labels."""
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        images, labels = file["images"].astype(float), file["labels"].astype(int)
    return (images - images.mean()) / images.std(), labels


def digits(rng: np.random.Generator, sizes: Sizes, text: str) -> tuple[Array, Array]:
    """Read scans of handwritten digits, one row of 8 pixels per step, scan after scan; the target is the label."""
    images, labels = scans()
    per_sequence = -(-sizes.seq_len // 8)
    chosen = rng.integers(len(images), size=(per_sequence, sizes.batch_size))
    rows = images[chosen].transpose(0, 2, 1, 3).reshape(per_sequence * 8, sizes.batch_size, 8)
    return rows[: sizes.seq_len], labels[chosen].repeat(8, axis=0)[: sizes.seq_len]


INPUTS.add(
    "gaussian",
    Input("gaussian", N_("Gaussian noise"), N_("x ~ N(0, 1), new at every step; the targets are random"), gaussian),
)
INPUTS.add(
    "none", Input("none", N_("One kick"), N_("x ~ N(0, 1) at the first step, then nothing"), impulse, steady=False)
)
INPUTS.add(
    "text",
    Input(
        "text",
        N_("Text (one-hot)"),
        N_("one character per step, one-hot; the target is the next character"),
        one_hot_text,
        lambda input_size, output_size, text: (len(alphabet(text)), len(alphabet(text))),
        reads="text",
        one_hot=True,
    ),
)
INPUTS.add(
    "numbers",
    Input(
        "numbers",
        N_("Own numbers"),
        N_("one row per step, each column scaled to mean 0 and variance 1; the target is the class of the next number"),
        own_numbers,
        lambda input_size, output_size, text: (table(text).shape[1], output_size),
        reads="numbers",
    ),
)
INPUTS.add(
    "digits",
    Input(
        "digits",
        N_("Handwritten digits"),
        N_("real scans, one row of 8 pixels per step; the target is the digit"),
        digits,
        lambda input_size, output_size, text: (8, 10),
    ),
)
