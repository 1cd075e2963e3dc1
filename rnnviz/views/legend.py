"""Title and legend above the axes, row by row, as many entries side by side as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D

from .styles import Style

SIZE = 9.5  # points of the entries' text, for which the sizes below hold
ENTRY = 54  # px that a legend's sample line takes, with its gaps
LETTER = 6.6  # px that a letter takes
TIGHT = 0.86  # of its size, to which text shrinks where that saves a row
ROW = 19  # px
TITLE = 30  # px


def widest(names: Sequence[str]) -> float:
    """Return the pixels that the longest entry takes."""
    return ENTRY + LETTER * max((len(name) for name in names), default=0)


def columns(names: Sequence[str], width: float) -> int:
    """Return how many entries fit side by side."""
    return max(1, min(int(width // (TIGHT * widest(names))), len(names)))


def height(names: Sequence[str], width: float) -> int:
    """Return the pixels that title and legend need above axes of this width."""
    return TITLE + ROW * -(-len(names) // columns(names, width))


def axes_size(ax: Axes) -> tuple[float, float]:
    """Return the axes' width and height in CSS pixels."""
    box = ax.get_window_extent()
    return box.width * 100 / ax.figure.dpi, box.height * 100 / ax.figure.dpi


def shrink(ax: Axes, width: float = 1.0, height: float = 1.0) -> None:
    """Leave room for what stands beside the axes, at the right and at the top, unless a layout engine does that."""
    if ax.figure.get_layout_engine() is None:
        box = ax.get_position()
        ax.set_position((box.x0, box.y0, box.width * width, box.height * height))


def points(setting: Any) -> float:
    """Return a font size of matplotlib's settings, which may be a word, in points."""
    return FontProperties(size=rcParams[setting]).get_size_in_points()


def write_title(ax: Axes, title: str, **place: Any) -> None:
    """Write the title as large as fits above the axes."""
    room = axes_size(ax)[0] + 14
    size = min(points("axes.titlesize"), 0.72 * room / (0.62 * len(title)))
    ax.set_title(title, loc="left", fontweight="bold", fontsize=size, x=-0.012, **place)


def write_y_label(ax: Axes, text: str) -> None:
    """Write what stands beside the axes as large as fits there."""
    room = axes_size(ax)[1] + 24
    ax.set_ylabel(text, fontsize=points("axes.labelsize") * min(1.0, room / (LETTER * max(1, len(text)))))


def add(ax: Axes, title: str, entries: Sequence[tuple[str, Sequence[Style]]]) -> None:
    """Draw title and legend; an entry is a name and the styles of its lines."""
    width, size = axes_size(ax)[0], points("legend.fontsize")
    names = [name for name, _styles in entries]
    across = columns(names, width)
    size_of_names = size * min(1.0, width / (across * widest(names)))
    # Matplotlib fills a legend column by column; readers go row by row.
    order = [k for column in range(across) for k in range(column, len(names), across)]
    ax.legend(
        [sample(entries[k][1]) for k in order], [names[k] for k in order],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)}, fontsize=size_of_names,
        loc="lower left", bbox_to_anchor=(-0.012, 1.0), ncols=across, frameon=False,
        borderaxespad=0.15, handlelength=2.6, columnspacing=1.2, labelspacing=0.35,
    )  # fmt: skip
    rows = -(-len(names) // across)
    write_title(ax, title, pad=(7 + 0.72 * ROW * rows) * size / SIZE)


def sample(styles: Sequence[Style]) -> tuple[Line2D, ...]:
    """Return the lines of one entry, which stand side by side."""
    size = min(5.0, 24.0 / len(styles))
    return tuple(Line2D([], [], **style | {"markersize": size}) for style in styles)
