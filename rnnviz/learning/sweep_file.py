"""From a grid file to a table: what `rnnviz sweep` does."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import astuple, fields
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from .grid import Grid
from .grid_file import read_grid
from .journal import Journal
from .results import RunResult, TrainingResult
from .sweep import sweep
from .table import check_table, write_table


class Stopped(Exception):
    """A sweep that Ctrl-C ended, and that can go on."""


def sweep_file(grid_file: Path, out: Path, executor: Executor, shown_on: TextIO) -> int:
    """Run the cells of a grid file that are not finished yet, and write one table; return the number of its rows.

    The table has one row per cell, scheme and seed, in the order of the grid, whatever the executor.

    Raises
    ------
    ValueError : for a bad grid file, a bad name, or a journal of another grid.
    Stopped : for Ctrl-C; OSError; what `sweep` raises.
    """
    grid = read_grid(grid_file)
    check_table(out)
    path = out.with_name(f"{out.name}.journal")
    try:
        with closing(Journal(path, grid.owner)) as journal:
            run_rest(grid, journal, executor, shown_on)
            cells = range(len(grid.cells))
            rows = [[*grid.settings(cell).values(), *row] for cell in cells for row in journal.finished[cell]]
            names = [field.name for field in fields(TrainingResult if grid.trains else RunResult)]
            write_table(out, [*grid.settings(0), *names], rows)
    except KeyboardInterrupt:
        with closing(Journal(path, grid.owner)) as journal:  # it may have a line that was not counted yet
            done = f"{len(journal.finished)} of {len(grid.cells)} cells"
        raise Stopped(f"stopped with {done} finished; the same command goes on from there.") from None
    path.unlink()
    return len(rows)


def run_rest(grid: Grid, journal: Journal, executor: Executor, shown_on: TextIO) -> None:
    """Run the cells that the journal does not have yet, and add them to it."""
    todo = [cell for cell in range(len(grid.cells)) if cell not in journal.finished]
    random.Random(0).shuffle(todo)  # so that the cells done so far take as long as those to come
    countdown = Countdown(len(grid.cells), len(journal.finished), shown_on)
    try:
        for place, result in sweep(map(grid.item, todo), executor):
            assert isinstance(result, tuple)
            journal.add(todo[place], [list(astuple(run)) for run in result])
            countdown.show(len(journal.finished))
    finally:
        countdown.end()


class Countdown:
    """The line on a terminal that says how far a sweep is; anything but a terminal is left alone."""

    def __init__(self, total: int, done: int, stream: TextIO, clock: Callable[[], float] = time.monotonic):
        self.total, self.stream, self.clock = total, stream, clock
        self.first: tuple[float, int] | None = None
        self.write(f"{done} of {total} cells")

    def show(self, done: int) -> None:
        """Say how many cells are done and, from the second one on, how long the others take at the same pace."""
        now = self.clock()
        begin, before = self.first = self.first or (now, done)  # the first one waits for the workers to start
        pace = (now - begin) / max(done - before, 1)
        left = f", {timedelta(seconds=round(pace * (self.total - done)))} left" if done > before else ""
        self.write(f"{done} of {self.total} cells{left}")

    def end(self) -> None:
        self.write("")

    def write(self, text: str) -> None:
        if self.stream.isatty():
            self.stream.write(f"\r{text}\x1b[K")
            self.stream.flush()
