"""How the weights are drawn, folded below the pictures: formulas, variances and sources at the present size."""

from __future__ import annotations

import html
from pathlib import Path

import ipywidgets as widgets

from ..story import weights
from ..text.language import _
from .controls import folded
from .render import Frame
from .settings import Comparison
from .state import PageState
from .static_copy import is_served

NOTE = "08_the_note.ipynb"  # the page on the claims, where it is served beside this one


class WeightsPanel(widgets.Box):
    """A table of the chosen schemes and sentences on the scale of W_hh, made while they are unfolded."""

    def __init__(self) -> None:
        self.words = widgets.HTML()
        self.words.add_class("rnnviz-weights")
        self.state: PageState | None = None
        box = widgets.Box([self.words])
        help = _("the chosen schemes' formulas, variances and sources, and the scale that the activation needs")
        super().__init__([folded(_("How the weights are drawn"), box, help)])
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
    """Return the table and the sentences as HTML."""
    config = comparison.config
    head = "".join(f"<th>{html.escape(_(title))}</th>" for title in weights.HEAD)
    rows = weights.table(config, comparison.schemes)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    said = [weights.conditions(config), *(weights.scales(config) if with_theory else [])]
    words = "".join(f"<p>{html.escape(text, quote=False)}</p>" for text in said)
    return f"<table><tr>{head}</tr>{body}</table>{words}{link_to_note()}"


def link_to_note() -> str:
    """Return a link to the note's claims, or "" where that page is not served beside this one."""
    if not is_served() or not Path(NOTE).is_file():
        return ""
    text = _("Which claims about initial weights hold?")
    return f'<p><a href="{NOTE}">{html.escape(text)}</a></p>'
