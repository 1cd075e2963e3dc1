"""What a reader takes home: the answers to the stage's requests for pictures, data and code."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from .. import __version__
from ..engine.trace import Trace
from ..network.config import DEFAULTS, FIELDS, Config, applies
from ..story import verdict
from ..text.language import _
from ..text.number_format import listed, plain
from ..text.registry import shorten
from ..views import OPTIONS, VIEWS, View, figure_export
from . import framework_code
from .captions import diagnoses
from .code import changed, code, code_of_own, computation, in_a_row, taken
from .csv_file import csv_text
from .settings import label_of

MOST_NAMED = 3  # schemes that a file name spells out
MEDIA = {"png": "image/png", "svg": "image/svg+xml", "csv": "text/csv", "npz": "application/octet-stream"}
MAKER = {"png": "Software", "svg": "Creator"}  # what these formats call who made a file
ALL_VIEWS = ("slide",)  # kinds of requests that show every view
Answer = tuple[dict[str, str], list[bytes]]  # a message and its buffers


class Request(NamedTuple):
    """What a request is answered from."""

    view: str  # the picture that is asked for, or ""
    data: Mapping[str, Any]  # what the views that are needed show, by their names
    trace: Trace  # the comparison in the pictures
    options: Mapping[str, Any]  # the page's own choices
    views: Sequence[str]  # the names of all views of the page
    pins: Sequence[tuple[str, Trace]] = ()  # the curves in grey, by their names

    def named(self, ending: str, view: str = "", schemes: int | None = None) -> str:
        """Return the name of a file about the first ``schemes`` schemes, by default all."""
        return filename(self.trace.config, self.trace.schemes[:schemes], ending, view)

    @property
    def weights(self) -> str:
        """The name of the file with the first network's weights."""
        return self.named("npz", f"weights-seed{self.trace.seeds[0]}", 1)


def file(name: str, content: bytes, kind: str = "file") -> Answer:
    return {"kind": kind, "name": name, "type": MEDIA[name.rpartition(".")[2]]}, [content]


def text(code: str) -> Answer:
    return {"kind": "code", "text": code}, []


def own_code(request: Request) -> Answer:
    """Return the code that makes the page again, and that which computes without a page."""
    trace, options, views, pins = request.trace, request.options, request.views, request.pins
    if trace.own:
        return text(code_of_own(trace.config, trace.own.names[0], request.weights, views))
    page = code(trace.config, trace.schemes, trace.seeds, options, views)
    alone = computation(trace.config, trace.schemes, trace.seeds, options, views, pins)
    apart = _("# or without the page, with the pinned curves:") if pins else _("# or without the page:")
    return text(f"{page.strip()}\n\n{apart}\n{alone.strip()}")


def picture(request: Request, ending: str = "png", kind: str = "file") -> Answer:
    """Return one view's picture, with its caption; its metadata hold every setting as JSON."""
    view, data, trace = VIEWS[request.view], request.data[request.view], request.trace
    options = taken(request.options, [view])
    words = {**description(view, data, trace, options), MAKER[ending]: f"rnnviz {__version__}"}
    drawn = figure_export.picture(view, data, ending, caption(trace, options, view.first_seed), words)
    return file(request.named(ending, view.name), drawn, kind)


# What the stage may ask for. A picture of kind "copy" goes to the clipboard.
CODES: dict[str, Callable[[Request], Answer]] = {
    "code": own_code,
    "pytorch": lambda request: text(framework_code.pytorch(request.trace.config, request.weights)),
    "keras": lambda request: text(framework_code.keras(request.trace.config, request.weights)),
}
KINDS: dict[str, Callable[[Request], Answer]] = {
    "png": picture,
    "svg": lambda request: picture(request, "svg"),
    "copy": lambda request: picture(request, kind="copy"),
    "slide": lambda request: file(request.named("png", "slide"), slide(request)),
    "csv": lambda request: file(request.named("csv"), csv_text(request.trace).encode()),
    "npz": lambda request: file(request.weights, framework_code.npz(request.trace)),
    **CODES,
}


def slide(request: Request) -> bytes:
    """Return one PNG with the pictures of all views and the verdict."""
    views, trace = [VIEWS[name] for name in request.data], request.trace
    words = {"Title": f"rnnviz: {', '.join(trace.schemes)}", "Software": f"rnnviz {__version__}"}
    pictures = list(zip(views, request.data.values(), strict=True))
    below = caption(trace, taken(request.options, views), all(view.first_seed for view in views))
    return figure_export.slide(pictures, list(map(verdict.sentence, diagnoses(trace))), below, words)


def description(view: View, data: Any, trace: Trace, options: Mapping[str, Any]) -> dict[str, str]:
    """Return title and description for a picture's metadata; plain ASCII, so that every format can hold it."""
    names = reduce(lambda some, name: listed([some, name]), trace.names)
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
    alone = first_seed and len(trace.seeds) > 1
    shown = [_("shown: seed {first}").format(first=trace.seeds[0])] if alone else []
    return " · ".join([f"rnnviz {__version__}", *settings_in_words(trace, changed(trace.config), options), *shown])


def all_settings(trace: Trace, options: Mapping[str, Any]) -> str:
    """Say every setting that means something: schemes, seeds, fields of Config, and the page's choices."""
    values = trace.config.to_dict()
    meant = [name for name, value in values.items() if value is not None and applies(name, values)]
    said = {name: values[name] for name in meant if name not in ("scheme", "seed")}
    return " · ".join(settings_in_words(trace, said, options))


def settings_in_words(trace: Trace, values: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
    """Return schemes and seeds, these fields of Config and the page's choices, each in words."""
    said = [f"{label_of(name)}: {in_words(name, value)}" for name, value in {**values, **options}.items()]
    return [", ".join(trace.names), seeds_in_words(trace.seeds), *said]


def seeds_in_words(seeds: Sequence[int]) -> str:
    if in_a_row(seeds) and len(seeds) > 1:
        return _("seeds {first} to {last}").format(first=seeds[0], last=seeds[-1])
    return (_("{count} seeds") if len(seeds) > 1 else _("seed {first}")).format(count=len(seeds), first=seeds[0])


def in_words(name: str, value: Any) -> str:
    """Return a setting's value as legends have it; of a text, its beginning, in letters that the font has."""
    if name in OPTIONS:
        return next((_(label) for label, choice in OPTIONS[name].choices if choice == value), str(value))
    meta = FIELDS[name].metadata if name in FIELDS else {}
    if value is None:
        return _("the same as W_hh")
    if isinstance(meta.get("allowed"), Mapping):
        entry = meta["allowed"][value]
        return _(getattr(entry, "short", entry.label))
    if meta.get("kind") == "text":
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
    if not applies("gain", config.to_dict()):
        gain = f"radius{config.spectral_radius:g}"
    sizes = [f"H{config.hidden_size}", f"T{config.seq_len}"]
    parts = filter(None, ["rnnviz", view, config.cell, config.activation, named + more, gain, *sizes])
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", "-".join(parts))
    return f"{stem[:120]}.{ending.lstrip('.')}"
