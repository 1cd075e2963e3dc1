"""Predict, then reveal: the gradient stays covered until the reader has said what it will do."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as widgets

from ..engine.runs import Trace
from ..network.schemes import SCHEMES
from ..story import verdict
from ..story.diagnosis import account
from ..text.language import N_, _
from .scene import Scene

CHOICES = (
    (N_("fades"), "shrinks"),
    (N_("survives"), "survives"),
    (N_("grows"), "grows"),
    (N_("is not defined"), "undefined"),
)
COVERED = ("gradient", "jacobian")  # the views that would tell what a bet is about


class Bet(widgets.VBox):
    """A question about the first scheme's gradient, its answers as buttons, and the score.

    Parameters
    ----------
    on : whether the page asks at all.
    reveal : called when an answer has been given. attempt : takes a step, and says on the page what goes wrong in it.
    """

    def __init__(self, on: bool, reveal: Callable[[], None], attempt: Callable[[Callable[[], None]], None]):
        self.on, self.reveal = on, reveal
        self.asked: Scene | None = None
        self.trace: Trace | None = None
        self.answered = not on
        self.right = self.given = 0
        self.question, self.result, self.score = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.result.add_class("rnnviz-live")
        self.buttons = {answer: widgets.Button(description=_(label)) for label, answer in CHOICES}
        for answer, button in self.buttons.items():
            button.add_class("rnnviz-button")
            button.on_click(lambda _, answer=answer: attempt(lambda: self.answer(answer)))
        row = widgets.Box([self.question, *self.buttons.values()])
        row.add_class("rnnviz-presets")
        super().__init__([row, self.result, self.score])
        self.add_class("rnnviz-bet")
        self.layout.display = None if on else "none"

    @property
    def covers(self) -> bool:
        """Whether the gradient must not be seen yet."""
        return self.on and not self.answered

    def ask(self, scene: Scene, trace: Trace, whole: bool) -> None:
        """Ask about a scene, unless it is the one that was asked about last; only the ``whole`` can judge an answer."""
        if not self.on:
            return
        if self.asked is None or self.asked.config != scene.config:
            self.put(scene)
        self.ready(trace if whole else None)

    def put(self, scene: Scene) -> None:
        """Put the question, whose answers wait for the whole comparison."""
        self.asked, self.answered = scene, False
        text = _("Your bet: {scheme}'s gradient, on its way back over {steps} steps, …")
        asked = text.format(scheme=_(SCHEMES[scene.config.scheme].short), steps=scene.config.seq_len)
        self.question.value = f"<b>{asked}</b>"
        self.result.value = ""
        for button in self.buttons.values():
            button.disabled = True

    def ready(self, trace: Trace | None) -> None:
        """Take answers from now on, which a comparison judges; None: from later on."""
        self.trace = trace
        for button in self.buttons.values():
            button.disabled = self.answered or trace is None

    def answer(self, chosen: str) -> None:
        """Take an answer, show what is true and the score."""
        if self.answered or self.trace is None:
            return
        story = account(self.trace, 0)
        truth = "shrinks" if story.backward == "zero" else story.backward
        self.answered = True
        self.given += 1
        self.right += chosen == truth
        said = _("Right.") if chosen == truth else _("No: it {answer}.").format(answer=label_of(truth))
        score = _("{right} of {given} bets right so far.").format(right=self.right, given=self.given)
        self.result.value = f"<p><b>{said}</b> {html.escape(verdict.sentence(story))}</p>"
        self.score.value = f"<p>{score}</p>"
        for button in self.buttons.values():
            button.disabled = True
        self.reveal()


def label_of(answer: str) -> str:
    """Return an answer as its button names it."""
    return _(next(label for label, value in CHOICES if value == answer))
