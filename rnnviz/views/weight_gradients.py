"""The gradient of the weights: how much of it each step contributes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..engine.gradient_shares import WeightGradient, network_of, weight_gradients
from ..engine.trace import Trace
from ..numerics.progress import Progress
from ..text.glossary import WHOLE
from ..text.language import N_, _
from ..text.number_format import number
from . import scale
from .lines import Curve, CurveView, Lines, extremes, with_arrow
from .overlays import Overlay, finite
from .view import of_layer, register, shown_layer


@register
class WeightGradients(CurveView):
    """log10 of the norm of each step's part of dL/dW, and of the whole, for the first scheme's first seed."""

    name = "weight_gradients"
    label = N_("Gradient of the weights")
    help = N_("how much each step contributes to the gradient of each weight matrix, and the whole gradient")
    question = N_("Which steps does the gradient of the weights come from?")
    terms = ("∂L/∂W", WHOLE, "T")
    options = ("layer",)
    reveals_gradient = True
    backward = True
    first_seed = True
    slow = True  # a draft's norms, of fewer sequences, cannot be compared with the whole's
    opens = N_("{title}: the norm of what each step adds to it, steps {last} back to 1.")

    def computing(self, trace: Trace, layer: int = 0) -> Progress[Lines]:
        """Compute the parts of a layer's W_hh and W_xh and of W_hy, and their sums."""
        whole, last = trace.as_comparison(), trace.config.seq_len
        trace, overflow = of_layer(whole, layer), int(whole.first_nonfinite[0, 0])
        found = yield from weight_gradients(network_of(whole), shown_layer(trace))
        ends = overflow if overflow >= 0 else last
        curves = [curve_of_weight(name, each, ends) for name, each in found.items()]
        wholes = [Overlay(WHOLE, k, finite(np.full(last + 1, each.whole))) for k, each in enumerate(found.values())]
        y_limits = scale.decades(*extremes(curves, wholes), down=3.0, up=0.0)
        return self.over_steps(
            trace,
            _("Gradient of the weights, {scheme}").format(scheme=trace.names[0]),
            [with_arrow(each, y_limits, 2) if len(each.median) > 2 else each for each in curves],
            y_label=_("‖part of ∂L/∂W‖"),
            y_limits=y_limits,
            overlays=wholes,
            beside=True,
        )

    def values(self, curve: Curve, data: Lines) -> list[str]:
        return [*super().values(curve, data), *filter(None, curve.beyond.split("\n")[-1:])]

    def describe(self, data: Lines) -> str:
        return super().describe(replace(data, overlays=()))  # whose values the curves' words have


def curve_of_weight(name: str, gradient: WeightGradient, ends: int) -> Curve:
    """Return one matrix's curve, with its whole gradient in words; ``ends`` is the step where finite numbers end."""
    if np.isnan(gradient.whole):
        nothing = gradient.by_step
        return Curve(name, nothing, nothing, nothing, (("nonfinite", ends),))
    steps = np.flatnonzero(~np.isnan(gradient.by_step))
    line = finite(gradient.by_step)
    words = _("all steps {value}").format(value=number(gradient.whole, log10=True))
    if len(steps) == 1:  # as of W_hy, where only the last step has a loss
        return Curve(name, line[steps], line[steps], line[steps], (), words, steps)
    return Curve(name, line, line, line, zeros(gradient.by_step[1:], name.startswith("W_hh")), words)


def zeros(values: np.ndarray, reads_h0: bool) -> tuple[tuple[str, int], ...]:
    """Return the mark of the parts (T,) that are exactly 0, apart from that of ``h_0 = 0`` at step 1."""
    zero = np.isneginf(values)
    last = int(np.argmin([*zero, False]))  # of those from step 1 on
    if zero[last:].any():
        return (("zero at times", int(np.flatnonzero(zero[last:])[0]) + last + 1),)
    return (("zero", last),) if last > reads_h0 else ()
