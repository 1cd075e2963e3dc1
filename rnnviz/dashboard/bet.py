"""Predict, then reveal: the gradient stays covered until the reader has said what it will do."""

from __future__ import annotations

from functools import partial

import ipywidgets as widgets

from ..story.diagnosis import Diagnosis
from ..story.judgement import followed_to
from ..story.verdict import SURVIVES
from ..text.language import N_, _, ngettext
from .buttons import button, row
from .captions import diagnoses
from .controls import put_class
from .glossary import what_button
from .render import Frame
from .state import Dispatch, PageState

CHOICES = {
    "fades": N_("fades"),
    "survives": N_("survives"),
    "grows": N_("grows"),
    "undefined": N_("is not defined"),
}


class BetPanel(widgets.Box):
    """A question about the first scheme's gradient with its answers as buttons, and then how the bet went."""

    def __init__(self, dispatch: Dispatch):
        self.dispatch = dispatch
        self.diagnosis: Diagnosis | None = None  # what answers are judged by, None while it is to come
        self.question, self.result = widgets.HTML(), widgets.HTML().add_class("rnnviz-live")
        self.buttons = {answer: button(_(label), "", partial(self.place, answer)) for answer, label in CHOICES.items()}
        again = _("draw new weights and inputs, and bet again")
        self.again = button(_("Ask again"), again, partial(dispatch, PageState.draw_again))
        super().__init__([self.question, row(list(self.buttons.values()), "rnnviz-presets"), self.result, self.again])
        self.add_class("rnnviz-bet")
        self.layout.display = "none"

    def place(self, answer: str) -> None:
        """Place a bet, which the comparison has already decided."""
        if self.diagnosis is not None:
            self.dispatch(PageState.place_bet, answer, answer == truth(self.diagnosis))

    def show(self, state: PageState, frame: Frame) -> None:
        """Show the question on these settings, or how the bet on them went."""
        self.layout.display = None if state.predict else "none"
        if not state.predict:
            return
        config, ready = state.settings.config, frame.is_current and frame.is_complete and frame.trace is not None
        steps = config.seq_len - followed_to(config)
        text = ngettext(
            "Your bet: over {steps} step, {scheme}'s gradient …",
            "Your bet: over {steps} steps, {scheme}'s gradient …",
            steps,
        )
        asked = text.format(scheme=state.settings.name, steps=steps)
        what = what_button(_("What these words mean"), SURVIVES)
        self.question.value = f"<b>{asked}</b> {what}"
        self.diagnosis = diagnoses(frame.trace)[0] if ready and frame.trace else None
        put_class(self.again, state.covers, "rnnviz-silent")  # before the others: it takes over their focus
        for answer, each in self.buttons.items():
            each.disabled = not (state.covers and ready)
            put_class(each, state.placed is not None and answer == state.placed.answer, "rnnviz-chosen")
        if state.covers and state.placed:
            said = _("Your bet is placed. You can change it until your teacher shows the answer.")
            self.result.value = f"<p>{said}</p>"
        elif state.covers or self.diagnosis is not None:
            won = result_words(self.diagnosis, state.placed.answer) if self.diagnosis and state.placed else ""
            self.result.value = f"<p>{won} {score_words(state)}</p>"


def score_words(state: PageState) -> str:
    """Say how many bets were right."""
    judged = state.judged
    right = sum(bet.right for bet in judged)
    return _("{right} of {given} bets right so far.").format(right=right, given=len(judged)) if judged else ""


def too_early(state: PageState) -> str:
    """Say why there is no file while the gradient is covered."""
    if state.placed:
        return _("Your teacher shows the answer first: a file would give it away.")
    return _("Place your bet first: a file would give the answer away.")


def truth(story: Diagnosis) -> str:
    """Return the right answer: what the curve, the middle run's, does."""
    verb = story.backward.split()[0]
    return "fades" if verb == "zero" else verb


def result_words(story: Diagnosis, chosen: str) -> str:
    """Say whether an answer was right; the verdict below the pictures says what happened."""
    right = truth(story)
    said = _("Right.") if chosen == right else _("No: it {answer}.").format(answer=_(CHOICES[right]))
    return f"<b>{said}</b>"
