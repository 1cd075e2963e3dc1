"""Pictures at the cost of their moving parts: a figure is drawn once and kept, and only its artists are drawn again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..numerics.recent import Recent
from .agg import QuickCanvas
from .png import encode
from .view import Artists, View

KEPT = 4  # blitted figures per view; each takes 1.5 to 3 MB
DPI = 100
LEAST = 1e-6  # px
LEAST_HEIGHT = 24  # px of axes whose legend takes the whole of a small picture
LEFT, RIGHT, BOTTOM = 74, 16, 46  # px of margin; a view knows what stands above its axes
STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 11,
    "axes.labelsize": 9.5,
    "axes.edgecolor": "#555555",
    "xtick.color": "#333333",
    "ytick.color": "#333333",
    "text.color": "#1a1a1a",
    "axes.labelcolor": "#1a1a1a",
    "legend.fontsize": 9.5,
}


def blank(width: float, height: float, scale: float) -> Figure:
    """Return a new figure of ``width`` x ``height`` CSS pixels at ``scale`` dots each.

    Fill it, and draw it, inside ``rc_context(STYLE)``: matplotlib makes the ticks only when it draws.
    """
    # 4.52 inches at 100 dots are 451.99999999999994 of them, which matplotlib cuts to 451.
    figure = Figure(figsize=((width + LEAST) / DPI, (height + LEAST) / DPI), dpi=DPI * scale)
    QuickCanvas(figure)
    return figure


def place(figure: Figure, view: View, data: Any, box: tuple[float, float, float, float]) -> tuple[Axes, Artists]:
    """Draw a view into a figure's box (left, bottom, width, height in CSS pixels); return axes and artists."""
    (x, y, width, height), (wide, high) = box, figure.get_size_inches() * DPI
    inner = width - LEFT - RIGHT, max(height - BOTTOM - view.head(data, width - LEFT - RIGHT), LEAST_HEIGHT)
    axes = figure.add_axes(((x + LEFT) / wide, (y + BOTTOM) / high, inner[0] / wide, inner[1] / high))
    return axes, view.draw(axes, data)


class BlittedFigure:
    """A figure with its artists, and the picture of everything else, which stays."""

    def __init__(self, view: View, data: Any, width: int, height: int, scale: float):
        with rc_context(STYLE):
            self.view, self.figure, self.shape = view, blank(width, height, scale), (view.frame(data), width, height)
            self.canvas = cast(QuickCanvas, self.figure.canvas)
            self.axes, self.artists = place(self.figure, view, data, (0, 0, width, height))
            for artist in self.moving():
                artist.set_animated(True)
            self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(self.figure.bbox)

    def moving(self) -> Iterator[Artist]:
        return (artist for group in self.artists.values() for artist in group)

    def paint(self, data: Any) -> np.ndarray:
        """Return the picture of ``data``, whose frame is this figure's, as RGBA."""
        self.canvas.restore_region(self.background)
        self.view.update(self.artists, data)
        for artist in self.moving():
            if artist.get_visible():
                self.axes.draw_artist(artist)
        return np.array(self.canvas.buffer_rgba())  # a copy: other figures draw into the same pixels


# Figures for the next canvas of a view, from the process that this one was forked from: drawing them takes 0.1 s.
DRAWN_AHEAD: dict[View, Recent[BlittedFigure]] = {}


class Canvas:
    """Draws one view again and again, keeping a blitted figure for each of the last frames and sizes."""

    def __init__(self, view: View):
        self.view = view
        self.figures = DRAWN_AHEAD.pop(view, Recent[BlittedFigure](KEPT))

    def figure(self, data: Any, width: int, height: int, scale: float) -> BlittedFigure:
        """Return the figure for the data's frame, drawn unless it was kept."""
        key = (self.view.frame(data), width, height, scale)
        return self.figures.fetch(key, lambda: BlittedFigure(self.view, data, width, height, scale))

    def axes_box(self, data: Any, width: int, height: int, zoom: float) -> dict[str, float]:
        """Return where the axes lie in the picture, in CSS pixels, and of a timed view what they count.

        They run from ``first`` to ``limit``, in steps t or, where the data has ``back`` (T), in distances ``back`` - t.
        """
        shape = (self.view.frame(data), round(width / zoom), round(height / zoom))
        # The resolution moves nothing, and another figure would cost a whole drawing.
        alike = (made for made in self.figures.values() if made.shape == shape)
        axes = (next(alike, None) or self.figure(data, *shape[1:], zoom)).axes
        left, bottom, right, top = axes.get_position().extents
        found = {
            "left": left * width,
            "right": right * width,
            "top": (1 - top) * height,
            "bottom": (1 - bottom) * height,
        }
        if self.view.counts_steps(data):
            found["first"], found["limit"] = axes.get_xlim()
            back = getattr(data, "back", None)
            found |= {} if back is None else {"back": back}
        return {name: float(value) for name, value in found.items()}

    def png(self, data: Any, width: int = 580, height: int = 380, scale: float = 1.0) -> bytes:
        """Return the picture as PNG, ``width`` x ``height`` CSS pixels at ``scale`` dots each."""
        return encode(self.figure(data, width, height, scale).paint(data))
