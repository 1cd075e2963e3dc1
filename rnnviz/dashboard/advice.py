"""One suggestion for the first scheme, which a click applies."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ..story.suggestions import Suggestion
from ..text.language import _
from .buttons import button, row
from .controls import folded, put_class
from .state import Dispatch, PageState


class AdvicePanel(widgets.Box):
    """Unfolded on request: a suggestion with a button that applies it; nothing where there is nothing to suggest."""

    def __init__(self, dispatch: Dispatch):
        self.changes: dict[str, Any] = {}
        self.words = widgets.Label().add_class("rnnviz-live")
        self.button = button(_("Try it"), _("apply this suggestion"), lambda: dispatch(self.apply))
        self.row = row([self.words, self.button], "rnnviz-presets", "rnnviz-advice")
        super().__init__([folded(_("Suggest a change"), self.row, _("a change that lets the gradient survive"))])
        self.show(None)

    def apply(self, state: PageState) -> PageState:
        """Do what was suggested."""
        return state.change(state.settings.replace(**self.changes))

    def show(self, found: Suggestion | None) -> None:
        """Show a suggestion; None hides the old one."""
        if found:
            self.changes, self.words.value = dict(found.changes), found.text
        # Hidden and not taken away: it keeps its room, so that nothing jumps.
        put_class(self.row, found is None, "rnnviz-silent")
