"""Answers to what a reader asks for: a picture, a slide, the data, the weights or the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..text.language import _
from .export import ALL_VIEWS, KINDS, Request
from .pins import pinned
from .render import LEFT, Frame
from .results import Results
from .state import PageState
from .work import Job, drawing


def answer(
    kind: str,
    view: str,
    state: PageState,
    results: Results,
    jobs: Sequence[Job],
    frame: Frame,
) -> tuple[tuple[dict[str, Any], list[bytes]] | None, str]:
    """Return the answer to a request, or why there is none; neither while a slow view is still to come."""
    trace, pins = frame.trace, pinned(state, results)
    if trace is None:
        return None, _("Nothing is computed yet.")
    data, shown_views = {}, [each["name"] for each in frame.stage["views"]]
    for name in shown_views if kind in ALL_VIEWS else [view] if view else []:
        shown = drawing(state, name, trace, pins, frame.curves)
        data[name] = results[shown].value if shown.is_slow else shown.data()
        if data[name] is None:
            is_coming = any(job.key == shown for job in jobs)
            return None, "" if is_coming else _(LEFT)
    return KINDS[kind](Request(view, data, trace, state.settings.options, shown_views, pins)), ""
