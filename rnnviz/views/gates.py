"""The gates of an LSTM or GRU: how far open they are, and how much of them is saturated."""

from __future__ import annotations

import numpy as np

from ..cells import CELLS
from ..quantiles import over_seeds
from ..runs import Trace
from ..schemes import SCHEMES
from ..words import number
from . import lines, scale
from .lines import Curve, Frame, Lines

NAMES = {
    "i": "input i",
    "f": "forget f",
    "g": "candidate g",
    "o": "output o",
    "r": "reset r",
    "z": "update z",
    "n": "candidate n",
}


def data(trace: Trace, quantity: str = "second_moment") -> Lines:
    """Return the mean value of each gate of the first scheme, or with ``quantity="saturation"`` its share saturated."""
    saturated = quantity == "saturation"
    values = trace.gate_saturation if saturated else trace.gates
    curves = tuple(Curve(NAMES.get(name, name), *over_seeds(each[0])) for name, each in values.items())
    scheme, cell = SCHEMES[trace.schemes[0]].short, CELLS[trace.config.cell].label
    if not curves:
        title, label, limits = f"The {cell} has no gates: choose another cell", "", (0.0, 1.0)
    elif saturated:
        title, label, limits = f"Saturated gates, {scheme}", "share of values near their ends", (0.0, 1.0)
    else:
        least = min(float(np.nanmin(each.median, initial=0.0)) for each in curves)
        title, label, limits = f"Gates, {scheme}", "mean value", (-1.0 if least < 0 else 0.0, 1.0)
    legend = tuple(each.label for each in curves)
    frame = Frame(title, "step t", label, scale.steps_limit(trace.config.seq_len), limits, legend, log=False)
    return Lines(frame, curves, trace.config.seq_len)


def describe(data: Lines) -> str:
    """Say what the picture shows, with numbers."""
    words = [
        f"{data.frame.title} ({data.frame.y_label}) at steps 1 to {data.last_step}."
        if data.curves
        else data.frame.title + "."
    ]
    for each in data.curves:
        known = np.flatnonzero(np.isfinite(each.median))
        if known.size:
            first, last = known[0], known[-1]
            values = [f"{number(each.median[t])} at step {t}" for t in (first, last)]
            words.append(f"{each.label}: {', '.join(values)}.")
    return " ".join(words)


lines.register(
    "gates",
    "Gates",
    "how far open the gates of the LSTM or GRU are, and how much of them is saturated",
    data,
    describe,
    options=("quantity",),
    timed=True,
)
