"""A gettext catalogue whose file depends on its texts alone: no dates, no places, no names of tools."""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WIDTH = 120
HEADERS = ("Language", "Plural-Forms", "MIME-Version", "Content-Type", "Content-Transfer-Encoding")
COMMENT = "# Translate between the quotation marks of msgstr; `python3 dev.py translate` keeps the rest."
Text = str | tuple[str, ...]


class Quiet(Catalog):
    """A catalogue that does not tell when it was made, and by whom."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        told = dict(super().mime_headers)
        return [*((name, told[name]) for name in HEADERS), ("X-Made-By", "python3 dev.py translate\n")]


def updated(path: Path, language: str, texts: Iterable[Text]) -> Catalog:
    """Return a language's catalogue with exactly these texts, and with the translations that its file has for them.

    A text that was changed keeps the translation of the old one, marked as fuzzy until somebody has looked at it.
    """
    template = Catalog()
    for text in texts:
        template.add(text)
    with BytesIO(path.read_bytes() if path.exists() else b"") as file:
        old = read_po(file, locale=language)
    old.update(template)
    new = Quiet(locale=language, header_comment=COMMENT, fuzzy=False)
    for message in old:
        if message.id:
            new[message.id] = message
    return new


def as_po(catalogue: Catalog, ordered: bool = False) -> bytes:
    """Return the text of a catalogue's file, in alphabetical order unless its own order tells something."""
    file = BytesIO()
    write_po(file, catalogue, width=WIDTH, no_location=True, sort_output=not ordered)
    return file.getvalue()


def as_mo(catalogue: Catalog) -> bytes:
    """Return the compiled catalogue, which gettext reads."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def open_texts(catalogue: Catalog) -> list[Text]:
    """Return the texts that have no translation yet, or one that nobody has looked at since the text was changed."""
    return [message.id for message in catalogue if message.id and (message.fuzzy or not said(message.string))]


def said(string: str | tuple[str, ...]) -> bool:
    """Tell whether a translation, in all its plural forms, is there."""
    return all(string) if isinstance(string, tuple) else bool(string)


def translations(catalogue: Catalog) -> dict[str, str]:
    """Return text -> translation, without those that are still open."""
    waiting = set(open_texts(catalogue))
    return {
        message.id: message.string
        for message in catalogue
        if isinstance(message.id, str) and message.id and message.id not in waiting
    }
