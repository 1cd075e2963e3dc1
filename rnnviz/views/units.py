"""The state itself: every unit at every step of one sequence, which shows saturation where others only count it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..text.language import N_, _
from ..text.number_format import number, percent
from . import scale
from .heat_map import HeatMap, HeatMapView
from .layer_option import of_layer, titled
from .view import register


@dataclass(frozen=True, kw_only=True)
class Units(HeatMap):
    """One picture of a state, and the share of its units that are saturated at the last step."""

    saturation: float


@register
class UnitsView(HeatMapView):
    """The state of the first scheme's first seed on its first sequence, as a heat map."""

    name = "units"
    label = N_("Units")
    help = N_("every unit at every step of one sequence, as a heat map")
    question = N_("Which units are saturated?")
    terms = ("colour", "saturated")
    options = ("layer",)
    first_seed = True

    def data(self, trace: Trace, layer: int = 0) -> Units:
        trace = of_layer(trace.as_comparison(), layer)
        values = trace.units[0, 0, 1:].T
        known = np.abs(values[np.isfinite(values)])
        most = scale.snap(max(1.0, float(known.max(initial=0.0))))
        title = _("Every unit of one sequence, {scheme}").format(scheme=trace.names[0])
        saturation = float(ACTIVATIONS[trace.config.activation].saturated(values[:, -1]).mean())
        return Units(titled(title, trace, layer), _("unit"), values, (-most, most), first=1, saturation=saturation)

    def describe(self, data: Units) -> str:
        last, (units, steps) = data.values[:, -1], data.values.shape
        text = _("{title}: H = {units}, steps 1 to {steps}, coloured by the value of each unit.")
        words = text.format(title=data.title, units=units, steps=steps)
        if not np.isfinite(last).all():
            return " ".join([words, _("Grey from where the state is not finite.")])
        least, most = number(float(last.min())), number(float(last.max()))
        text = _("At the last step they lie between {least} and {most}; {share} are saturated.")
        return f"{words} {text.format(least=least, most=most, share=percent(data.saturation))}"
