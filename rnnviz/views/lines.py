"""Curves over time: what the state, gradient, gates and Jacobian views have in common.

`Lines` holds what is drawn: a median with a band over seeds (see `left_out`) for each scheme, marks for what a curve
cannot show, and the axes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from ..engine.trace import Trace
from ..numerics.quantiles import over_seeds
from ..text.glossary import DRAWS, LEAVES
from ..text.language import N_, _
from ..text.number_format import number, plain
from . import legend, overlays, scale
from .overlays import Overlay, finite
from .styles import ALT_WORDS, MARK_SIGNS, MARK_WORDS, STYLES, SYMBOLS
from .view import Artists, View, titled

Array = np.ndarray
Marks = list[tuple[str, int]]
PAD = 0.04  # of the axes' height, drawn beyond their limits
LABEL = 53  # px from the axes to the label beside them, whatever the width of the tick labels
NOTE = 26  # px from the axes down to the note on bands
NOTE_ROOM = 430  # px of width from which there is room for it


@dataclass(frozen=True)
class Curve:
    """One scheme's curve: median and both ends of its band, each (T+1,), nan where there is nothing to draw.

    ``marks`` holds (kind, step) pairs with a kind of ``MARK_SIGNS``; ``beyond`` words for where the curve leaves the
    axes; ``steps`` the x values, where those are not 0, 1, 2, ...
    """

    label: str
    median: Array
    low: Array
    high: Array
    marks: tuple[tuple[str, int], ...] = ()
    beyond: str = ""
    steps: Array | None = None

    @property
    def band(self) -> list[Array]:
        """The polygon of the band, none where both its ends are equal, as for one seed."""
        known = np.isfinite(self.low) & np.isfinite(self.high)
        if known.sum() < 2 or np.array_equal(self.low[known], self.high[known]):
            return []
        x, low, high = (part[known] for part in (places(self.median, self.steps), self.low, self.high))
        return [np.column_stack([np.r_[x, x[::-1]], np.r_[low, high[::-1]]])]

    def words(self, beside: bool) -> list[str]:
        """Return lines of text that say where it goes and what its marks mean, with its name before or above them."""
        words = self.beyond.split("\n") if self.beyond else []
        words += [f"{MARK_SIGNS[kind]} {_(MARK_WORDS[kind]).format(step=step)}" for kind, step in self.marks]
        words = [f"{self.label}:", *words] if words else []
        return [" ".join(words[:2]), *words[2:]] if words and beside else words


@dataclass(frozen=True)
class Lines:
    """One picture of curves over time.

    Attributes
    ----------
    title, x_label, y_label, x_limit, y_limits, log : the axes.
    curves, overlays : the lines.
    last_step : where the curves end.
    root : where the mark of √H stands, if anywhere.
    back : T where the horizontal axis counts the distance T - t.
    seeds : how many seeds the bands are over; 1 where there are no such bands.
    terms : what the vertical axis needs, keys of ``TERMS``.
    timed : whether the horizontal axis counts steps.
    beside : whether a curve's words stand beside its name, which is short.
    """

    title: str
    x_label: str
    y_label: str
    x_limit: float
    y_limits: tuple[float, float]
    last_step: int
    curves: Sequence[Curve]
    overlays: Sequence[Overlay] = ()
    log: bool = True
    root: float | None = None
    back: int | None = None
    seeds: int = 1
    terms: tuple[str, ...] = ()
    timed: bool = True
    beside: bool = False

    @property
    def frame(self) -> Hashable:
        """Everything that is drawn once and kept."""
        axes = (self.title, self.x_label, self.y_label, self.x_limit, self.y_limits, self.log)
        return (*axes, *self.labels, *self.overlays)

    @property
    def labels(self) -> list[str]:
        return [curve.label for curve in self.curves]

    def head(self, width: float) -> float:
        return legend.height([*self.labels, *overlays.looks(self.overlays)], width)

    def draw(self, ax: Axes) -> Artists:
        self.set_up(ax)
        end = ax.axvline(0, color="#777777", linewidth=0.9, linestyle=(0, (2, 2)))
        root = ax.axvline(0, color="#6b6b6b", linewidth=1.2, linestyle=(0, (1, 2)))
        bottom, top = self.y_limits
        name = ax.text(0, top + 0.5 * PAD * (top - bottom), " √H", color="#555555", fontsize="small", va="top")
        below = ax.transAxes + ScaledTranslation(0, -NOTE / 100, ax.figure.dpi_scale_trans)
        note = ax.text(1.0, 0.0, "", transform=below, color="#555555", fontsize="small", ha="right", va="top")
        note.set_visible(legend.axes_size(ax)[0] > NOTE_ROOM)
        artists: Artists = {"end": [end], "root": [root, name], "band": [note]}
        artists |= {"bands": [], "lines": [], "overlays": [], "marks": [], "words": []}
        for overlay in self.overlays:
            artists["overlays"] += ax.plot([], [], **overlay.look)
        for style, _curve in zip(STYLES, self.curves, strict=False):
            color = style["color"]
            artists["bands"].append(ax.fill_between([0, 1], 0, 0, color=color, alpha=0.24, linewidth=0))
            artists["lines"] += ax.plot([], [], linewidth=2.0, markersize=4.5, **style)
            for symbol in SYMBOLS.values():
                artists["marks"] += ax.plot([], [], symbol, color=color, markersize=9, markeredgewidth=2)
            artists["words"].append(ax.text(0, 0, "", color=color, fontsize="small", ha="right", va="bottom"))
        self.update(artists)
        return artists

    def set_up(self, ax: Axes) -> None:
        """Draw the axes: limits, ticks, labels, grid and legend."""
        bottom, top = self.y_limits
        pad = PAD * (top - bottom)
        ax.set(xlim=(0, self.x_limit), ylim=(bottom - pad, top + pad), xlabel=self.x_label)
        legend.write_y_label(ax, self.y_label)
        scale.count_on(ax.xaxis)
        beside = ax.transAxes + ScaledTranslation(-LABEL / 100, 0, ax.figure.dpi_scale_trans)
        ax.yaxis.set_label_coords(0, 0.5, transform=beside)
        if self.log:
            ax.set_yticks(*scale.decade_ticks(bottom, top))
        else:
            ticks = np.linspace(bottom, top, 5)
            ax.set_yticks(ticks, [plain(tick, ".3g") for tick in ticks])
        scale.draw_grid(ax)
        ax.spines[["top", "right"]].set_visible(False)
        curves = [(name, [style]) for name, style in zip(self.labels, STYLES, strict=False)]
        legend.add(ax, self.title, [*curves, *overlays.looks(self.overlays).items()])

    def update(self, artists: Artists) -> None:
        artists["end"][0].set_xdata([self.last_step] * 2)
        root, name = artists["root"]
        root.set_xdata([self.root or 0] * 2)
        name.set_x(self.root or 0)
        for artist in (root, name):
            artist.set_visible(self.root is not None)
        artists["band"][0].set_text(overlays.band_words(self.seeds)[0])
        for k, curve in enumerate(self.curves):
            artists["lines"][k].set_data(places(curve.median, curve.steps), curve.median)
            artists["lines"][k].set_markevery(sparse(k, len(curve.median)))
            artists["bands"][k].set_verts(curve.band)
            for sign, artist in zip(SYMBOLS, artists["marks"][k * len(SYMBOLS) :], strict=False):
                at = [step for kind, step in curve.marks if MARK_SIGNS[kind] == sign]
                artist.set_data(at, [self.y_limits[sign == "★"]] * len(at))
                artist.set_visible(bool(at))
        for artist, overlay in zip(artists["overlays"], self.overlays, strict=True):
            artist.set_data(places(overlay.values, overlay.steps), overlay.values)
            artist.set_markevery(sparse(overlay.curve, len(overlay.values), between=True))
        self.update_words(artists["words"])

    def update_words(self, artists: list) -> None:
        """Write near the right edge where a curve that leaves the axes goes, and what its marks mean."""
        bottom, top = self.y_limits
        # The axes' height in lines of text, so that each curve's words stand above the previous one's.
        line = 15 * (top - bottom) / legend.axes_size(artists[0].axes)[1] if artists else 0.0
        height = bottom + 0.5 * line
        for text, curve in zip(artists, self.curves, strict=True):
            words = curve.words(self.beside)
            text.set_text("\n".join(words))
            text.set_position((0.93 * self.x_limit, height))
            height += line * (len(words) + 0.3 if words else 0)

    def covered(self) -> Lines:
        nothing, title = np.full(2, np.nan), _("The gradient is covered")
        curves = [Curve(label, nothing, nothing, nothing) for label in self.labels]
        return replace(self, title=title, y_limits=(-10.0, 10.0), curves=curves, overlays=(), root=None)

    def uses(self, terms: Sequence[str]) -> tuple[str, ...]:
        marks = [MARK_SIGNS[kind] for curve in self.curves for kind, _step in curve.marks]
        found = [*self.terms, *terms, *[each.term for each in self.overlays]]
        found += [DRAWS] * (self.seeds > 1) + [LEAVES] * any({*"↓↑"} & {*curve.beyond} for curve in self.curves)
        return tuple(dict.fromkeys([*found, *marks, *(["√H"] if self.root else [])]))


class CurveView(View):
    """A view of curves over time: a subclass defines ``data`` and, where needed, ``values`` or ``story``.

    Attributes
    ----------
    backward : whether the story runs from step T to step 0, as a gradient's does.
    opens, first : the alt text's first sentence, on the axes, and the first step that it names.
    """

    timed = True
    backward = False
    opens = N_("{title} ({label}) at steps {first} to {last}.")
    first = 0

    def over_steps(self, trace: Trace, title: str, curves: Sequence[Curve], **rest: Any) -> Lines:
        """Return a picture of curves over the steps of a trace, given what else `Lines` has."""
        x_label = _("step t  (← backpropagation)") if self.backward else _("step t")
        rest["seeds"] = len(trace.seeds) if curves and not self.first_seed else 1
        rest |= {"last_step": trace.config.seq_len, "x_limit": scale.steps_limit(trace.config.seq_len)}
        return Lines(titled(title, trace), x_label, curves=curves, **rest)

    def describe(self, data: Lines) -> str:
        words = [self.opening(data), *(self.story(curve, data) for curve in data.curves)]
        words += overlays.describe(data.overlays, data.labels, 0 if self.backward else data.last_step, data.log)
        words += [overlays.root_words(data.root, self.backward), overlays.band_words(data.seeds)[1]]
        return " ".join(filter(None, words))

    def opening(self, data: Lines) -> str:
        text = _(self.opens) if data.curves else "{title}."
        named = {"title": data.title, "label": data.y_label, "first": self.first, "step": data.last_step}
        return text.format(**named, last=data.last_step)

    def story(self, curve: Curve, data: Lines) -> str:
        """Return a sentence on one curve, "" where there is nothing to say."""
        words, marks = self.values(curve, data), dict(curve.marks)
        words += [_(ALT_WORDS[kind][self.backward]).format(step=marks[kind]) for kind in ALT_WORDS if kind in marks]
        return f"{curve.label}: {'; '.join(words)}." if words else ""

    def values(self, curve: Curve, data: Lines) -> list[str]:
        """Return what the alt text says of a curve's values: by default the first after step 0, and the last."""
        known = np.flatnonzero(np.isfinite(curve.median[1:])) + 1
        if not known.size:
            return []
        start, end = (number(curve.median[t], log10=data.log) for t in known[[0, -1]])
        if known.size == 1:
            return [_("{value} at step {step}").format(value=end, step=known[0])]
        text = _("{start} at step {first}, {end} at step {last}")
        return [text.format(start=start, first=known[0], end=end, last=known[-1])]


def curve_of(label: str, values: Array, marks: Marks) -> Curve:
    """Return one scheme's curve from its seeds' values (R, T+1)."""
    median, low, high = (finite(part) for part in over_seeds(values))
    hidden = np.isnan(median)
    return Curve(label, median, np.where(hidden, np.nan, low), np.where(hidden, np.nan, high), tuple(marks))


def overflow(trace: Trace, k: int) -> Marks:
    """Return the mark of the first step at which a state of the k-th scheme is not finite, in all or in some draws."""
    over = trace.first_nonfinite[k] >= 0
    kind = "nonfinite" if over.all() else "some nonfinite"
    return [(kind, int(trace.first_nonfinite[k][over].min()))] if over.any() else []


def places(values: Array, steps: Array | None) -> Array:
    """Return the x values of a line, 0, 1, 2, ... unless it has its own."""
    return np.arange(len(values)) if steps is None else steps


def sparse(k: int, points: int, between: bool = False) -> tuple[int, int]:
    """Return the first point with a marker and the gap to the next; ``between`` those of the k-th curve itself."""
    gap = 1 if points < 6 else max(2, points // 8)
    return (k + between * (gap // 2)) % gap, gap


def extremes(curves: Sequence[Curve], pins: Sequence[Overlay] = ()) -> tuple[list[float], list[float]]:
    """Return the least and the greatest value of each curve's median and of each pin; 0 where it has none."""
    values = [curve.median for curve in curves] + [pin.values for pin in pins]
    known = [each[np.isfinite(each)] for each in values]
    return [float(k.min(initial=0.0)) for k in known], [float(k.max(initial=0.0)) for k in known]


def with_arrow(curve: Curve, limits: tuple[float, float], t: int, place: str = "", log: bool = True) -> Curve:
    """Return the curve with words for its value at step ``t`` (or ``place``), where that lies outside the axes."""
    value, pad = curve.median[t], PAD * (limits[1] - limits[0])
    if not np.isfinite(value) or limits[0] - pad <= value <= limits[1] + pad:
        return curve
    arrow = "↓" if value < limits[0] else "↑"
    words = _("{value} at {place}").format(value=f"{arrow} {number(value, log10=log)}", place=place or f"t = {t}")
    return replace(curve, beyond=f"{words}\n{curve.beyond}" if curve.beyond else words)
