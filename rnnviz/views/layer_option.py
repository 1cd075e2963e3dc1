"""The page's choice of the layer that its curves and units belong to."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from ..engine.trace import Trace
from ..text.language import N_, _
from .view import OPTIONS, Option

MOST = 16
OPTIONS.add(
    "layer",
    Option(
        "layer",
        N_("Layer shown"),
        N_("the layer that curves and units belong to; the output reads the top one"),
        ((N_("top"), 0), *((str(layer), layer) for layer in range(1, MOST + 1))),
        applies=lambda layer, values: not layer or layer <= values["layers"] > 1,
    ),
)
# The traces of single layers, as long as the whole one, by which what is known of them is kept.
CHOSEN: WeakKeyDictionary[Trace, dict[int, Trace]] = WeakKeyDictionary()


def of_layer(trace: Trace, layer: int) -> Trace:
    """Return the comparison with one layer's curves, counted from 1; the top one's for 0, or where there is none."""
    if shown(trace, layer) == trace.config.layers:
        return trace
    kept = CHOSEN.setdefault(trace, {})
    if layer not in kept:
        kept[layer] = trace.of_layer(layer)
    return kept[layer]


def titled(title: str, trace: Trace, layer: int) -> str:
    """Return a title with the layer shown, where there are several."""
    layers, text = trace.config.layers, _("{title}, layer {layer} of {layers}")
    return text.format(title=title, layer=shown(trace, layer), layers=layers) if layers > 1 else title


def shown(trace: Trace, layer: int) -> int:
    """Return the layer that such a choice shows: the top one for 0, or where the network has fewer layers."""
    return layer if 0 < layer <= trace.config.layers else trace.config.layers
