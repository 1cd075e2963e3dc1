"""The backward story: does the gradient of the loss survive the way back?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..engine.runs import Trace
from ..network.schemes import SCHEMES
from ..numerics.quantiles import over_seeds
from ..text.language import N_, _
from ..text.number_format import number
from ..theory.prediction import predict
from . import lines, root, scale
from .lines import Curve, Frame, Lines, Overlay
from .view import OPTIONS, Option, Tick, quiet

FLOAT32_LEAST = float(np.log10(np.finfo(np.float32).smallest_subnormal))


def data(
    trace: Trace,
    theory: bool = False,
    precision: str = "",
    pins: Sequence[tuple[str, Trace]] = (),
    tick: Tick = quiet,
) -> Lines:
    """Return log10 of ||dL/dh_t|| relative to the last step, for every scheme of a comparison.

    On request with theory's lines, with what floats of a narrower type would have held for the first scheme, and with
    the first scheme of other comparisons in grey.
    """
    curves = all_curves(trace)
    overlays = lines.pinned([(name, all_curves(pin)[:1]) for name, pin in pins])
    overlays += [each for k in range(len(curves)) for each in cell_state(trace, k)]
    if theory:
        overlays += [each for k in range(len(curves)) for each in expectation(trace, k)]
    if precision:
        tick(0.0)
        line, words = what_is_held(trace.one(), precision)
        overlays.append(line)
        curves[0] = replace(curves[0], beyond=words)
    axes, last = frame(trace, curves, overlays), trace.config.seq_len
    shown = tuple(lines.with_arrow(each, axes.y_limits, 0) for each in curves)
    back = root.steps(trace)
    return Lines(axes, shown, last, tuple(overlays), None if back is None else last - back)


def all_curves(trace: Trace) -> list[Curve]:
    """Return the curve of every scheme."""
    return [
        curve(_(SCHEMES[name].short), trace.log10_relative_norm[k], trace.log10_grad_norm[k], trace.first_nonfinite[k])
        for k, name in enumerate(trace.schemes)
    ]


def cell_state(trace: Trace, k: int) -> list[Overlay]:
    """Return the gradient of an LSTM's cell state, relative to that of h at the last step."""
    if trace.log10_relative_norm_c is None:
        return []
    median = over_seeds(trace.log10_relative_norm_c[k])[0]
    return [Overlay("∂L/∂c", k, np.where(np.isfinite(median), median, np.nan))]


def expectation(trace: Trace, k: int) -> list[Overlay]:
    """Return theory's line for the k-th scheme."""
    expected = predict(trace.config.replace(scheme=trace.schemes[k]))
    back = trace.config.seq_len - np.arange(trace.config.seq_len + 1)
    return lines.theory(k, expected.log10_grad_norm, back <= expected.trusted)


def what_is_held(trace: Trace, dtype: str) -> tuple[Overlay, str]:
    """Return the gradient as floats of ``dtype`` would have held it in this very run, and what they lost."""
    from ..engine.precision import held  # brings ml_dtypes, which a page needs only when asked

    narrow = held(trace.config, dtype)
    with np.errstate(invalid="ignore"):
        relative = narrow.log10_grad_norm - trace.log10_grad_norm[-1]
    line = Overlay(f"in {dtype}", 0, np.where(np.isfinite(relative), relative, np.nan))
    ends = {
        _("★ state too large for {dtype} at t = {step}"): narrow.forward_overflow,
        _("★ too large for {dtype} at t = {step}"): narrow.backward_overflow,
        _("× 0 in {dtype} back from t = {step}"): narrow.first_zero,
    }
    return line, "\n".join(text.format(dtype=dtype, step=step) for text, step in ends.items() if step is not None)


def curve(label: str, relative: np.ndarray, log10_norm: np.ndarray, first_nonfinite: np.ndarray) -> Curve:
    """Return one scheme's curve from its seeds' norms, relative and as they are, (R, T+1)."""
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


def frame(trace: Trace, curves: Sequence[Curve], overlays: Sequence[Overlay]) -> Frame:
    """Return axes in decades that snap to the curves' range."""
    limits = scale.decades(*lines.extremes(curves, overlays), down=5.0, up=0.0)
    legend = tuple(each.label for each in curves)
    return Frame(
        _("Gradient on its way back"),
        _("step t  (← backpropagation)"),
        _("‖∂L/∂hₜ‖ ÷ ‖∂L/∂h at T‖"),
        scale.steps_limit(trace.config.seq_len),
        limits,
        legend,
        overlays=lines.keys(overlays),
    )


def describe(data: Lines) -> str:
    """Say what the picture shows, with numbers."""
    text = _("Norm of the gradient dL/dh at steps {last} back to 0, relative to the last step.")
    start = text.format(last=data.last_step)
    told = [describe_curve(each) for each in data.curves]
    return " ".join([start, *told, *lines.describe_overlays(data, 0), *root.describe(data.root, back=True)])


def describe_curve(curve: Curve) -> str:
    marks = dict(curve.marks)
    known = np.flatnonzero(np.isfinite(curve.median))
    words = []
    if known.size:
        value = number(curve.median[known[0]], log10=True)
        words.append(_("{value} at step {step}").format(value=value, step=known[0]))
    for kind, text in (
        ("float32", _("below the least number that float32 holds from step {step} back")),
        ("zero", _("exactly 0 from step {step} back")),
        ("nonfinite", _("no gradient in runs whose state is not finite (from step {step})")),
    ):
        if kind in marks:
            words.append(text.format(step=marks[kind]))
    told = "; ".join(words) or _("no gradient")
    return f"{curve.label}: {told}."


OPTIONS.add(
    "precision",
    Option(
        "precision",
        N_("Floats"),
        N_("what floats of a narrower type would have held of the first scheme's gradient"),
        ((N_("exact"), ""), *((name, name) for name in ("float32", "float16", "bfloat16"))),
        rare=True,
    ),
)
lines.register(
    "gradient",
    N_("Gradient"),
    N_("backward: does the gradient survive the way back through time?"),
    data,
    describe,
    options=("theory", "precision"),
    timed=True,
    pins=True,
)
