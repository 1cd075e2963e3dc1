"""Which language a visitor wants, and where a notebook is told in it."""

import json
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from ..text.language import LANGUAGES, of_link

OWN = next(iter(LANGUAGES))


def wanted(query: str, accepted: str) -> str:
    """Return the language that a link asks for by `lang`, or else the one that the browser likes best of ours.

    >>> wanted("gain=1&lang=de", "en"), wanted("", "fr, de-AT;q=0.9, en;q=0.8"), wanted("lang=fr", "fr")
    ('de', 'de', 'en')
    """
    return next((language for language in [of_link(query), *ranked(accepted)] if language in LANGUAGES), OWN)


def ranked(accepted: str) -> list[str]:
    """Return the languages of an Accept-Language header without their regions, the best liked first.

    >>> ranked("en;q=0.5, de-DE, fr;q=0")
    ['de', 'en']
    """
    liked = []
    for part in accepted.split(","):
        tag, _, quality = part.replace(" ", "").partition(";q=")
        try:
            liked.append((float(quality or 1), tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return [tag for quality, tag in sorted(liked, key=lambda pair: -pair[0]) if quality > 0]


def without_language(query: str) -> str:
    """Return a link's query string with all that it says, in its own spelling, but for the language.

    >>> without_language("pin=a%3D1&lang=de&pin=b&gain=1.50")
    'pin=a%3D1&pin=b&gain=1.50'
    """
    return "&".join(part for part in query.split("&") if part.partition("=")[0] != "lang")


def label(notebook: Path) -> dict:
    """Return what a notebook's metadata say of its language; nothing where it says nothing, or is no notebook."""
    try:
        told = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["rnnviz"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}


def spoken(notebook: Path) -> str:
    """Return the language of a notebook."""
    language = label(notebook).get("language")
    return language if isinstance(language, str) else OWN


def elsewhere(folder: Path, path: str, query: str) -> str | None:
    """Return the address, relative to that of a notebook, at which it is told in the language that a link asks for.

    None where the notebook speaks it already, or where nobody has translated it.
    """
    notebook = folder / path
    if "\0" in path or not notebook.resolve().is_relative_to(folder.resolve()):
        return None
    translations = label(notebook).get("translations")
    address = translations.get(of_link(query)) if isinstance(translations, dict) else None
    if not isinstance(address, str) or not (notebook.parent / PurePosixPath(address)).is_file():
        return None
    return "?".join(filter(None, [quote(address), without_language(query)]))
