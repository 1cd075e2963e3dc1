"""Any view on the caller's own Axes."""

from __future__ import annotations

import io
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..engine.trace import Trace
from .canvas import BOTTOM, DPI, LEFT, RIGHT, STYLE
from .legend import SIZE, axes_size, shrink
from .view import VIEWS

WIDTH, HEIGHT, MARGIN = 580, 380, 4  # px of a new figure
MOST = 0.45  # of the height of given axes that title and legend may take


class ShownFigure(Figure):
    """A figure that a notebook shows although pyplot does not know it."""

    def _repr_png_(self) -> bytes:
        out = io.BytesIO()
        self.savefig(out, format="png", dpi="figure")
        return out.getvalue()


class ShownAxes(Axes):
    """The Axes of such a figure, which a notebook shows in the same way."""

    def _repr_png_(self) -> bytes:
        shown: Any = self.figure
        return shown._repr_png_()


def plot(trace: Trace, name: str, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a view of a Trace, of a single run or of a comparison.

    Parameters
    ----------
    name : a key of ``rnnviz.views.VIEWS``.
    ax : the Axes to draw on, inside whose box title and legend find room; by default those of a new Figure.
    options : what the view's ``data`` takes, such as ``theory=True``.

    Returns
    -------
    the Axes.

    Raises
    ------
    ValueError : for an unknown view.
    """
    view = VIEWS[name]
    data = view.data(trace.as_comparison(), **options)
    ax = new_axes() if ax is None else ax
    width, height = axes_size(ax)
    head = view.head(data, width)
    scale = min(1.0, MOST * height / head)
    shrink(ax, height=1 - scale * head / height)
    with rc_context(STYLE | {"legend.fontsize": scale * SIZE, "axes.titlesize": scale * STYLE["axes.titlesize"]}):
        view.draw(ax, data)
    return ax


def new_axes() -> Axes:
    """Return the Axes of a new figure, with the margins of the page's pictures."""
    figure = ShownFigure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    box = (LEFT / WIDTH, BOTTOM / HEIGHT, 1 - (LEFT + RIGHT) / WIDTH, 1 - (BOTTOM + MARGIN) / HEIGHT)
    return figure.add_axes(box, axes_class=ShownAxes)
