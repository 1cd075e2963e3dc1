"""The backward story: does the gradient of the loss survive the way back?"""

from __future__ import annotations

import numpy as np

from ..quantiles import over_seeds
from ..runs import Trace
from ..schemes import SCHEMES
from ..words import number
from . import lines, scale
from .lines import Curve, Frame, Lines
from .view import VIEWS, View

FLOAT32_LEAST = float(np.log10(np.finfo(np.float32).smallest_subnormal))


def data(trace: Trace) -> Lines:
    """Return log10 of ||dL/dh_t|| relative to the last step, for every scheme of a comparison."""
    curves = tuple(
        curve(SCHEMES[name].short, trace.log10_grad_norm[k], trace.first_nonfinite[k])
        for k, name in enumerate(trace.schemes)
    )
    axes = frame(trace, curves)
    return Lines(axes, tuple(lines.with_arrow(each, axes.y_limits, 0) for each in curves), trace.config.seq_len)


def curve(label: str, log10_norm: np.ndarray, first_nonfinite: np.ndarray) -> Curve:
    """Return one scheme's curve from its seeds' norms (R, T+1)."""
    last = log10_norm[:, -1:]
    with np.errstate(invalid="ignore"):
        relative = np.where(np.isneginf(last), np.nan, log10_norm - last)
    median, low, high = over_seeds(relative)
    marks = []
    absolute = over_seeds(log10_norm)[0]
    below = np.flatnonzero(np.isfinite(absolute) & (absolute < FLOAT32_LEAST))
    if below.size:
        marks.append(("float32", int(below[-1])))
    zeros = np.flatnonzero(np.isneginf(absolute))
    if zeros.size:
        marks.append(("zero", int(zeros[-1])))
    overflow = first_nonfinite[first_nonfinite >= 0]
    if overflow.size:
        marks.append(("nonfinite", int(overflow.min())))
    hidden = ~np.isfinite(median)
    return Curve(label, *(np.where(hidden, np.nan, part) for part in (median, low, high)), tuple(marks))


def frame(trace: Trace, curves: tuple[Curve, ...]) -> Frame:
    """Return axes in decades that snap to the curves' range."""
    limits = scale.decades(*lines.extremes(curves), down=5.0, up=0.0)
    legend = tuple(each.label for each in curves)
    return Frame(
        "Gradient on its way back, relative to the last step",
        "step t  (← backpropagation)",
        "‖∂L/∂hₜ‖ ÷ ‖∂L/∂h at T‖",
        scale.steps_limit(trace.config.seq_len),
        limits,
        legend,
    )


def describe(lines: Lines) -> str:
    """Say what the picture shows, with numbers."""
    start = f"Norm of the gradient dL/dh at steps {lines.last_step} back to 0, relative to the last step."
    return " ".join([start, *(describe_curve(each, lines.last_step) for each in lines.curves)])


def describe_curve(curve: Curve, last_step: int) -> str:
    marks = dict(curve.marks)
    known = np.flatnonzero(np.isfinite(curve.median))
    words = []
    if known.size:
        words.append(f"{number(curve.median[known[0]], log10=True)} at step {known[0]}")
    if "float32" in marks:
        words.append(f"below the least number that float32 holds from step {marks['float32']} back")
    if "zero" in marks:
        words.append(f"exactly 0 from step {marks['zero']} back")
    if "nonfinite" in marks:
        words.append(f"no gradient in runs whose state is not finite (from step {marks['nonfinite']})")
    return f"{curve.label}: {'; '.join(words) or 'no gradient'}."


VIEWS.add(
    "gradient",
    View(
        name="gradient",
        label="Gradient",
        help="backward: does the gradient survive the way back through time?",
        data=data,
        frame=lambda data: data.frame,
        head=lines.head,
        draw=lines.draw,
        update=lines.update,
        describe=describe,
    ),
)
