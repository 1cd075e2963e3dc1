"""Heat maps over time: what the views of units and of layers have in common."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage

from ..text.language import _
from ..text.number_format import number
from . import legend, scale
from .styles import Style
from .view import Artists

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

    def head(self, width: float) -> float:
        return HEAD

    def draw(self, ax: Axes) -> Artists:
        legend.shrink(ax, width=WIDTH)
        legend.write_title(ax, self.title)
        ax.set(xlabel=_("step t"), ylabel=self.y_label)
        for axis in (ax.xaxis, ax.yaxis):
            scale.count_on(axis)
        rows, steps = self.values.shape
        ends = (0.5, rows + 0.5) if self.upwards else (rows + 0.5, 0.5)
        colours = colormaps[LOG if self.log else SIGNED].with_extremes(under=ZERO)
        look: Style = {"cmap": colours, "norm": Normalize(*self.limits), "origin": "lower" if self.upwards else "upper"}
        image = draw_image(ax, self.values, (self.first - 0.5, self.first + steps - 0.5, *ends), **look)
        ticks, labels = self.key_ticks
        size = "small" if max(map(len, labels)) < 6 else "x-small"
        key = draw_key(image, ticks, labels, "min" if self.has_zeros else "neither", fontsize=size)
        if self.has_zeros:
            key.text(1.45, -0.08, "0", transform=key.transAxes, va="center", fontsize="small")
        box: Style = {"facecolor": "#ffffff", "edgecolor": "#777777"}
        hint = ax.text(0.5, 0.5, self.hint, transform=ax.transAxes, ha="center", va="center", bbox=box)
        hint.set_visible(bool(self.hint))
        artists: Artists = {"image": [image], "hint": [hint]}
        self.update(artists)
        return artists

    @property
    def key_ticks(self) -> tuple[Sequence[float], Sequence[str]]:
        """Where the scale of colours has its ticks, and how they are written."""
        low, high = self.limits
        if self.log:
            return scale.decade_ticks(low, high, most=5)
        values = low, (low + high) / 2, high
        return values, [number(value) for value in values]

    def update(self, artists: Artists) -> None:
        shown = self.values
        if self.log:
            low, high = self.limits
            shown = np.where(np.isneginf(shown), low - 1.0, np.clip(shown, low, high))
        artists["image"][0].set_data(np.ma.masked_invalid(shown))

    def covered(self) -> HeatMap:
        title = _("The gradient is covered")
        return replace(self, title=title, values=np.full(self.values.shape, np.nan), limits=(-10.0, 0.0))


def draw_image(ax: Axes, values: Array, extent: tuple[float, float, float, float], **look) -> AxesImage:
    """Draw values as colours, grey where they are not finite, which is not painted."""
    ax.set_facecolor(UNKNOWN)
    return ax.imshow(values, extent=extent, aspect="auto", interpolation="nearest", **look)


def draw_key(image: AxesImage, ticks: Sequence[float], labels: Sequence[str], extend: str = "neither", **text) -> Axes:
    """Draw the scale of colours beside the axes, and return its axes."""
    ax = image.axes
    key = ax.inset_axes((1.03, 0.0, 0.035, 1.0))
    bar = ax.figure.colorbar(image, cax=key, extend=extend)
    bar.set_ticks(ticks, labels=labels, **text)
    return key
