"""The gates of an LSTM or GRU: how far open they are, and how much of them is saturated."""

from __future__ import annotations

import numpy as np

from ..engine.trace import Trace
from ..network.cells import CELLS
from ..network.config import Config
from ..text.language import N_, _
from .lines import CurveView, Lines, curve_of, overflow, with_arrow
from .state import QUANTITIES
from .view import of_layer, register


@register
class Gates(CurveView):
    """The mean value of each gate of the first scheme, or the share of its values that is saturated."""

    name = "gates"
    label = N_("Gates")
    help = N_("how far the gates of the LSTM or GRU are open, and how many of their values are saturated")
    question = N_("How far open are the gates?")
    terms = ("gate", "i, f, g, o", "r, z, n", "line", "T")
    options = ("quantity", "layer")
    shows_gates = True
    first = 1

    def can_show(self, config: Config) -> bool:
        return CELLS[config.cell].path != ""

    def data(self, trace: Trace, quantity: str = "second_moment", layer: int = 0) -> Lines:
        """Return a layer's curves: mean values, unless the ``quantity`` is a share of the units."""
        trace, cell = of_layer(trace, layer), CELLS[trace.config.cell]
        saturated = QUANTITIES[quantity].share
        values = trace.gate_saturation if saturated else trace.gates
        # Only the candidate can leave the finite numbers: it alone is not bounded.
        marks = {cell.candidate: overflow(trace, 0)}
        labels = {gate: _(cell.gate_labels.get(gate, gate)) for gate in values}
        curves = [curve_of(labels[gate], each[0], marks.get(gate, [])) for gate, each in values.items()]
        title, label, limits = _("Gates, {scheme}"), _("mean value"), (0.0, 1.0)
        if not curves:
            title, label = _("The {cell} has no gates: choose another cell"), ""
        elif saturated:
            title, label = _("Saturated gates, {scheme}"), _("share of values near their ends")
        elif min(np.nanmin(curve.median, initial=0.0) for curve in curves) < 0:
            limits = (-1.0, 1.0)
        title = title.format(scheme=trace.names[0], cell=_(cell.label))
        curves = [with_arrow(curve, limits, trace.config.seq_len, log=False) for curve in curves]
        return self.over_steps(trace, title, curves, y_label=label, y_limits=limits, log=False)
