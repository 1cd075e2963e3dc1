"""The forward story: does the hidden state keep its size?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..activations import ACTIVATIONS
from ..quantiles import over_seeds
from ..registry import Registry
from ..runs import Trace
from ..schemes import SCHEMES
from ..words import number
from . import lines, scale
from .lines import Curve, Frame, Lines
from .view import VIEWS, View


@dataclass(frozen=True)
class Quantity:
    """One statistic of the hidden state: its label, its symbol, and whether its axis is in powers of ten."""

    label: str
    symbol: str
    log: bool


QUANTITIES: Registry[Quantity] = Registry("quantity")
QUANTITIES.add("second_moment", Quantity("Second moment", "E h²", log=True))
QUANTITIES.add("variance", Quantity("Variance over units and batch", "E (h − E h)²", log=True))
QUANTITIES.add("mean", Quantity("Mean", "E h", log=False))
QUANTITIES.add("saturation", Quantity("Saturation", "", log=False))


def data(trace: Trace, quantity: str = "second_moment") -> Lines:
    """Return the curves of one statistic of h_t for every scheme of a comparison."""
    entry = QUANTITIES[quantity]
    values = getattr(trace, quantity)
    with np.errstate(divide="ignore"):
        shown = np.log10(values) if entry.log else values
    curves = tuple(
        curve(SCHEMES[name].short, shown[k], trace.first_nonfinite[k], entry.log)
        for k, name in enumerate(trace.schemes)
    )
    axes, last = frame(trace, quantity, curves), trace.config.seq_len
    if entry.log:
        curves = tuple(lines.with_arrow(each, axes.y_limits, last) for each in curves)
    return Lines(axes, curves, last)


def curve(label: str, values: np.ndarray, first_nonfinite: np.ndarray, log: bool) -> Curve:
    """Return one scheme's curve from its seeds' values (R, T+1); step 0, where h = 0, has no logarithm."""
    median, low, high = over_seeds(values)
    marks = []
    overflow = first_nonfinite[first_nonfinite >= 0]
    if overflow.size:
        marks.append(("nonfinite", int(overflow.min())))
    zeros = np.flatnonzero(np.isneginf(median[1:])) + 1 if log else np.empty(0, int)
    if zeros.size:
        marks.append(("zero", int(zeros[0])))
    hidden = ~np.isfinite(median)
    return Curve(label, *(np.where(hidden, np.nan, part) for part in (median, low, high)), tuple(marks))


def frame(trace: Trace, quantity: str, curves: tuple[Curve, ...]) -> Frame:
    """Return axes that snap to the curves' range."""
    entry = QUANTITIES[quantity]
    title = f"{entry.label} of the hidden state" if quantity != "saturation" else "Saturation of the hidden state"
    label = entry.symbol or ACTIVATIONS[trace.config.activation].saturation_label
    legend = tuple(each.label for each in curves)
    if entry.log:
        limits = scale.decades(*lines.extremes(curves), down=1.0, up=0.0)
    elif quantity == "saturation":
        limits = (0.0, 1.0)
    else:
        most = max(np.max(np.abs(each.median), initial=0.0, where=np.isfinite(each.median)) for each in curves)
        limits = (-1.0, 1.0) if most <= 1.0 else (-scale.snap(most), scale.snap(most))
    return Frame(title, "step t", label, scale.steps_limit(trace.config.seq_len), limits, legend, entry.log)


def describe(lines: Lines) -> str:
    """Say what the picture shows, with numbers."""
    start = f"{lines.frame.title} ({lines.frame.y_label}) at steps 0 to {lines.last_step}."
    return " ".join([start, *(describe_curve(each, lines.frame.log) for each in lines.curves)])


def describe_curve(curve: Curve, log: bool) -> str:
    known = np.flatnonzero(np.isfinite(curve.median[1:])) + 1
    marks = dict(curve.marks)
    words = []
    if known.size:
        first, last = known[0], known[-1]
        value = [number(curve.median[t], log10=log) for t in (first, last)]
        words.append(f"{value[0]} at step {first}, {value[1]} at step {last}")
    if "zero" in marks:
        words.append(f"exactly 0 from step {marks['zero']}")
    if "nonfinite" in marks:
        words.append(f"not finite from step {marks['nonfinite']}")
    return f"{curve.label}: {'; '.join(words)}."


VIEWS.add(
    "state",
    View(
        name="state",
        label="Hidden state",
        help="forward: does the hidden state keep its size over the steps?",
        data=data,
        frame=lambda data: data.frame,
        head=lines.head,
        draw=lines.draw,
        update=lines.update,
        describe=describe,
        options=("quantity",),
    ),
)
