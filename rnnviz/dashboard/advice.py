"""One suggestion for the first scheme, found beside the page at rest, which a click applies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ..engine.runs import Trace
from ..story.suggestions import Suggestion, suggest
from ..text.language import _
from ..views.view import Tick, quiet
from .controls import put_class
from .late import Job, Late
from .loop import later, running_loop

REST = 0.8  # seconds without a change until a suggestion is looked for


class Advice(widgets.Box):
    """A sentence with a button that does what it says; nothing where there is nothing to suggest.

    Parameters
    ----------
    apply : sets fields of Config.
    """

    def __init__(self, apply: Callable[[dict[str, Any]], None]):
        self.changes: dict[str, Any] = {}
        self.words = widgets.Label()
        self.words.add_class("rnnviz-live")
        self.button = widgets.Button(description=_("Try it"), tooltip=_("set the controls to what is suggested"))
        self.button.add_class("rnnviz-button")
        self.button.on_click(lambda _: apply(self.changes))
        super().__init__([self.words, self.button])
        self.add_class("rnnviz-presets")
        self.add_class("rnnviz-advice")
        self.show(None)

    def show(self, found: Suggestion | None) -> None:
        """Show a suggestion; None hides the old one."""
        self.changes = dict(found.changes) if found else {}
        if found:
            self.words.value = found.text
        # Hidden and not taken away: it keeps its room, so that nothing jumps.
        put_class(self, found is None, "rnnviz-silent")


class Adviser:
    """Looks for a suggestion in a thread, where an event loop runs, and shows it on the page.

    Parameters
    ----------
    advice : where it is shown.
    subject : returns the comparison to advise on, or None where nothing is to be suggested.
    attempt : takes a step, and says on the page what goes wrong in it. on_error : called with what the search raised.
    """

    def __init__(
        self,
        advice: Advice,
        subject: Callable[[], Trace | None],
        attempt: Callable[[Callable[[], None]], None],
        on_error: Callable[[Exception], None],
    ):
        self.advice, self.subject, self.attempt = advice, subject, attempt
        self.late = Late(lambda: attempt(self.show), lambda name, error: on_error(error))
        self.timer: asyncio.TimerHandle | None = None
        self.hiding: asyncio.TimerHandle | None = None

    def leave(self) -> None:
        """Take the suggestion away, once the next picture is on its way, and look for none before the next rest."""
        self.late.stop()
        if self.timer:
            self.timer.cancel()
        if self.hiding is None:
            self.hiding = later(self.hide)

    def hide(self) -> None:
        """Take the suggestion away."""
        self.hiding = None
        self.advice.show(None)

    def rest(self) -> None:
        """Look for a suggestion once the page has been left alone for a while."""
        loop = running_loop()
        if loop is not None:
            self.timer = loop.call_later(REST, self.attempt, self.advise)

    def advise(self) -> None:
        """See to it that a suggestion is found and shown."""
        trace = self.subject()
        if trace is not None:
            self.late.start({"advice": Job(self.look, trace, {})})
            self.show()

    def show(self) -> None:
        """Show the suggestion, where one was found for what the page shows now."""
        trace = self.subject()
        found = self.late.data("advice", Job(self.look, trace, {})) if trace is not None else None
        if found:
            if self.hiding:
                self.hiding.cancel()
                self.hiding = None
            self.advice.show(*found)

    def look(self, trace: Trace, tick: Tick = quiet) -> tuple[Suggestion | None]:
        """Return a suggestion, in a tuple: small runs try it first."""
        return (suggest(trace, 0, lambda: tick(0.0)),)
