"""Pyodide, Python for the browser: the files of its release, each checked against its sum."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.request import urlopen

VERSION = "0.27.7"
RELEASE = f"https://github.com/pyodide/pyodide/releases/download/{VERSION}/pyodide-{VERSION}.tar.bz2"
LISTED = Path(__file__).with_name("pyodide.sha256").read_text(encoding="ascii").splitlines()
SUMS = {name: digest for digest, name in map(str.split, LISTED)}  # the wheels' are those of the release's own lock


def files(source: str) -> dict[str, bytes]:
    """Return Pyodide's files by name, each checked against its sum.

    Parameters
    ----------
    source : a folder, or the path or address of an archive, somewhere in which these files are.

    Raises
    ------
    ValueError : naming a file that is missing, or that is not the official one. OSError : for what cannot be read.
    """
    found = {name: read() for name, read in members(source) if name in SUMS}
    for name, expected in SUMS.items():
        if name not in found:
            raise ValueError(f"{source} has no {name}")
        if sha256(found[name]).hexdigest() != expected:
            raise ValueError(f"{name} in {source} is not the one of Pyodide {VERSION}")
    return found


def members(source: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the files of a folder or an archive: the last part of each name, and what reads the file."""
    if Path(source).is_dir():
        yield from ((path.name, path.read_bytes) for path in Path(source).iterdir() if path.is_file())
    elif Path(source).suffix in (".whl", ".zip"):
        with zipfile.ZipFile(source) as archive:
            yield from ((Path(name).name, partial(archive.read, name)) for name in archive.namelist())
    else:
        with (
            urlopen(source if "://" in source else Path(source).resolve().as_uri()) as stream,
            tarfile.open(fileobj=stream, mode="r|bz2") as tar,
        ):
            for file in tar:
                if content := tar.extractfile(file):
                    yield Path(file.name).name, content.read
