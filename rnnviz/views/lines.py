"""Curves over time: what the state and gradient views have in common.

`Lines` is what is drawn, without a word about how: a median with a band over seeds for each scheme, marks for what a
curve cannot show, and the axes. Everything that only changes when the axes change is in its `frame`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ..text.language import N_, _
from ..text.number_format import number, plain
from . import legend, root
from .scale import Ticks, decade_ticks
from .view import VIEWS, View

Array = np.ndarray

# Told apart by colour-blind eyes (after Okabe & Ito 2008, darkened to 3:1 on white), and by dash and marker without.
STYLES = (
    {"color": "#0072b2", "linestyle": "-", "marker": "o"},
    {"color": "#c24e00", "linestyle": (0, (6, 2)), "marker": "s"},
    {"color": "#007a5a", "linestyle": (0, (3, 1.5)), "marker": "^"},
    {"color": "#9b3f82", "linestyle": (0, (7, 2, 1.5, 2)), "marker": "D"},
    {"color": "#5e3a00", "linestyle": (0, (1.5, 1.5)), "marker": "v"},
    {"color": "#3c3c3c", "linestyle": (0, (10, 3)), "marker": "P"},
)
MARKS = {"zero": "x", "float32": "|", "nonfinite": "*"}
MARK_WORDS = {
    "zero": N_("exactly 0 at t = {step}"),
    "float32": N_("float32 ends at t = {step}"),
    "nonfinite": N_("not finite at t = {step}"),
}
PAD = 0.04  # of the axes' height, drawn beyond their limits
LABEL = 53  # px from the axes to the label beside them, whatever the ticks are called
MARKS_SHOWN = {"zero": "×", "float32": "|", "nonfinite": "★"}
HOLLOW = {"markersize": 5.5, "markerfacecolor": "#ffffff", "markeredgewidth": 1.1}
THEORY = {"color": "#1a1a1a", "linewidth": 1.2, **HOLLOW}
NARROW = {"linewidth": 3.0, "linestyle": (0, (0.6, 1.6)), "marker": ""}
PINNED = {"color": "#7a7a7a", "linewidth": 1.6, "marker": ""}
# What differs from the look of the curve that a line belongs to: where all curves may have one, their markers stay.
OVERLAYS = {
    N_("theory"): {**THEORY, "linestyle": "-"},
    N_("theory, not to be trusted"): {**THEORY, "linestyle": (0, (4, 3))},
    "∂L/∂c": {"linewidth": 1.1, "linestyle": "-", **HOLLOW},
    N_("in float32"): NARROW,
    N_("in float16"): NARROW,
    N_("in bfloat16"): NARROW,
    N_("pinned"): {**PINNED, "linestyle": "-"},
    N_("pinned too"): {**PINNED, "linestyle": (0, (5, 2))},
    N_("pinned as well"): {**PINNED, "linestyle": (0, (2, 2))},
}


@dataclass(frozen=True)
class Curve:
    """One scheme's curve: median, low and high over seeds, each (T+1,), nan where there is nothing to draw.

    ``marks`` holds (kind, step) pairs with a kind of ``MARKS``; ``beyond`` words for where the curve leaves the axes;
    ``steps`` where its points lie, where that is not 0, 1, 2, ...
    """

    label: str
    median: Array
    low: Array
    high: Array
    marks: tuple[tuple[str, int], ...] = ()
    beyond: str = ""
    steps: Array | None = None


@dataclass(frozen=True)
class Overlay:
    """One more line: a kind of ``OVERLAYS``, the place of the curve that it belongs to, values (T+1,), its own name."""

    kind: str
    curve: int
    values: Array
    name: str = ""


@dataclass(frozen=True)
class Frame:
    """The axes: everything drawn once and kept. ``overlays`` holds each overlay's kind, curve and name."""

    title: str
    x_label: str
    y_label: str
    x_limit: float
    y_limits: tuple[float, float]
    legend: tuple[str, ...]
    log: bool = True
    overlays: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True)
class Lines:
    """One picture of curves over time; ``root`` is the step at which one W_hh, used again and again, begins to show."""

    frame: Frame
    curves: tuple[Curve, ...]
    last_step: int
    overlays: tuple[Overlay, ...] = ()
    root: float | None = None


def set_up(ax: Axes, frame: Frame) -> None:
    """Draw the axes of a frame: limits, ticks, labels, grid and legend."""
    bottom, top = frame.y_limits
    pad = PAD * (top - bottom)
    ax.set(xlim=(0, frame.x_limit), ylim=(bottom - pad, top + pad), xlabel=frame.x_label)
    ax.set_ylabel(frame.y_label)
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    ax.xaxis.set_major_formatter(Ticks())
    ax.yaxis.set_label_coords(-LABEL / legend.axes_width(ax), 0.5)
    if frame.log:
        ax.set_yticks(*decade_ticks(bottom, top))
    else:
        ticks = np.linspace(bottom, top, 5)
        ax.set_yticks(ticks, [plain(tick, ".3g") for tick in ticks])
    ax.grid(True, color="#dddddd", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    entries = [(name, STYLES[k]) for k, name in enumerate(frame.legend)]
    entries += [(name, *looks) for name, looks in overlay_looks(frame).items()]
    legend.add(ax, frame.title, entries)


def head(data: Lines, width: float) -> float:
    """Return the pixels that title and legend need."""
    return legend.height([*data.frame.legend, *overlay_looks(data.frame)], width)


def overlay_looks(frame: Frame) -> dict[str, list[dict[str, Any]]]:
    """Return the legend's entries for the overlays, each once, with the looks of its lines, where dashed of one."""
    looks: dict[str, list[dict[str, Any]]] = {}
    for kind, k, name in frame.overlays:
        look = STYLES[k] | OVERLAYS[kind]
        if look["linestyle"] == "-":
            looks.setdefault(name or _(kind), []).append(look)
        else:  # markers would hide the dash
            looks[name or _(kind)] = [look | {"marker": ""}]
    return looks


def keys(overlays: Sequence[Overlay]) -> tuple[tuple[str, int, str], ...]:
    """Return what a frame holds of its overlays."""
    return tuple((each.kind, each.curve, each.name) for each in overlays)


def draw(ax: Axes, data: Lines) -> dict[str, list]:
    """Create the artists of every curve, and fill them."""
    set_up(ax, data.frame)
    end = ax.axvline(0, color="#777777", linewidth=0.9, linestyle=(0, (2, 2)))
    artists = {
        "end": [end],
        "root": root.create(ax, data.frame.y_limits, PAD),
        "bands": [],
        "lines": [],
        "overlays": [],
        "marks": [],
        "words": [],
    }
    for kind, k, _name in data.frame.overlays:
        artists["overlays"].append(ax.plot([], [], **STYLES[k] | OVERLAYS[kind])[0])
    for style, _curve in zip(STYLES, data.curves, strict=False):
        artists["bands"].append(ax.fill_between([0, 1], 0, 0, color=style["color"], alpha=0.24, linewidth=0))
        artists["lines"].append(ax.plot([], [], linewidth=2.0, markersize=4.5, **style)[0])
        for symbol in MARKS.values():
            artists["marks"].append(ax.plot([], [], symbol, color=style["color"], markersize=9, markeredgewidth=2)[0])
        artists["words"].append(ax.text(0, 0, "", color=style["color"], fontsize="small", ha="right", va="bottom"))
    update(artists, data)
    return artists


def update(artists: dict[str, list], data: Lines) -> None:
    """Give the artists the values of ``data``, whose frame must be the one they were drawn in."""
    artists["end"][0].set_xdata([data.last_step] * 2)
    root.place(artists["root"], data.root)
    for k, curve in enumerate(data.curves):
        steps = np.arange(len(curve.median)) if curve.steps is None else curve.steps
        artists["lines"][k].set_data(steps, curve.median)
        artists["lines"][k].set_markevery(sparse(k, len(steps)))
        artists["bands"][k].set_verts(band(steps, curve))
        update_marks(artists["marks"][k * len(MARKS) : (k + 1) * len(MARKS)], curve, data.frame)
    for artist, overlay in zip(artists["overlays"], data.overlays, strict=True):
        artist.set_data(np.arange(len(overlay.values)), overlay.values)
        artist.set_markevery(sparse(overlay.curve, len(overlay.values), between=True))
    update_words(artists["words"], data)


def sparse(k: int, points: int, between: bool = False) -> tuple[int, int]:
    """Return the first point with a marker, and how far on the next is; ``between`` those of the k-th curve itself."""
    gap = 1 if points < 6 else max(2, points // 8)
    return (k + between * (gap // 2)) % gap, gap


def update_marks(artists: list, curve: Curve, frame: Frame) -> None:
    """Put a mark at the axes' edge for each thing that the curve cannot show."""
    bottom, top = frame.y_limits
    for artist, kind in zip(artists, MARKS, strict=True):
        at = [step for name, step in curve.marks if name == kind]
        artist.set_data(at, [top if kind == "nonfinite" else bottom] * len(at))
        artist.set_visible(bool(at))


def update_words(artists: list, data: Lines) -> None:
    """Say beside the right edge where a curve goes that leaves the axes, and what its marks mean."""
    bottom, top = data.frame.y_limits
    # The axes' height in lines of text, so that the words of one curve stand above those of the one before.
    line = (top - bottom) / (artists[0].axes.bbox.height / artists[0].figure.dpi * 100 / 15) if artists else 0.0
    height = bottom + 0.5 * line
    for text, curve in zip(artists, data.curves, strict=True):
        words = curve.beyond.split("\n") if curve.beyond else []
        words += [f"{MARKS_SHOWN[kind]} {_(MARK_WORDS[kind]).format(step=step)}" for kind, step in curve.marks]
        text.set_text("\n".join([f"{curve.label}:", *words]) if words else "")
        text.set_position((0.93 * data.frame.x_limit, height))
        height += line * (len(words) + 1.3 if words else 0)


def band(steps: Array, curve: Curve) -> list[Array]:
    """Return the polygon between low and high, where both are numbers; none where they are the same, as of one seed."""
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    if known.sum() < 2 or np.array_equal(curve.low[known], curve.high[known]):
        return []
    x, low, high = steps[known], curve.low[known], curve.high[known]
    return [np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])])]


def extremes(curves: Sequence[Curve], overlays: Sequence[Overlay] = ()) -> tuple[list[float], list[float]]:
    """Return the least and the greatest value of each curve's median and of what is pinned; 0 where it has none."""
    values = [each.median for each in curves] + [each.values for each in overlays if each.kind.startswith("pinned")]
    known = [each[np.isfinite(each)] for each in values]
    return [float(k.min(initial=0.0)) for k in known], [float(k.max(initial=0.0)) for k in known]


def theory(k: int, values: Array | None, trusted: Array) -> list[Overlay]:
    """Return theory's line for the k-th curve, dashed where ``trusted`` (T+1,) is False."""
    if values is None:
        return []
    finite = np.where(np.isfinite(values), values, np.nan)
    # The two parts share the last trusted point, so that the line is not broken there.
    doubted = ~trusted | ~np.roll(trusted, 1) | ~np.roll(trusted, -1)
    lines = [Overlay("theory", k, np.where(trusted, finite, np.nan))]
    if not trusted.all():
        lines.append(Overlay("theory, not to be trusted", k, np.where(doubted, finite, np.nan)))
    return lines


def pinned(pins: Sequence[tuple[str, Sequence[Curve]]]) -> list[Overlay]:
    """Return the curves that were pinned, in grey: pairs of what they are called and the curves."""
    kinds = ("pinned", "pinned too", "pinned as well")
    return [
        Overlay(kind, 0, curve.median, f"{name}: {curve.label}" if k else name)
        for kind, (name, curves) in zip(kinds, pins, strict=False)
        for k, curve in enumerate(curves)
    ]


def register(
    name: str, label: str, help: str, data: Callable[..., Lines], describe: Callable[[Lines], str], **more: Any
):
    """Register a view of curves: what it shows and how it says so is its own, the drawing is this file's."""
    view = View(name, label, help, data, lambda data: data.frame, head, draw, update, describe, **more)
    VIEWS.add(name, view)


def covered(data: Lines) -> Lines:
    """Return the same picture with nothing in it that tells what happened, its axes' range included."""
    nothing = np.full(2, np.nan)
    hidden = replace(
        data.frame, title=_("The gradient is covered: place your bet"), y_limits=(-10.0, 10.0), overlays=()
    )
    curves = tuple(Curve(curve.label, nothing, nothing, nothing) for curve in data.curves)
    return replace(data, frame=hidden, curves=curves, overlays=(), root=None)


def describe_overlays(data: Lines, step: int) -> list[str]:
    """Say what theory expects at one step, and where each other line lies there, or at the end next to it."""
    said = []
    for each in data.overlays:
        label, known = data.curves[each.curve].label, np.flatnonzero(np.isfinite(each.values))
        if not known.size:
            continue
        at = int(known[np.argmin(np.abs(known - step))])
        value = number(each.values[at], log10=data.frame.log)
        text = _("{line}: {value} at step {step}.") if at == step else _("{line}: ends with {value} at step {step}.")
        if each.kind.startswith("theory"):
            text = _("Theory expects {value} at step {step} for {curve}.") if at == step else ""
        line = each.name or f"{_(each.kind)}, {label}"
        said.append(text.format(line=line, value=value, step=at, curve=label))
    return [text for text in said if text]


def with_arrow(curve: Curve, limits: tuple[float, float], t: int, place: str = "", log: bool = True) -> Curve:
    """Return the curve with words for its value at step ``t`` (or ``place``), where that lies outside the axes."""
    value, pad = curve.median[t], PAD * (limits[1] - limits[0])
    if not np.isfinite(value) or limits[0] - pad <= value <= limits[1] + pad:
        return curve
    arrow = "↓" if value < limits[0] else "↑"
    words = _("{value} at {place}").format(value=f"{arrow} {number(value, log10=log)}", place=place or f"t = {t}")
    return replace(curve, beyond=f"{words}\n{curve.beyond}" if curve.beyond else words)
