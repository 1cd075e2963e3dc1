"""Through layers and through time: the state and the gradient of every layer at every step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..engine.trace import Trace
from ..numerics.quantiles import median
from ..text.language import N_, _
from ..text.number_format import number, percent
from . import scale
from .heat_map import HeatMap
from .lines import Lines, curve_of, extremes
from .view import View, register

Array = np.ndarray


class LayersView(View):
    """One quantity of the first scheme, by layer and step: the median over seeds as a heat map.

    With T = 1 and several layers, a feed-forward network, as curves over the layers, one for each scheme.

    Attributes
    ----------
    title, y_label : of the heat map, and of the curves' vertical axis.
    first : the first step shown.
    """

    title: str
    y_label: str
    first = 0
    timed = True

    def values(self, trace: Trace, k: int) -> Array:
        """Return log10 of the quantity of the k-th scheme, (R, L, T+1)."""
        raise NotImplementedError

    def data(self, trace: Trace) -> HeatMap | Lines:
        trace = trace.as_comparison()
        return (over_layers if trace.config.seq_len == 1 < trace.config.layers else heat_map)(self, trace)

    def describe(self, data: HeatMap | Lines) -> str:
        if isinstance(data, Lines):
            return " ".join([f"{data.title}.", *(by_layer(curve.label, curve.median) for curve in data.curves)])
        last = data.values.shape[1] - 1
        words = [
            _("{title}: steps {first} to {last}.").format(title=data.title, first=data.first, last=data.first + last)
        ]
        for t in sorted({0, last}):
            words.append(by_layer(_("Step {step}").format(step=data.first + t), data.values[:, t]))
        if data.has_zeros:
            text, share = _("It is exactly 0, orange, in {share} of the picture."), np.isneginf(data.values).mean()
            words.append(text.format(share=percent(1.0 if share == 1.0 else np.clip(share, 0.01, 0.99))))
        return " ".join([*words, *([f"{data.hint}."] if data.hint else [])])


def heat_map(view: LayersView, trace: Trace) -> HeatMap:
    """Return the picture of the first scheme."""
    values = median(view.values(trace, 0))[:, view.first :]
    known = values[np.isfinite(values)]
    limits = -scale.snap(max(1.0, -known.min(initial=0.0))), scale.snap(known.max(initial=0.0))
    title = f"{_(view.title)}, {trace.names[0]}"
    hint = _("One layer: raise Layers under More settings") if len(values) == 1 else ""
    return HeatMap(title, _("layer"), values, limits, view.first, log=True, upwards=True, hint=hint)


def over_layers(view: LayersView, trace: Trace) -> Lines:
    """Return the curves of all schemes over the layers, at the only step."""
    layers, steps = trace.config.layers, np.arange(1, trace.config.layers + 1)
    values = [view.values(trace, k)[..., 1] for k in range(len(trace.names))]
    found = [curve_of(name, each, []) for name, each in zip(trace.names, values, strict=True)]
    # The alt text tells an exact 0 from no gradient, which a line does not.
    curves = [replace(curve, steps=steps, median=median(each)) for curve, each in zip(found, values, strict=True)]
    return Lines(
        title=_("{title}, feed-forward (T = 1)").format(title=_(view.title)),
        x_label=_("layer"),
        y_label=_(view.y_label),
        x_limit=max(layers, 2),
        y_limits=scale.decades(*extremes(found), down=1.0, up=0.0),
        last_step=layers,
        curves=curves,
        seeds=len(trace.seeds),
        timed=False,
    )


def by_layer(name: str, values: Array) -> str:
    """Say what the lowest and the top layer have, given log10 values (L,)."""
    low, high = (_("no gradient") if np.isnan(end) else number(float(end), log10=True) for end in values[[0, -1]])
    text = _("{name}: {low} in layer 1, {high} in layer {layers}.") if len(values) > 1 else f"{name}: {low}."
    return text.format(name=name, low=low, high=high, layers=len(values))


@register
class LayersState(LayersView):
    """log10 of E h^2."""

    name = "layers_state"
    label = N_("State by layer")
    help = N_("forward: does the state keep its size through the layers and over the steps?")
    question = N_("Does the state keep its size through the layers?")
    title = N_("E h² by layer")
    y_label = "E h²"
    terms = ("E h²", "T")
    first = 1

    def values(self, trace: Trace, k: int) -> Array:
        with np.errstate(divide="ignore"):
            return np.log10(trace.second_moment_by_layer[k])


@register
class LayersGradient(LayersView):
    """log10 of ||dL/dh_t|| relative to the last step of the top layer."""

    name = "layers_gradient"
    label = N_("Gradient by layer")
    help = N_("backward: does the gradient survive the way down the layers and back through time?")
    question = N_("Does the gradient survive the way down the layers?")
    title = N_("Gradient by layer")
    y_label = N_("‖∂L/∂h‖ ÷ top layer's")
    terms = ("∂L/∂h", "‖ ‖", "T")
    reveals_gradient = True

    def values(self, trace: Trace, k: int) -> Array:
        layers = range(1, trace.config.layers + 1)
        return np.stack([trace.of_layer(layer).log10_relative_norm[k] for layer in layers], axis=-2)
