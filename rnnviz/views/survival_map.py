"""The map of what survives: the gradient over all gains and distances at once, and where the page stands on it."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from ..engine.survival import Survival, gains_of, is_complete, known_map, mapping, survival_config
from ..engine.trace import Trace
from ..network.config import Config
from ..numerics.progress import mapped
from ..text.language import N_, _
from ..text.number_format import number, plain
from ..theory.memory import correlation_length
from ..theory.prediction import for_trace, sigma_in, sigma_w
from . import legend, scale
from .heat_map import SIGNED, UNKNOWN, WIDTH
from .styles import Style
from .view import Artists, Partial, View, register

Array = np.ndarray
MOST = 3.0  # decades of the strongest colour
LENGTHS = 6.0  # correlation lengths beyond which theory calls a network untrainable (Schoenholz et al. 2017)
ROWS = 24
BOUNDARY: Style = {"color": "#1a1a1a", "linewidth": 1.8, "linestyle": (0, (5, 2)), "marker": ""}
HERE: Style = {"color": "#ffd21f", "marker": "o", "markersize": 9, "markeredgecolor": "#1a1a1a", "markeredgewidth": 1.6}
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True)
class Map:
    """One picture.

    Attributes
    ----------
    values : (K, G), log10 of what is left of the gradient's length at each distance and gain.
    boundary : (G,), theory's distance, nan where it says nothing.
    asked : the gain and the number of steps at which the page stands.
    """

    title: str
    gains: tuple[float, ...]
    distances: tuple[int, ...]
    values: Array
    boundary: Array
    asked: tuple[float, int]

    @property
    def frame(self) -> Hashable:
        return self.title, self.gains, self.distances, self.has_boundary

    @property
    def has_boundary(self) -> bool:
        return bool(np.isfinite(self.boundary).any())

    @property
    def steps(self) -> int:
        """The longest distance."""
        return self.distances[-1]

    @property
    def here(self) -> tuple[float, float]:
        """Where the dot lies: at the edge where the page stands outside the map."""
        gain, steps = self.asked
        return float(np.clip(gain, self.gains[0], self.gains[-1])), float(min(steps, self.steps))

    @property
    def marker(self) -> str:
        """The dot's shape: it points to where the page stands if that is outside the map."""
        gain, steps = self.asked
        return "<" if gain < self.gains[0] else ">" if gain > self.gains[-1] else "^" if steps > self.steps else "o"


@register
class SurvivalMap(View):
    """The gradient of the first scheme at every gain and distance, with the boundary that theory expects."""

    name = "map"
    label = N_("Map")
    help = N_("how much of the gradient survives, at every gain and over every distance")
    question = N_("At which gains does the gradient reach far back?")
    terms = ("you are here",)
    reveals_gradient = True
    slow = True
    places = True

    def is_slow(self, config: Config, **options: Any) -> bool:
        found = known_map(config)
        return found is None or not is_complete(found)

    def computing(self, trace: Trace) -> Generator[Partial, None, Map]:
        trace = trace.as_comparison()
        config = trace.drawn()
        line = boundary(trace, gains_of(config))
        found = yield from mapped(mapping(config), lambda part: Partial(part.share, picture(trace, part.value, line)))
        return picture(trace, found, line)

    def uses(self, data: Map) -> tuple[str, ...]:
        return (*self.terms, "6 ξ") if data.has_boundary else self.terms

    def head(self, data: Map, width: float) -> float:
        return legend.height(list(entries(data)), WIDTH * width)

    def draw(self, ax: Axes, data: Map) -> Artists:
        legend.shrink(ax, width=WIDTH)
        legend.add(ax, data.title, list(entries(data).items()))
        (left, right), (bottom, top) = limits(data.gains), limits(data.distances)
        ax.set(xlabel=_("gain"), ylabel=_("distance k"), facecolor=UNKNOWN)
        look: Style = {"cmap": SIGNED, "norm": Normalize(-MOST, MOST), "aspect": "auto", "interpolation": "nearest"}
        image = ax.imshow(data.values, extent=(left, right, bottom, top), origin="lower", **look)
        for axis, (low, high) in ((ax.xaxis, (left, right)), (ax.yaxis, (bottom, top))):
            shown = [tick for tick in TICKS if low <= np.log10(tick) <= high]
            axis.set_ticks(np.log10(shown), labels=[plain(tick) for tick in shown])
        (line,), (here,) = ax.plot([], [], **BOUNDARY), ax.plot([], [], **HERE)
        ax.set(xlim=(left, right), ylim=(bottom, top))
        key = ax.inset_axes((1.03, 0.0, 0.035, 1.0))
        bar, ends = ax.figure.colorbar(image, cax=key), (-MOST, 0.0, MOST)
        bar.set_ticks(ends, labels=[scale.power_of_ten(end) for end in ends])
        artists: Artists = {"image": [image], "boundary": [line], "here": [here]}
        self.update(artists, data)
        return artists

    def update(self, artists: Artists, data: Map) -> None:
        (image,), (line,), (here,) = (artists[name] for name in ("image", "boundary", "here"))
        image.set_data(np.ma.masked_invalid(np.clip(data.values, -MOST, MOST)))
        line.set_data(np.log10(data.gains), np.log10(data.boundary))
        here.set_data(*([np.log10(value)] for value in data.here))
        here.set_marker(data.marker)

    def describe(self, data: Map) -> str:
        text = _(
            "{title}, for gains from {low} to {high} over 1 to {steps} steps: blue where it fades, red where it grows."
        )
        words = [
            text.format(title=data.title, low=number(data.gains[0]), high=number(data.gains[-1]), steps=data.steps)
        ]
        words.append(survivors(data))
        gain, steps = data.asked
        text = _("The page stands at gain {gain} and {steps} steps.")
        words.append(text.format(gain=number(gain), steps=steps))
        if data.has_boundary:
            k = int(np.nanargmax(data.boundary))
            text = _("Theory's boundary, 6 ξ, reaches furthest at gain {gain}: {steps} steps.")
            words.append(text.format(gain=number(data.gains[k]), steps=number(float(data.boundary[k]))))
        return " ".join(words)

    def place(self, config: Config, x: float, y: float) -> dict[str, Any]:
        asked = survival_config(config)
        (left, right), (bottom, top) = limits(gains_of(asked)), limits(distances_of(asked))
        gain, steps = 10.0 ** (left + x * (right - left)), 10.0 ** (bottom + y * (top - bottom))
        return {"gain": min(float(f"{gain:.3g}"), 20.0), "seq_len": max(1, round(steps))}


def distances_of(config: Config) -> Array:
    """Return the distance that each row shows, (K,), the whole number next to equal ratios."""
    return np.geomspace(1, config.seq_len, ROWS).round().astype(int)


def limits(values: Sequence[float] | Array) -> tuple[float, float]:
    """Return log10 of the outer edges of cells of equal width, the first and last of which have these middles."""
    low, high = np.log10(values[0]), np.log10(values[-1])
    half = 0.5 * (high - low) / (len(values) - 1)
    return float(low - half), float(high + half)


def picture(trace: Trace, found: Survival, line: Array) -> Map:
    """Return what the view shows of a map, as far as it is known."""
    distances = distances_of(found.config)
    title = _("What is left of the gradient k steps back, {scheme}").format(scheme=trace.names[0])
    config = trace.config
    return Map(
        title=title,
        gains=tuple(found.gains.tolist()),
        distances=tuple(distances.tolist()),
        values=found.medians[:, distances].T,
        boundary=np.where(line <= 2.0 * distances[-1], line, np.nan),
        asked=(config.gain, config.seq_len),
    )


def boundary(trace: Trace, gains: Array) -> Array:
    """Return theory's 6 correlation lengths at each gain, (G,), nan where no theory applies."""
    config = trace.drawn()
    if for_trace(trace).log10_grad_norm is None:
        return np.full(len(gains), np.nan)
    last = float(sigma_in(config)[0][-1])
    weights = sigma_w(config.replace(gain=1.0))
    return np.array([LENGTHS * correlation_length(config.activation, float(gain) * weights, last) for gain in gains])


def entries(data: Map) -> dict[str, list[Style]]:
    """Return what the legend calls the boundary and the dot, with their looks."""
    return ({_("theory: 6 ξ"): [BOUNDARY]} if data.has_boundary else {}) | {
        _("you are here"): [HERE | {"linestyle": ""}]
    }


def survivors(data: Map) -> str:
    """Say at which gains the gradient stays within a factor of 10 over the longest distance."""
    kept = [gain for gain, value in zip(data.gains, data.values[-1], strict=True) if abs(value) <= 1.0]
    if not kept:
        return _("At none of them is it within a factor of 10 after {steps} steps.").format(steps=data.steps)
    text = _("After {steps} steps it is within a factor of 10 at gains from {low} to {high}.")
    return text.format(steps=data.steps, low=number(kept[0]), high=number(kept[-1]))
