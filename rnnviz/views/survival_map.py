"""The map of what survives: the gradient over all gains and distances at once, and where the page stands on it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from ..engine.survival import Survival, gains_of, is_complete, known_map, mapping, survival_config
from ..engine.trace import Trace
from ..network.config import Config, applies
from ..network.sampling import gain_of
from ..network.schemes import SCHEMES
from ..numerics.progress import mapped
from ..text.language import N_, _
from ..text.number_format import number, percent
from ..theory.memory import correlation_length
from ..theory.prediction import predict, sigma_in, sigma_w
from . import legend, scale
from .heat_map import SIGNED, draw_image, draw_key
from .styles import Style
from .view import OPTIONS, Artists, Option, Partial, View, register

Array = np.ndarray
MOST = 3.0  # decades of the strongest colour
LENGTHS = 6.0  # correlation lengths beyond which theory calls a network untrainable (Schoenholz et al. 2017)
ROWS, COARSE = 24, 2  # distances, and how many of them, and of the gains, are passed over where networks are trained
LEARNT = 0.9  # share of right answers
WIDTH = 0.87  # of the axes, whose rest holds the scale of colours
BOUNDARY: Style = {"color": "#1a1a1a", "linewidth": 1.8, "linestyle": (0, (5, 2)), "marker": ""}
HERE: Style = {"color": "#ffd21f", "marker": "o", "markersize": 9, "markeredgecolor": "#1a1a1a", "markeredgewidth": 1.6}

OPTIONS.add(
    "map",
    Option(
        "map",
        N_("Map of"),
        N_("what is left of the gradient, or what networks have learnt after 200 training steps on the problem"),
        ((N_("the gradient"), ""), (N_("what was learnt"), "learning")),
    ),
)


class Learning(NamedTuple):
    """What a map of learning needs from above, since views know nothing of training.

    Attributes
    ----------
    sigma_in : ``(config, problem) -> float``, the standard deviation that a unit gets from the problem's inputs.
    runs : ``(config, problem, gains, lengths)``, which yields parts and returns the shares of right answers (K, G).
    """

    sigma_in: Callable[[Config, str], float]
    runs: Callable[[Config, str, Array, Array], Generator[Any, None, Array]]


LEARNING: list[Learning] = []


@dataclass(frozen=True)
class Map:
    """One picture.

    Attributes
    ----------
    values : (K, G) for each distance and gain: log10 of what is left of the gradient's length, or, if ``learnt``, the
        share of right answers.
    boundary : (G,), theory's distance, nan where it says nothing.
    asked : the gain and the number of steps at which the page stands.
    """

    title: str
    gains: tuple[float, ...]
    distances: tuple[int, ...]
    values: Array
    boundary: Array
    asked: tuple[float, int]
    learnt: bool = False

    @property
    def frame(self) -> Hashable:
        return self.title, self.gains, self.distances, self.has_boundary, self.learnt

    @property
    def has_boundary(self) -> bool:
        return bool(np.isfinite(self.boundary).any())

    @property
    def steps(self) -> int:
        """The longest distance."""
        return self.distances[-1]

    @property
    def marker(self) -> str:
        """The dot's shape: it points to where the page stands if that is outside the map."""
        gain, steps = self.asked
        return "<" if gain < self.gains[0] else ">" if gain > self.gains[-1] else "^" if steps > self.steps else "o"

    @property
    def entries(self) -> dict[str, list[Style]]:
        """What the legend calls the boundary and the dot, with their looks."""
        boundary = {_("theory: 6 ξ"): [BOUNDARY]} if self.has_boundary else {}
        return boundary | {_("you are here"): [HERE | {"linestyle": ""}]}

    def uses(self, terms: tuple[str, ...]) -> tuple[str, ...]:
        return (*terms, "6 ξ") if self.has_boundary else terms

    def head(self, width: float) -> float:
        return legend.height(list(self.entries), WIDTH * width)

    def draw(self, ax: Axes) -> Artists:
        legend.shrink(ax, width=WIDTH)
        legend.add(ax, self.title, list(self.entries.items()))
        x, y = limits(self.gains), limits(self.distances)
        ax.set(xlabel=_("gain"), ylabel=_("length T") if self.learnt else _("distance k"))
        ends = (0.0, 0.5, 1.0) if self.learnt else (-MOST, 0.0, MOST)
        look: Style = {"cmap": "viridis" if self.learnt else SIGNED, "norm": Normalize(ends[0], ends[-1])}
        image = draw_image(ax, self.values, (*x, *y), origin="lower", **look)
        for axis, (low, high) in ((ax.xaxis, x), (ax.yaxis, y)):
            axis.set_ticks(*scale.decade_ticks(low, high, fine=4.0))
        (line,), (here,) = ax.plot([], [], **BOUNDARY), ax.plot([], [], **HERE)
        ax.set(xlim=x, ylim=y)
        draw_key(image, ends, [percent(end) if self.learnt else scale.power_of_ten(end) for end in ends])
        artists: Artists = {"image": [image], "boundary": [line], "here": [here]}
        self.update(artists)
        return artists

    def update(self, artists: Artists) -> None:
        (image,), (line,), (here,) = (artists[name] for name in ("image", "boundary", "here"))
        image.set_data(np.ma.masked_invalid(self.values if self.learnt else np.clip(self.values, -MOST, MOST)))
        line.set_data(np.log10(self.gains), np.log10(self.boundary))
        gain, steps = self.asked  # at the edge where the page stands outside the map
        place = np.clip(gain, self.gains[0], self.gains[-1]), min(steps, self.steps)
        here.set_data(np.log10(place)[:, None])
        here.set_marker(self.marker)


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
    options = ("map", "problem")

    def is_slow(self, config: Config, map: str = "", here: Config | None = None, **options: Any) -> bool:
        found = known_map(here or config)
        return map == "learning" or found is None or not is_complete(found)

    def computing(
        self, trace: Trace, map: str = "", problem: str = "", here: Config | None = None
    ) -> Generator[Partial, None, Map]:
        config = here or trace.as_comparison().drawn()
        learning = LEARNING[0] if map == "learning" and LEARNING else None
        shown = unknown(config, learning, problem)
        gains, distances = np.array(shown.gains), np.array(shown.distances)
        if learning:
            runs = learning.runs(config, problem, gains, distances)
            values = yield from mapped(runs, lambda part: Partial(part.share, replace(shown, values=part.accuracy)))
            return replace(shown, values=values)

        @lru_cache(1)  # most parts bring nothing new to see
        def drawn(found: Survival) -> Map:
            return replace(shown, values=found.medians[:, distances].T)

        return drawn((yield from mapped(mapping(config), lambda part: Partial(part.share, drawn(part.value)))))

    def describe(self, data: Map) -> str:
        text = _(
            "{title}, for gains from {low} to {high} over 1 to {steps} steps: blue where it fades, red where it grows."
        )
        ends = {"low": number(data.gains[0]), "high": number(data.gains[-1])}
        words = [] if data.learnt else [text.format(title=data.title, steps=data.steps, **ends)]
        gain, steps = data.asked
        text = _("The page stands at gain {gain} and {steps} steps.")
        words += [survivors(data), text.format(gain=number(gain), steps=steps)]
        if data.has_boundary:
            k = int(np.nanargmax(data.boundary))
            text = _("Theory's boundary, 6 ξ, reaches furthest at gain {gain}, beyond the picture.")
            if data.boundary[k] <= data.steps:
                text = _("Theory's boundary, 6 ξ, reaches furthest at gain {gain}: {steps} steps.")
            words.append(text.format(gain=number(data.gains[k]), steps=number(float(data.boundary[k]))))
        return " ".join(words)

    def place(self, config: Config, x: float, y: float) -> dict[str, Any]:
        asked = survival_config(config)
        (left, right), (bottom, top) = limits(gains_of(asked)), limits(distances_of(asked))
        gain, steps = 10.0 ** (left + x * (right - left)), 10.0 ** (bottom + y * (top - bottom))
        off = {} if applies("gain", config.to_dict()) else {"spectral_radius": 0.0}
        return {"gain": min(float(f"{gain:.3g}"), 20.0), "seq_len": max(1, round(steps)), **off}


def unknown(config: Config, learning: Learning | None, problem: str) -> Map:
    """Return the map without any values: of the gradient or, given ``learning``, of what was learnt."""
    asked = survival_config(config)
    gains, distances = gains_of(asked), distances_of(asked)
    title, drive = _("What is left of the gradient k steps back, {scheme}"), float(sigma_in(config)[0][-1])
    if learning:
        gains, distances = gains[::COARSE], distances[COARSE::COARSE]
        title, drive = _("Right answers after a short training, {scheme}"), learning.sigma_in(config, problem)
    line = boundary(config, gains, drive)
    return Map(
        title=title.format(scheme=_(SCHEMES[config.scheme].short)),
        gains=tuple(gains.tolist()),
        distances=tuple(distances.tolist()),
        values=np.full((len(distances), len(gains)), np.nan),
        boundary=np.minimum(line, 10.0 * asked.seq_len),  # beyond the picture, but on its way there
        asked=(gain_of(config), config.seq_len),
        learnt=learning is not None,
    )


def distances_of(config: Config) -> Array:
    """Return the distance that each row shows, (K,), the whole number next to equal ratios."""
    return np.geomspace(1, config.seq_len, ROWS).round().astype(int)


def limits(values: Sequence[float] | Array) -> tuple[float, float]:
    """Return log10 of the outer edges of cells of equal width, the first and last of which have these middles."""
    low, high = np.log10(values[0]), np.log10(values[-1])
    half = 0.5 * (high - low) / (len(values) - 1)
    return float(low - half), float(high + half)


def boundary(config: Config, gains: Array, drive: float) -> Array:
    """Return theory's 6 correlation lengths at each gain, (G,), nan where no theory applies; ``drive`` is sigma_in."""
    if predict(config).log10_grad_norm is None:
        return np.full(len(gains), np.nan)
    weights = sigma_w(config.replace(gain=1.0, spectral_radius=0.0))
    return np.array([LENGTHS * correlation_length(config.activation, float(gain) * weights, drive) for gain in gains])


def survivors(data: Map) -> str:
    """Say at which gains the gradient stays within a factor of 10 over the longest distance.

    Of learning, over which length networks have learnt, and at which gains, as far as it is known.
    """
    good, row = np.abs(data.values) <= 1.0, -1
    none = _("At none of them is it within a factor of 10 after {steps} steps.")
    one = _("After {steps} steps it is within a factor of 10 only at gain {low}.")
    several = _("After {steps} steps it is within a factor of 10 at gains from {low} to {high}.")
    if data.learnt:
        good = data.values >= LEARNT
        row = int(np.flatnonzero(good.any(axis=1)).max(initial=0))
        none = _("{title}: nowhere are {share} of the answers right yet.")
        one = _("{title}: {share} are right up to length {steps}, there only at gain {low}.")
        several = _("{title}: {share} are right up to length {steps}, there at gains from {low} to {high}.")
    gains = np.array(data.gains)[good[row]]
    text = several if len(gains) > 1 else one if len(gains) else none
    low, high = number(float(gains.min(initial=np.inf))), number(float(gains.max(initial=0.0)))
    return text.format(title=data.title, share=percent(LEARNT), steps=data.distances[row], low=low, high=high)
