"""The language of the page: gettext catalogues, and numbers in the form that the language uses.

User-visible texts are written in English in the code. ``_`` translates a text where it is shown; ``N_`` marks one that
is shown elsewhere (labels in registries). A process has one language at a time, as a kernel has one page.

>>> use("de")
>>> numeral("0.46")
'0,46'
>>> use("en")
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

LANGUAGES = {"en": "English", "de": "Deutsch"}  # the first is the language of the code
FOLDER = Path(__file__).parents[1] / "locale"
DOMAIN = "rnnviz"
POINTS = {"en": ".", "de": ","}
spoken = "en"


def use(language: str) -> None:
    """Switch to ``language``.

    Raises
    ------
    ValueError : for a language that is not a key of ``LANGUAGES``.
    """
    global spoken
    if language not in LANGUAGES:
        raise ValueError(unknown(language))
    spoken = language


def current() -> str:
    """Return the current language, a key of ``LANGUAGES``."""
    return spoken


def of_link(query: str) -> str | None:
    """Return the language that a link's query string asks for, valid or not; None if it asks for none.

    >>> of_link("?gain=1.5&lang=de")
    'de'
    """
    return parse_qs(query.removeprefix("?"), keep_blank_values=True).get("lang", [None])[-1]


def settle(lang: str | None, query: str) -> list[str]:
    """Switch to the language of a link, else to ``lang``, else change nothing; return sentences about a wrong link.

    Raises
    ------
    ValueError : for a ``lang`` that is not a key of ``LANGUAGES``.
    """
    if lang is not None:
        use(lang)
    asked = of_link(query)
    if asked is None:
        return []
    if asked in LANGUAGES:
        use(asked)
        return []
    return [_("In this link {problem}").format(problem=unknown(asked))]


def unknown(language: str) -> str:
    """Return a sentence with the known languages and the one received."""
    known = ", ".join(LANGUAGES)
    return _("lang must be one of {known}; got {received}.").format(known=known, received=f"{language!r:.60}")


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return the translations of a language; the language of the code needs none."""
    return gettext.translation(DOMAIN, FOLDER, [language], fallback=language == next(iter(LANGUAGES)))


def _(text: str) -> str:
    """Return a text in the current language."""
    return catalogue(spoken).gettext(text) if text else ""  # gettext returns the catalogue's header for the empty text


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text, in the current language, that goes with ``count``."""
    return catalogue(spoken).ngettext(one, many, count)


def N_(text: str) -> str:
    """Mark a text for the catalogues that ``_`` translates elsewhere."""
    return text


def numeral(text: str) -> str:
    """Return a number in Python's notation with the decimal sign of the language."""
    return text.replace(".", POINTS[spoken])
