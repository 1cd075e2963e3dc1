"""One suggestion for the first scheme, which a click applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ..story.suggestions import Suggestion
from ..text.language import _
from .buttons import button
from .controls import folded, put_class


class AdvicePanel(widgets.Box):
    """Unfolded on request: a sentence with a button that does what it says; nothing where there is nothing to suggest.

    Parameters
    ----------
    apply : sets fields of Config.
    """

    def __init__(self, apply: Callable[[dict[str, Any]], None]):
        self.changes: dict[str, Any] = {}
        self.words = widgets.Label()
        self.words.add_class("rnnviz-live")
        tooltip = _("apply this suggestion")
        self.button = button(_("Try it"), tooltip, lambda: apply(self.changes))
        self.row = widgets.Box([self.words, self.button])
        self.row.add_class("rnnviz-presets")
        self.row.add_class("rnnviz-advice")
        super().__init__([folded(_("Suggest a change"), self.row, _("a change that lets the gradient survive"))])
        self.show(None)

    def show(self, found: Suggestion | None) -> None:
        """Show a suggestion; None hides the old one."""
        if found:
            self.changes, self.words.value = dict(found.changes), found.text
        # Hidden and not taken away: it keeps its room, so that nothing jumps.
        put_class(self.row, found is None, "rnnviz-silent")
