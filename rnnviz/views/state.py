"""The forward story: does the hidden state keep its size?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..engine.runs import Trace
from ..network.activations import ACTIVATIONS
from ..network.schemes import SCHEMES
from ..numerics.quantiles import over_seeds
from ..text.language import N_, _
from ..text.number_format import number
from ..text.registry import Registry
from ..theory.prediction import predict
from . import lines, root, scale
from .lines import Curve, Frame, Lines, Overlay
from .view import OPTIONS, Option


@dataclass(frozen=True)
class Quantity:
    """One statistic of the hidden state: its label, its symbol, and whether its axis is in powers of ten."""

    label: str
    symbol: str
    log: bool


QUANTITIES: Registry[Quantity] = Registry("quantity")
QUANTITIES.add("second_moment", Quantity(N_("Second moment"), "E h²", log=True))
QUANTITIES.add("variance", Quantity(N_("Variance over units and batch"), "E (h − E h)²", log=True))
QUANTITIES.add("mean", Quantity(N_("Mean"), "E h", log=False))
QUANTITIES.add("saturation", Quantity(N_("Saturation"), "", log=False))
OPTIONS.add(
    "quantity",
    Option(
        "quantity",
        N_("State"),
        N_("which statistic of the hidden state is drawn"),
        tuple((entry.label, name) for name, entry in QUANTITIES.items()),
    ),
)


def data(
    trace: Trace,
    quantity: str = "second_moment",
    theory: bool = False,
    pins: Sequence[tuple[str, Trace]] = (),
) -> Lines:
    """Return the curves of one statistic of h_t for every scheme of a comparison.

    On request with theory's lines, which know the second moment only, and with the first scheme of other comparisons
    in grey.
    """
    entry = QUANTITIES[quantity]
    curves = all_curves(trace, quantity)
    overlays = lines.pinned([(name, all_curves(pin, quantity)[:1]) for name, pin in pins])
    if theory and quantity == "second_moment":
        overlays += [overlay for k in range(len(curves)) for overlay in expectation(trace, k)]
    axes, last = frame(trace, quantity, curves, overlays), trace.config.seq_len
    if entry.log:
        curves = [lines.with_arrow(each, axes.y_limits, last) for each in curves]
    return Lines(axes, tuple(curves), last, tuple(overlays), root.steps(trace))


def all_curves(trace: Trace, quantity: str) -> list[Curve]:
    """Return the curve of every scheme."""
    entry, values = QUANTITIES[quantity], getattr(trace, quantity)
    with np.errstate(divide="ignore"):
        shown = np.log10(values) if entry.log else values
    return [
        curve(_(SCHEMES[name].short), shown[k], trace.first_nonfinite[k], entry.log)
        for k, name in enumerate(trace.schemes)
    ]


def expectation(trace: Trace, k: int) -> list[Overlay]:
    """Return theory's line for the k-th scheme."""
    expected = predict(trace.config.replace(scheme=trace.schemes[k]))
    return lines.theory(k, expected.log10_second_moment, np.arange(trace.config.seq_len + 1) <= expected.trusted)


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


def frame(trace: Trace, quantity: str, curves: Sequence[Curve], overlays: Sequence[Overlay]) -> Frame:
    """Return axes that snap to the curves' range."""
    entry = QUANTITIES[quantity]
    title = _("{quantity} of the hidden state").format(quantity=_(entry.label))
    label = entry.symbol or _(ACTIVATIONS[trace.config.activation].saturation_label)
    legend = tuple(each.label for each in curves)
    if entry.log:
        limits = scale.decades(*lines.extremes(curves, overlays), down=1.0, up=0.0)
    elif quantity == "saturation":
        limits = (0.0, 1.0)
    else:
        most = max(np.max(np.abs(each.median), initial=0.0, where=np.isfinite(each.median)) for each in curves)
        limits = (-1.0, 1.0) if most <= 1.0 else (-scale.snap(most), scale.snap(most))
    kinds = lines.keys(overlays)
    return Frame(title, _("step t"), label, scale.steps_limit(trace.config.seq_len), limits, legend, entry.log, kinds)


def describe(data: Lines) -> str:
    """Say what the picture shows, with numbers."""
    start = _("{title} ({label}) at steps {first} to {last}.").format(
        title=data.frame.title, label=data.frame.y_label, first=0, last=data.last_step
    )
    told = [describe_curve(each, data.frame.log) for each in data.curves]
    more = lines.describe_overlays(data, data.last_step)
    return " ".join([start, *told, *more, *root.describe(data.root, back=False)])


def describe_curve(curve: Curve, log: bool) -> str:
    known = np.flatnonzero(np.isfinite(curve.median[1:])) + 1
    marks = dict(curve.marks)
    words = []
    if known.size:
        first, last = known[0], known[-1]
        value = [number(curve.median[t], log10=log) for t in (first, last)]
        text = _("{start} at step {first}, {end} at step {last}")
        words.append(text.format(start=value[0], first=first, end=value[1], last=last))
    if "zero" in marks:
        words.append(_("exactly 0 from step {step}").format(step=marks["zero"]))
    if "nonfinite" in marks:
        words.append(_("not finite from step {step}").format(step=marks["nonfinite"]))
    return f"{curve.label}: {'; '.join(words)}."


lines.register(
    "state",
    N_("Hidden state"),
    N_("forward: does the hidden state keep its size over the steps?"),
    data,
    describe,
    options=("quantity", "theory"),
    timed=True,
    pins=True,
)
