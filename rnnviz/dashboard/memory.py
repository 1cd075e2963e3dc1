"""What a page holds: its widgets, and memory that Python has freed and the C library still keeps from the system."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

import ipywidgets as widgets


@cache
def trimmer():
    """Return glibc's malloc_trim, or None for another C library."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back() -> None:
    """Give freed memory back: large comparisons leave holes between what is kept, 60 MB after 50 moves."""
    if trim := trimmer():
        trim(0)


def inner_widgets(widget: widgets.Widget) -> list[widgets.Widget]:
    """Return every widget inside of one, with their layouts and styles."""
    found = []
    for child in getattr(widget, "children", ()):
        found += [*inner_widgets(child), child]
    parts = (getattr(widget, name, None) for name in ("layout", "style"))
    return found + [part for part in parts if isinstance(part, widgets.Widget)]
