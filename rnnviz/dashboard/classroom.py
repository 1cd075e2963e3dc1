"""This kernel's line to the server of a class: bets and answer times go there, and the teacher's reveal comes back."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .bet import BetPanel, truth
from .state import Dispatch, PageState

ADDRESS = "RNNVIZ_CLASS"  # the environment variable that names the server's socket
STUDENT = "HTTP_X_RNNVIZ_STUDENT"  # and the one that has this student's random number
PATIENCE = 1.0  # seconds for the server's socket


class Line:
    """A connection to the server of the class; outside of a class it carries nothing.

    Parameters
    ----------
    hear : called with each message of the server, and with {} when the line ends.
    """

    def __init__(self, hear: Callable[[dict[str, Any]], None], loop: asyncio.AbstractEventLoop | None):
        self.hear, self.loop, self.rest = hear, loop, b""
        self.socket = connected(os.environ.get(ADDRESS, "")) if loop else None
        if self.loop and self.socket:
            self.loop.add_reader(self.socket, self.read)

    @property
    def is_open(self) -> bool:
        """Whether somebody listens."""
        return self.socket is not None

    def send(self, **report: Any) -> None:
        """Send a report; a server that is gone or busy misses it."""
        if self.socket is None:
            return
        try:
            self.socket.send(json.dumps({"student": os.environ.get(STUDENT, ""), **report}).encode() + b"\n")
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def read(self) -> None:
        """Take in what the server says."""
        assert self.socket is not None
        try:
            heard = self.socket.recv(65536)
        except OSError:
            heard = b""
        if not heard:
            self.close()
            self.hear({})
            return
        *lines, self.rest = (self.rest + heard).split(b"\n")
        for line in lines:
            self.hear(json.loads(line))

    def close(self) -> None:
        """End the line."""
        if self.socket is not None:
            if self.loop:
                self.loop.remove_reader(self.socket)
            self.socket.close()
            self.socket = None


class Seat:
    """This page's part in a class: its bets, how long it waits for pictures, and when the class sees the answer."""

    def __init__(self, dispatch: Dispatch, clock: Callable[[], float], loop: asyncio.AbstractEventLoop | None):
        self.dispatch, self.clock, self.question = dispatch, clock, ""
        self.line = Line(self.hear, loop)
        self.asked_at: float | None = None  # when the change was made that waits for its first picture
        self.revision = 0

    def join(self, state: PageState) -> PageState:
        """Return a page's first state: without a class, no bet waits for the teacher's reveal."""
        self.question = state.question
        if not self.question:
            return state
        self.line.send(question=self.question)
        return state if self.line.is_open else replace(state, revealed=True)

    def hear(self, message: dict[str, Any]) -> None:
        """Follow the teacher; where the server is gone, there is nothing left to wait for."""
        if not message or message.get("reveal") == self.question:
            self.dispatch(replace, revealed=True)

    def changed(self, before: PageState, state: PageState, panel: BetPanel) -> None:
        """Report a bet of the class; note when other pictures were asked for."""
        config = state.settings.config
        if state.bets != before.bets and state.is_held(config) and panel.diagnosis:
            bet = {"scheme": config.scheme, "answer": state.bets[-1].answer, "truth": truth(panel.diagnosis)}
            self.line.send(question=self.question, bet=bet)
        if state.comparison != before.comparison and self.asked_at is None:
            self.asked_at = self.clock()

    def shown(self, revision: int, is_complete: bool) -> None:
        """Report how long the first picture after a change took; each new one has a higher ``revision``.

        A change that has failed, was stopped or is out of sight brings none.
        """
        if revision != self.revision and self.asked_at is not None:
            self.line.send(waited=round(self.clock() - self.asked_at, 4))
        if revision != self.revision or is_complete:
            self.asked_at = None
        self.revision = revision


def connected(address: str) -> socket.socket | None:
    """Return a connection to the server's socket, None where there is none."""
    if not address:
        return None
    line = socket.socket(socket.AF_UNIX)
    try:
        line.settimeout(PATIENCE)
        line.connect(address)
        line.setblocking(False)
    except OSError:
        line.close()
        return None
    return line
