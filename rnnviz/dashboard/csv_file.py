"""The numbers of a comparison as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .. import __version__
from ..engine.trace import Trace
from ..network.inputs import INPUTS

Array = np.ndarray
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
    "log10_relative_norm_last": "log10_relative_norm of the loss at the last step alone",
    "log10_step_factor": "log10 of what the slopes do to the gradient, or the gate alone to its path (nan at step 0)",
}
GATE_COLUMNS = {
    "gates": ("gate_{}", "mean value of gate {} (nan at step 0)"),
    "gate_saturation": ("gate_{}_saturation", "share of the values of gate {} near their ends (nan at step 0)"),
}


def csv_text(trace: Trace) -> str:
    """Return a comparison (or one run) as CSV: a row for each scheme, seed and step (and layer, if there are several).

    Above the table stand the settings, as lines ``# key: value``.

    Values are JSON in the settings, floats that read back bit for bit in the rows, with ``-inf`` for an exact zero's
    logarithm and ``nan`` for what is undefined. No cell of the settings can begin a spreadsheet's formula.
    """
    below = [columns(trace.of_layer(layer)) for layer in range(1, len(trace.by_layer))]
    layers, out = [*below, columns(trace)], io.StringIO()
    out.writelines(f"# {key}: {value}\n" for key, value in header(trace, layers[-1]))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["scheme", "seed", *["layer"] * bool(below), "step", *layers[-1]])
    runs = [(scheme, seed) for scheme in trace.schemes for seed in trace.seeds]
    flat = [[array.reshape(len(runs), -1).tolist() for array, _ in values.values()] for values in layers]
    for run, names in enumerate(runs):
        for layer, values in enumerate(flat, 1):
            of = [*names, layer] if below else names
            rows = enumerate(zip(*(array[run] for array in values), strict=True))
            writer.writerows((*of, step, *row) for step, row in rows)
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
    runs = {"schemes": " ".join(trace.schemes), "seeds": " ".join(map(str, trace.seeds))}
    settings = {"rnnviz": __version__, **config.to_dict(), "D": inputs, "O": classes, **runs}
    unread = {"scheme", "seed", "text", "numbers"} - {INPUTS[config.inputs].reads}
    yield from ((key, harmless(value)) for key, value in settings.items() if key not in unread)
    yield "column scheme", harmless("how W_hh and W_hy are drawn")
    yield "column seed", harmless("the same seed draws the same numbers for every scheme")
    if len(trace.by_layer) > 1:
        yield "column layer", harmless("l from 1 (which reads the input) to L")
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
