"""One suggestion for the first scheme, which a click applies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ..language import _
from ..suggestions import Suggestion


class Advice(widgets.Box):
    """A sentence with a button that does what it says; nothing where there is nothing to suggest.

    Parameters
    ----------
    apply : sets fields of Config.
    """

    def __init__(self, apply: Callable[[dict[str, Any]], None]):
        self.changes: dict[str, Any] = {}
        self.words = widgets.Label()
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
        (self.remove_class if found else self.add_class)("rnnviz-silent")
