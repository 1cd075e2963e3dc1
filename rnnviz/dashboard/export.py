"""What a reader takes home: the answers to the stage's requests for pictures, data and code."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from .. import __version__
from ..engine.trace import Trace
from ..network.config import DEFAULTS, FIELDS, Config, label_of
from ..network.schemes import SCHEMES
from ..text.language import _
from ..text.number_format import listed, plain
from ..text.registry import shorten
from ..views import OPTIONS, VIEWS, View, figure_export
from .code import changed, code, computation, in_a_row, taken
from .csv_file import csv_text

MOST_NAMED = 3  # schemes that a file name spells out
WIDTH, HEIGHT = 760, 520  # CSS pixels of a picture that stands alone, its caption included
TYPES = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv"}
KINDS = (*TYPES, "code")


def answer(
    kind: str,
    view: str,
    data: Any,
    trace: Trace,
    options: dict[str, Any],
    views: list[str],
    pins: Sequence[tuple[str, Trace]] = (),
):
    """Return the message and the buffers that answer a request of a kind of ``KINDS``.

    ``pins`` are the names and comparisons of the curves in grey.
    """
    settings = (trace.config, trace.schemes)
    if kind == "code":
        page = code(trace.config, trace.schemes, trace.seeds, options, views)
        both = (page, computation(trace.config, trace.schemes, trace.seeds, options, views, pins))
        apart = _("# or without the page, with the pinned curves:") if pins else _("# or without the page:")
        return {"kind": "code", "text": f"\n\n{apart}\n".join(part.strip() for part in both)}, []
    if kind == "csv":
        return file(filename(*settings, "csv"), kind), [csv_text(trace).encode()]
    draw = png if kind == "png" else svg
    name = filename(*settings, kind, view=view)
    return file(name, kind), [draw(VIEWS[view], data, WIDTH, HEIGHT, trace=trace, options=options)]


def file(name: str, kind: str) -> dict[str, str]:
    return {"kind": "file", "name": name, "type": TYPES[kind]}


def png(
    view: View,
    data: Any,
    width: int,
    height: int,
    scale: float = 2.0,
    *,
    trace: Trace,
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the picture of ``data`` as PNG, ``width`` x ``height`` CSS pixels at ``scale`` dots each.

    ``trace`` and the page's ``options`` are what ``data`` came from: the caption below the picture names what is not
    as usual, and the PNG's texts Title and Description (JSON) hold every setting.

    Raises
    ------
    ValueError : for a size that is out of bounds, or too small for this view.
    """
    options = taken(options, [view])
    words = {**description(view, data, trace, options), "Software": f"rnnviz {__version__}"}
    return figure_export.png(view, data, width, height, scale, caption(trace, options, view.first_seed), words)


def svg(
    view: View, data: Any, width: int, height: int, *, trace: Trace, options: Mapping[str, Any] | None = None
) -> bytes:
    """Return the same picture as SVG, its text as text; the same picture gives the same bytes.

    Raises
    ------
    ValueError : as for `png`.
    """
    options = taken(options, [view])
    words = {**description(view, data, trace, options), "Creator": f"rnnviz {__version__}"}
    return figure_export.svg(view, data, width, height, caption(trace, options, view.first_seed), words)


def description(view: View, data: Any, trace: Trace, options: Mapping[str, Any]) -> dict[str, str]:
    """Return title and description for a picture's metadata; plain ASCII, so that every format can hold it."""
    names = reduce(lambda some, name: listed([some, name]), (_(SCHEMES[name].short) for name in trace.schemes))
    settings = {
        "rnnviz": __version__,
        "view": view.name,
        "shows": view.describe(data),
        **trace.config.to_dict(),
        "schemes": trace.schemes,
        "seeds": [int(seed) for seed in trace.seeds],
        "options": dict(options),
    }
    return {"Title": f"rnnviz: {_(view.label)}, {names}", "Description": json.dumps(settings)}


def caption(trace: Trace, options: Mapping[str, Any], first_seed: bool = False) -> str:
    """Say which schemes and seeds were run, what else is not as usual, and where the first seed alone is shown."""
    schemes = ", ".join(_(SCHEMES[name].short) for name in trace.schemes)
    parts = [f"rnnviz {__version__}", schemes, seeds_in_words(trace.seeds)]
    for name, value in changed(trace.config).items():
        parts.append(f"{label_of(name)}: {in_words(name, value)}")
    for name, value in options.items():
        words = {known: _(label) for label, known in OPTIONS[name].choices}
        parts.append(f"{_(OPTIONS[name].label)}: {words.get(value, value)}")
    if first_seed and len(trace.seeds) > 1:
        parts.append(_("shown: seed {first}").format(first=trace.seeds[0]))
    return " · ".join(parts)


def seeds_in_words(seeds: Sequence[int]) -> str:
    if in_a_row(seeds) and len(seeds) > 1:
        return _("seeds {first} to {last}").format(first=seeds[0], last=seeds[-1])
    return (_("{count} seeds") if len(seeds) > 1 else _("seed {first}")).format(count=len(seeds), first=seeds[0])


def in_words(name: str, value: Any) -> str:
    """Return a setting's value as its menu has it; of a text, its beginning, in letters that the font has."""
    meta = FIELDS[name].metadata
    if meta["kind"] == "choice" and isinstance(meta["allowed"], Mapping):
        entry = meta["allowed"][value]
        return _(entry.label)
    if meta["kind"] == "text":
        return shorten(value, 30).replace("…", "...").encode("latin-1", "backslashreplace").decode("latin-1")
    return plain(value) if isinstance(value, float) else _(str(value))


def filename(config: Config, schemes: Sequence[str], ending: str, view: str = "") -> str:
    """Return a short name for a file, of letters, digits, dots and dashes, and ``view`` where it holds one picture.

    >>> filename(Config(), ("xavier", "uniform01"), "csv")
    'rnnviz-rnn-tanh-xavier-vs-uniform01-H64-T50.csv'
    """
    named = "-vs-".join(schemes[:MOST_NAMED])
    more = f"-and-{len(schemes) - MOST_NAMED}-more" if len(schemes) > MOST_NAMED else ""
    gain = f"gain{config.gain:g}" if config.gain != DEFAULTS["gain"] else ""
    sizes = [f"H{config.hidden_size}", f"T{config.seq_len}"]
    parts = filter(None, ["rnnviz", view, config.cell, config.activation, named + more, gain, *sizes])
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(parts))
    return f"{stem[:120]}.{ending.lstrip('.')}"
