"""Every unit at every step of one sequence: the state itself, and how far back its gradient reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engine.gradient_shares import network_of, unit_gradients
from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..network.config import Config
from ..numerics.progress import Progress
from ..text.language import N_, _
from ..text.number_format import number, percent
from . import scale
from .gradient import takes_long
from .heat_map import HeatMap
from .view import View, of_layer, register, shown_layer, titled


@dataclass(frozen=True, kw_only=True)
class Units(HeatMap):
    """One picture of a state, and the share of its units that are saturated at the last step."""

    saturation: float


@register
class UnitsView(View):
    """The state of the first scheme's first seed on its first sequence, as a heat map."""

    name = "units"
    label = N_("Units")
    help = N_("every unit at every step of one sequence, as a heat map")
    question = N_("Which units are saturated?")
    terms = ("colour", "saturated")
    options = ("layer",)
    timed = True
    first_seed = True

    def data(self, trace: Trace, layer: int = 0) -> Units:
        trace = of_layer(trace, layer)
        values = trace.units[0, 0, 1:].T
        known = np.abs(values[np.isfinite(values)])
        most = scale.snap(max(1.0, float(known.max(initial=0.0))))
        title = _("Every unit of one sequence, {scheme}").format(scheme=trace.names[0])
        saturation = float(ACTIVATIONS[trace.config.activation].saturated(values[:, -1]).mean())
        return Units(titled(title, trace), _("unit"), values, (-most, most), first=1, saturation=saturation)

    def describe(self, data: Units) -> str:
        last, (units, steps) = data.values[:, -1], data.values.shape
        text = _("{title}: H = {units}, steps 1 to {steps}, coloured by the value of each unit.")
        words = text.format(title=data.title, units=units, steps=steps)
        if not np.isfinite(last).all():
            return " ".join([words, _("Grey from where the state is not finite.")])
        least, most = number(float(last.min())), number(float(last.max()))
        text = _("At the last step they lie between {least} and {most}; {share} are saturated.")
        return f"{words} {text.format(least=least, most=most, share=percent(data.saturation))}"


@register
class UnitGradients(View):
    """log10 of |dL/dh_t| of every unit, for the first scheme's first seed on its first sequence, as a heat map."""

    name = "unit_gradients"
    label = N_("Gradient by unit")
    help = N_("the gradient of every unit at every step of one sequence, as a heat map")
    question = N_("Which units does the gradient reach?")
    terms = ("|∂L/∂h|", "T")
    options = ("layer",)
    timed = True
    reveals_gradient = True
    first_seed = True

    def is_slow(self, config: Config, **options) -> bool:
        return takes_long(config, sequences=1)

    def computing(self, trace: Trace, layer: int = 0) -> Progress[HeatMap]:
        """Compute the gradient of the loss on that sequence alone, in one layer."""
        trace = of_layer(trace, layer)
        values = (yield from unit_gradients(network_of(trace), shown_layer(trace))).T
        known = values[np.isfinite(values)]
        limits = -scale.snap(max(3.0, -known.min(initial=0.0))), scale.snap(known.max(initial=0.0))
        title = _("|∂L/∂h| of every unit, {scheme}").format(scheme=trace.names[0])
        return HeatMap(titled(title, trace), _("unit"), values, limits, log=True)

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
