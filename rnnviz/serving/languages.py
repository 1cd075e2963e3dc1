"""Which language a visitor wants, and where a notebook's translation is."""

import json
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ..text.language import LANGUAGES, of_link

OWN = next(iter(LANGUAGES))


def wanted(query: str, accepted: str) -> str:
    """Return the language that a link names in `lang`, or else the available one that the browser prefers.

    >>> wanted("gain=1&lang=de", "en"), wanted("", "fr, de-AT;q=0.9, en;q=0.8"), wanted("lang=fr", "fr")
    ('de', 'de', 'en')
    """
    return next((language for language in [of_link(query), *ranked(accepted)] if language in LANGUAGES), OWN)


def ranked(accepted: str) -> list[str]:
    """Return the languages of an Accept-Language header without their regions, the preferred one first.

    >>> ranked("en;q=0.5, de-DE, fr;q=0")
    ['de', 'en']
    """
    preferred = []
    for part in accepted.split(","):
        tag, _, quality = part.replace(" ", "").partition(";q=")
        try:
            preferred.append((float(quality or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return [tag for quality, tag in sorted(preferred, key=lambda pair: -pair[0]) if quality > 0]


def without_language(query: str) -> str:
    """Return a link's query string without the language, and otherwise unchanged.

    >>> without_language("pin=a%3D1&lang=de&pin=b&gain=1.50")
    'pin=a%3D1&pin=b&gain=1.50'
    """
    return "&".join(part for part in query.split("&") if part.partition("=")[0] != "lang")


def metadata_of(notebook: Path) -> dict:
    """Return this project's metadata of a notebook; {} if there are none, or if the file is not a notebook."""
    try:
        metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["rnnviz"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return metadata if isinstance(metadata, dict) else {}


def language_of(notebook: Path) -> str:
    """Return the language of a notebook."""
    language = metadata_of(notebook).get("language")
    return language if isinstance(language, str) else OWN


def translation(folder: Path, path: str, query: str) -> str | None:
    """Return the address, relative to a notebook's, of its translation into the language that a link asks for.

    None if the notebook is in that language, or has no such translation.
    """
    notebook = folder / path
    if "\0" in path or not notebook.resolve().is_relative_to(folder.resolve()):
        return None
    translations = metadata_of(notebook).get("translations")
    address = translations.get(of_link(query)) if isinstance(translations, dict) else None
    if not isinstance(address, str) or not (notebook.parent / PurePosixPath(address)).is_file():
        return None
    return "?".join(filter(None, [quote(address), without_language(query)]))
