"""The bands over seeds: the polygon of each, and what picture and alt text say of them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation

from ..numerics.quantiles import left_out
from ..text.language import _
from . import legend

Array = np.ndarray
NOTE = 26  # px from the axes down to the note
NOTE_ROOM = 430  # px of width from which there is room for it


def create(ax: Axes) -> Text:
    """Create the note on the bands at the right, below wide enough axes."""
    below = ax.transAxes + ScaledTranslation(0, -NOTE / 100, ax.figure.dpi_scale_trans)
    words = ax.text(1.0, 0.0, "", transform=below, color="#555555", fontsize="small", ha="right", va="top")
    words.set_visible(legend.axes_size(ax)[0] > NOTE_ROOM)
    return words


def polygon(steps: Array, low: Array, high: Array) -> list[Array]:
    """Return the polygon between low and high, where both are numbers; none where they are equal, as for one seed."""
    known = np.isfinite(low) & np.isfinite(high)
    if known.sum() < 2 or np.array_equal(low[known], high[known]):
        return []
    x, low, high = steps[known], low[known], high[known]
    return [np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])])]


def note(seeds: int) -> str:
    """Return what a picture says of bands over this many seeds, "" for a single one."""
    inner = seeds - 2 * int(left_out(seeds))
    text = _("band: all {count} draws") if inner == seeds else _("band: middle {inner} of {count}")
    return text.format(count=seeds, inner=inner) if seeds > 1 else ""


def describe(seeds: int) -> str:
    """Return what an alt text says of them, as a sentence, "" for a single seed."""
    inner = seeds - 2 * int(left_out(seeds))
    text = _("Lines are medians of {count} draws; bands hold the middle {inner} of them at each step.")
    if inner == seeds:
        text = _("Lines are medians of {count} draws; bands reach from the lowest to the highest of them at each step.")
    return text.format(count=seeds, inner=inner) if seeds > 1 else ""
