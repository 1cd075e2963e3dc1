"""A reader's own numbers: a column, a table or a sine, as text that a control and a link can hold."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from ..text.language import N_, _
from ..text.registry import shorten

Array = np.ndarray
NUMBERS_HELP = N_(
    "the data that the input Own numbers reads: one line per step, columns separated by semicolons, "
    "tabs, commas or spaces; or a sine, for example: sine 25. Each sequence starts at a random line, and "
    "the first line follows the last"
)
SINE = re.compile(r"\s*(?:sin|sine|sinus)\s+(\S+)\s*", re.IGNORECASE)
SHORTEST, LONGEST = 3, 10_000  # steps of a sine's period: with 2, all its values are 0
SAME = 1e-12  # a spread below this share of the largest value is rounding


@lru_cache(maxsize=16)
def table(text: str) -> Array:
    """Return the numbers of a text as (N, D): a row for each line, every column with mean 0 and variance 1.

    A semicolon or a tab separates the columns, and 0,5 is then 0.5; without them, a comma or a space does. A first line
    without any number is a header; lines that begin with ``#`` are left out. ``sine 25`` is one period of 25 steps.

    Raises
    ------
    ValueError : naming the line, what was received and what is needed.

    >>> table("1; 0,5\\n2; 0,75\\n3; 0,5").round(2)
    array([[-1.22, -0.71],
           [ 0.  ,  1.41],
           [ 1.22, -0.71]])
    """
    found = SINE.fullmatch(text)
    rows = one_period(found[1])[:, None] if found else rows_of(text)
    if len(rows) < 2:
        raise ValueError(_("numbers must have at least 2 rows, or be a sine such as: sine 25."))
    largest = np.abs(rows).max(axis=0)
    scaled = rows / np.where(largest > 0, largest, 1.0)
    for column in np.flatnonzero(np.ptp(scaled, axis=0) <= SAME):
        sentence = _("numbers: column {column} is constant, so it cannot be scaled to variance 1.")
        raise ValueError(sentence.format(column=column + 1))
    scaled = scaled - scaled.mean(axis=0)
    scaled /= scaled.std(axis=0)
    scaled.setflags(write=False)
    return scaled


def one_period(text: str) -> Array:
    """Return a sine of this many steps; ValueError where that is no whole number, or too few or too many."""
    if not re.fullmatch("[0-9]{1,5}", text) or not SHORTEST <= int(text) <= LONGEST:
        sentence = _("numbers: a sine's period must be a whole number from {low} to {high}; got {received}.")
        raise ValueError(sentence.format(low=SHORTEST, high=LONGEST, received=shorten(text)))
    return np.sin(2 * np.pi * np.arange(int(text)) / int(text))


def rows_of(text: str) -> Array:
    """Return the numbers of a table as they are, (N, D)."""
    lines = [(k, line.strip()) for k, line in enumerate(text.splitlines(), 1)]
    lines = [(k, line) for k, line in lines if line and not line.startswith("#")]
    has_separators = any(sign in text for sign in ";\t")
    cells = [(k, cells_of(line, has_separators)) for k, line in lines]
    if cells and all(number(cell) is None for cell in cells[0][1]) and len(cells) > 1:
        cells, lines = cells[1:], lines[1:]
    if not has_separators:
        refuse_ambiguous([line for _k, line in lines])
    rows: list[list[float]] = []
    for k, row in cells:
        if rows and len(row) != len(rows[0]):
            sentence = _("numbers, line {line}: {received} columns, but {expected} in the lines above.")
            raise ValueError(sentence.format(line=k, received=len(row), expected=len(rows[0])))
        rows.append([checked(cell, k) for cell in row])
    return np.array(rows)


def cells_of(line: str, has_separators: bool) -> list[str]:
    """Return the cells of a line, with decimal points."""
    if has_separators:
        return [cell.strip().replace(",", ".") for cell in re.split("[;\t]", line)]
    return re.split(r"\s*,\s*|\s+", line)


def refuse_ambiguous(lines: list[str]) -> None:
    """Raise a ValueError where all commas may be decimal ones: ``1,5`` could be 1.5, or 1 and 5."""
    words = [word for line in lines for word in line.split()]
    has_commas = any("," in word for word in words)
    if has_commas and all(re.fullmatch(r"[+-]?\d+(,\d+)?", word) for word in words):
        example = next(word for word in words if "," in word)
        sentence = _("numbers: is {example} one number or two? Write {one} for one, {two} for two columns.")
        one, two = example.replace(",", "."), example.replace(",", "; ")
        raise ValueError(sentence.format(example=shorten(example), one=shorten(one), two=shorten(two)))


def checked(cell: str, line: int) -> float:
    """Return the number of a cell; ValueError where it is none."""
    value = number(cell)
    if value is None:
        sentence = _("numbers, line {line}: {received} is not a finite number.")
        raise ValueError(sentence.format(line=line, received=shorten(cell)))
    return value


def number(cell: str) -> float | None:
    """Return a finite number, or None where the cell holds something else."""
    try:
        value = float(cell) if "_" not in cell else np.inf
    except ValueError:
        return None
    return value if np.isfinite(value) else None
