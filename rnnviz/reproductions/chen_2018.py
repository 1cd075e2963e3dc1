"""Chen, Pennington & Schoenholz 2018: how long an RNN can be trained to remember, by the gain of its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import rnnviz as rv

from ..learning.gain_map import training_at_gains
from ..theory.memory import correlation_length
from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between

Array = np.ndarray
GAINS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 1.86, 2.3, 3.0)
SYMBOLS = 8
CHANCE = 1.0 / SYMBOLS
SIGMAS_IN = (0.1, 1.0)


def accuracies(sigma_in: float, seq_len: int, gains: Array, hidden_size: int, steps: int, seeds: int) -> Array:
    """Return the share of first symbols recalled after training, for each gain: the mean over seeds."""
    # One-hot symbols times sqrt(8) have unit variance at each unit with Xavier weights.
    config = rv.Config(seq_len=seq_len, hidden_size=hidden_size, input_scale=sigma_in * np.sqrt(SYMBOLS))
    found = []
    for seed in range(seeds):
        training = training_at_gains(config.replace(seed=seed), "recall", gains)
        for _ in training.run(steps, every=steps):
            pass
        found.append(np.asarray(training.evaluate()["test"].accuracy)[:, 0])
    return np.mean(found, axis=0)


def centre(gains: Array, right: Array) -> float:
    """Return the geometric mean of the gains, each with what it recalls beyond chance as its weight."""
    weights = np.maximum(right - CHANCE - 0.05, 0.0)  # of 256 sequences, 0.05 more than chance may be luck
    return float(np.exp(np.average(np.log(gains), weights=weights))) if weights.any() else np.nan


def reproduce(
    gains: Sequence[float] = GAINS, lengths: tuple[int, int] = (30, 15), hidden_size: int = 64, steps: int = 300,
    seeds: int = 3,
) -> tuple[list[Row], Picture]:  # fmt: skip
    """Train at every gain: with small inputs over the first of the ``lengths``, with unit inputs over the second."""
    tried = np.array(gains)
    small, unit = (
        accuracies(sigma_in, length, tried, hidden_size, steps, seeds)
        for sigma_in, length in zip(SIGMAS_IN, lengths, strict=True)
    )
    scale = np.log([correlation_length("tanh", gain, 1.0) for gain in tried])
    related = float(np.corrcoef(unit, scale)[0, 1]) if np.ptp(unit) > 0 else np.nan
    critical = [rv.theory.critical_gain("tanh", sigma_in) for sigma_in in SIGMAS_IN]
    best = centre(tried, small), centre(tried, unit)
    rows = [
        between("best gain, small inputs", "1 without input", best[0], 1.1, 1.6, reproduces=False),
        between("best gain, unit inputs", f"{critical[1]:.2f}", best[1], 1.6, 2.2),
        between("best gain, unit over small inputs", f"{critical[1] / critical[0]:.2f}", best[1] / best[0], 1.2, 2.0),
        between("correlation of recall with log ξ, unit inputs", "1", related, 0.5, 1.0),
    ]
    curves = {f"σ_in = {s:g}, T = {t}": (tried, y) for s, t, y in zip(SIGMAS_IN, lengths, (small, unit), strict=True)}
    return rows, Picture(curves, {"xlabel": "gain σ_w", "ylabel": "first symbol recalled"})


REPRODUCTIONS.add(
    "chen_2018",
    Reproduction(
        name="chen_2018",
        paper="Chen, Pennington & Schoenholz 2018",
        figure="what a vanilla RNN can be trained to remember",
        states="An RNN can be trained where theory's time scale reaches; the scale is longest at the critical gain, "
        "which grows with the variance of the input: in theory from 1 without input to 1.86 with unit inputs.",
        differs="Tanh networks of 64 units recall the first of 15 symbols (30 where inputs are small), trained for "
        "300 steps. With small inputs, training itself moves the weights far, so that the band of gains that learn is "
        "wide, with its middle above the critical gain.",
        fn=reproduce,
    ),
)
