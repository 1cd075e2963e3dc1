"""Grids of settings: what a grid file may say, and the cells that it means."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from inspect import signature
from typing import Any

import numpy as np

from .. import __version__
from ..network.config import FIELDS, Config, check
from ..text.registry import explain_choice, shorten
from .problems import PROBLEMS
from .train import train

ENTRIES = ("config", "train", "grid", "schemes", "seeds")
ARGUMENTS = {
    name: argument
    for name, argument in signature(train).parameters.items()
    if name not in ("config", "schemes", "seeds", "every")
}
LIKE = {"schemes": 'schemes = ["xavier", "he"]', "seeds": "seeds = 8"}  # both above the tables
RANGE = "{ from = 0.5, to = 2.0, count = 16 }"
MOST = 1_000_000  # cells, and values of a range


class Wrong(ValueError):
    """What is wrong with the entry at ``keys``, such as ("grid", "gain")."""

    def __init__(self, sentence: object, *keys: str):
        super().__init__(str(sentence))
        self.keys = keys


@dataclass(frozen=True)
class Grid:
    """All combinations of some values, each with the same schemes and seeds.

    Attributes
    ----------
    fixed : the values that all cells share; axes : name -> the values that are combined, the last one fastest.
    schemes, seeds : what is run in each cell; trains : whether it is trained.
    """

    fixed: dict[str, Any]
    axes: dict[str, tuple]
    schemes: tuple[str, ...]
    seeds: tuple[int, ...]
    trains: bool

    @cached_property
    def cells(self) -> list[tuple]:
        """The values of each cell, in the order of ``axes``."""
        return list(itertools.product(*self.axes.values()))

    @property
    def owner(self) -> str:
        """Who a journal belongs to: this grid as this version of rnnviz computes it."""
        content = json.dumps([self.fixed, list(self.axes.items()), self.schemes, self.seeds, self.trains])
        return f"rnnviz {__version__}, grid {sha256(content.encode()).hexdigest()}"

    def settings(self, cell: int) -> dict[str, Any]:
        """Return the values of a cell by name."""
        return self.fixed | dict(zip(self.axes, self.cells[cell], strict=True))

    def item(self, cell: int) -> dict[str, Any]:
        """Return a cell as `sweep` takes it; in a training, fields that the grid lacks are as the problem has them."""
        settings, runs = self.settings(cell), {"schemes": self.schemes, "seeds": self.seeds}
        config = {name: settings.pop(name) for name in list(settings) if name in FIELDS}
        if not self.trains:
            return {"config": Config(**config), **runs}
        return {"config": PROBLEMS[settings["problem"]].config(**config), **settings, **runs}


def grid(data: Mapping[str, Any]) -> Grid:
    """Return the grid that a file describes; `Wrong` for what cannot be run."""
    check_names(data)
    trains = "train" in data
    axes = {name: values(name, given) for name, given in data.get("grid", {}).items()}
    fixed = {"problem": ARGUMENTS["problem"].default} if trains and "problem" not in axes else {}
    for table in ("config", "train"):
        for name, value in data.get(table, {}).items():
            if name in axes:
                raise Wrong(f"{name} has a value in [{table}] already.", "grid", name)
            fixed[name] = checked(name, value, table, name)
    if math.prod(map(len, axes.values())) > MOST:
        raise Wrong(f"this grid has more than {MOST:,} cells.", "grid")
    whole = Grid(fixed, axes, listed("schemes", "scheme", data), listed("seeds", "seed", data), trains)
    check_trainings(whole)
    return whole


def check_names(data: Mapping[str, Any]) -> None:
    """Refuse what is not the name of an entry of the file, or of a field in one of its tables."""
    for name, value in data.items():
        if name not in ENTRIES:
            raise Wrong(explain_choice("an entry of a grid file", name, ENTRIES), name)
        if name not in LIKE and not isinstance(value, dict):
            raise Wrong(f"{name} must be a table, below a line [{name}].", name)
    tables = {"config": [*FIELDS], "train": [*ARGUMENTS]}
    tables["grid"] = tables["config"] + (tables["train"] if "train" in data else [])
    for table, known in tables.items():
        for name in data.get(table, {}):
            entry = f"{name.removesuffix('s')}s"
            if entry in LIKE:
                raise Wrong(f"{name} does not belong in [{table}]: write {LIKE[entry]} above the tables.", table, name)
            if name not in known:
                raise Wrong(explain_choice(f"a field in [{table}]", name, known), table, name)


def check_trainings(grid: Grid) -> None:
    """Refuse a problem and a sequence length that do not go together, though each is right alone."""
    for cell in range(len(grid.cells) if grid.trains else 0):
        item = grid.item(cell)
        try:
            PROBLEMS[item["problem"]].check(item["config"])
        except ValueError as error:
            raise Wrong(error, "grid" if "seq_len" in grid.axes else "config", "seq_len") from error


def checked(name: str, value: Any, *keys: str) -> Any:
    """Return the value of a field in its type, or that of an argument of `train`; `Wrong`, at ``keys``, if refused."""
    try:
        if name in FIELDS:
            return check(FIELDS[name], value)
        train(**{name: value})  # not a step is done
        return value
    except ValueError as error:
        raise Wrong(error, *keys) from error
    except TypeError as error:  # a list where a name belongs
        raise Wrong(f"{name} cannot be {shorten(value)}.", *keys) from error


def listed(name: str, field: str, data: Mapping[str, Any]) -> tuple:
    """Return the checked values of ``schemes`` or ``seeds``."""
    given = data.get(name, [FIELDS[field].default])
    if type(given) is int and 1 <= given <= MOST and isinstance(FIELDS[field].default, int):
        given = list(range(given))
    if not isinstance(given, list) or not given:
        raise Wrong(f"{name} must be like {LIKE[name]}; got {shorten(given)}.", name)
    return tuple(dict.fromkeys(checked(field, value, name) for value in given))


def values(name: str, given: Any) -> tuple:
    """Return the checked values of an axis, a list or a range."""
    if isinstance(given, dict):
        given = spaced(name, given)
    if not isinstance(given, list) or not given:
        raise Wrong(f"{name} must be a list, or a range like {RANGE}; got {shorten(given)}.", "grid", name)
    return tuple(dict.fromkeys(checked(name, value, "grid", name) for value in given))


def spaced(name: str, given: Mapping[str, Any]) -> list:
    """Return the numbers of a range, at equal distances or, with ``log = true``, in equal ratios."""
    try:
        low, high, count, log = (given.get(key, False) for key in ("from", "to", "count", "log"))
        if given.keys() - {"from", "to", "count", "log"} or not 2 <= count <= MOST or not low < high < math.inf:
            raise ValueError
        numbers = (np.geomspace if log else np.linspace)(low, high, count).tolist()
    except (TypeError, ValueError) as error:
        hint = f"a range of {name} must be like {RANGE}, with log = true for equal ratios"
        raise Wrong(f"{hint}; got {shorten(dict(given))}.", "grid", name) from error
    kind = FIELDS[name].metadata["kind"] if name in FIELDS else ARGUMENTS[name].annotation
    return [round(x) if kind.startswith("int") else float(f"{x:.12g}") for x in numbers]
