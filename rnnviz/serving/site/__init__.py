"""A static site of all notebooks, which computes in each reader's browser and needs no server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from jupyter_core.paths import jupyter_path

from ...text.language import LANGUAGES
from ..app import prepare_environment
from . import packages, pages, pyodide

EXTENSIONS = (pages.KERNEL, "anywidget")
LARGE = 600_000  # bytes of a script that these pages never ask for: it draws Vega's charts


def build(notebooks: Path, site: Path, source: str = pyodide.RELEASE) -> bool:
    """Build the site of a folder of notebooks in a new folder, and tell whether its packages are compiled.

    Parameters
    ----------
    source : where Pyodide's files are: see `pyodide.files`.
    """
    import voici_core  # of the extra `site`

    prepare_environment()
    found = pyodide.files(source)
    places = [notebooks, *(notebooks / language for language in LANGUAGES)]
    served = [path.relative_to(notebooks) for place in places for path in sorted(place.glob("[!._]*.ipynb"))]
    is_compiled = packages.write(site / "pyodide", found, lab_extension(pages.KERNEL) / "static/pypi", served)
    extensions = [copy_extension(name, site / "extensions" / name) for name in EXTENSIONS]
    write_scripts(Path(voici_core.__file__).parent / "static/build", site / "voici")
    for pictures in notebooks.glob("**/pictures"):
        shutil.copytree(pictures, site / pictures.relative_to(notebooks))
    megabytes = sum(path.stat().st_size for path in (site / "pyodide").glob("*.[wz]*")) // 10**6
    for path in served:
        write(site / pages.html(path.as_posix()), pages.notebook_page(notebooks, path, extensions, megabytes))
    for language in LANGUAGES:
        write(site / pages.folder_of(language) / "index.html", pages.index_page(notebooks, language))
    return is_compiled


def write(path: Path, text: str) -> None:
    """Write a file, in a new folder where there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_scripts(source: Path, target: Path) -> None:
    """Copy Voici's fonts, and all scripts as one.

    They are parts that register themselves, in any order, before the last one starts the page.
    """
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.js", "*.txt"))
    parts = [path for path in sorted(source.rglob("*.js")) if path.name[0].isdecimal() or path.parent != source]
    texts = [path.read_text(encoding="utf-8") for path in [*parts, source / "voici.js"] if path.stat().st_size < LARGE]
    write(target / "voici.js", ";\n".join(texts))


def lab_extension(name: str) -> Path:
    """Return the folder of an installed extension of JupyterLab."""
    return next(place for folder in jupyter_path("labextensions") if (place := Path(folder, name)).is_dir())


def copy_extension(name: str, target: Path) -> dict:
    """Copy an extension's scripts, and return what a page has to know of it."""
    place = lab_extension(name)
    unused = shutil.ignore_patterns("*.map", "*.json", "*.txt", "pypi", "schema")
    shutil.copytree(place / "static", target / "static", ignore=unused)
    return {"name": name} | json.loads((place / "package.json").read_text(encoding="utf-8"))["jupyterlab"]["_build"]
