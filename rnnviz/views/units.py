"""The state itself: every unit at every step of one sequence, so that saturation is seen and not only counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from ..engine.runs import Trace
from ..network.activations import ACTIVATIONS
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.number_format import number, percent
from . import legend, scale
from .view import VIEWS, View

# Blue for below 0, red for above, white between: told apart by colour-blind eyes, and dark at both ends.
COLOURS = "RdBu_r"
UNKNOWN = "#808080"


@dataclass(frozen=True)
class Frame:
    """The axes: title, steps, units and the value of the strongest colour."""

    title: str
    steps: int
    units: int
    most: float


@dataclass(frozen=True)
class Units:
    """One picture of a state: ``values`` (T, H), from step 1 on."""

    frame: Frame
    values: np.ndarray
    saturation: float


def data(trace: Trace) -> Units:
    """Return the state of the first scheme's first seed on its first sequence."""
    values = trace.units[0, 0, 1:]
    known = np.abs(values[np.isfinite(values)])
    most = 1.0 if known.size == 0 or known.max() <= 1.0 else scale.snap(float(known.max()))
    title = _("Every unit of one sequence, {scheme}").format(scheme=_(SCHEMES[trace.schemes[0]].short))
    frame = Frame(title, trace.config.seq_len, trace.config.hidden_size, most)
    return Units(frame, values, float(ACTIVATIONS[trace.config.activation].saturated(values[-1]).mean()))


def draw(ax: Axes, data: Units) -> dict[str, list]:
    """Create the image with its axes and its scale of colours."""
    frame = data.frame
    box = ax.get_position()
    ax.set_position((box.x0, box.y0, box.width * 0.87, box.height))
    size = legend.title_size(frame.title, legend.axes_width(ax))
    ax.set_title(frame.title, loc="left", fontweight="bold", fontsize=size, x=-0.012)
    ax.set(xlabel=_("step t"), ylabel=_("unit"))
    scale.write_ticks(ax)
    colours = Normalize(-frame.most, frame.most)
    extent = (0.5, frame.steps + 0.5, frame.units + 0.5, 0.5)
    image = ax.imshow(data.values.T, cmap=COLOURS, norm=colours, aspect="auto", extent=extent, interpolation="nearest")
    ax.set_facecolor(UNKNOWN)  # what is not finite is not painted
    key = ax.inset_axes((1.03, 0.0, 0.035, 1.0))
    bar = ax.figure.colorbar(ScalarMappable(colours, COLOURS), cax=key)
    bar.set_ticks([-frame.most, 0.0, frame.most], labels=[number(value) for value in (-frame.most, 0.0, frame.most)])
    return {"image": [image]}


def update(artists: dict[str, list], data: Units) -> None:
    """Give the image the values of ``data``."""
    artists["image"][0].set_data(np.ma.masked_invalid(data.values.T))


def describe(data: Units) -> str:
    """Say what the picture shows, with numbers."""
    last = data.values[-1]
    text = _("{title}: {units} units at steps 1 to {steps}, coloured by their value.")
    words = text.format(title=data.frame.title, units=data.frame.units, steps=data.frame.steps)
    if not np.isfinite(last).all():
        grey = _("Grey from where the state is not finite.")
        return f"{words} {grey}"
    least, most = number(float(last.min())), number(float(last.max()))
    text = _("At the last step they lie between {least} and {most}; {share} are saturated.")
    return f"{words} {text.format(least=least, most=most, share=percent(data.saturation))}"


VIEWS.add(
    "units",
    View(
        name="units",
        label=N_("Units"),
        help=N_("every unit at every step of one sequence, as a heat map"),
        data=data,
        frame=lambda data: data.frame,
        head=lambda data, width: 34,
        draw=draw,
        update=update,
        describe=describe,
        timed=True,
    ),
)
