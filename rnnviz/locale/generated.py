"""All files generated from the marked texts: catalogues, page texts and translated notebooks."""

import json
import os.path
from pathlib import Path

from babel.messages.catalog import Catalog

from ..text.language import DOMAIN, LANGUAGES
from . import catalogue, notebook, source

OWN, *OTHERS = LANGUAGES
PAGE_TEXTS = "rnnviz/serving/jupyter/voila/templates/rnnviz/texts.j2"


def catalogues(root: Path) -> dict[Path, Catalog]:
    """Return path -> up-to-date catalogue, for the package and for the notebooks, in every language."""
    in_package, _ = source.texts(root)
    in_notebooks = [text for original in originals(root).values() for text in notebook.texts(original)]
    found = {}
    for language in OTHERS:
        package = root / f"rnnviz/locale/{language}/LC_MESSAGES/{DOMAIN}.po"
        notebooks = root / f"notebooks/{language}/notebooks.po"
        found[package] = catalogue.updated(package, language, in_package)
        found[notebooks] = catalogue.updated(notebooks, language, in_notebooks)
    return found


def originals(root: Path) -> dict[Path, dict]:
    """Return path -> notebook, for those written in the project's own language."""
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    return {path: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def files(root: Path) -> dict[Path, bytes]:
    """Return path -> content, for every generated file."""
    current = catalogues(root)
    package = {path: one for path, one in current.items() if path.stem == DOMAIN}
    content = {path: catalogue.as_po(one, ordered=path not in package) for path, one in current.items()}
    content |= {path.with_suffix(".mo"): catalogue.as_mo(one) for path, one in package.items()}
    _, on_pages = source.texts(root)
    known = {str(one.locale): catalogue.translations(one) for one in package.values()}
    content[root / PAGE_TEXTS] = source.page_texts(on_pages, known).encode()
    known = {str(one.locale): catalogue.translations(one) for path, one in current.items() if path not in package}
    for path, original in originals(root).items():
        content |= in_every_language(path, original, known)
    return content


def in_every_language(path: Path, original: dict, translations: dict[str, dict[str, str]]) -> dict[Path, bytes]:
    """Return path -> content, for a notebook and its translations, which link to each other."""
    folders = {OWN: path.parent, **{language: path.parent / language for language in OTHERS}}
    content = {}
    for language, folder in folders.items():
        links = {
            other: Path(os.path.relpath(there / path.name, folder)).as_posix()
            for other, there in folders.items()
            if other != language
        }
        one = original if language == OWN else notebook.translated(original, language, translations[language])
        content[folder / path.name] = notebook.as_file(notebook.labelled(one, language, links)).encode()
    return content
