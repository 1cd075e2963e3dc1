"""The trust panel: a button that checks the gradients of the present settings against differences of the loss."""

from __future__ import annotations

import html
from collections.abc import Callable

import ipywidgets as widgets

from ..config import Config


class TrustPanel(widgets.VBox):
    """A button and, once pressed, the largest error found and where.

    Parameters
    ----------
    config : returns the settings to check.
    """

    def __init__(self, config: Callable[[], Config]):
        self.config = config
        self.button = widgets.Button(
            description="Check these gradients",
            tooltip="compare them with differences of the loss, entry by entry, at the present settings",
        )
        self.words = widgets.HTML()
        self.button.on_click(lambda button: self.check())
        super().__init__([self.button, self.words])
        self.add_class("rnnviz-trust")

    def clear(self) -> None:
        """Forget the result: the settings have changed."""
        if self.words.value:
            self.words.value = ""

    def say(self, text: str) -> None:
        self.words.value = f'<p role="status">{html.escape(text)}</p>'
