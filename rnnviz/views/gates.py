"""The gates of an LSTM or GRU: how far open they are, and how much of them is saturated."""

from __future__ import annotations

import numpy as np

from ..engine.runs import Trace
from ..network.cells import CELLS
from ..network.schemes import SCHEMES
from ..numerics.quantiles import over_seeds
from ..text.language import N_, _
from ..text.number_format import number
from . import lines, scale
from .lines import Curve, Frame, Lines

NAMES = {
    "i": N_("input i"),
    "f": N_("forget f"),
    "g": N_("candidate g"),
    "o": N_("output o"),
    "r": N_("reset r"),
    "z": N_("update z"),
    "n": N_("candidate n"),
}


def data(trace: Trace, quantity: str = "second_moment") -> Lines:
    """Return the mean value of each gate of the first scheme, or with ``quantity="saturation"`` its share saturated."""
    saturated = quantity == "saturation"
    values = trace.gate_saturation if saturated else trace.gates
    curves = tuple(
        Curve(_(NAMES.get(name, name)), *over_seeds(each[0]), marks(trace, name)) for name, each in values.items()
    )
    scheme, cell = _(SCHEMES[trace.schemes[0]].short), _(CELLS[trace.config.cell].label)
    if not curves:
        title, label, limits = _("The {cell} has no gates: choose another cell"), "", (0.0, 1.0)
    elif saturated:
        title, label, limits = _("Saturated gates, {scheme}"), _("share of values near their ends"), (0.0, 1.0)
    else:
        least = min(float(np.nanmin(each.median, initial=0.0)) for each in curves)
        title, label, limits = _("Gates, {scheme}"), _("mean value"), (-1.0 if least < 0 else 0.0, 1.0)
    legend, last = tuple(each.label for each in curves), trace.config.seq_len
    title = title.format(scheme=scheme, cell=cell)
    frame = Frame(title, _("step t"), label, scale.steps_limit(last), limits, legend, log=False)
    return Lines(frame, tuple(lines.with_arrow(each, limits, last, log=False) for each in curves), last)


def marks(trace: Trace, name: str) -> tuple[tuple[str, int], ...]:
    """Return a gate's marks: where the state is not finite, on the candidate alone, as only it is not bounded."""
    overflow = trace.first_nonfinite[0][trace.first_nonfinite[0] >= 0]
    known = overflow.size > 0 and name == CELLS[trace.config.cell].candidate
    return (("nonfinite", int(overflow.min())),) if known else ()


def describe(data: Lines) -> str:
    """Say what the picture shows, with numbers."""
    text = _("{title} ({label}) at steps {first} to {last}.") if data.curves else "{title}."
    words = [text.format(title=data.frame.title, label=data.frame.y_label, first=1, last=data.last_step)]
    for each in data.curves:
        known, text = np.flatnonzero(np.isfinite(each.median)), _("{value} at step {step}")
        ends = (known[0], known[-1]) if known.size else ()
        told = [text.format(value=number(each.median[t]), step=t) for t in ends]
        told += [_("not finite from step {step}").format(step=step) for _kind, step in each.marks]
        if told:
            words.append(f"{each.label}: {', '.join(told)}.")
    return " ".join(words)


lines.register(
    "gates",
    N_("Gates"),
    N_("how far open the gates of the LSTM or GRU are, and how much of them is saturated"),
    data,
    describe,
    options=("quantity",),
    timed=True,
)
