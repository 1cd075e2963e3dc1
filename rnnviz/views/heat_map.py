"""Heat maps over time: what the views of units and of layers have in common."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from ..text.language import _
from ..text.number_format import number
from . import legend, scale
from .styles import Style
from .view import Artists, View

Array = np.ndarray
# Distinct for colour-blind readers: blue below 0, white, red above; and light to dark, with orange for an exact 0.
SIGNED, LOG, ZERO, UNKNOWN = "RdBu_r", "YlGnBu", "#d95f02", "#808080"
HEAD = 34.0  # px
WIDTH = 0.84  # of the axes, whose rest holds the scale of colours


@dataclass(frozen=True)
class HeatMap:
    """One picture: ``values`` (rows, steps) from step ``first`` on, nan where there are none.

    Where ``log``, they are logarithms to base 10, and ``-inf`` stands for an exact 0. ``limits`` are the ends of the
    scale of colours; ``hint`` stands across the picture.
    """

    title: str
    y_label: str
    values: Array
    limits: tuple[float, float]
    first: int = 0
    log: bool = False
    upwards: bool = False
    hint: str = ""

    @property
    def has_zeros(self) -> bool:
        return self.log and bool(np.isneginf(self.values).any())

    @property
    def frame(self) -> Hashable:
        axes = (self.title, self.y_label, self.first, self.log, self.upwards, self.hint)
        return *axes, self.limits, self.values.shape, self.has_zeros


class HeatMapView(View):
    """A view of rows of values over the steps: a subclass defines ``data`` and ``describe``."""

    timed = True

    def head(self, data: HeatMap, width: float) -> float:
        return HEAD

    def draw(self, ax: Axes, data: HeatMap) -> Artists:
        legend.shrink(ax, width=WIDTH)
        legend.write_title(ax, data.title)
        ax.set(xlabel=_("step t"), ylabel=data.y_label)
        for axis in (ax.xaxis, ax.yaxis):
            scale.count_on(axis)
        rows, steps = data.values.shape
        ends = (0.5, rows + 0.5) if data.upwards else (rows + 0.5, 0.5)
        extent = (data.first - 0.5, data.first + steps - 0.5, *ends)
        look: Style = {"aspect": "auto", "interpolation": "nearest", "origin": "lower" if data.upwards else "upper"}
        colourmap = colormaps[LOG if data.log else SIGNED].with_extremes(under=ZERO)
        norm = Normalize(*data.limits)
        image = ax.imshow(data.values, extent=extent, cmap=colourmap, norm=norm, **look)
        ax.set_facecolor(UNKNOWN)  # what is not finite is not painted
        draw_key(ax, data, ScalarMappable(norm, colourmap))
        box: Style = {"facecolor": "#ffffff", "edgecolor": "#777777"}
        hint = ax.text(0.5, 0.5, data.hint, transform=ax.transAxes, ha="center", va="center", bbox=box)
        hint.set_visible(bool(data.hint))
        artists: Artists = {"image": [image], "hint": [hint]}
        self.update(artists, data)
        return artists

    def update(self, artists: Artists, data: HeatMap) -> None:
        shown = data.values
        if data.log:
            low, high = data.limits
            shown = np.where(np.isneginf(shown), low - 1.0, np.clip(shown, low, high))
        artists["image"][0].set_data(np.ma.masked_invalid(shown))

    def covered(self, data: HeatMap) -> HeatMap:
        title = _("The gradient is covered")
        return replace(data, title=title, values=np.full(data.values.shape, np.nan), limits=(-10.0, 0.0))


def draw_key(ax: Axes, data: HeatMap, colours: ScalarMappable) -> None:
    """Draw the scale of colours beside the axes, with the colour of an exact 0 at its foot where there are any."""
    key = ax.inset_axes((1.03, 0.0, 0.035, 1.0))
    bar = ax.figure.colorbar(colours, cax=key, extend="min" if data.has_zeros else "neither")
    ticks, labels = key_ticks(data)
    bar.set_ticks(ticks, labels=labels, fontsize="small" if max(map(len, labels)) < 6 else "x-small")
    if data.has_zeros:
        key.text(1.45, -0.08, "0", transform=key.transAxes, va="center", fontsize="small")


def key_ticks(data: HeatMap) -> tuple[Sequence[float], Sequence[str]]:
    """Return where the scale of colours has its ticks, and how they are written."""
    low, high = data.limits
    if data.log:
        return scale.decade_ticks(low, high, most=5)
    values = low, (low + high) / 2, high
    return values, [number(value) for value in values]
