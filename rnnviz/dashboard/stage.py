"""The stage: the page's pictures and words, sent together in one message."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

HERE = Path(__file__).parent


class Stage(anywidget.AnyWidget):
    """Shows a frame: pictures as ``<img>`` with alt texts, and sentences.

    Attributes
    ----------
    frame : ``views`` (name, png, alt, width, height, revision each), ``columns``, ``words`` (text, style each),
        ``page``, the width it is drawn for, ``whole``, whether nothing more is coming, ``drawn``, seeds x sequences,
        ``revision``: everything that one change brings, in one message.
    message : one sentence about what went wrong, or ""; the last good picture stays, dimmed.
    notice : sentences about a link that asks for what cannot be; the pictures are good all the same.
    busy : a newer picture is being computed, and the one shown belongs to other settings.
    progress : ``share`` done and ``text`` while more of the picture is computed, else empty.
    query : the query string of a link that brings back what is shown; present : the page is on a projector.
    step : the step that the reader points at, -1 for none; moment : sentences about it.
    viewport : the page tells its ``width`` in CSS pixels and ``ratio``, dots a pixel.
    """

    _esm = HERE / "stage.js"
    _css = HERE / "stage.css"

    frame = traitlets.Dict().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    notice = traitlets.Unicode().tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    query = traitlets.Unicode().tag(sync=True)
    present = traitlets.Bool(False).tag(sync=True)
    step = traitlets.Int(-1).tag(sync=True)
    moment = traitlets.List(traitlets.Unicode()).tag(sync=True)
    viewport = traitlets.Dict({"width": 1120, "ratio": 1}).tag(sync=True)
