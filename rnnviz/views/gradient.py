"""The backward story: does the gradient of the loss survive the way back?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..engine.trace import Trace
from ..network.cells import CELLS
from ..network.config import Config
from ..numerics.progress import Progress
from ..numerics.quantiles import median
from ..text.language import N_, _
from ..text.number_format import number
from . import overlays, root, scale
from .lines import Curve, CurveView, Lines, curve_of, extremes, overflow, with_arrow
from .overlays import Overlay, finite
from .view import OPTIONS, Option, register

FLOAT32_LEAST = float(np.log10(np.finfo(np.float32).smallest_subnormal))
STEP, SLOW = 2.3e5, 2e8  # multiplications that a step's overhead is worth, and beyond which narrow floats take long
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


@register
class Gradient(CurveView):
    """log10 of ||dL/dh_t|| relative to the last step, for every scheme."""

    name = "gradient"
    label = N_("Gradient")
    help = N_("backward: does the gradient survive the way back through time?")
    options = ("theory", "precision")
    pins = True
    backward = True
    reveals_gradient = True
    mark_words = {
        "float32": N_("below the least number that float32 holds from step {step} back"),
        "zero": N_("exactly 0 from step {step} back"),
        "nonfinite": N_("no gradient in runs whose state is not finite (from step {step})"),
    }

    def is_slow(self, config: Config, precision: str = "", **options) -> bool:
        size, blocks = config.hidden_size, len(CELLS[config.cell].gates)
        products = 2.0 * config.batch_size * size * (size + config.sizes[0])
        return bool(precision) and config.seq_len * blocks * (STEP + products) > SLOW

    def computing(
        self, trace: Trace, theory: bool = False, precision: str = "", pins: Sequence[tuple[str, Trace]] = ()
    ) -> Progress[Lines]:
        """Compute the curves, with theory's lines, with what floats of a narrower type would have held for the first
        scheme, and with the first scheme of other comparisons in grey, each on request.
        """
        trace, last = trace.as_comparison(), trace.config.seq_len
        curves = all_curves(trace)
        pinned = overlays.pinned([(name, all_curves(pin)[0].median) for name, pin in pins])
        over = [*pinned, *cell_states(trace)]
        if theory:
            over += overlays.theory(trace, "log10_grad_norm", back=True)
        if precision:
            line, words = yield from narrowed(trace, precision)
            over.append(line)
            curves[0] = replace(curves[0], beyond=words)
        y_limits, mark = scale.decades(*extremes(curves, pinned), down=5.0, up=0.0), root.steps(trace, back=True)
        return Lines(
            title=_("Gradient on its way back"),
            x_label=_("step t  (← backpropagation)"),
            y_label=_("‖∂L/∂hₜ‖ ÷ ‖∂L/∂h at T‖"),
            x_limit=scale.steps_limit(last),
            y_limits=y_limits,
            last_step=last,
            curves=[with_arrow(each, y_limits, 0) for each in curves],
            overlays=over,
            root=None if mark is None else last - mark,
        )

    def opening(self, data: Lines) -> str:
        text = _("Norm of the gradient dL/dh at steps {last} back to 0, relative to the last step.")
        return text.format(last=data.last_step)

    def story(self, curve: Curve, data: Lines) -> str:
        nothing = _("no gradient")
        return super().story(curve, data) or f"{curve.label}: {nothing}."

    def values(self, curve: Curve, data: Lines) -> list[str]:
        known, text = np.flatnonzero(np.isfinite(curve.median))[:1], _("{value} at step {step}")
        return [text.format(value=number(curve.median[t], log10=True), step=t) for t in known]


def all_curves(trace: Trace) -> list[Curve]:
    """Return the curve of every scheme, with marks for what its norms (R, T+1) really are."""
    curves = []
    for k, name in enumerate(trace.names):
        norm = median(trace.log10_grad_norm[k])
        below, zeros = np.isfinite(norm) & (norm < FLOAT32_LEAST), np.isneginf(norm)
        marks = [(kind, int(np.flatnonzero(at)[-1])) for kind, at in (("float32", below), ("zero", zeros)) if at.any()]
        curves.append(curve_of(name, trace.log10_relative_norm[k], [*marks, *overflow(trace, k)]))
    return curves


def cell_states(trace: Trace) -> list[Overlay]:
    """Return the gradients of an LSTM's cell state, relative to that of h at the last step."""
    norms = trace.log10_relative_norm_c
    return [] if norms is None else [Overlay("∂L/∂c", k, finite(median(each))) for k, each in enumerate(norms)]


def narrowed(trace: Trace, dtype: str) -> Progress[tuple[Overlay, str]]:
    """Compute the gradient that floats of ``dtype`` would have held of the first run, and words for what they lost."""
    from ..engine.precision import holding  # imports ml_dtypes, which a page seldom needs

    first = trace.one()
    narrow = yield from holding(first.config, dtype, trace.parameters(), trace.inputs())
    with np.errstate(invalid="ignore"):
        line = Overlay(f"in {dtype}", 0, finite(narrow.log10_grad_norm - first.log10_grad_norm[-1]))
    ends = {
        _("★ state too large for {dtype} at t = {step}"): narrow.forward_overflow,
        _("★ too large for {dtype} at t = {step}"): narrow.backward_overflow,
        _("× 0 in {dtype} back from t = {step}"): narrow.first_zero,
    }
    return line, "\n".join(text.format(dtype=dtype, step=step) for text, step in ends.items() if step is not None)
