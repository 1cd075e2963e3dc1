"""The journal of a sweep: what is finished, kept beside the table until that is written."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

SYNC = 1.0  # seconds of work that a power cut may cost; a killed process loses nothing that was added


class JournalError(ValueError):
    """A journal of something else."""


class Journal:
    """An append-only file: one line says to whom it belongs, then comes one line per finished cell.

    Attributes
    ----------
    finished : cell -> its rows, lists of values, which come back exactly.

    Raises
    ------
    JournalError : where the file does not belong to ``owner``; OSError.
    """

    def __init__(self, path: Path, owner: str):
        self.finished: dict[int, list[list[Any]]] = {}
        self.file, self.synced = path.open("a+b"), 0.0
        try:
            self.recover(encoded([owner]))
        except BaseException:
            self.file.close()
            raise

    def recover(self, head: bytes) -> None:
        """Read the lines that were written whole, and cut off the rest."""
        self.file.seek(0)
        lines = self.file.readlines()
        if lines and not head.startswith(lines[0]):
            name = Path(self.file.name).name
            raise JournalError(
                f"{name} is of another grid or another version of rnnviz; delete it, or choose another name."
            )
        whole = lines[:1] if lines[:1] == [head] else []
        for line in lines[len(whole) :]:
            if not line.endswith(b"\n"):  # complete, or it seems so; the next line would be written behind it
                break
            try:
                cell, rows = json.loads(line)
            except ValueError:
                break
            self.finished[cell] = rows
            whole.append(line)
        self.file.truncate(sum(map(len, whole)))
        if not whole:
            self.write(head)

    def add(self, cell: int, rows: list[list[Any]]) -> None:
        """Keep the rows of a finished cell."""
        self.write(encoded([cell, rows]))
        self.finished[cell] = rows

    def write(self, line: bytes) -> None:
        self.file.write(line)
        self.file.flush()
        if time.monotonic() - self.synced > SYNC:
            os.fsync(self.file.fileno())
            self.synced = time.monotonic()

    def close(self) -> None:
        """Put everything onto the disk."""
        os.fsync(self.file.fileno())
        self.file.close()


def encoded(entry: list) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"
