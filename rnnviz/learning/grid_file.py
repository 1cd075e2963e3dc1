"""Grid files: TOML, whose faults are named with their line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from .grid import Grid, Wrong, grid


class GridError(ValueError):
    """A grid file that cannot be run; the message names its line."""


def read_grid(path: Path) -> Grid:
    """Read a grid file.

    It has a table ``[config]`` with the fields that all cells share, a table ``[grid]`` with a list or a range of
    values for each field that varies, and above them ``schemes``, a list of names, and ``seeds``, a list or how many.
    With a table ``[train]``, which has arguments of `train`, the networks are trained; these may vary too.

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
