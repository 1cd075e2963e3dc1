"""What a training is made of, checked: a problem, networks, an optimiser and how gradients are clipped."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..network.config import Config
from ..text.language import _
from ..text.registry import shorten
from .optimisers import OPTIMISERS, Optimiser
from .problem import Problem
from .problems import PROBLEMS


@dataclass(frozen=True)
class TrainingSettings:
    """All that decides a training's curves; ``config`` has the scheme and the seed of the first run."""

    config: Config
    problem_name: str
    schemes: tuple[str, ...]
    seeds: tuple[int, ...]
    optimiser_name: str
    learning_rate: float
    clip_norm: float
    clip_value: float
    is_single: bool

    @property
    def problem(self) -> Problem:
        return PROBLEMS[self.problem_name]

    @property
    def optimiser(self) -> Optimiser:
        return OPTIMISERS[self.optimiser_name]

    @property
    def configs(self) -> list[Config]:
        """The Config of every run, scheme by scheme."""
        pairs = [(scheme, seed) for scheme in self.schemes for seed in self.seeds]
        return [self.config.replace(scheme=scheme, seed=seed) for scheme, seed in pairs]

    def with_seeds(self, seeds: Iterable[int]) -> TrainingSettings:
        """Return the same settings with other seeds, counted on from 0 after the largest."""
        seeds = tuple(seed % 2**32 for seed in seeds)
        return replace(self, seeds=seeds, config=self.config.replace(seed=seeds[0]))

    def to_json(self) -> str:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return json.dumps(values | {"config": self.config.to_dict()})

    @classmethod
    def from_json(cls, text: str) -> TrainingSettings:
        values = json.loads(text)
        values |= {"config": Config.from_dict(values["config"])}
        return cls(**values | {name: tuple(values[name]) for name in ("schemes", "seeds")})


def settle(
    config: Config | None, problem: str, schemes: Sequence[str] | str | None, seeds: Iterable[int] | int | None,
    optimiser: str | None, learning_rate: float | None, clip_norm: float | None, clip_value: float | None,
) -> TrainingSettings:  # fmt: skip
    """Return the settings, with the problem's own for None; ValueError names the argument that is wrong."""
    if config is not None and not isinstance(config, Config):
        raise ValueError(_("config must be a Config or None; got {received}.").format(received=shorten(config)))
    usual = PROBLEMS[problem].defaults
    config = PROBLEMS[problem].config() if config is None else config
    is_single = schemes is None and seeds is None
    all_schemes, all_seeds = several("schemes", schemes, config.scheme), several("seeds", seeds, config.seed)
    # Each through the Config, whose error names the value that is none.
    all_schemes = tuple(config.replace(scheme=scheme).scheme for scheme in all_schemes)
    all_seeds = tuple(config.replace(seed=seed).seed for seed in all_seeds)
    config = config.replace(scheme=all_schemes[0], seed=all_seeds[0])
    PROBLEMS[problem].check(config)
    chosen = OPTIMISERS[usual.optimiser if optimiser is None else optimiser]
    rate = usual.learning_rate if chosen.name == usual.optimiser else chosen.learning_rate
    return TrainingSettings(
        config, problem, all_schemes, all_seeds, chosen.name,
        number("learning_rate", rate if learning_rate is None else learning_rate, positive=True),
        number("clip_norm", usual.clip_norm if clip_norm is None else clip_norm),
        number("clip_value", usual.clip_value if clip_value is None else clip_value),
        is_single,
    )  # fmt: skip


def several(name: str, value: Any, alone: Any) -> tuple:
    """Return ``alone`` for None, a single scheme or seed as a tuple, and others as they are; ValueError for none."""
    if value is None:
        return (alone,)
    if isinstance(value, str) or hasattr(value, "__index__"):
        return (value,)
    chosen = tuple(value) if isinstance(value, Iterable) else ()
    if not chosen:
        text = _("{name} must hold at least one entry; got {received}.")
        raise ValueError(text.format(name=name, received=shorten(value)))
    return chosen


def number(name: str, value: Any, positive: bool = False) -> float:
    """Return a finite number above 0, or also 0; ValueError names it."""
    try:
        if isinstance(value, bool | str):
            raise TypeError
        converted = float(value)
    except (TypeError, ValueError, OverflowError):
        converted = math.nan
    if math.isfinite(converted) and (converted > 0 or (converted == 0 and not positive)):
        return converted
    above = _("{name} must be a positive number; got {received}.")
    least = _("{name} must be a number from 0 on, 0 for no clipping; got {received}.")
    raise ValueError((above if positive else least).format(name=name, received=shorten(value)))


def whole(name: str, value: Any) -> int:
    """Return a whole number from 1 on; ValueError names it."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        text = _("{name} must be a whole number from 1 on; got {received}.")
        raise ValueError(text.format(name=name, received=shorten(value)))
    return value.__index__()
