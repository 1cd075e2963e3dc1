"""Cells that are run again: the page that a cell showed before is closed, with all that it holds."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING
from weakref import WeakSet

import ipywidgets as widgets

from .memory import give_back

if TYPE_CHECKING:
    from .app import Dashboard

OPEN: dict[str, tuple[int, WeakSet[Dashboard]]] = {}  # by cell: the run that made them, and the pages


def close_older(page: Dashboard) -> None:
    """Close the pages that earlier runs of the same cell have made; those of the same run stay."""
    cell, run = current_cell()
    if not cell:
        return
    made_by, pages = OPEN.get(cell, (run, WeakSet()))
    if made_by != run:
        for older in list(pages):
            older.close()
        gc.collect()  # figures and their canvases refer to each other
        give_back()
        pages = WeakSet()
    pages.add(page)
    OPEN[cell] = run, pages


def current_cell() -> tuple[str, int]:
    """Return what tells the running cell from others, "" outside of a notebook, and the number of its run."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kernel = getattr(shell, "kernel", None)
    if shell is None or kernel is None:
        return "", 0
    header = kernel.get_parent()  # of the shell; a browser's kernel knows no other channel
    source = header.get("content", {}).get("code", "")
    return header.get("metadata", {}).get("cellId") or source, shell.execution_count


def inner_widgets(widget: widgets.Widget) -> list[widgets.Widget]:
    """Return every widget inside of one, with their layouts and styles."""
    found = []
    for child in getattr(widget, "children", ()):
        found += [*inner_widgets(child), child]
    parts = (getattr(widget, name, None) for name in ("layout", "style"))
    return found + [part for part in parts if isinstance(part, widgets.Widget)]
