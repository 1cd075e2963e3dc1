"""A class: by which link it comes, what it bets, and how long it waits for answers."""

from __future__ import annotations

import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from .addresses import is_private, own_address, shared_address, web_address
from .bets import Question
from .reports import Reports

# Without letters and digits that are easily mistaken for others: some students type the link from the projector.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
RECENT = 60.0  # seconds in which the slowest answer is looked for


def new_token() -> str:
    """Return a token of 50 random bits."""
    return "".join(secrets.choice(LETTERS) for _ in range(10))


@dataclass
class Classroom:
    """One class.

    Attributes
    ----------
    size : how many students may be there at a time.
    bound, port, base_url : where the server listens, and the path of the dashboards.
    public : the origin at which a proxy lets students in, "" without one.
    token : what lets students in; secret : what lets the teacher in.
    hears : whether kernels can report, for which the system needs sockets in files.
    question : what the class bets on, or None.
    answers : when a student got the first picture after a change, and how many seconds after it.
    """

    size: int
    bound: str
    port: int
    base_url: str = "/"
    token: str = field(default_factory=new_token)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    public: str = ""
    hears: bool = False
    question: Question | None = None
    answers: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=20_000))

    def __post_init__(self):
        self.reports = Reports(self.receive)

    @property
    def address(self) -> str:
        """The address of all notebooks, as the students reach it."""
        return shared_address(self.bound, self.port, self.base_url, self.public)

    @property
    def is_private(self) -> bool:
        """Whether only this computer can open the link."""
        return is_private(urlsplit(self.address).hostname or "")

    @property
    def entrance(self) -> str:
        """The teacher's link, for this computer."""
        here = web_address(own_address(self.bound), self.port, self.base_url)
        return f"{here}class/enter/{self.secret}?{urlencode({'token': self.token})}"

    @property
    def link(self) -> str:
        """The link for the class: to whatever it bets on at the time, or else to all notebooks."""
        return f"{self.address}{'bet' if self.question else ''}?{urlencode({'token': self.token})}"

    def receive(self, report: dict[str, Any]) -> dict[str, Any]:
        """Take in what a kernel reports, and return the answer to it."""
        waited, bet, asked = (report.get(name) for name in ("waited", "bet", "question"))
        if isinstance(waited, int | float):
            self.answers.append((time.monotonic(), waited))
        if asked is None:
            return {}
        if self.question is None or self.question.is_revealed or self.question.id != asked:
            return {"reveal": asked}  # nobody is kept waiting for the answer to an old question
        if isinstance(bet, dict):
            self.question.place(str(report.get("student")), bet)
        return {}

    def ask(self, notebook: str, settings: str) -> None:
        """Let the class bet on other settings."""
        self.reveal()
        self.question = Question(notebook, settings)

    def reveal(self) -> None:
        """Show the right answer, on the teacher's page and on the students'."""
        if self.question is not None:
            self.question.is_revealed = True
            self.reports.tell({"reveal": self.question.id})

    @property
    def slowest(self) -> float | None:
        """The longest that a student has waited in the last minute, in seconds; None where nobody changed anything."""
        since = time.monotonic() - RECENT
        return max((waited for when, waited in self.answers if when > since), default=None)
