"""The panels below the pictures: a suggestion, a check of the gradients, and how the weights are drawn."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from ..network.config import Config
from ..network.schemes import SCHEMES
from ..story import weights
from ..text.language import N_, _
from .buttons import button, paragraphs, row
from .controls import folded, put_class
from .render import Frame
from .results import Result
from .settings import Comparison
from .state import Dispatch, PageState
from .static_copy import is_served

START, STOP = N_("Check these gradients"), N_("Stop checking")
NOTE = "08_the_note.ipynb"  # the page on the claims, where it is served beside this one


class AdvicePanel(widgets.Box):
    """Unfolded on request: a suggestion with a button that applies it; nothing where there is nothing to suggest."""

    def __init__(self, dispatch: Dispatch):
        self.changes: dict[str, Any] = {}
        self.words = widgets.Label().add_class("rnnviz-live")
        self.button = button(_("Try it"), _("apply this suggestion"), lambda: dispatch(self.apply))
        self.row = row([self.words, self.button], "rnnviz-presets", "rnnviz-advice", "rnnviz-silent")
        super().__init__([folded(_("Suggest a change"), self.row, _("a change that lets the gradient survive"))])

    def apply(self, state: PageState) -> PageState:
        """Do what was suggested."""
        return state.change(state.settings.replace(**self.changes))

    def show(self, state: PageState, frame: Frame) -> None:
        """Show the suggestion, or hide the old one."""
        if frame.advice:
            self.changes, self.words.value = dict(frame.advice.changes), frame.advice.text
        # Hidden and not taken away: it keeps its room, so that nothing jumps.
        put_class(self.row, frame.advice is None, "rnnviz-silent")


class GradientCheckPanel(widgets.VBox):
    """A button and, once pressed, the largest error found and where; pressed again while it works, it stops."""

    is_running = False

    def __init__(self, dispatch: Dispatch):
        help = _("compare the first scheme's gradients with derivatives computed without backpropagation")
        self.button = widgets.Button(description=_(START), tooltip=help)
        self.button.on_click(lambda _: dispatch(self.press))
        # A screen reader reads the words alone.
        self.words, self.progress = widgets.HTML().add_class("rnnviz-live"), widgets.HTML()
        super().__init__([self.button, self.words, self.progress])
        self.add_class("rnnviz-trust")

    def press(self, state: PageState) -> PageState:
        """Start the check, or stop it."""
        return state.stop("check") if self.is_running else state.start_check()

    def show(self, state: PageState, frame: Frame) -> None:
        """Show how far the check of these settings is, or what it found."""
        result, self.is_running = frame.check
        self.button.description = _(STOP) if self.is_running else _(START)
        said = state.refusal or check_words(state.settings.config, result, self.is_running)
        text = paragraphs(said) if state.check and said else ""
        self.words.value, self.progress.value = ("", text) if self.is_running else (text, "")


def check_words(config: Config, result: Result, is_running: bool) -> str:
    """Say how far a check is, or what it found."""
    title = _("{scheme}, seed {seed}").format(scheme=_(SCHEMES[config.scheme].short), seed=config.seed)
    if result.error is not None:
        return _("These gradients cannot be checked: {error}.").format(error=result.error)
    if result.value is not None:
        return f"{title}: {result.value.words}"
    check = result.progress
    if check is None or not check.done:
        begun = _("{title}: computing the gradients …") if is_running else ""
        return (begun or _("{title}: stopped before anything was compared.")).format(title=title)
    text = _("{title}: {done} of {total} entries checked …")
    if not is_running:
        text = _("{title}: stopped after {done} of {total} entries. {words}")
    return text.format(title=title, done=check.done, total=check.total, words=check.words)


class WeightsPanel(widgets.Box):
    """A table of the chosen schemes and sentences on the scale of W_hh, made while they are unfolded."""

    state: PageState | None = None

    def __init__(self) -> None:
        self.words = widgets.HTML().add_class("rnnviz-weights")
        help = _("the chosen schemes' formulas, variances and sources, and the scale that the activation needs")
        super().__init__([folded(_("How the weights are drawn"), widgets.Box([self.words]), help)])
        self.button = self.children[0].children[0]
        self.button.observe(lambda change: self.fill(), "value")

    def show(self, state: PageState, frame: Frame) -> None:
        """Show the schemes and settings of the pictures."""
        if frame.is_current:
            self.state = state
            self.fill()

    def fill(self) -> None:
        """Write the table, where it is to be seen."""
        if self.button.value and self.state is not None:
            # Before a bet no theory, which would answer it.
            self.words.value = as_html(self.state.settings.comparison, not self.state.covers)


def as_html(comparison: Comparison, with_theory: bool) -> str:
    """Return the table and the sentences as HTML, with a link to the note's claims where they are served."""
    config = comparison.config
    head = "".join(f"<th>{html.escape(_(title))}</th>" for title in weights.HEAD)
    rows = weights.table(config, comparison.schemes)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    words = paragraphs(weights.conditions(config), *(weights.scales(config) if with_theory else []))
    text, has_note = _("Which claims about initial weights hold?"), is_served() and Path(NOTE).is_file()
    link = f'<p><a href="{NOTE}">{html.escape(text)}</a></p>' if has_note else ""
    return f"<table><tr>{head}</tr>{body}</table>{words}{link}"
