"""The note from which this project grew, claim by claim, as a notebook shows it."""

from __future__ import annotations

import html
import os

from ..text.language import _, settle
from ..text.number_format import number
from .claims import CLAIMS, Claim


class Shown:
    """HTML for a notebook."""

    def __init__(self, body: str):
        self.body = body

    def _repr_html_(self) -> str:
        return self.body

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.body)} characters of HTML>"


class Note:
    """The claims of the note, with verdicts whose figures are computed when they are shown.

    Parameters
    ----------
    lang : "en" or "de"; None keeps the current language. A link's ``lang`` takes precedence.

    >>> Note()
    Note: 17 claims
    """

    def __init__(self, *, lang: str | None = None):
        settle(lang, os.environ.get("QUERY_STRING", ""))

    def __repr__(self) -> str:
        return f"Note: {len(CLAIMS)} claims"

    def _repr_html_(self) -> str:
        items = (f'<li value="{each.number}">{html.escape(_(each.says))}</li>' for each in CLAIMS.values())
        return f"<ol>{''.join(items)}</ol>"

    def claims(self, *numbers: int) -> Shown:
        """Show some claims, each with its verdict, the figures that networks have, and a link to see it.

        Raises ValueError for a number that no claim has.
        """
        for received in numbers:
            if received not in CLAIMS:
                text = _("{name} must be a whole number from {low} to {high}; got {received}.")
                raise ValueError(text.format(name="claim", low=1, high=len(CLAIMS), received=repr(received)))
        return Shown("".join(as_html(CLAIMS[each]) for each in numbers))


def finding(claim: Claim) -> str:
    """Return what networks say about a claim, computed now."""
    figures = {name: number(float(value), digits=3) for name, value in claim.figures().items()}
    return _(claim.finding).format(**figures)


def as_html(claim: Claim) -> str:
    """Return a claim, its verdict and its finding."""
    says, verdict, found = (html.escape(text) for text in (_(claim.says), _(claim.verdict), finding(claim)))
    see = _("See it")
    link = f'<a href="{html.escape(claim.link)}">{html.escape(see)}</a>'
    return f'<p class="rnnviz-claim"><strong>{claim.number}. {says}</strong><br><em>{verdict}</em>. {found} {link}</p>'
