"""Schoenholz, Gilmer, Ganguli & Sohl-Dickstein 2017: networks can be trained as deep as theory's depth scale says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import rnnviz as rv

from ..learning.gain_map import training_at_gains
from ..learning.problems import PROBLEMS
from ..theory.memory import correlation_length
from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between, registered
from .whole_digits import NAME, whole_digits

Array = np.ndarray
SCALES = 6.0  # depth scales that the paper's trained networks reach
LEARNT = 0.5  # of the digits right; 0.1 is chance


def accuracies(layers: int, sigmas: Array, hidden_size: int, steps: int) -> Array:
    """Return the share of test digits named right after training, for each sigma_w."""
    config = rv.Config(layers=layers, seq_len=1, hidden_size=hidden_size, batch_size=100)
    training = training_at_gains(config, NAME, sigmas)
    for _ in training.run(steps, every=steps):
        pass
    return np.asarray(training.evaluate()["test"].accuracy)[:, 0]


def reproduce(
    variances: Sequence[float] = (0.1, 0.2, 0.3, 0.5, 0.7), depths: Sequence[int] = (2, 3, 4, 6, 8, 10, 13, 16),
    hidden_size: int = 64, steps: int = 200,
) -> tuple[list[Row], Picture]:  # fmt: skip
    """Train at every depth and sigma_w**2 of the ordered side, without biases, where xi = -1 / ln sigma_w**2."""
    sigmas = np.sqrt(variances)
    with registered(PROBLEMS, NAME, whole_digits()):
        right = np.array([accuracies(depth, sigmas, hidden_size, steps) for depth in depths])
    reached = np.array([max([0, *np.array(depths)[column >= LEARNT]]) for column in right.T])
    predicted = np.array([SCALES * correlation_length("tanh", sigma, 0.0) for sigma in sigmas])
    inside = reached < max(depths)  # else the network could have been deeper
    ratios = reached[inside] / predicted[inside]
    low, high = (ratios.min(), ratios.max()) if inside.any() else (np.nan, np.nan)
    rows = [
        between("depth that learns over 6 ξ: smallest", "about 1", low, 0.5, 2.0),
        between("depth that learns over 6 ξ: largest", "about 1", high, 0.5, 2.0),
        between("largest over smallest", "1: the same for every σ_w", high / low if low > 0 else np.nan, 1.0, 1.4),
    ]
    curves = {"deepest that learns": (variances, reached), "6 ξ": (variances, predicted)}
    return rows, Picture(curves, {"xlabel": "σ_w²", "ylabel": "layers"})


REPRODUCTIONS.add(
    "schoenholz_2017",
    Reproduction(
        name="schoenholz_2017",
        paper="Schoenholz et al. 2017",
        figure="figure 5",
        states="Networks can be trained up to a depth of about six depth scales ξ, whatever σ_w is.",
        differs="Tanh networks of 64 units and up to 16 layers, without biases, on scans of 8 x 8 pixels, instead of "
        "300 units, 300 layers and MNIST; only σ_w² below 1, since above it 6 ξ is beyond 16 layers.",
        fn=reproduce,
    ),
)
