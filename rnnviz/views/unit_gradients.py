"""The gradient unit by unit: which units it reaches, and how far back."""

from __future__ import annotations

import numpy as np

from ..engine.gradient_shares import network_of, unit_gradients
from ..engine.trace import Trace
from ..network.config import Config
from ..numerics.progress import Progress
from ..text.language import N_, _
from ..text.number_format import number
from . import scale
from .gradient import takes_long
from .heat_map import HeatMap, HeatMapView
from .layer_option import shown, titled
from .view import register


@register
class UnitGradients(HeatMapView):
    """log10 of |dL/dh_t| of every unit, for the first scheme's first seed on its first sequence, as a heat map."""

    name = "unit_gradients"
    label = N_("Gradient by unit")
    help = N_("the gradient of every unit at every step of one sequence, as a heat map")
    question = N_("Which units does the gradient reach?")
    terms = ("|∂L/∂h|", "T")
    options = ("layer",)
    reveals_gradient = True
    first_seed = True

    def is_slow(self, config: Config, **options) -> bool:
        return takes_long(config, sequences=1)

    def computing(self, trace: Trace, layer: int = 0) -> Progress[HeatMap]:
        """Compute the gradient of the loss on that sequence alone, in one layer."""
        trace = trace.as_comparison()
        values = (yield from unit_gradients(network_of(trace), shown(trace, layer))).T
        known = values[np.isfinite(values)]
        limits = -scale.snap(max(3.0, -known.min(initial=0.0))), scale.snap(known.max(initial=0.0))
        title = _("|∂L/∂h| of every unit, {scheme}").format(scheme=trace.names[0])
        return HeatMap(titled(title, trace, layer), _("unit"), values, limits, log=True)

    def describe(self, data: HeatMap) -> str:
        (units, steps), first = data.values.shape, data.values[:, 0]
        text = _(
            "{title}: H = {units}, one sequence, steps 0 to {steps}, coloured by the logarithm of each unit's gradient "
            "relative to the length of the gradient at the last step."
        )
        words = [text.format(title=data.title, units=units, steps=steps - 1)]
        if np.isnan(first).all():
            return " ".join([*words, _("All grey: the state is not finite, so that there is no gradient.")])
        reached = first[np.isfinite(first)]
        if reached.size:
            least, most = (number(float(end), log10=True) for end in (reached.min(), reached.max()))
            words.append(_("At step 0 it lies between {least} and {most}.").format(least=least, most=most))
        if data.has_zeros:
            text = _("It is exactly 0 for {count} of {units} units at step 0, and for {last} at the last step.")
            count, last = (int(np.isneginf(data.values[:, t]).sum()) for t in (0, -1))
            words.append(text.format(count=count, units=units, last=last))
        return " ".join(words)
