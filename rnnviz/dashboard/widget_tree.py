"""All widgets of a page."""

from __future__ import annotations

import ipywidgets as widgets


def inner_widgets(widget: widgets.Widget) -> list[widgets.Widget]:
    """Return every widget inside of one, with their layouts and styles."""
    found = []
    for child in getattr(widget, "children", ()):
        found += [*inner_widgets(child), child]
    parts = (getattr(widget, name, None) for name in ("layout", "style"))
    return found + [part for part in parts if isinstance(part, widgets.Widget)]
