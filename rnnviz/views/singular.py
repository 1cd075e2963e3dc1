"""The singular values of W_hh: how much one step can stretch or shrink."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..engine.runs import Trace
from ..network.sampling import init_params
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.number_format import number
from ..theory import spectrum
from . import legend, scale
from .lines import OVERLAYS, STYLES
from .view import VIEWS, Tick, View, quiet, ticking

Array = np.ndarray
BINS = 24
DIGITS = 9
LAW = N_("quarter-circle law")
POINTS = 200


@dataclass(frozen=True)
class Frame:
    """The axes: where they end, the quarter-circles' sigma_w (0 for none), and the names of the schemes."""

    limits: tuple[float, float]
    widths: tuple[float, ...]
    legend: tuple[str, ...]


@dataclass(frozen=True)
class Singular:
    """One picture: the density of each scheme's singular values, and words for those outside the axes."""

    frame: Frame
    values: tuple[Array, ...]
    words: tuple[str, ...]

    def density(self, k: int) -> tuple[Array, Array]:
        """Return the middles of the bins and the density of the k-th scheme's singular values."""
        # All singular values of an orthogonal matrix are 1 but for rounding, and 1 may be the edge of a bin.
        counts, edges = np.histogram(self.values[k].round(DIGITS), BINS, (0.0, self.frame.limits[0]))
        return (edges[1:] + edges[:-1]) / 2, counts / (len(self.values[k]) * (edges[1] - edges[0]))


def data(trace: Trace, tick: Tick = quiet) -> Singular:
    """Return the singular values of W_hh of every scheme's first seed; of an LSTM or GRU, of its first gate's block."""
    size, gain = trace.config.hidden_size, trace.config.gain
    configs = [trace.config.replace(scheme=name, seed=trace.seeds[0]) for name in trace.schemes]
    found = tuple(spectrum.singular_values(init_params(config)["W_hh"][:, :size]) for config in ticking(configs, tick))
    laws = [spectrum.expected(name, size, gain) for name in trace.schemes]
    # Beyond 2 sigma_w lies only what a mean adds: one value, which would squash the rest.
    limit = scale.snap(max(1.0, *(2.2 * law.radius for law in laws)))
    widths = tuple(0.0 if law.on_circle else law.radius for law in laws)
    frame = Frame((limit, 0.0), widths, tuple(_(SCHEMES[name].short) for name in trace.schemes))
    drawn = Singular(frame, found, tuple(map(outliers, frame.legend, found, repeat(limit))))
    top = scale.snap(max(1.0, *(float(drawn.density(k)[1].max()) for k in range(len(found)))))
    return Singular(Frame((limit, top), widths, frame.legend), found, drawn.words)


def outliers(name: str, values: Array, limit: float) -> str:
    """Say which singular values of a scheme lie outside the axes."""
    far = np.count_nonzero(values > limit)
    text = _("{value} and {count} more") if far > 1 else "{value}"
    return text.format(value=f"{name}: → {number(float(values[0]))}", count=far - 1) if far else ""


def draw(ax: Axes, data: Singular) -> dict[str, list]:
    """Create the histograms' outlines, the quarter-circles and the words."""
    frame = data.frame
    limit, top = frame.limits
    ax.set(xlim=(0, limit), ylim=(0, 1.04 * top), xlabel=_("singular value"), ylabel=_("density"))
    scale.write_ticks(ax)
    ax.grid(True, color="#dddddd", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    entries = [(name, STYLES[k]) for k, name in enumerate(frame.legend)]
    legend.add(ax, _("Singular values of W_hh"), [*entries, (_(LAW), *draw_laws(ax, frame.widths))])
    artists = {"lines": [], "words": []}
    for style in STYLES[: len(data.values)]:
        artists["lines"].append(ax.plot([], [], drawstyle="steps-mid", linewidth=1.8, markersize=4, **style)[0])
        artists["words"].append(ax.text(0, 0, "", color=style["color"], fontsize="small", ha="right", va="top"))
    update(artists, data)
    return artists


def draw_laws(ax: Axes, widths: tuple[float, ...]) -> list[dict[str, Any]]:
    """Draw the quarter-circles, each with its scheme's marker, and return their looks."""
    looks = []
    for k, width in enumerate(widths):
        if width > 0:
            s = np.linspace(0.0, 2.0 * width, POINTS)
            looks.append(STYLES[k] | OVERLAYS["theory"])
            ax.plot(s, spectrum.quarter_circle(s, width), markevery=(7 * k + 7, 42), **looks[-1])
    return looks or [OVERLAYS["theory"]]


def update(artists: dict[str, list], data: Singular) -> None:
    """Give the artists the values of ``data``."""
    limit, top = data.frame.limits
    for k, (line, text) in enumerate(zip(artists["lines"], artists["words"], strict=True)):
        line.set_data(*data.density(k))
        line.set_markevery((k, 4))
        text.set_text(data.words[k])
        text.set_position((0.97 * limit, top * (0.98 - 0.07 * k)))


def describe(data: Singular) -> str:
    """Say what the picture shows, with numbers."""
    words = [_("Density of the singular values of W_hh, with the quarter-circle law.")]
    for name, values in zip(data.frame.legend, data.values, strict=True):
        ends = {"low": number(float(values[-1])), "high": number(float(values[0]))}
        words.append(_("{curve}: from {low} to {high}.").format(curve=name, **ends))
    return " ".join(words)


VIEWS.add(
    "singular",
    View(
        name="singular",
        label=N_("Singular values"),
        help=N_("how much one step of W_hh can stretch or shrink, beside the quarter-circle law"),
        data=data,
        frame=lambda data: data.frame,
        head=lambda data, width: legend.height([*data.frame.legend, _(LAW)], width),
        draw=draw,
        update=update,
        describe=describe,
        late=True,
    ),
)
