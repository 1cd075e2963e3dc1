"""What a reproduction is: a paper's statement, a smaller version of its experiment, and both figures side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ..text.registry import Registry

Array = np.ndarray
HEADINGS = ("", "the paper", "here", "allowed here", "")


class Row(NamedTuple):
    """One figure of the paper beside ours; ``reproduces`` is False where we expect another one than the paper's."""

    what: str
    paper: str
    here: str
    allowed: str
    passes: bool
    reproduces: bool = True

    @property
    def verdict(self) -> str:
        """Whether the figure is the paper's, in words."""
        if not self.passes:
            return "FAILS"
        return "reproduced" if self.reproduces else "does not reproduce, as stated"


def between(what: str, paper: str, here: float, low: float, high: float = np.inf, *, reproduces: bool = True) -> Row:
    """Return a row that passes where ``low <= here <= high``; nan never does.

    >>> between("ratio", "2", 1.9, 1.5, 2.5)
    Row(what='ratio', paper='2', here='1.9', allowed='1.5 to 2.5', passes=True, reproduces=True)
    """
    allowed = f"{low:.4g} to {high:.4g}" if np.isfinite(high) else f"at least {low:.4g}"
    return Row(what, paper, f"{here:.3g}", allowed, bool(low <= here <= high), reproduces)


@dataclass(frozen=True)
class Picture:
    """Curves ``label -> (x, y)`` and what `Axes.set` takes: labels, scales and limits."""

    curves: dict[str, tuple[Any, Any]]
    axes: dict[str, Any]


@dataclass(frozen=True, repr=False)
class Outcome:
    """What a reproduction found; in a notebook it shows itself as a table."""

    reproduction: Reproduction
    rows: tuple[Row, ...]
    picture: Picture
    seconds: float

    @property
    def passes(self) -> bool:
        """Whether every row passes."""
        return all(row.passes for row in self.rows)

    def __repr__(self) -> str:
        rows = [f"{row.what}: {row.paper} | {row.here} ({row.allowed}): {row.verdict}" for row in self.rows]
        state = "passes" if self.passes else "FAILS"
        return "\n  ".join([f"{self.reproduction.paper}: {state} ({self.seconds:.0f} s)", *rows])

    def _repr_html_(self) -> str:
        rows = [(row.what, row.paper, row.here, row.allowed, row.verdict) for row in self.rows]
        lines = [f"<tr>{cells('th', HEADINGS)}</tr>", *(f"<tr>{cells('td', row)}</tr>" for row in rows)]
        return f"<table>{''.join(lines)}</table>"

    def plot(self, ax: Any) -> Any:
        """Draw the curves on the caller's Axes, and return it."""
        for label, (x, y) in self.picture.curves.items():
            ax.plot(x, y, "o-", label=label)
        ax.set(**self.picture.axes)
        ax.legend()
        return ax


def cells(tag: str, texts: tuple[str, ...]) -> str:
    """Return texts as cells of a table's row, aligned to the left."""
    return "".join(f'<{tag} style="text-align: left">{escape(text)}</{tag}>' for text in texts)


@dataclass(frozen=True, repr=False)
class Reproduction:
    """One paper's experiment.

    Attributes
    ----------
    name, paper : its name in code, and the paper.
    figure : the figure, table or section that it repeats.
    states : what the paper says there.
    differs : what is smaller or different here.
    fn : ``fn(**sizes) -> (rows, picture)``; each of the sizes has a default.
    """

    name: str
    paper: str
    figure: str
    states: str
    differs: str
    fn: Callable[..., tuple[list[Row], Picture]]

    def run(self, **sizes: Any) -> Outcome:
        """Run the experiment; ``sizes`` as of ``fn``, by default those at which the rows were chosen."""
        begin = time.perf_counter()
        rows, picture = self.fn(**sizes)
        return Outcome(self, tuple(rows), picture, time.perf_counter() - begin)

    def __repr__(self) -> str:
        return f"{self.paper}, {self.figure}: {self.states} Here: {self.differs}"

    def _repr_html_(self) -> str:
        pairs = [(f"{self.paper}, {self.figure}", self.states), ("Here", self.differs)]
        return "".join(f"<p><b>{escape(head)}</b>: {escape(text)}</p>" for head, text in pairs)


REPRODUCTIONS: Registry[Reproduction] = Registry("reproduction")


@contextmanager
def registered(registry: Registry, name: str, entry: Any) -> Iterator[None]:
    """Register an entry for as long as a reproduction needs it: menus and tests do not see it afterwards."""
    before = registry.get(name)
    registry.add(name, entry)
    try:
        yield
    finally:
        del registry[name]
        if before is not None:
            registry[name] = before
