"""One step of a comparison in words: its equations with this step's numbers."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.layers import layer_params
from ..numerics.quantiles import median
from ..text.language import _
from ..text.number_format import factor, number
from .diagnosis import middle_runs

# The weights and the first sequence of the first run, as long as its trace: drawing them again would delay a reader.
NETWORKS: WeakKeyDictionary[Trace, tuple[dict[str, np.ndarray], np.ndarray]] = WeakKeyDictionary()


def sentences(trace: Trace, t: int) -> list[str]:
    """Return one sentence for each scheme on what happened at step t; medians over seeds.

    Raises
    ------
    ValueError : unless 0 <= t <= T.
    """
    if not 0 <= t <= trace.config.seq_len:
        text = _("{name} must be a whole number from {low} to {high}; got {received}.")
        raise ValueError(text.format(name="t", low=0, high=trace.config.seq_len, received=repr(t)))
    return [f"{name}: {'; '.join(scheme_parts(trace, k, t))}." for k, name in enumerate(names(trace))]


def names(trace: Trace) -> list[str]:
    """Return the names of the schemes, of several layers with that of which the numbers are."""
    text, layer = _("{scheme}, layer {layer}"), shown_layer(trace)
    return [text.format(scheme=name, layer=layer) if trace.config.layers > 1 else name for name in trace.names]


def gates(trace: Trace, t: int) -> list[str]:
    """Return a list of one sentence, the means of the first scheme's gates at step t; empty where there are none."""
    means = {name: float(median(values[0][:, t])) for name, values in trace.gates.items()}
    parts = [f"{name} {number(value)}" for name, value in means.items() if np.isfinite(value)]
    title = _("Gates, {scheme}").format(scheme=trace.names[0])
    return [f"{title}: {', '.join(parts)}."] if parts else []


def forward_equation(trace: Trace, t: int) -> list[str]:
    """Return a list of one sentence, step t forward with the numbers of a unit; empty at step 0 and for gated cells."""
    if t == 0 or not CELLS[trace.config.cell].has_matrix_jacobian:
        return []
    trace, layer = trace.as_comparison(), shown_layer(trace)
    before, now = (float(trace.units[0, 0, step, 0]) for step in (t - 1, t))
    if not (np.isfinite(before) and np.isfinite(now)):
        return []
    read, kept, bias = (number(value, digits=3) for value in parts_of_unit(trace, t))
    text = _(
        "Forward, {scheme}, unit 1: h_{t} = {phi}(x_{t} W_xh + h_{before} W_hh + b_h) = {phi}({numbers}) = {value}."
    )
    if layer > 1:
        text = _(
            "Forward, {scheme}, layer {layer}, unit 1: h_{t} = {phi}(x_{t} W_xh_{layer} + h_{before} W_hh_{layer} + "
            "b_h_{layer}) = {phi}({numbers}) = {value}, where x_{t} is the state of layer {below}."
        )
    numbers = f"{read} + {kept} + {bias}".replace("+ −", "− ")
    name, value = ACTIVATIONS[trace.config.activation].label, number(now, digits=3)
    values = {"scheme": trace.names[0], "t": t, "before": t - 1, "layer": layer, "below": layer - 1}
    return [text.format(**values, phi=_(name), numbers=numbers, value=value)]


def shown_layer(trace: Trace) -> int:
    """Return the layer whose arrays a trace has."""
    return trace.layer or trace.config.layers


def parts_of_unit(trace: Trace, t: int) -> tuple[float, float, float]:
    """Return what unit 1 of the first sequence gets at step t from the input, from the state before, and as bias."""
    layer = shown_layer(trace)
    if trace not in NETWORKS:
        NETWORKS[trace] = layer_params(trace.parameters(), layer), trace.layer_inputs(layer)[:, 0]
    params, x = NETWORKS[trace]
    read, kept = x[t - 1] @ params["W_xh"][:, 0], trace.units[0, 0, t - 1] @ params["W_hh"][:, 0]
    return float(read), float(kept), float(params["b_h"][0])


def scheme_parts(trace: Trace, k: int, t: int) -> list[str]:
    """Return the parts of one scheme's sentence: the state's size, the gradient's as plotted, and the step back."""
    size = float(median(trace.log10_relative_norm[k][:, t]))
    last, top = trace.config.seq_len, trace.config.layers
    norm = f"‖∂L/∂h_{t}‖ / ‖∂L/∂h_{last}‖ = {number(size, log10=True)}"
    if shown_layer(trace) < top:
        text = _("‖∂L/∂h_{t}‖ / ‖∂L/∂h_{last} of layer {top}‖ = {value}")
        norm = text.format(t=t, last=last, top=top, value=number(size, log10=True))
    return [state_words(trace, k, t), norm, *step_back_words(trace, k, t)]


def state_words(trace: Trace, k: int, t: int) -> str:
    """Return the state's size at step t, as the previous step's size times a factor."""
    with np.errstate(divide="ignore"):  # medians of logarithms, as in the picture
        before, now = map(float, median(np.log10(trace.second_moment[k][:, [max(t - 1, 0), t]])))
    if now == np.inf:
        return _("E h² above 1e308")
    if not np.isfinite([before, now]).all():
        return f"E h² = {number(now, log10=True)}"
    sizes = [number(each, log10=True, digits=3) for each in (before, now)]
    return f"E h² = {sizes[0]} × {factor(now - before)} = {sizes[1]}"


def step_back_words(trace: Trace, k: int, t: int) -> list[str]:
    """Return what one step back from t does to the gradient of the middle run, and the factors that make it up."""
    relative, cell = trace.log10_relative_norm[k], CELLS[trace.config.cell]
    if t == 0 or not np.isfinite(relative[:, t]).any():
        return []
    with np.errstate(invalid="ignore"):
        changes = relative[:, t - 1] - relative[:, t]
    middle = middle_runs(changes)
    change, own = (float(np.mean(values[middle])) for values in (changes, trace.log10_step_factor[k][:, t]))
    name = cell.step_factor[0]
    if 0 < trace.config.first_reached == t:
        return [
            _("one step back: cut off, as each loss reaches back {steps} steps").format(steps=trace.config.truncate)
        ]
    # Where other losses or the layer above add to the gradient, no factors make up the change.
    adds = trace.log10_relative_norm_last is not None or shown_layer(trace) < trace.config.layers
    if adds or not np.isfinite(own) or not np.isfinite(change):
        return [_("one step back: ×{factor}").format(factor=factor(change))]
    if cell.has_matrix_jacobian:
        text = _("one step back: ×{factor} = ×{own} ({name}) · ×{rest} (W_hh)")
        return [text.format(factor=factor(change), own=factor(own), name=name, rest=factor(change - own))]
    text = _("one step back: ×{factor}, by gate {name} alone ×{own}")
    return [text.format(factor=factor(change), name=name, own=factor(own))]
