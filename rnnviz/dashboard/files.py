"""What the reader takes home: answers to the stage's requests for pictures, data and code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine.runs import Trace
from ..text.language import _
from ..views import VIEWS
from . import export

WIDTH, HEIGHT = 760, 520  # CSS pixels of a picture that stands alone, its caption included
TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv"}


def answer(
    kind: str,
    view: str,
    data: Any,
    trace: Trace,
    options: dict[str, Any],
    views: list[str],
    pins: Sequence[tuple[str, Trace]] = (),
):
    """Return the message and the buffers that answer a request of ``kind`` "png", "svg", "csv" or "code".

    ``pins`` are the names and comparisons of the curves in grey.

    Raises
    ------
    ValueError : for another kind.
    """
    settings = (trace.config, trace.schemes)
    if kind == "code":
        seeds = (trace.seeds, options, views)
        both = (export.code(*settings, *seeds), export.computation(*settings, *seeds, pins))
        apart = _("# or without the page, with the pinned curves:") if pins else _("# or without the page:")
        return {"kind": "code", "text": f"\n\n{apart}\n".join(part.strip() for part in both)}, []
    if kind == "csv":
        return file(export.filename(*settings, "csv"), kind), [export.csv_text(trace).encode()]
    if kind not in ("png", "svg"):
        raise ValueError(_("a page gives png, svg, csv or code; not {kind}.").format(kind=f"{kind!r:.40}"))
    draw = export.png if kind == "png" else export.svg
    name = export.filename(*settings, kind, view=view)
    return file(name, kind), [draw(VIEWS[view], data, WIDTH, HEIGHT, trace=trace, options=options)]


def file(name: str, kind: str) -> dict[str, str]:
    return {"kind": "file", "name": name, "type": TYPES[kind]}
