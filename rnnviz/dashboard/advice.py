"""One suggestion for the first scheme, which a click applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ..story.suggestions import Suggestion
from ..text.language import _
from .buttons import button
from .controls import put_class


class AdvicePanel(widgets.Box):
    """A sentence with a button that does what it says; nothing where there is nothing to suggest.

    Parameters
    ----------
    apply : sets fields of Config.
    """

    def __init__(self, apply: Callable[[dict[str, Any]], None]):
        self.changes: dict[str, Any] = {}
        self.words = widgets.Label()
        self.words.add_class("rnnviz-live")
        tooltip = _("set the controls to what is suggested")
        self.button = button(_("Try it"), tooltip, lambda: apply(self.changes))
        super().__init__([self.words, self.button])
        self.add_class("rnnviz-presets")
        self.add_class("rnnviz-advice")
        self.show(None)

    def show(self, found: Suggestion | None) -> None:
        """Show a suggestion; None hides the old one."""
        if found:
            self.changes, self.words.value = dict(found.changes), found.text
        # Hidden and not taken away: it keeps its room, so that nothing jumps.
        put_class(self, found is None, "rnnviz-silent")
