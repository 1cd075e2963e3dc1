"""The notebooks in a folder of one's own, to edit."""

from __future__ import annotations

import shutil
from pathlib import Path

KINDS = ("*.ipynb", "*.png")


def notebooks_and_pictures(folder: Path) -> list[Path]:
    """Return the notebooks of a folder, their translations and their pictures, relative to it."""
    found = (path.relative_to(folder) for kind in KINDS for path in folder.rglob(kind))
    return sorted(path for path in found if not any(part.startswith(".") for part in path.parts))


def copy_out(folder: Path, target: Path) -> list[Path]:
    """Copy the notebooks and pictures of a folder, and return where to; FileExistsError before one is overwritten."""
    pairs = [(folder / path, target / path) for path in notebooks_and_pictures(folder)]
    for _, copy in pairs:
        if copy.exists():
            raise FileExistsError(17, "is there already, and is not overwritten", str(copy))
    for original, copy in pairs:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, copy)
    return [copy for _, copy in pairs]
