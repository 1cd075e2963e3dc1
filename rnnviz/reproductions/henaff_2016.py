"""Henaff, Szlam & LeCun 2016: orthogonal weights for copying, the identity for adding."""

from __future__ import annotations

import numpy as np

import rnnviz as rv

from ..network.cells import CELLS
from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between, registered
from .linear_recurrence import NAME, linear_recurrence

SCHEMES = ("orthogonal", "identity", "xavier")
LABELS = ("orthogonal", "identity", "Gaussian")
LAST = 30  # steps whose losses count
SOLVED, UNSOLVED = 0.4, 0.7  # losses over chance, from where it falls on or does not begin to
Curves = dict[str, tuple[np.ndarray, np.ndarray]]


def curves_of(training: rv.Training, steps: int) -> Curves:
    """Return the median over seeds of the loss over chance, mean of ``LAST`` steps each, by scheme."""
    for _ in training.run(steps, every=steps):
        pass
    loss = np.median(training.losses, axis=2) / training.chance
    width = min(LAST, steps)
    loss = loss[steps % width :].reshape(-1, width, len(SCHEMES)).mean(axis=1)
    at = steps - width * np.arange(len(loss))[::-1]
    return {label: (at, loss[:, k]) for k, label in enumerate(LABELS)}


def reproduce(
    copied_after: int = 50, added_over: int = 100, hidden_size: int = 64, seeds: int = 2, copying_steps: int = 300,
    adding_steps: int = 600,
) -> tuple[list[Row], Picture]:  # fmt: skip
    """Train the linear recurrence with ReLU at its input on both problems."""
    with registered(CELLS, NAME, linear_recurrence()):
        usual = rv.Config(cell=NAME, activation="relu", hidden_size=hidden_size, batch_size=32)
        copying = usual.replace(seq_len=copied_after, input_scheme="xavier")
        copied = curves_of(rv.Training(copying, "copying", SCHEMES, range(seeds), learning_rate=0.003), copying_steps)
        adding = usual.replace(seq_len=added_over, input_scheme="small_normal")
        added = curves_of(rv.Training(adding, "adding", SCHEMES, range(seeds), learning_rate=0.001), adding_steps)
    rows = rows_of(f"copying after {copied_after}", copied, "orthogonal")
    rows += rows_of(f"adding over {added_over}", added, "identity")
    curves = {f"copying, {name}": curve for name, curve in copied.items()}
    curves |= {f"adding, {name}": curve for name, curve in added.items()}
    axes = {"xlabel": "training step", "ylabel": "loss over chance", "ylim": (0.0, 2.0)}
    return rows, Picture(curves, axes)


def rows_of(problem: str, curves: Curves, solved_by: str) -> list[Row]:
    """Return a row for each scheme: the one that solves the problem, and those that do not."""
    rows = []
    for label, (_, loss) in curves.items():
        states, bounds = ("solved", (0.0, SOLVED)) if label == solved_by else ("not solved", (UNSOLVED, np.inf))
        rows.append(between(f"{problem}, {label}: loss over chance", states, loss[-1], *bounds))
    return rows


REPRODUCTIONS.add(
    "henaff_2016",
    Reproduction(
        name="henaff_2016",
        paper="Henaff, Szlam & LeCun 2016",
        figure="the experiments on copying and adding",
        states="A recurrence that is linear, with the nonlinearity at the input, solves copying from orthogonal "
        "initial weights and not from the identity; adding from the identity, and not from orthogonal ones.",
        differs="64 units with ReLU at the input; copying after 50 steps and adding over 100, for 300 and 600 steps of "
        "Adam, after which the losses of the solving networks still fall.",
        fn=reproduce,
    ),
)
