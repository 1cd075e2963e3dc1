"""What networks have learnt after some training steps, over a grid of gains and sequence lengths, coarse to fine."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple

import numpy as np

from ..network.config import Config
from ..network.layers import has_gain
from ..numerics.progress import showing
from ..numerics.recent import Recent
from .problems import PROBLEMS
from .training import Training

Array = np.ndarray
maps: Recent[dict[int, Array]] = Recent(8)  # of each map: its part -> shares of right answers


class Learnt(NamedTuple):
    """A map, as far as it is known: the share done, and the share of right answers (K, G), nan where not known yet."""

    share: float
    accuracy: Array


def training_at_gains(config: Config, problem: str, gains: Array) -> Training:
    """Return a training of networks that differ in their gain alone, which stand in the place of the schemes."""
    at_one, schemes = without_gain(config), [config.scheme] * len(gains)
    training = Training(at_one, problem, schemes=schemes, seeds=[config.seed])
    for name, columns in training.stack.columns.items():
        if has_gain(name):
            training.stack.weights[:, columns] *= gains[:, None]
    return training


def learning(config: Config, problem: str, gains: Array, lengths: Array, steps: int) -> Generator[Learnt, None, Array]:
    """Train networks at every gain and length for so many steps, every fourth length and gain first.

    Returns the share of right answers on sequences that they have not been trained on, (K, G); nan for networks whose
    numbers overflow, and where the problem has no such length. What has been computed is kept, also of a map that was
    left unfinished.
    """
    found = np.full((len(lengths), len(gains)), np.nan)
    todo, known = list(levels(len(lengths), len(gains))), kept(config, problem, gains, lengths, steps)
    for part, (row, columns) in enumerate(todo):
        if part not in known:
            at = config.replace(seq_len=max(int(lengths[row]), PROBLEMS[problem].shortest))
            training, shown = training_at_gains(at, problem, gains[columns]), filled(found)
            for step in range(steps):
                yield from showing(training.advancing(), Learnt((part + step / steps) / len(todo), shown))
            known[part] = np.asarray(training.evaluate()["test"].accuracy)[:, 0]
        found[row, columns] = known[part]
    return found


def without_gain(config: Config) -> Config:
    """Return the Config at gain 1, without a spectral radius that would take its place."""
    return config.replace(gain=1.0, spectral_radius=0.0)


def kept(config: Config, problem: str, gains: Array, lengths: Array, steps: int) -> dict[int, Array]:
    """Return the parts of a map that are known, to which others are added; the last few maps are kept."""
    entries = PROBLEMS[problem], *config.entries
    key = without_gain(config).replace(seq_len=1), entries, tuple(gains.tolist()), tuple(lengths.tolist()), steps
    return maps.fetch(key, dict)


def levels(rows: int, columns: int) -> Iterator[tuple[int, Array]]:
    """Yield a row and the columns to compute in it: a grid of every fourth, then what lies between."""
    known = np.zeros((rows, columns), dtype=bool)
    for step in (4, 2, 1):
        wanted = np.zeros_like(known)
        wanted[::step, ::step] = True
        for row in range(0, rows, step):
            missing = np.flatnonzero(wanted[row] & ~known[row])
            if missing.size:
                yield row, missing
        known |= wanted


def filled(found: Array) -> Array:
    """Return the map with each unknown place as the nearest known one below and to the left of it."""
    shown = found.copy()
    for axis in (1, 0):
        for k in range(1, shown.shape[axis]):
            now, before = (np.moveaxis(shown, axis, 0)[j] for j in (k, k - 1))
            now[np.isnan(now)] = before[np.isnan(now)]
    return shown
