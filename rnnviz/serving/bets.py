"""The bets of a class on one question: who bets again changes the bet, and each scheme is a question of its own."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ..text.language import N_

ANSWERS = {"fades": N_("fades"), "survives": N_("survives"), "grows": N_("grows"), "undefined": N_("is not defined")}
MOST = 5000  # bets that are kept; only a fault could send more


class Bar(NamedTuple):
    """How many bets there are on an answer, their share of all, and whether it has been revealed as right."""

    answer: str
    bets: int
    share: float
    is_right: bool


@dataclass
class Question:
    """What a class bets on: ``settings`` as a link has them, on the page of ``notebook``."""

    notebook: str
    settings: str
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    is_revealed: bool = False
    bets: dict[tuple[str, str], str] = field(default_factory=dict)  # scheme, student -> answer
    truths: dict[str, str] = field(default_factory=dict)  # scheme -> answer

    def path(self, token: str) -> str:
        """Return the address of the question, below that of the dashboards."""
        query = "&".join(filter(None, [self.settings, urlencode({"bet": self.id, "token": token})]))
        return f"voila/render/{quote(self.notebook)}?{query}"

    def place(self, student: str, bet: dict[str, Any]) -> None:
        """Count a bet, in place of one that this student has placed before; ignore one that cannot be."""
        scheme, answer, truth = (str(bet.get(name)) for name in ("scheme", "answer", "truth"))
        if self.is_revealed or len(self.bets) >= MOST or not {answer, truth} <= {*ANSWERS}:
            return
        self.bets[scheme, student] = answer
        self.truths[scheme] = truth

    @property
    def students(self) -> int:
        """How many students have placed a bet."""
        return len({student for _, student in self.bets})

    @property
    def chart(self) -> dict[str, list[Bar]]:
        """Scheme -> its bars, in the order of the answers, for every scheme that was bet on."""
        return {scheme: self.bars(scheme) for scheme in self.truths}

    def bars(self, scheme: str) -> list[Bar]:
        """Return the bars of one scheme."""
        counts = Counter(answer for (of, _), answer in self.bets.items() if of == scheme)
        right = self.truths[scheme] if self.is_revealed else None
        return [Bar(each, counts[each], counts[each] / counts.total(), each == right) for each in ANSWERS]
