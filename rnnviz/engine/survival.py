"""How much of the gradient survives the way back, over a grid of gains and distances, from coarse to fine."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ..network.config import Config
from ..network.schemes import SCHEMES
from ..numerics.progress import mapped
from ..numerics.quantiles import median
from ..numerics.recent import Recent
from .batching import side_by_side, split
from .runs import run_stack

Array = np.ndarray
GAINS, SEEDS, SEQUENCES = 24, 8, 4
SPREAD = 4.0  # the gains reach from the middle one divided by this to the middle one times it
HORIZONS = (50, 100, 200, 400, 800)  # steps; one of them is the longest distance
WORK = 1e11  # multiplications that a map may take; large networks get fewer seeds and gains


class Part(NamedTuple):
    """A map that is not finished: the share done, and what is known of it."""

    share: float
    value: Survival


@dataclass(frozen=True, eq=False)
class Survival:
    """The gradient that survives.

    Attributes
    ----------
    config : the experiment; its gain is not read, and its sequence length is the longest distance.
    gains : (G,), equal ratios apart.
    log10_norm : (G, R, K+1), log10 of ||dL/dh_{T-k}|| over ||dL/dh_T|| for each gain, seed and distance k, nan where it
        is not computed yet or not defined.
    known : (G, R), whether a run has been computed.
    """

    config: Config
    gains: Array
    log10_norm: Array
    known: Array = field(repr=False)

    @property
    def medians(self) -> Array:
        """The medians over the seeds known, (G, K+1); a gain that is not known yet has those of the nearest below."""
        found = np.full((len(self.gains), self.log10_norm.shape[-1]), np.nan)
        for k, known in enumerate(self.known):
            found[k] = median(self.log10_norm[k][known]) if known.any() else found[k - 1]
        return found


def survival_config(config: Config) -> Config:
    """Return what a map of a Config depends on, in which its gain, batch size and sequence length hardly count."""
    horizon = next((each for each in HORIZONS if each >= config.seq_len), HORIZONS[-1])
    own = {"gain": 1.0, "spectral_radius": 0.0, "loss_at": "last"}
    return config.replace(**own, seq_len=horizon, batch_size=min(config.batch_size, SEQUENCES))


def gains_of(config: Config) -> Array:
    """Return the gains of a scheme's map, around the one at which W_hh on its own keeps a typical length.

    That is 1 over sigma_w, or over ``H mean``, the eigenvalue that a mean adds, where that is larger.
    """
    size, scheme = config.hidden_size, SCHEMES[config.scheme]
    most = max(np.sqrt(size * scheme.variance(size, size)), size * abs(scheme.mean(size, size)))
    middle = min(1.0 / most, 20.0 / SPREAD)
    return np.geomspace(middle / SPREAD, SPREAD * middle, GAINS)


maps: Recent[Survival] = Recent(8)


def known_map(config: Config) -> Survival | None:
    """Return the map of a Config as far as it has been computed, None where nothing is known."""
    asked = survival_config(config)
    return maps.get((asked, asked.entries))


def is_complete(found: Survival) -> bool:
    """Return whether a map has all that a network of its size allows."""
    return all(found.known[np.ix_(gains, seeds)].all() for gains, seeds in levels(found.config))


def mapping(config: Config) -> Generator[Part, None, Survival]:
    """Compute the map of `survival_config` of a Config, every fourth gain first, and yield what is known.

    What has been computed is kept, also of a map that was left unfinished.
    """
    asked = survival_config(config)
    key = asked, asked.entries
    found = maps.fetch(key, lambda: blank(asked))
    for gains, seeds in levels(asked):
        missing = [(k, r) for r in seeds for k in gains if not found.known[k, r]]
        if missing:
            found = maps[key] = yield from filled(found, missing)
            yield Part(float(found.known.mean()), found)
    return found


def blank(config: Config) -> Survival:
    """Return a map of which nothing is known."""
    gains = gains_of(config)
    known = np.zeros((len(gains), SEEDS), dtype=bool)
    return Survival(config, gains, np.full((*known.shape, config.seq_len + 1), np.nan), known)


def levels(config: Config) -> Iterator[tuple[range, range]]:
    """Yield the gains and seeds to compute, coarse to fine, as far as a network of this size allows."""
    runs = WORK / (8.0 * config.seq_len * config.batch_size * config.hidden_size**2)
    for step in (4, 2, 1):
        if step == 4 or GAINS / step <= runs:
            yield range(0, GAINS, step), range(1)
    for seeds in range(2, SEEDS + 1):
        if seeds * GAINS <= runs:
            yield range(GAINS), range(seeds)


def filled(found: Survival, missing: list[tuple[int, int]]) -> Generator[Part, None, Survival]:
    """Return the map with some more runs, and yield how far it is meanwhile."""
    seeds = (found.config.seed + np.arange(SEEDS)) % 2**32
    configs = [found.config.replace(gain=float(found.gains[k]), seed=int(seeds[r])) for k, r in missing]
    runs = side_by_side([run_stack(configs[each]) for each in split(found.config, len(configs))])
    start, amount = float(found.known.mean()), len(missing) / found.known.size
    parts = yield from mapped(runs, lambda share: Part(start + amount * share, found))
    norms, known, where = found.log10_norm.copy(), found.known.copy(), tuple(np.transpose(missing))
    norms[where] = np.concatenate([part["by_layer"][-1]["log10_relative_norm"] for part in parts])[:, ::-1]
    known[where] = True
    return replace(found, log10_norm=norms, known=known)
