"""Everything that is made of the marked texts and the catalogues: catalogues, page texts and translated notebooks."""

import json
import os.path
from functools import partial
from pathlib import Path

from babel.messages.catalog import Catalog

from ..text.language import DOMAIN, LANGUAGES
from . import catalogue, notebook, source

OWN, *OTHERS = LANGUAGES
PAGE_TEXTS = "rnnviz/serving/jupyter/voila/templates/rnnviz/texts.j2"


def catalogues(root: Path) -> dict[Path, Catalog]:
    """Return the file and the up-to-date catalogue of the package and of the notebooks, in every language."""
    everywhere, _ = source.texts(root)
    told = [text for original in originals(root).values() for text in notebook.texts(original)]
    files = {
        **{root / f"rnnviz/locale/{language}/LC_MESSAGES/{DOMAIN}.po": (language, everywhere) for language in OTHERS},
        **{root / f"notebooks/{language}/notebooks.po": (language, told) for language in OTHERS},
    }
    return {path: catalogue.updated(path, language, texts) for path, (language, texts) in files.items()}


def originals(root: Path) -> dict[Path, dict]:
    """Return the notebooks in the project's own language, by their paths."""
    paths = sorted((root / "notebooks").glob("*.ipynb"))
    return {path: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def files(root: Path) -> dict[Path, bytes]:
    """Return the content of every file that is made, by its path."""
    current = catalogues(root)
    package = {str(one.locale): one for path, one in current.items() if path.stem == DOMAIN}
    notebooks = {str(one.locale): one for path, one in current.items() if path.stem != DOMAIN}
    made = {path: catalogue.as_po(one, ordered=path.stem != DOMAIN) for path, one in current.items()}
    made |= {path.with_suffix(".mo"): catalogue.as_mo(one) for path, one in current.items() if path.stem == DOMAIN}
    _, on_pages = source.texts(root)
    spoken = {language: catalogue.translations(one) for language, one in package.items()}
    made[root / PAGE_TEXTS] = source.page_texts(on_pages, spoken).encode()
    for path, original in originals(root).items():
        made |= in_every_language(path, original, notebooks)
    return made


def in_every_language(path: Path, original: dict, catalogues: dict[str, Catalog]) -> dict[Path, bytes]:
    """Return a notebook and its translations, each with links to the others, by their paths."""
    folders = {OWN: path.parent, **{language: path.parent / language for language in OTHERS}}
    made = {}
    for language, folder in folders.items():
        elsewhere = {
            other: Path(os.path.relpath(there / path.name, folder)).as_posix()
            for other, there in folders.items()
            if other != language
        }
        spoken = original
        if language != OWN:
            known = catalogue.translations(catalogues[language])
            spoken = notebook.translated(original, language, partial(say, known))
        made[folder / path.name] = notebook.as_file(notebook.labelled(spoken, language, elsewhere)).encode()
    return made


def say(known: dict[str, str], text: str) -> str:
    """Return a text's translation, or the text itself where there is none."""
    return known.get(text, text)
