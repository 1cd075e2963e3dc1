"""The forward story: does the hidden state keep its size?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..numerics.quantiles import median
from ..text.language import N_, _
from ..text.registry import Registry
from . import overlays, scale
from .lines import Curve, CurveView, Lines, Marks, curve_of, extremes, overflow, with_arrow
from .view import OPTIONS, Option, of_layer, register


@dataclass(frozen=True)
class Quantity:
    """One statistic of the hidden state.

    Attributes
    ----------
    label, symbol : how menus and the axis name it; an activation names what it calls saturated itself.
    log : whether its axis is in powers of ten.
    share : whether it is a share of the units, 0 to 1.
    theory : the attribute of a prediction that it is compared with, or "".
    """

    label: str
    symbol: str = ""
    log: bool = False
    share: bool = False
    theory: str = ""


QUANTITIES: Registry[Quantity] = Registry("quantity")
QUANTITIES.add("second_moment", Quantity(N_("Second moment"), "E h²", log=True, theory="log10_second_moment"))
QUANTITIES.add("variance", Quantity(N_("Variance over units and batch"), "E (h − E h)²", log=True))
QUANTITIES.add("mean", Quantity(N_("Mean"), "E h"))
QUANTITIES.add("saturation", Quantity(N_("Saturation"), share=True))
OPTIONS.add(
    "quantity",
    Option(
        "quantity",
        N_("State"),
        N_("which statistic of the hidden state is drawn"),
        tuple((entry.label, name) for name, entry in QUANTITIES.items()),
    ),
)


@register
class State(CurveView):
    """One statistic of h_t for every scheme."""

    name = "state"
    label = N_("Hidden state")
    help = N_("forward: does the hidden state keep its size over the steps?")
    question = N_("Does the state keep its size?")
    terms = ("line", "T")
    options = ("quantity", "layer", "theory")
    pins = True

    def data(
        self,
        trace: Trace,
        quantity: str = "second_moment",
        theory: bool = False,
        pins: Sequence[tuple[str, Trace]] = (),
        layer: int = 0,
    ) -> Lines:
        """Return a layer's curves; on request theory's lines, and the first scheme of other comparisons in grey."""
        trace, entry, last = of_layer(trace, layer), QUANTITIES[quantity], trace.config.seq_len
        curves = all_curves(trace, quantity)
        pinned = overlays.pinned([(name, all_curves(of_layer(pin, layer), quantity)[0].median) for name, pin in pins])
        expected = overlays.theory(trace, entry.theory, back=False) if theory and entry.theory else []
        y_limits = limits(entry, *extremes(curves, pinned))
        return self.over_steps(
            trace,
            _("{quantity} of the hidden state").format(quantity=_(entry.label)),
            [with_arrow(each, y_limits, last) for each in curves] if entry.log else curves,
            y_label=entry.symbol or _(ACTIVATIONS[trace.config.activation].saturation_label),
            y_limits=y_limits,
            overlays=[*pinned, *expected],
            log=entry.log,
            terms=(entry.symbol or "saturated",),
            root=overlays.root(trace, back=False) if entry.theory else None,
        )


def all_curves(trace: Trace, quantity: str) -> list[Curve]:
    """Return the curve of every scheme; step 0, where h = 0, has no logarithm."""
    log, values = QUANTITIES[quantity].log, getattr(trace, quantity)
    with np.errstate(divide="ignore"):
        shown = np.log10(values) if log else values
    return [curve_of(name, shown[k], [*overflow(trace, k), *zeros(shown[k])]) for k, name in enumerate(trace.names)]


def zeros(values: np.ndarray) -> Marks:
    """Return the mark of the first step at which the median over seeds is exactly 0, given log10 values (R, T+1)."""
    zero = np.isneginf(median(values)[1:])
    found = np.flatnonzero(zero) + 1
    kind = "zero" if found.size and zero[found[0] - 1 :].all() else "zero at times"
    return [(kind, int(found[0]))] if found.size else []


def limits(entry: Quantity, lows: list[float], highs: list[float]) -> tuple[float, float]:
    """Return the vertical axis's ends, which snap to the curves' range."""
    if entry.log:
        return scale.decades(lows, highs, down=1.0, up=0.0)
    if entry.share:
        return (0.0, 1.0)
    most = scale.snap(max(1.0, *highs, *(-low for low in lows)))
    return (-most, most)
