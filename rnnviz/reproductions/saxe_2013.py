"""Saxe, McClelland & Ganguli 2013: how long deep linear networks take to learn, by depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import rnnviz as rv

from ..learning.problems import PROBLEMS
from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between, registered
from .whole_digits import NAME, whole_digits

Array = np.ndarray
SCHEMES = ("orthogonal", "xavier")
LABELS = ("orthogonal", "Gaussian")


def steps_needed(layers: int, rates: Sequence[float], hidden_size: int, seeds: int, steps: int) -> Array:
    """Return the steps to a tenth of the chance level (S,), at each scheme's best rate: median over seeds, or inf."""
    config = rv.Config(activation="linear", layers=layers, seq_len=1, hidden_size=hidden_size, batch_size=100)
    found = []
    for rate in rates:
        training = rv.Training(config, NAME, SCHEMES, range(seeds), "sgd", rate, clip_norm=0.0)
        for _ in training.run(steps, every=steps):
            pass
        found.append(np.median(np.where(training.reached > 0, training.reached, np.inf), axis=1))
    return np.min(found, axis=0)


def reproduce(
    depths: Sequence[int] = (2, 4, 8, 16), rates: Sequence[float] = (0.03, 0.1, 0.3), hidden_size: int = 64,
    seeds: int = 2, steps: int = 300,
) -> tuple[list[Row], Picture]:  # fmt: skip
    """Train at every depth and learning rate."""
    with registered(PROBLEMS, NAME, whole_digits()):
        needed = np.array([steps_needed(depth, rates, hidden_size, seeds, steps) for depth in depths])
    with np.errstate(invalid="ignore"):  # inf / inf, which fails, where nothing is learnt
        orthogonal, gaussian = needed[-1] / needed[0]
        apart = needed[-1, 1] / needed[-1, 0]
    rows = [
        between(f"steps at {depths[-1]} layers over {depths[0]}, orthogonal", "about 1", orthogonal, 0.4, 1.6),
        between(f"steps at {depths[-1]} layers over {depths[0]}, Gaussian", "grows with depth", gaussian, 2.0),
        between("Gaussian over orthogonal, at the largest depth", "more than 1", apart, 2.0),
    ]
    curves = {label: (depths, needed[:, k]) for k, label in enumerate(LABELS)}
    return rows, Picture(curves, {"xlabel": "layers", "ylabel": "steps to learn"})


REPRODUCTIONS.add(
    "saxe_2013",
    Reproduction(
        name="saxe_2013",
        paper="Saxe, McClelland & Ganguli 2013",
        figure="learning time by depth, on MNIST",
        states="The steps that a deep linear network takes to learn do not grow with its depth for orthogonal weights, "
        "and grow for Gaussian ones, each at its best learning rate.",
        differs="2 to 16 layers of 64 units and scans of 8 x 8 pixels, instead of up to 100 layers of 1000 units and "
        "MNIST; minibatches of 100, softmax cross-entropy, and a grid of three learning rates.",
        fn=reproduce,
    ),
)
