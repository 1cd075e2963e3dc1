"""The mark at sqrt(H) steps, from where one W_hh, used again and again, raises the mean square over networks."""

from __future__ import annotations

from matplotlib.axes import Axes

from ..engine.trace import Trace
from ..text.language import _
from ..text.number_format import number
from ..theory.prediction import tied_weights_show


def steps(trace: Trace, back: bool) -> float | None:
    """Return sqrt(H) where it lies within T steps and a scheme departs from theory (``back``: in the gradient)."""
    found = trace.config.hidden_size**0.5
    within = trace.own is None and 1 < found < trace.config.seq_len
    return found if within and tied_weights_show(trace.config, trace.schemes, back) else None


def create(ax: Axes, limits: tuple[float, float], pad: float) -> list:
    """Create a line and its name, to be placed."""
    line = ax.axvline(0, color="#6b6b6b", linewidth=1.2, linestyle=(0, (1, 2)))
    top = limits[1] + 0.5 * pad * (limits[1] - limits[0])
    return [line, ax.text(0, top, " √H", color="#555555", fontsize="small", va="top")]


def place(artists: list, step: float | None) -> None:
    """Put the mark at a step, or hide it."""
    line, name = artists
    line.set_xdata([step or 0] * 2)
    name.set_x(step or 0)
    for artist in artists:
        artist.set_visible(step is not None)


def describe(step: float | None, back: bool) -> str:
    """Say what the mark means, "" where there is none."""
    if step is None:
        return ""
    where = _("A line marks √H steps back, at t = {step}.") if back else _("A line marks √H steps, t = {step}.")
    meaning = _(
        "By two to three times as many steps one W_hh, used again and again, has raised the mean square over networks; "
        "their median, which is drawn, follows more slowly."
    )
    return f"{where.format(step=number(step))} {meaning}"
