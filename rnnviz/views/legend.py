"""Title and legend above the axes, row by row, as many entries side by side as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D

ENTRY = 54  # px that a legend's sample line takes, with its gaps
LETTER = 6.6  # px that a letter takes
ROW = 19  # px
TITLE = 30  # px
BUTTONS = 92  # px at the end of the title's line that a page's buttons take, where they do not stand below


def columns(names: Sequence[str], width: float) -> int:
    """Return how many entries fit side by side."""
    longest = max((len(name) for name in names), default=0)
    return max(1, min(int((width + 14) // (ENTRY + LETTER * longest)), len(names)))


def height(names: Sequence[str], width: float) -> int:
    """Return the pixels that title and legend need above axes of this width."""
    return TITLE + ROW * -(-len(names) // columns(names, width))


def axes_width(ax: Axes) -> float:
    """Return the axes' width in CSS pixels."""
    return ax.get_window_extent().width * 100 / ax.figure.dpi


def title_size(title: str, width: float) -> float:
    """Return the points at which a title fits above axes of this width."""
    room = width + 14 - (BUTTONS if width > 400 else 0)
    return min(11.0, 0.72 * room / (0.62 * len(title)))


def add(ax: Axes, title: str, entries: Sequence[tuple[str, *tuple[dict[str, Any], ...]]]) -> None:
    """Draw them; an entry is a name and the styles of its lines."""
    width = axes_width(ax)
    names = [name for name, *_styles in entries]
    across = columns(names, width)
    # Matplotlib fills a legend column by column; readers go row by row.
    order = [k for column in range(across) for k in range(column, len(names), across)]
    ax.legend(
        [sample(entries[k][1:]) for k in order], [names[k] for k in order],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="lower left", bbox_to_anchor=(-0.012, 1.0), ncols=across, frameon=False,
        borderaxespad=0.15, handlelength=2.6, columnspacing=1.2, labelspacing=0.35,
    )  # fmt: skip
    above = 7 + 0.72 * ROW * -(-len(names) // across)
    ax.set_title(title, loc="left", pad=above, fontweight="bold", fontsize=title_size(title, width), x=-0.012)


def sample(styles: Sequence[dict[str, Any]]) -> tuple[Line2D, ...]:
    """Return the lines of one entry, which stand side by side."""
    size = min(5.0, 24.0 / len(styles))
    return tuple(Line2D([], [], **style | {"markersize": size}) for style in styles)
