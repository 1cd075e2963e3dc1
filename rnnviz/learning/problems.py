"""The problems: adding, copying and recall, which ask for memory alone; characters and digits."""

from __future__ import annotations

import numpy as np

from ..network.config import Config
from ..text.language import N_
from ..text.registry import Registry
from .characters import CHARACTERS
from .digits import DIGITS, PIXEL_DIGITS
from .problem import Batch, Defaults, Problem, last_step

Array = np.ndarray
SYMBOLS = 8  # of copying and recall
COPIED = 10  # symbols of a sequence to copy
BLANK, GO = SYMBOLS, SYMBOLS + 1
TOLERANCE = 0.04  # an error of the sum that counts as right
SURE = 0.9  # probability of the right symbol at which recalling counts as solved

PROBLEMS: Registry[Problem] = Registry("problem")


def adding(rng: np.random.Generator, config: Config, step: int) -> Batch:
    """Draw T numbers in [0, 1] and mark one in each half; the target is the sum of the marked two.

    Source: Hochreiter & Schmidhuber 1997, experiment 4, with numbers and marks as in Le, Jaitly & Hinton 2015.
    """
    steps, batch = config.seq_len, config.batch_size
    half, rows = steps // 2, np.arange(batch)
    x = np.zeros((steps, batch, 2))
    x[:, :, 0] = rng.random((steps, batch))
    first, second = rng.integers(half, size=batch), rng.integers(half, steps, size=batch)
    x[first, rows, 1] = x[second, rows, 1] = 1.0
    targets = x[first, rows, 0] + x[second, rows, 0]
    return Batch(config.input_scale * x, targets[None, :, None])


def is_near(y: Array, targets: Array) -> Array:
    """Return where the error of every output is below 0.04 (Hochreiter & Schmidhuber 1997)."""
    return (np.abs(y - targets) < TOLERANCE).all(axis=-1)


def copying(rng: np.random.Generator, config: Config, step: int) -> Batch:
    """Draw 10 of 8 symbols; after T - 1 blanks and a signal, the network has to write them, before that blanks.

    A sequence has T + 20 steps: 10 symbols, T - 1 blanks, the signal, 10 blanks.
    Source: Hochreiter & Schmidhuber 1997; Arjovsky, Shah & Bengio 2016, section 4.1.
    """
    steps, batch = copying_length(config.seq_len), config.batch_size
    symbols = rng.integers(SYMBOLS, size=(COPIED, batch))
    codes = np.full((steps, batch), BLANK)
    codes[:COPIED] = symbols
    codes[-COPIED - 1] = GO
    targets = np.full((steps, batch), BLANK)
    targets[-COPIED:] = symbols
    return Batch(config.input_scale * np.eye(SYMBOLS + 2)[codes], targets)


def copying_length(seq_len: int) -> int:
    return seq_len + 2 * COPIED


def copies(y: Array, targets: Array) -> Array:
    """Return which symbols are right, of the last 10 steps: blanks are not worth counting."""
    return (y.argmax(axis=-1) == targets)[..., -COPIED:, :]


def recall(rng: np.random.Generator, config: Config, step: int) -> Batch:
    """Draw one of 8 symbols at every step; the target, after the last, is the first.

    With ``input_scale`` sqrt(8), the input is as large as unit noise. Source: Bengio, Simard & Frasconi 1994 (the latch
    problem), as a classification.
    """
    codes = rng.integers(SYMBOLS, size=(config.seq_len, config.batch_size))
    return Batch(config.input_scale * np.eye(SYMBOLS)[codes], codes[:1])


PROBLEMS.add(
    "adding",
    Problem(
        name="adding",
        label=N_("Adding"),
        help=N_("add the two marked numbers of a long sequence"),
        loss="squared error",
        draw=adding,
        sizes=lambda config: (2, 1),
        chance=lambda config: 1.0 / 6.0,  # Var(u + v) = 2/12
        solved=lambda config: TOLERANCE**2,
        defaults=Defaults(seq_len=50, learning_rate=0.003, steps=2000),
        loss_steps=last_step,
        is_right=is_near,
        shortest=2,
    ),
)
PROBLEMS.add(
    "copying",
    Problem(
        name="copying",
        label=N_("Copying"),
        help=N_("write down ten symbols that were read T steps before"),
        loss="cross-entropy",
        draw=copying,
        sizes=lambda config: (SYMBOLS + 2, SYMBOLS + 1),
        chance=lambda config: COPIED * np.log(SYMBOLS) / copying_length(config.seq_len),
        solved=lambda config: -COPIED * np.log(SURE) / copying_length(config.seq_len),
        defaults=Defaults(seq_len=20, hidden_size=128, learning_rate=0.003, steps=3000),
        length=copying_length,
        is_right=copies,
    ),
)
PROBLEMS.add(
    "recall",
    Problem(
        name="recall",
        label=N_("Recall"),
        help=N_("name the first of T symbols after the last"),
        loss="cross-entropy",
        draw=recall,
        sizes=lambda config: (SYMBOLS, SYMBOLS),
        chance=lambda config: np.log(SYMBOLS),
        solved=lambda config: -np.log(SURE),
        defaults=Defaults(seq_len=20, learning_rate=0.003, steps=1000),
        loss_steps=last_step,
    ),
)
for entry in (CHARACTERS, DIGITS, PIXEL_DIGITS):
    PROBLEMS.add(entry.name, entry)
