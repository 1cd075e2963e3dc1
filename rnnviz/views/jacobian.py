"""The singular values of dh_T/dh_{T-k}: what is left of each direction after k steps, along a real sequence."""

from __future__ import annotations

import numpy as np

from ..engine.trace import Trace
from ..engine.trajectory import log_slopes
from ..network.cells import CELLS
from ..network.config import Config
from ..network.layers import layer_params
from ..numerics.progress import Progress, rescaled
from ..text.language import N_, _
from ..text.number_format import number
from ..theory import spectrum
from . import scale
from .lines import Curve, CurveView, Lines, extremes, with_arrow
from .overlays import finite
from .view import of_layer, register, shown_layer, titled

Array = np.ndarray
MANY = 128  # units from which only some distances are computed
SOME = 9
WORK = 1.6e10  # multiplications that one scheme may take; at larger sizes fewer steps are shown


@register
class Jacobian(CurveView):
    """The median singular value over the distance k for every scheme's first seed, in a band that holds all others."""

    name = "jacobian"
    label = N_("Jacobian")
    help = N_("what is left of each direction of the state after k steps, along a real sequence")
    question = N_("What is left of each direction of the state after k steps?")
    terms = ("∂h(T)/∂h(T−k)", "singular value", "from largest to smallest")
    reveals_gradient = True
    slow = True
    first_seed = True
    options = ("layer",)
    opens = "{title}."

    def can_show(self, config: Config) -> bool:
        return CELLS[config.cell].has_matrix_jacobian

    def computing(self, trace: Trace, work: float = WORK, layer: int = 0) -> Progress[Lines]:
        """Compute one curve after the other, of one layer, over as many steps as ``work`` multiplications allow."""
        trace, config, cell, curves = of_layer(trace, layer), trace.config, CELLS[trace.config.cell], []
        shown = int(min(config.seq_len, max(5, work / (40.0 * config.hidden_size**3))))
        for k in range(len(trace.schemes)) if cell.has_matrix_jacobian else ():
            yield k / len(trace.schemes)
            curves.append((yield from curve_along(trace, k, shown)))
        limits = scale.decades(*extremes(curves), down=3.0, up=1.0)
        title = titled(_("Singular values of ∂h(T)/∂h(T−k)"), trace)
        if not curves:
            title = _("The {cell}'s step is no single matrix: choose the RNN").format(cell=_(cell.label))
        elif shown < config.seq_len:
            text = _("Singular values of ∂h(T)/∂h(T−k), first {steps} steps back")
            title = titled(text.format(steps=shown), trace)
        return Lines(
            title=title,
            x_label=_("distance k"),
            y_label=_("largest to smallest") if curves else "",
            x_limit=scale.steps_limit(shown),
            y_limits=limits,
            last_step=shown if curves else 0,
            curves=[with_arrow(each, limits, -1, f"k = {shown}") for each in curves],
            back=config.seq_len,
        )

    def story(self, curve: Curve, data: Lines) -> str:
        ends = [part[-1] for part in (curve.median, curve.low, curve.high)]
        text = _("{curve}: most directions are lost altogether, or the state is not finite.")
        if np.isfinite(ends[0]):
            text = _("{curve}: after {steps} steps the median is {median}.")
        if np.isfinite(ends[:2]).all():
            text = _("{curve}: after {steps} steps the median is {median}, from {low} to {high}.")
        median, low, high = (number(float(value), log10=True) for value in ends)
        return text.format(curve=curve.label, steps=data.last_step, median=median, low=low, high=high)


def curve_along(trace: Trace, k: int, shown: int) -> Progress[Curve]:
    """Compute the k-th scheme's curve along its first sequence, over the distances 0..shown."""
    layer = shown_layer(trace)
    params, x = layer_params(trace.parameters(k), layer), trace.layer_inputs(layer, k)[:, :1]
    slopes, signs = log_slopes(params, x, trace.config.activation)
    distances, name = np.arange(shown + 1), trace.names[k]
    if trace.config.hidden_size >= MANY:  # where each takes long
        distances = np.unique(np.linspace(0, shown, SOME).astype(int))
    if np.isnan(slopes).any():
        nothing = np.full(len(distances), np.nan)
        return Curve(name, nothing, nothing, nothing, (("nonfinite", shown),), steps=distances)
    slopes, signs = slopes[-shown:], signs[-shown:]
    steps = spectrum.jacobian_progress(params["W_hh"], slopes, distances.tolist(), log=True, signs=signs)
    values = yield from rescaled(steps, k / len(trace.names), 1 / len(trace.names))
    middle = np.median(np.maximum(values, -1e300), axis=1)  # of two exact zeros, too
    return Curve(name, np.where(middle < -1e290, np.nan, middle), finite(values[:, -1]), values[:, 0], steps=distances)
