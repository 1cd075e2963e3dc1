"""The state itself: every unit at every step of one sequence, which shows saturation where others only count it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..text.language import N_, _
from ..text.number_format import number, percent
from . import legend, scale
from .styles import Style
from .view import Artists, View, register

# Blue below 0, red above, white between: distinct for colour-blind readers, and dark at both ends.
COLOURS = "RdBu_r"
UNKNOWN = "#808080"
HEAD = 34.0  # px
WIDTH = 0.87  # of the axes, whose rest holds the scale of colours


@dataclass(frozen=True)
class Units:
    """One picture of a state: ``values`` (T, H) from step 1 on, ``most`` the value of the strongest colour."""

    title: str
    most: float
    values: np.ndarray
    saturation: float

    @property
    def frame(self) -> Hashable:
        return self.title, self.most, self.values.shape


@register
class UnitsView(View):
    """The state of the first scheme's first seed on its first sequence, as a heat map."""

    name = "units"
    label = N_("Units")
    help = N_("every unit at every step of one sequence, as a heat map")
    question = N_("Which units are saturated?")
    terms = ("colour", "saturated")
    timed = True
    first_seed = True

    def data(self, trace: Trace) -> Units:
        trace = trace.as_comparison()
        values = trace.units[0, 0, 1:]
        known = np.abs(values[np.isfinite(values)])
        most = scale.snap(max(1.0, float(known.max(initial=0.0))))
        title = _("Every unit of one sequence, {scheme}").format(scheme=trace.names[0])
        saturation = float(ACTIVATIONS[trace.config.activation].saturated(values[-1]).mean())
        return Units(title, most, values, saturation)

    def head(self, data: Units, width: float) -> float:
        return HEAD

    def draw(self, ax: Axes, data: Units) -> Artists:
        legend.shrink(ax, width=WIDTH)
        legend.write_title(ax, data.title)
        ax.set(xlabel=_("step t"), ylabel=_("unit"))
        scale.write_ticks(ax)
        colours = Normalize(-data.most, data.most)
        look: Style = {"cmap": COLOURS, "norm": colours, "aspect": "auto", "interpolation": "nearest"}
        steps, units = data.values.shape
        image = ax.imshow(data.values.T, extent=(0.5, steps + 0.5, units + 0.5, 0.5), **look)
        ax.set_facecolor(UNKNOWN)  # what is not finite is not painted
        key = ax.inset_axes((1.03, 0.0, 0.035, 1.0))
        bar, ends = ax.figure.colorbar(ScalarMappable(colours, COLOURS), cax=key), (-data.most, 0.0, data.most)
        bar.set_ticks(ends, labels=[number(value) for value in ends])
        return {"image": [image]}

    def update(self, artists: Artists, data: Units) -> None:
        artists["image"][0].set_data(np.ma.masked_invalid(data.values.T))

    def describe(self, data: Units) -> str:
        last, (steps, units) = data.values[-1], data.values.shape
        text = _("{title}: {units} units at steps 1 to {steps}, coloured by their value.")
        words = text.format(title=data.title, units=units, steps=steps)
        if not np.isfinite(last).all():
            return " ".join([words, _("Grey from where the state is not finite.")])
        least, most = number(float(last.min())), number(float(last.max()))
        text = _("At the last step they lie between {least} and {most}; {share} are saturated.")
        return f"{words} {text.format(least=least, most=most, share=percent(data.saturation))}"
