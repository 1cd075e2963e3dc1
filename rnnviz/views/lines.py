"""Curves over time: what the state and gradient views have in common.

`Lines` is what is drawn, without a word about how: a median with a band over seeds for each scheme, marks for what a
curve cannot show, and the axes. Everything that only changes when the axes change is in its `frame`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ..words import number
from .scale import decade_ticks

Array = np.ndarray

# Told apart by colour-blind eyes (after Okabe & Ito 2008, darkened to 3:1 on white), and by dash and marker without any.
STYLES = (
    {"color": "#0072b2", "linestyle": "-", "marker": "o"},
    {"color": "#c24e00", "linestyle": (0, (6, 2)), "marker": "s"},
    {"color": "#007a5a", "linestyle": (0, (3, 1.5)), "marker": "^"},
    {"color": "#9b3f82", "linestyle": (0, (7, 2, 1.5, 2)), "marker": "D"},
    {"color": "#8a6d00", "linestyle": (0, (1.5, 1.5)), "marker": "v"},
    {"color": "#3c3c3c", "linestyle": (0, (10, 3)), "marker": "P"},
)
MARKS = {"zero": "x", "float32": "|", "nonfinite": "*"}
MARK_WORDS = {"zero": "exactly 0", "float32": "float32 ends", "nonfinite": "not finite"}
MARKS_SHOWN = {"zero": "×", "float32": "|", "nonfinite": "★"}
ENTRY = 40  # px that a legend's sample line takes
LETTER = 6.6  # px that a letter takes


@dataclass(frozen=True)
class Curve:
    """One scheme's curve: median, low and high over seeds, each (T+1,), nan where there is nothing to draw.

    ``marks`` holds (kind, step) pairs with a kind of ``MARKS``; ``beyond`` words for where the curve leaves the axes.
    """

    label: str
    median: Array
    low: Array
    high: Array
    marks: tuple[tuple[str, int], ...] = ()
    beyond: str = ""


@dataclass(frozen=True)
class Frame:
    """The axes: everything drawn once and kept."""

    title: str
    x_label: str
    y_label: str
    x_limit: float
    y_limits: tuple[float, float]
    legend: tuple[str, ...]
    log: bool = True


@dataclass(frozen=True)
class Lines:
    """One picture of curves over time."""

    frame: Frame
    curves: tuple[Curve, ...]
    last_step: int


def set_up(ax: Axes, frame: Frame) -> None:
    """Draw the axes of a frame: limits, ticks, labels, grid and legend."""
    bottom, top = frame.y_limits
    pad = 0.04 * (top - bottom)
    ax.set(xlim=(0, frame.x_limit), ylim=(bottom - pad, top + pad), xlabel=frame.x_label)
    ax.set_ylabel(frame.y_label)
    if frame.log:
        ax.set_yticks(*decade_ticks(bottom, top))
    ax.grid(True, color="#dddddd", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    add_legend(ax, frame)


def legend_columns(frame: Frame, width: float) -> int:
    """Return how many of the legend's entries fit side by side."""
    longest = max((len(name) for name in frame.legend), default=0)
    return int(np.clip((width + 14) // (ENTRY + 14 + LETTER * longest), 1, max(len(frame.legend), 1)))


def legend_rows(frame: Frame, width: float) -> int:
    """Return how many rows the legend takes."""
    return -(-len(frame.legend) // legend_columns(frame, width))


def head(data: Lines, width: float) -> float:
    """Return the pixels that title and legend need."""
    return 30 + 19 * legend_rows(data.frame, width)


def add_legend(ax: Axes, frame: Frame) -> None:
    """Draw the legend above the axes, row by row."""
    width = ax.get_window_extent().width * 100 / ax.figure.dpi
    columns = legend_columns(frame, width)
    rows = legend_rows(frame, width)
    # Matplotlib fills a legend column by column; readers go row by row.
    order = [k for column in range(columns) for k in range(column, len(frame.legend), columns)]
    handles = [Line2D([], [], label=frame.legend[k], markersize=5, **STYLES[k]) for k in order]
    ax.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(-0.012, 1.0), ncols=columns, frameon=False,
        borderaxespad=0.15, handlelength=2.6, columnspacing=1.2, labelspacing=0.35,
    )  # fmt: skip
    size = min(11.0, 72 / 100 * (width + 20) / (0.62 * len(frame.title)))
    ax.set_title(frame.title, loc="left", pad=7 + 13.5 * rows, fontweight="bold", fontsize=size, x=-0.012)


def draw(ax: Axes, data: Lines) -> dict[str, list]:
    """Create the artists of every curve, and fill them."""
    set_up(ax, data.frame)
    end = ax.axvline(0, color="#777777", linewidth=0.9, linestyle=(0, (2, 2)))
    artists = {"end": [end], "bands": [], "lines": [], "marks": [], "words": []}
    for style, _ in zip(STYLES, data.curves, strict=False):
        artists["bands"].append(ax.fill_between([0, 1], 0, 0, color=style["color"], alpha=0.18, linewidth=0))
        artists["lines"].append(ax.plot([], [], linewidth=2.0, markersize=4.5, **style)[0])
        for symbol in MARKS.values():
            artists["marks"].append(ax.plot([], [], symbol, color=style["color"], markersize=9, markeredgewidth=2)[0])
        artists["words"].append(ax.text(0, 0, "", color=style["color"], fontsize="small", ha="right", va="bottom"))
    update(artists, data)
    return artists


def update(artists: dict[str, list], data: Lines) -> None:
    """Give the artists the values of ``data``, whose frame must be the one they were drawn in."""
    artists["end"][0].set_xdata([data.last_step] * 2)
    for k, curve in enumerate(data.curves):
        steps = np.arange(len(curve.median))
        artists["lines"][k].set_data(steps, curve.median)
        artists["lines"][k].set_markevery((k, max(1, len(steps) // 8)))
        artists["bands"][k].set_verts(band(steps, curve))
        update_marks(artists["marks"][k * len(MARKS) : (k + 1) * len(MARKS)], curve, data.frame)
    update_words(artists["words"], data)


def update_marks(artists: list, curve: Curve, frame: Frame) -> None:
    """Put a mark at the axes' edge for each thing that the curve cannot show."""
    bottom, top = frame.y_limits
    for artist, kind in zip(artists, MARKS, strict=True):
        at = [step for name, step in curve.marks if name == kind]
        artist.set_data(at, [top if kind == "nonfinite" else bottom] * len(at))


def update_words(artists: list, data: Lines) -> None:
    """Say beside the right edge where a curve goes that leaves the axes, and what its marks mean."""
    bottom, top = data.frame.y_limits
    # The axes' height in lines of text, so that the words of one curve stand above those of the one before.
    line = (top - bottom) / (artists[0].axes.bbox.height / artists[0].figure.dpi * 100 / 15) if artists else 0.0
    height = bottom + 0.5 * line
    for text, curve in zip(artists, data.curves, strict=True):
        words = [curve.beyond] if curve.beyond else []
        words += [f"{MARKS_SHOWN[kind]} {MARK_WORDS[kind]} at t = {step}" for kind, step in curve.marks]
        text.set_text("\n".join([f"{curve.label}:", *words]) if words else "")
        text.set_position((0.93 * data.frame.x_limit, height))
        height += line * (len(words) + 1.3 if words else 0)


def band(steps: Array, curve: Curve) -> list[Array]:
    """Return the polygon between low and high, where both are numbers."""
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    if known.sum() < 2:
        return []
    x, low, high = steps[known], curve.low[known], curve.high[known]
    return [np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])])]


def extremes(curves: tuple[Curve, ...]) -> tuple[list[float], list[float]]:
    """Return the least and the greatest value of each curve's median; 0 where it has none."""
    known = [each.median[np.isfinite(each.median)] for each in curves]
    return [float(k.min(initial=0.0)) for k in known], [float(k.max(initial=0.0)) for k in known]


def with_arrow(curve: Curve, limits: tuple[float, float], t: int) -> Curve:
    """Return the curve with words for its value at step ``t``, where that lies outside the axes."""
    value = curve.median[t]
    if not np.isfinite(value) or limits[0] <= value <= limits[1]:
        return curve
    arrow = "↓" if value < limits[0] else "↑"
    return replace(curve, beyond=f"{arrow} {number(value, log10=True)} at t = {t}")
