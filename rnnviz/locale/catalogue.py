"""Gettext catalogues as files that depend on their texts alone: no dates, source locations or tool names."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WIDTH = 120
HEADERS = ("Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
COMMENT = "# Translate between the quotation marks of msgstr; `python3 dev.py translate` keeps the rest."
Text = str | tuple[str, ...]


class ReproducibleCatalog(Catalog):
    """A catalogue whose headers name no date and no author."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        headers = dict(super().mime_headers)
        return [*((name, headers[name]) for name in HEADERS), ("X-Made-By", "python3 dev.py translate\n")]


def updated(path: Path, language: str, texts: Iterable[Text]) -> Catalog:
    """Return a language's catalogue with exactly these texts and the translations that its file has for them.

    A changed text keeps the translation of the old one, marked as fuzzy until somebody has checked it.
    """
    template = Catalog()
    for text in texts:
        template.add(text)
    with BytesIO(path.read_bytes() if path.exists() else b"") as file:
        old = read_po(file, locale=language)
    old.update(template)
    new = ReproducibleCatalog(locale=language, header_comment=COMMENT, fuzzy=False)
    for message in old:
        if message.id:
            new[message.id] = message
    return new


def as_po(catalogue: Catalog, ordered: bool = False) -> bytes:
    """Return the content of a catalogue's file, alphabetical unless its texts are ``ordered`` already."""
    file = BytesIO()
    write_po(file, catalogue, width=WIDTH, no_location=True, sort_output=not ordered)
    return file.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """Return the compiled catalogue that gettext reads."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def untranslated(catalogue: Catalog) -> list[Any]:
    """Return the texts without a translation, or with one that is fuzzy."""
    return [message.id for message in catalogue if message.id and (message.fuzzy or not is_complete(message.string))]


def is_complete(translation: Any) -> bool:
    """Return whether a translation has all its plural forms."""
    return all(translation) if isinstance(translation, tuple) else bool(translation)


def translations(catalogue: Catalog) -> dict[str, str]:
    """Return text -> translation, without plurals and untranslated texts."""
    missing = set(untranslated(catalogue))
    return {
        message.id: str(message.string)
        for message in catalogue
        if isinstance(message.id, str) and message.id and message.id not in missing
    }
