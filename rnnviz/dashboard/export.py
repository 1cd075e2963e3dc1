"""What a person takes away: the picture as PNG or SVG, the numbers as CSV, and the Python that makes both again."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from .. import __version__
from ..engine.runs import Trace
from ..network.config import DEFAULTS, FIELDS, Config, label_of
from ..network.schemes import SCHEMES
from ..text.language import LANGUAGES, _, current
from ..text.number_format import listed, plain
from ..text.registry import shorten
from ..views import OPTIONS, VIEWS, View, figure_export

Array = np.ndarray
WIDTH = 100  # characters of a line of code
MOST_NAMED = 3  # schemes that a file name spells out

# Trace's arrays by column; no signs in the words, which would have to be escaped (see `harmless`).
COLUMNS = {
    "second_moment": "mean of h^2 over units and batch",
    "variance": "variance of h over units and batch",
    "mean": "mean of h over units and batch",
    "saturation": "share of units that the activation calls saturated",
    "log10_grad_norm": "log10 of the norm of dL/dh (minus infinity for exactly 0 and nan where there is no gradient)",
    "log10_grad_norm_c": "the same for dL/dc",
    "log10_relative_norm": "log10 of the norm of dL/dh relative to that at the last step (nan where that is 0)",
    "log10_relative_norm_c": "log10 of the norm of dL/dc relative to that of dL/dh at the last step",
    "log10_carry": "log10 of the root mean square of the factor that hands the gradient on (nan at step 0)",
}
GATE_COLUMNS = {
    "gates": ("gate_{}", "mean value of gate {} (nan at step 0)"),
    "gate_saturation": ("gate_{}_saturation", "share of the values of gate {} near their ends (nan at step 0)"),
}


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
    return figure_export.png(view, data, width, height, scale, caption(trace, options), words)


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
    return figure_export.svg(view, data, width, height, caption(trace, options), words)


def taken(options: Mapping[str, Any] | None, views: Iterable[View]) -> dict[str, Any]:
    """Return the options that these views take and that differ from the first choice; ValueError for an unknown one."""
    theirs = {name for view in views for name in view.options}
    return {
        name: value
        for name, value in (options or {}).items()
        if value != OPTIONS[name].choices[0][1] and name in theirs
    }


def changed(config: Config) -> dict[str, Any]:
    """Return the fields that differ from their defaults, without scheme and seed, which a comparison replaces."""
    values = config.to_dict()
    return {name: values[name] for name in values if values[name] != DEFAULTS[name] and name not in ("scheme", "seed")}


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


def caption(trace: Trace, options: Mapping[str, Any]) -> str:
    """Say which schemes and seeds were run and what else is not as usual."""
    schemes = ", ".join(_(SCHEMES[name].short) for name in trace.schemes)
    parts = [f"rnnviz {__version__}", schemes, seeds_in_words(trace.seeds)]
    for name, value in changed(trace.config).items():
        parts.append(f"{label_of(name)}: {in_words(name, value)}")
    for name, value in options.items():
        words = {known: _(label) for label, known in OPTIONS[name].choices}
        parts.append(f"{_(OPTIONS[name].label)}: {words.get(value, value)}")
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


# The numbers


def csv_text(trace: Trace) -> str:
    """Return a comparison (or one run) as CSV: a row a scheme, seed and step, below ``# key: value`` lines of settings.

    Values are JSON in the settings, floats that read back bit for bit in the rows, with ``-inf`` for an exact zero's
    logarithm and ``nan`` for what is undefined. No cell of the settings can begin a spreadsheet's formula.
    """
    values = columns(trace)
    runs = [(scheme, seed) for scheme in trace.schemes for seed in trace.seeds]
    out = io.StringIO()
    out.writelines(f"# {key}: {value}\n" for key, value in header(trace, values))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["scheme", "seed", "step", *values])
    flat = [array.reshape(len(runs), -1).tolist() for array, _ in values.values()]
    for (scheme, seed), *series in zip(runs, *flat, strict=True):
        writer.writerows((scheme, seed, step, *row) for step, row in enumerate(zip(*series, strict=True)))
    return out.getvalue()


def columns(trace: Trace) -> dict[str, tuple[Array, str]]:
    """Return the arrays (S, R, T+1) of a comparison by the name of their column, with what they are."""
    found = {name: (getattr(trace, name), words) for name, words in COLUMNS.items()}
    for field, (column, words) in GATE_COLUMNS.items():
        for gate, array in getattr(trace, field).items():
            found[column.format(gate)] = (array, words.format(gate))
    return {name: (array, words) for name, (array, words) in found.items() if array is not None}


def header(trace: Trace, values: Mapping[str, tuple[Array, str]]) -> Iterator[tuple[str, str]]:
    """Return the lines above the table: version, settings, sizes as they really are, and each column's meaning."""
    config = trace.config
    inputs, classes = config.sizes
    settings = {"rnnviz": __version__, **config.to_dict(), "D": inputs, "O": classes}
    for name in ("scheme", "seed", *(() if config.inputs == "text" else ("text",))):
        del settings[name]
    settings["schemes"] = " ".join(trace.schemes)
    settings["seeds"] = " ".join(map(str, trace.seeds))
    for key, value in settings.items():
        yield key, harmless(value)
    yield "column scheme", harmless("how W_hh and W_hy are drawn")
    yield "column seed", harmless("the same seed draws the same numbers for every scheme")
    yield "column step", harmless("t from 0 (the initial state) to T")
    for name, (_array, words) in values.items():
        yield f"column {name}", harmless(words)


def harmless(value: Any) -> str:
    """Return ``value`` as JSON in which no text can end a cell and begin a formula (=, +, -, @) in a new one.

    >>> harmless("a,=1+1")
    '"a\\\\u002c\\\\u003d1\\\\u002b1"'
    """
    if not isinstance(value, str):
        return json.dumps(value)
    return re.sub(r"[,;|=+@-]", lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(value))


# The code


def code(
    config: Config, schemes: Sequence[str], seeds: Sequence[int], options: Mapping[str, Any], views: Sequence[str]
) -> str:
    """Return the Python that shows these views of this comparison, for a notebook's cell.

    Raises
    ------
    ValueError : for an unknown name, or seeds that are not counted up one by one, which a page cannot show.
    """
    if not in_a_row(seeds):
        raise ValueError("a dashboard takes seeds that are counted up one by one")
    shown = taken(options, [VIEWS[name] for name in views])
    # The page counts from config.seed, or from below where the numbers end.
    first = config.seed if min(config.seed, 2**32 - len(seeds)) == seeds[0] else seeds[0]
    arguments = [literal(name) for name in views]
    arguments += [f"scheme={literal(list(schemes) if len(schemes) > 1 else schemes[0])}", f"seeds={len(seeds)}"]
    arguments += [f"options={literal(shown)}"] if shown else []
    arguments += [f"lang={literal(current())}"] if current() != next(iter(LANGUAGES)) else []
    arguments += settings(config.replace(seed=first))
    return f"from rnnviz import Dashboard\n\n{call('Dashboard', arguments)}\n"


def computation(
    config: Config,
    schemes: Sequence[str],
    seeds: Sequence[int],
    options: Mapping[str, Any],
    views: Sequence[str],
    pins: Sequence[tuple[str, Trace]] = (),
) -> str:
    """Return the Python that computes the same without a page: ``trace``, and ``pictures``, what each view draws of it.

    ``pins`` are names and comparisons whose first scheme is drawn too.

    Raises
    ------
    ValueError : for an unknown name.
    """
    lines = ["import rnnviz as rv", *(["from rnnviz.views import VIEWS"] if views else []), ""]
    lines.append(f"config = {call('rv.Config', settings(config))}")
    lines.append(f"trace = {comparison('config', schemes, seeds)}")
    for k, (_name, pin) in enumerate(pins, 1):
        lines.append(f"config_{k} = {call('rv.Config', settings(pin.config))}")
    named = [f"({literal(name)}, {comparison(f'config_{k}', pin.schemes[:1], pin.seeds)})"
             for k, (name, pin) in enumerate(pins, 1)]  # fmt: skip
    lines += ["pins = [", *(f"    {each}," for each in named), "]"] if pins else []
    lines.append(_("# Each is an array (schemes, seeds, steps 0 to T)."))
    lines.append("trace.second_moment, trace.variance, trace.mean, trace.saturation, trace.log10_grad_norm")
    drawn = []
    for name in views:
        given = taken(options, [VIEWS[name]])
        arguments = ["trace", *(f"{option}={literal(value)}" for option, value in given.items())]
        arguments += ["pins=pins"] if pins and VIEWS[name].pins else []
        drawn.append(f"    {literal(name)}: {call(f'VIEWS[{literal(name)}].data', arguments)},")
    return "\n".join([*lines, *(["pictures = {", *drawn, "}"] if drawn else [])]) + "\n"


def comparison(config: str, schemes: Sequence[str], seeds: Sequence[int]) -> str:
    """Return the call that runs schemes and seeds with the settings of this name."""
    return call("rv.compare", [config, literal(list(schemes)), f"seeds={counted(seeds)}"])


def settings(config: Config) -> list[str]:
    """Return the keyword arguments that make a Config, its scheme apart."""
    values = changed(config) | ({"seed": config.seed} if config.seed != DEFAULTS["seed"] else {})
    return [f"{name}={literal(value)}" for name, value in values.items()]


def call(name: str, arguments: Sequence[str]) -> str:
    """Return a call, on one line where it fits."""
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in arguments), ")"])


def literal(value: Any) -> str:
    """Return ``value`` as Python writes it, in double quotes where that needs no escape."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if not isinstance(value, str):
        return repr(value)
    plain = repr(str.__str__(value))
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain


def in_a_row(seeds: Sequence[int]) -> bool:
    """Tell whether seeds are counted up one by one."""
    return len(seeds) > 0 and all(seed == seeds[0] + k for k, seed in enumerate(seeds))


def counted(seeds: Sequence[int]) -> str:
    """Return seeds as a range, or as a list where they are none."""
    if not in_a_row(seeds):
        return literal([int(seed) for seed in seeds])
    first, end = int(seeds[0]), int(seeds[-1]) + 1
    return f"range({first}, {end})" if first else f"range({end})"


# The file


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
