"""Predict, then reveal: the gradient stays covered until the reader has said what it will do."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import partial

import ipywidgets as widgets

from ..engine.trace import Trace
from ..story import verdict
from ..story.diagnosis import Diagnosis, diagnose
from ..text.language import N_, _
from .buttons import button
from .render import Frame
from .state import Event, PageState, PlaceBet

CHOICES = (
    (N_("fades"), "fades"),
    (N_("survives"), "survives"),
    (N_("grows"), "grows"),
    (N_("is not defined"), "undefined"),
)


class BetPanel(widgets.VBox):
    """A question about the first scheme's gradient, its answers as buttons, and the score."""

    def __init__(self, dispatch: Callable[[Event], None]):
        self.dispatch = dispatch
        self.diagnosis: Diagnosis | None = None  # what answers are judged by, None while it is to come
        self.question, self.result, self.score = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.result.add_class("rnnviz-live")
        self.buttons = {answer: button(_(label), "", partial(self.place, answer)) for label, answer in CHOICES}
        row = widgets.Box([self.question, *self.buttons.values()])
        row.add_class("rnnviz-presets")
        super().__init__([row, self.result, self.score])
        self.add_class("rnnviz-bet")
        self.layout.display = "none"

    def place(self, answer: str) -> None:
        """Place a bet, which the comparison has already decided."""
        if self.diagnosis is not None:
            self.dispatch(PlaceBet(answer, answer == truth(self.diagnosis)))

    def show(self, state: PageState, frame: Frame) -> None:
        """Show the question on these settings, or how the bet on them went."""
        if not state.predict:
            return
        self.layout.display = None
        config, ready = state.settings.config, frame.is_current and frame.is_complete and frame.trace is not None
        text = _("Your bet: {scheme}'s gradient, on its way back over {steps} steps, …")
        asked = text.format(scheme=state.settings.name, steps=config.seq_len)
        self.question.value = f"<b>{asked}</b>"
        self.diagnosis = judge(frame.trace) if ready else None
        for each in self.buttons.values():
            each.disabled = not (state.covers and ready)
        if state.covers:
            self.result.value = ""
        elif self.diagnosis is not None:
            self.result.value = result_words(self.diagnosis, state.bets[-1].answer)
        if state.bets:
            right = sum(bet.right for bet in state.bets)
            score = _("{right} of {given} bets right so far.").format(right=right, given=len(state.bets))
            self.score.value = f"<p>{score}</p>"


def judge(trace: Trace | None) -> Diagnosis | None:
    """Return the diagnosis of the first scheme."""
    return None if trace is None else diagnose(trace, 0)


def truth(story: Diagnosis) -> str:
    """Return the right answer: what the curve, the middle run's, does."""
    verb = story.backward.split()[0]
    return "fades" if verb == "zero" else verb


def result_words(story: Diagnosis, chosen: str) -> str:
    """Say whether an answer was right, and what happened."""
    label = next(label for label, answer in CHOICES if answer == truth(story))
    said = _("Right.") if chosen == truth(story) else _("No: it {answer}.").format(answer=_(label))
    return f"<p><b>{said}</b> {html.escape(verdict.sentence(story))}</p>"
