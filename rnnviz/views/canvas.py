"""Pictures at the cost of their moving parts: a figure is drawn once and kept, only its artists are drawn again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from .agg import QuickCanvas
from .png import Encoder
from .view import View

KEPT = 8  # figures kept a view; each takes twice its picture, 1 to 6 MB
DPI = 100
LEFT, RIGHT, BOTTOM = 74, 16, 46  # px of margin; what is above the axes the view knows
STYLE = {
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


def compose(view: View, data: Any, width: float, height: float, scale: float = 1.0, foot: float = 0.0):
    """Draw a view into a new figure of ``width`` x ``height`` CSS pixels, whose lowest ``foot`` pixels stay empty.

    Returns
    -------
    figure, axes, artists (as ``view.draw`` returns them). Meant for inside ``rc_context(STYLE)``, as is all that draws
    the figure later: matplotlib makes its ticks only then.
    """
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI * scale)
    QuickCanvas(figure)
    head = view.head(data, width - LEFT - RIGHT)
    left, right, bottom, top = LEFT / width, 1 - RIGHT / width, (BOTTOM + foot) / height, 1 - head / height
    axes = figure.add_axes((left, bottom, right - left, top - bottom))
    return figure, axes, view.draw(axes, data)


class Plate:
    """One figure with its artists and the picture of everything else, which stays."""

    def __init__(self, view: View, data: Any, width: int, height: int, scale: float):
        with rc_context(STYLE):
            self.figure, self.axes, self.artists = compose(view, data, width, height, scale)
            self.view, self.canvas = view, self.figure.canvas
            for artist in self.moving():
                artist.set_animated(True)
            self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.encoder = Encoder(np.asarray(self.canvas.buffer_rgba()), self.moving_rows())

    def moving(self):
        return (artist for group in self.artists.values() for artist in group)

    def moving_rows(self) -> tuple[int, int]:
        """Return the rows, counted from the top, in which artists clipped to the axes can lie."""
        height, box = self.figure.bbox.height, self.axes.get_window_extent()
        return max(0, round(height - box.y1) - 2), round(height - box.y0) + 2

    def paint(self, data: Any) -> np.ndarray:
        """Return the picture of ``data``, whose frame is this plate's, as RGBA."""
        self.canvas.restore_region(self.background)
        self.view.update(self.artists, data)
        for artist in self.moving():
            if artist.get_visible():
                self.axes.draw_artist(artist)
        return np.asarray(self.canvas.buffer_rgba())


class Canvas:
    """Draws one view again and again; keeps a plate for each of the last frames and sizes."""

    def __init__(self, view: View):
        self.view = view
        self.plates: OrderedDict[Any, Plate] = OrderedDict()

    def plate(self, data: Any, width: int, height: int, scale: float) -> Plate:
        """Return the plate for the data's frame, made anew where it was not kept."""
        key = (self.view.frame(data), width, height, scale)
        if key not in self.plates:
            self.plates[key] = Plate(self.view, data, width, height, scale)
            if len(self.plates) > KEPT:
                self.plates.popitem(last=False)
        self.plates.move_to_end(key)
        return self.plates[key]

    def time_axis(self, data: Any, width: int, height: int, zoom: float) -> dict[str, float]:
        """Return where the axes of a timed view lie in its picture, in CSS pixels, and what they count.

        They go from ``first`` to ``limit``, in steps t or, where there is ``back``, in distances ``back`` - t.
        """
        shape = (self.view.frame(data), round(width / zoom), round(height / zoom))
        # The dots a pixel move nothing, and a plate more would cost a whole drawing.
        alike = (plate for key, plate in self.plates.items() if key[:3] == shape)
        axes = (next(alike, None) or self.plate(data, *shape[1:], zoom)).axes
        (left, bottom), (right, top) = axes.get_position().get_points()
        first, limit = axes.get_xlim()
        found = {"left": left * width, "right": right * width, "top": (1 - top) * height}
        found |= {"bottom": (1 - bottom) * height, "first": first, "limit": limit}
        if self.view.back:
            found["back"] = self.view.back(data)
        return {name: float(value) for name, value in found.items()}

    def png(self, data: Any, width: int = 580, height: int = 380, scale: float = 1.0) -> bytes:
        """Return the picture as PNG, ``width`` x ``height`` CSS pixels at ``scale`` dots each."""
        plate = self.plate(data, width, height, scale)
        return plate.encoder.encode(plate.paint(data))
