"""The language that everything on a page is said in: gettext's catalogues, and numbers in the language's own form.

Whatever a person reads is written in English in the code, marked by ``_`` where it is said and by ``N_`` where it is
only named (labels in registries), and translated at the moment at which it is said. A process speaks one language at a
time, as a kernel has one page.

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

LANGUAGES = {"en": "English", "de": "Deutsch"}  # in their own words; the first one is the code's own
FOLDER = Path(__file__).parents[1] / "locale"
DOMAIN = "rnnviz"
POINTS = {"en": ".", "de": ","}
spoken = "en"


def use(language: str) -> None:
    """Speak ``language`` from now on.

    Raises
    ------
    ValueError : for a language that is no key of ``LANGUAGES``.
    """
    global spoken
    if language not in LANGUAGES:
        raise ValueError(unknown(language))
    spoken = language


def current() -> str:
    """Return the language that is spoken now, a key of ``LANGUAGES``."""
    return spoken


def of_link(query: str) -> str | None:
    """Return the language that a link's query string asks for, be it one or not; None where it asks for none.

    >>> of_link("?gain=1.5&lang=de")
    'de'
    """
    return parse_qs(query.removeprefix("?"), keep_blank_values=True).get("lang", [None])[-1]


def settle(lang: str | None, query: str) -> list[str]:
    """Speak what a link asks for, else ``lang``, else go on as before; return sentences about what is wrong with it.

    Raises
    ------
    ValueError : for a ``lang`` that is no key of ``LANGUAGES``.
    """
    if lang is not None:
        use(lang)
    asked = of_link(query)
    if asked in (None, *LANGUAGES):
        use(asked or spoken)
        return []
    return [_("In this link {problem}").format(problem=unknown(asked))]


def unknown(language: str) -> str:
    """Say that there is no such language, and which ones there are."""
    known = ", ".join(LANGUAGES)
    return _("lang must be one of {known}; got {received}.").format(known=known, received=f"{language!r:.60}")


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Return a language's translations; those of the code's own language are the texts themselves."""
    return gettext.translation(DOMAIN, FOLDER, [language], fallback=language == next(iter(LANGUAGES)))


def _(text: str) -> str:
    """Return a text of the code in the language that is spoken."""
    return catalogue(spoken).gettext(text) if text else ""  # gettext keeps its own notes below the empty text


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text that goes with ``count``."""
    return catalogue(spoken).ngettext(one, many, count)


def N_(text: str) -> str:
    """Mark a text that is said elsewhere, by ``_``, for the catalogues."""
    return text


def numeral(text: str) -> str:
    """Return a number, written as Python writes it, in the language's own form."""
    return text.replace(".", POINTS[spoken])
