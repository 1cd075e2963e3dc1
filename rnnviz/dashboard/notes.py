"""What to know about the settings, below the pictures."""

from __future__ import annotations

import html
from collections.abc import Sequence

import ipywidgets as widgets


class NotesPanel(widgets.HTML):
    """A paragraph for each sentence of `story.notes`; no room where there is none."""

    def __init__(self):
        super().__init__()
        self.add_class("rnnviz-notes")
        self.add_class("rnnviz-live")
        self.show([])

    def show(self, sentences: Sequence[str]) -> None:
        """Show sentences."""
        self.value = "".join(f"<p>{html.escape(sentence, quote=False)}</p>" for sentence in sentences)
        self.layout.display = None if sentences else "none"
