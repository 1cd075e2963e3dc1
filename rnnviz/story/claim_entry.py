"""What a claim of the note is, and the list of all claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..text.language import N_

HOLDS, PARTLY, FAILS = N_("holds"), N_("holds in part"), N_("does not hold")
FIRST, SPECTRUM, GATES = "01_variance_and_gradients.ipynb", "02_spectrum.ipynb", "03_gates.ipynb"


@dataclass(frozen=True)
class Claim:
    """A claim of the note.

    Attributes
    ----------
    number : as the note's claims are counted.
    says, verdict : what the note says, and whether that holds.
    finding : a sentence with a ``{name}`` for each figure.
    figures : computes the figures by name.
    link : the notebook, with settings, in which a class sees it.
    """

    number: int
    says: str
    verdict: str
    finding: str
    figures: Callable[[], dict[str, float]]
    link: str


CLAIMS: dict[int, Claim] = {}


def claim(number: int, says: str, verdict: str, finding: str, link: str):
    """Register the decorated function, which computes the figures, as a claim."""

    def register(figures):
        CLAIMS[number] = Claim(number, says, verdict, finding, figures, link)
        return figures

    return register
