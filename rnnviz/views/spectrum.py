"""The eigenvalues of W_hh in the complex plane: what one more step does to a direction that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from ..engine.runs import Trace
from ..network.sampling import init_params
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.number_format import number, percent
from ..theory import spectrum
from . import legend, scale
from .lines import STYLES
from .view import VIEWS, Tick, View, quiet, ticking

Array = np.ndarray
ROUNDING = 1e-9
FAR = 4.0  # an eigenvalue this many times further out than the circular law's radius leaves the picture, with an arrow
CIRCLE = N_("unit circle")
UNIT = {"color": "#1a1a1a", "linewidth": 1.4, "linestyle": "-"}


@dataclass(frozen=True)
class Frame:
    """The axes: half their width, the circles' radii, and the names of the schemes."""

    limit: float
    radii: tuple[float, ...]
    legend: tuple[str, ...]


@dataclass(frozen=True)
class Spectra:
    """One picture: the eigenvalues of each scheme, and words for those that lie outside the axes."""

    frame: Frame
    eigenvalues: tuple[Array, ...]
    words: tuple[str, ...]


def data(trace: Trace, tick: Tick = quiet) -> Spectra:
    """Return the eigenvalues of W_hh of every scheme's first seed; of an LSTM or GRU, of its first gate's block."""
    size = trace.config.hidden_size
    configs = [trace.config.replace(scheme=name, seed=trace.seeds[0]) for name in trace.schemes]
    found = tuple(spectrum.eigenvalues(init_params(config)["W_hh"][:, :size]) for config in ticking(configs, tick))
    radii = tuple(float(spectrum.expected(name, size, trace.config.gain).radius) for name in trace.schemes)
    near = [
        np.abs(values)[np.abs(values) <= FAR * max(radius, 1.0)] for values, radius in zip(found, radii, strict=True)
    ]
    reach = max(1.0, *(float(values.max(initial=0.0)) for values in near))
    frame = Frame(scale.snap(1.04 * reach), radii, tuple(_(SCHEMES[name].short) for name in trace.schemes))
    return Spectra(frame, found, tuple(map(outliers, frame.legend, found, repeat(frame.limit))))


def outliers(name: str, values: Array, limit: float) -> str:
    """Say which eigenvalues of a scheme lie outside the axes."""
    far = values[(np.abs(values.real) > limit) | (np.abs(values.imag) > limit)]
    if far.size == 0:
        return ""
    furthest = far[np.argmax(np.abs(far))]
    text = _("{value} and {count} more") if far.size > 1 else "{value}"
    side = "→" if furthest.real > limit else "←" if furthest.real < -limit else "↕"
    return text.format(value=f"{name}: {side} {number(float(furthest.real))}", count=far.size - 1)


def draw(ax: Axes, data: Spectra) -> dict[str, list]:
    """Create circles, points and words."""
    frame = data.frame
    ax.set_aspect("equal", adjustable="box", anchor="W")
    ax.set(
        xlim=(-frame.limit, frame.limit),
        ylim=(-frame.limit, frame.limit),
        xlabel=_("real part"),
        ylabel=_("imaginary part"),
    )
    scale.write_ticks(ax)
    ax.grid(True, color="#dddddd", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.add_patch(Circle((0, 0), 1.0, fill=False, **UNIT))
    for radius, style in zip(frame.radii, STYLES, strict=False):
        ax.add_patch(
            Circle((0, 0), radius, fill=False, color=style["color"], linewidth=1.3, linestyle=style["linestyle"])
        )
    entries = [(name, STYLES[k]) for k, name in enumerate(frame.legend)]
    legend.add(ax, _("Eigenvalues of W_hh"), [*entries, (_(CIRCLE), UNIT)])
    artists = {"points": [], "words": []}
    for style in STYLES[: len(data.eigenvalues)]:
        artists["points"].append(ax.plot([], [], style["marker"], color=style["color"], markersize=3.5, alpha=0.75)[0])
        artists["words"].append(ax.text(0, 0, "", color=style["color"], fontsize="small", ha="right", va="top"))
    update(artists, data)
    return artists


def update(artists: dict[str, list], data: Spectra) -> None:
    """Give the artists the values of ``data``."""
    limit = data.frame.limit
    for k, (points, text, values) in enumerate(zip(artists["points"], artists["words"], data.eigenvalues, strict=True)):
        points.set_data(values.real, values.imag)
        text.set_text(data.words[k])
        text.set_position((0.97 * limit, (0.97 - 0.11 * k) * limit))


def describe(data: Spectra) -> str:
    """Say what the picture shows, with numbers."""
    words = [_("Eigenvalues of W_hh in the complex plane, with the unit circle.")]
    for name, values, radius in zip(data.frame.legend, data.eigenvalues, data.frame.radii, strict=True):
        sizes = np.abs(values)
        text = _(
            "{curve}: the largest has magnitude {largest}, {share} lie inside the unit circle and {on} on it; "
            "the circular law's radius is {radius}."
        )
        said = {"largest": number(float(sizes[0])), "radius": number(radius)}
        said |= {
            "share": percent(np.mean(sizes < 1.0 - ROUNDING)),
            "on": percent(np.mean(abs(sizes - 1.0) <= ROUNDING)),
        }
        words.append(text.format(curve=name, **said))
    return " ".join(words)


VIEWS.add(
    "spectrum",
    View(
        name="spectrum",
        label=N_("Eigenvalues"),
        help=N_("the eigenvalues of W_hh beside the unit circle and the circular law"),
        data=data,
        frame=lambda data: data.frame,
        head=lambda data, width: legend.height([*data.frame.legend, _(CIRCLE)], width),
        draw=draw,
        update=update,
        describe=describe,
        late=True,
    ),
)
