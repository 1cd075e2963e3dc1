"""The backward story: does the gradient of the loss survive the way back?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..engine.precision import Narrow, holding
from ..engine.trace import Trace
from ..network.cells import CELLS
from ..network.config import Config
from ..numerics.progress import Progress, rescaled
from ..numerics.quantiles import median
from ..text.language import N_, _
from ..text.number_format import number
from . import overlays, scale
from .lines import Curve, CurveView, Lines, curve_of, extremes, overflow, with_arrow
from .overlays import Overlay, finite
from .view import OPTIONS, Option, of_layer, register

# A run in float32 loses its gradient only where the exact norm falls below the first or, where every slope is rounded
# to 0, by more than the second in one step: in decades, and with room for the size of single entries and of W_hh.
FLOAT32_LEAST, FALL = -36.0, 2.0
STEP, SLOW = 2.3e5, 2e8  # multiplications that a step's overhead is worth, and beyond which a run takes long
OPTIONS.add(
    "precision",
    Option(
        "precision",
        N_("Floats"),
        N_("what is left of the gradient if the first scheme's first run uses shorter floats"),
        ((N_("exact"), ""), *((name, name) for name in ("float32", "float16", "bfloat16"))),
    ),
)


@register
class Gradient(CurveView):
    """log10 of ||dL/dh_t|| relative to the last step, for every scheme."""

    name = "gradient"
    label = N_("Gradient")
    help = N_("backward: does the gradient survive the way back through time?")
    question = N_("What is left of the gradient at the first step?")
    terms = ("∂L/∂h", "‖ ‖", "line", "T")
    options = ("layer", "theory", "precision")
    pins = True
    backward = True
    reveals_gradient = True
    opens = N_("Norm of the gradient dL/dh at steps {last} back to 0, relative to the last step.")

    def is_slow(self, config: Config, precision: str = "", **options) -> bool:
        return bool(precision) and takes_long(config, config.batch_size)

    def computing(
        self,
        trace: Trace,
        theory: bool = False,
        precision: str = "",
        pins: Sequence[tuple[str, Trace]] = (),
        layer: int = 0,
    ) -> Progress[Lines]:
        """Compute a layer's curves; on request with theory's lines, with what floats of a narrower type would have held
        for the first scheme, and with the first scheme of other comparisons in grey.
        """
        trace = of_layer(trace, layer)
        curves = all_curves(trace)
        pinned = overlays.pinned([(name, all_curves(of_layer(pin, layer))[0].median) for name, pin in pins])
        norms = trace.log10_relative_norm_c  # of an LSTM
        over = [
            *pinned,
            *(Overlay("∂L/∂c", k, finite(median(each))) for k, each in enumerate(norms if norms is not None else ())),
        ]
        if theory:
            over += overlays.theory(trace, "log10_grad_norm", back=True)
        narrow = None
        if precision:
            narrow = yield from rescaled(in_floats(trace, precision), 0.0, 0.5)
            over.append(overlay(trace, narrow))
            curves[0] = replace(curves[0], beyond=lost(narrow))
        start = 0.5 if precision else 0.0
        curves = yield from rescaled(with_float32_marks(trace, curves, narrow), start, 1.0 - start)
        y_limits, mark = scale.decades(*extremes(curves, pinned), down=5.0, up=0.0), overlays.root(trace, back=True)
        return self.over_steps(
            trace,
            _("Gradient on its way back"),
            [with_arrow(each, y_limits, 0) for each in curves],
            y_label=_("‖∂L/∂hₜ‖ ÷ ‖∂L/∂h at T‖"),
            y_limits=y_limits,
            overlays=over,
            root=None if mark is None else trace.config.seq_len - mark,
        )

    def opening(self, data: Lines) -> str:
        return f"{data.title}. {super().opening(data)}"

    def story(self, curve: Curve, data: Lines) -> str:
        nothing = _("no gradient")
        return super().story(curve, data) or f"{curve.label}: {nothing}."

    def values(self, curve: Curve, data: Lines) -> list[str]:
        known, text = np.flatnonzero(np.isfinite(curve.median))[:1], _("{value} at step {step}")
        return [text.format(value=number(curve.median[t], log10=True), step=t) for t in known]


def takes_long(config: Config, sequences: int) -> bool:
    """Tell whether running one network on some sequences takes so long that others must not wait."""
    size, blocks, layers = config.hidden_size, len(CELLS[config.cell].gates), config.layers
    products = 2.0 * sequences * size * (size * (2 * layers - 1) + config.sizes[0])
    return config.seq_len * blocks * (STEP * layers + products) > SLOW


def all_curves(trace: Trace) -> list[Curve]:
    """Return the curve of every scheme, with the marks of what its norms (R, T+1) cannot be drawn as."""
    curves = []
    for k, name in enumerate(trace.names):
        zeros = int(np.argmin([*np.isneginf(median(trace.log10_grad_norm[k])), False]))
        marks = [("zero", zeros - 1)] if zeros else []
        curves.append(curve_of(name, trace.log10_relative_norm[k], [*marks, *overflow(trace, k)]))
    return curves


def with_float32_marks(trace: Trace, curves: list[Curve], narrow: Narrow | None) -> Progress[list[Curve]]:
    """Mark the step where each scheme's first run, in float32, has lost its gradient; ``narrow`` is one known already.

    Only running in float32 tells: entries are smaller than their norm, and slopes are rounded to 0 in saturated units.
    """
    marked = []
    for k, curve in enumerate(curves):
        run = narrow if k == 0 and narrow is not None and narrow.dtype == "float32" else None
        if run is None and trace.has_classes and may_end(trace.log10_grad_norm[k, 0]):
            run = yield from rescaled(in_floats(trace, "float32", k), k / len(curves), 1 / len(curves))
        step, zero = None if run is None else run.first_zero, dict(curve.marks).get("zero", -1)
        more = (("float32", step),) if step is not None and step > zero else ()
        marked.append(replace(curve, marks=(*more, *curve.marks)))
        yield (k + 1) / len(curves)
    return marked


def may_end(norms: np.ndarray) -> bool:
    """Tell whether float32 can lose a gradient with these log10 norms (T+1,) before it is exactly 0."""
    known = norms[np.isfinite(norms)]
    return known.size > 0 and bool(known.min() < FLOAT32_LEAST or np.diff(known).max(initial=0.0) > FALL)


def in_floats(trace: Trace, dtype: str, k: int = 0) -> Progress[Narrow]:
    """Run the first seed of the k-th scheme in floats of ``dtype``."""
    config = trace.one(k).config
    return (yield from holding(config, dtype, trace.parameters(k), trace.inputs(k), trace.layer or None))


def overlay(trace: Trace, narrow: Narrow) -> Overlay:
    """Return the line of the gradient that such a run of the first scheme holds."""
    with np.errstate(invalid="ignore"):
        top = trace.log10_grad_norm[0, 0, -1] - trace.log10_relative_norm[0, 0, -1]
        relative = narrow.log10_grad_norm - top
    return Overlay(f"in {narrow.dtype}", 0, finite(relative))


def lost(narrow: Narrow) -> str:
    """Say where such a run loses its numbers."""
    ends = {
        _("★ state too large for {dtype} at t = {step}"): narrow.forward_overflow,
        _("★ too large for {dtype} at t = {step}"): narrow.backward_overflow,
        _("× 0 in {dtype} back from t = {step}"): narrow.first_zero,
    }
    return "\n".join(text.format(dtype=narrow.dtype, step=step) for text, step in ends.items() if step is not None)
