"""Grids of settings, and the TOML files that describe them."""

from __future__ import annotations

import itertools
import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..network.config import FIELDS, Config, check
from ..text.registry import explain_choice, shorten

ENTRIES = ("config", "grid", "schemes", "seeds")
LIKE = {"schemes": 'schemes = ["xavier", "he"]', "seeds": "seeds = 8"}  # both above the tables
RANGE = "{ from = 0.5, to = 2.0, count = 16 }"
MOST = 1_000_000  # cells, and values of a range


class GridError(ValueError):
    """A grid file that cannot be run; the message names its line."""


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
    schemes, seeds : what is run in each cell.
    """

    fixed: dict[str, Any]
    axes: dict[str, tuple]
    schemes: tuple[str, ...]
    seeds: tuple[int, ...]

    @cached_property
    def cells(self) -> list[tuple]:
        """The values of each cell, in the order of ``axes``."""
        return list(itertools.product(*self.axes.values()))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that say what was run."""
        return (*self.fixed, *self.axes, "scheme", "seed")

    @property
    def owner(self) -> str:
        """Who a journal belongs to: this grid as this version of rnnviz computes it."""
        content = json.dumps([__version__, self.fixed, list(self.axes.items()), self.schemes, self.seeds])
        return f"rnnviz {__version__}, grid {sha256(content.encode()).hexdigest()}"

    def settings(self, cell: int) -> dict[str, Any]:
        """Return the values of a cell by name."""
        return self.fixed | dict(zip(self.axes, self.cells[cell], strict=True))

    def item(self, cell: int) -> dict[str, Any]:
        """Return a cell as `sweep` takes it."""
        return {"config": Config(**self.settings(cell)), "schemes": self.schemes, "seeds": self.seeds}


def read_grid(path: Path) -> Grid:
    """Read a grid file.

    It has a table ``[config]`` with the fields that all cells share, a table ``[grid]`` with a list or a range of
    values for each field that varies, and above them ``schemes``, a list of names, and ``seeds``, a list or how many.

    Raises
    ------
    GridError : with file, line and what is wrong; OSError.
    """
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return grid(tomllib.loads(text))
    except UnicodeDecodeError as error:
        line, sentence = error.object[: error.start].count(b"\n") + 1, "this is not UTF-8."
    except tomllib.TOMLDecodeError as error:
        line, sentence = syntax(str(error), text)
    except Wrong as error:
        line, sentence = line_of(text, error.keys), str(error)
    raise GridError(f"{path.name}, line {line}: {sentence}")


def syntax(message: str, text: str) -> tuple[int, str]:
    """Return the line and the sentence of what the parser says.

    >>> syntax("Invalid value (at line 3, column 8)", "")
    (3, 'this is not TOML: invalid value at column 8.')
    """
    sentence, _, place = message.partition(" (at ")
    found = re.match(r"line (\d+), (column \d+)", place)
    line, column = found.groups() if found else (text.rstrip().count("\n") + 1, "the end")
    return int(line), f"this is not TOML: {sentence[0].lower()}{sentence[1:]} at {column}."


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the line where the statement begins that sets an entry: the line after all that parses without it.

    >>> line_of('''[grid]
    ... gain = [
    ...   1.0,
    ... ]''', ("grid", "gain"))
    2
    """
    lines, start = text.split("\n"), 0
    for end in range(1, len(lines) + 1):
        try:
            found: Any = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue  # within a statement of several lines
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None:
            break
        start = end
    return start + 1


def grid(data: Mapping[str, Any]) -> Grid:
    """Return the grid that a file describes; `Wrong` for what cannot be run."""
    for name, value in data.items():
        if name not in ENTRIES:
            raise Wrong(explain_choice("an entry of a grid file", name, ENTRIES), name)
        if name not in LIKE and not isinstance(value, dict):
            raise Wrong(f"{name} must be a table, below a line [{name}].", name)
    fixed = {
        name: checked(spec(name, "config"), value, "config", name) for name, value in data.get("config", {}).items()
    }
    axes = {name: values(name, given) for name, given in data.get("grid", {}).items()}
    for name in axes:
        if name in fixed:
            raise Wrong(f"{name} has a value in [config] already.", "grid", name)
    if math.prod(map(len, axes.values())) > MOST:
        raise Wrong(f"this grid has more than {MOST:,} cells.", "grid")
    schemes, seeds = data.get("schemes", [Config.scheme]), data.get("seeds", [Config.seed])
    if type(seeds) is int and 1 <= seeds <= MOST:
        seeds = list(range(seeds))
    return Grid(fixed, axes, listed("scheme", schemes, "schemes"), listed("seed", seeds, "seeds"))


def listed(field: str, given: Any, name: str) -> tuple:
    """Return the checked values of ``schemes`` or ``seeds``."""
    if not isinstance(given, list) or not given:
        raise Wrong(f"{name} must be like {LIKE[name]}; got {shorten(given)}.", name)
    return tuple(dict.fromkeys(checked(FIELDS[field], value, name) for value in given))


def values(name: str, given: Any) -> tuple:
    """Return the checked values of an axis, a list or a range."""
    field = spec(name, "grid")
    if isinstance(given, dict):
        given = spaced(name, given, isinstance(field.default, int))
    if not isinstance(given, list) or not given:
        raise Wrong(f"{name} must be a list, or a range like {RANGE}; got {shorten(given)}.", "grid", name)
    return tuple(dict.fromkeys(checked(field, value, "grid", name) for value in given))


def spaced(name: str, given: Mapping[str, Any], whole: bool) -> list:
    """Return the numbers of a range, at equal distances or, with ``log = true``, in equal ratios."""
    try:
        low, high, count, log = (given.get(key, False) for key in ("from", "to", "count", "log"))
        if given.keys() - {"from", "to", "count", "log"} or not 2 <= count <= MOST or not low < high < math.inf:
            raise ValueError
        numbers = (np.geomspace if log else np.linspace)(low, high, count).tolist()
    except (TypeError, ValueError) as error:
        hint = f"a range of {name} must be like {RANGE}, with log = true for equal ratios"
        raise Wrong(f"{hint}; got {shorten(dict(given))}.", "grid", name) from error
    return [round(x) if whole else float(f"{x:.12g}") for x in numbers]


def spec(name: str, table: str) -> Field:
    """Return the field that a name in a table means."""
    entry = f"{name.removesuffix('s')}s"
    if entry in LIKE:
        raise Wrong(f"{name} does not belong in [{table}]: write {LIKE[entry]} above the tables.", table, name)
    if name not in FIELDS:
        raise Wrong(explain_choice("a field of Config", name, FIELDS), table, name)
    return FIELDS[name]


def checked(field: Field, value: Any, *keys: str) -> Any:
    """Return a field's value in its type; `Wrong`, at ``keys``, for one that Config refuses."""
    try:
        return check(field, value)
    except ValueError as error:
        raise Wrong(error, *keys) from error
