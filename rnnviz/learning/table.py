"""Tidy tables as CSV or Parquet."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Sequence[Any]]


def write_csv(path: Path, names: Sequence[str], rows: Rows) -> None:
    """Write rows as CSV: floats that read back bit for bit, ``inf`` and ``nan`` among them; nothing for None."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def write_parquet(path: Path, names: Sequence[str], rows: Rows) -> None:
    """Write rows as Parquet, with null for None; ModuleNotFoundError without pyarrow."""
    import pyarrow
    from pyarrow import parquet

    columns = [pyarrow.array(column) for column in zip(*rows, strict=True)] or [pyarrow.nulls(0)] * len(names)
    # A column of nothing but None would have no type.
    columns = [column.cast("int64") if column.type == pyarrow.null() else column for column in columns]
    parquet.write_table(pyarrow.table(columns, names=list(names)), path)


WRITERS: dict[str, Callable[[Path, Sequence[str], Rows], None]] = {".csv": write_csv, ".parquet": write_parquet}


def check_table(path: Path) -> None:
    """Raise what `write_table` would raise, before hours of computing; ValueError if the table exists already."""
    if path.suffix not in WRITERS:
        raise ValueError(f"a table is a {' or '.join(WRITERS)} file, which {path.name!r} is not.")
    if path.exists():
        raise ValueError(f"{path.name} exists already; delete it, or choose another name.")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {str(path.parent)!r}.")
    WRITERS[path.suffix](part_of(path), [], [])
    part_of(path).unlink()


def write_table(path: Path, names: Sequence[str], rows: Rows) -> None:
    """Write a table in the format of the name's ending, one of `WRITERS`: all of it, or nothing."""
    part = part_of(path)
    try:
        WRITERS[path.suffix](part, names, rows)
        with part.open("r+b") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
