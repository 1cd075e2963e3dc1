"""The mark at sqrt(H) steps, where one W_hh that is used again and again parts a network from theory."""

from __future__ import annotations

from matplotlib.axes import Axes

from ..engine.runs import Trace
from ..text.language import _
from ..text.number_format import number
from ..theory.prediction import repeats


def steps(trace: Trace) -> float | None:
    """Return sqrt(H) where that means something for a scheme of a comparison, and lies within its T steps."""
    found = trace.config.hidden_size**0.5
    return found if 1 < found < trace.config.seq_len and repeats(trace.config, trace.schemes) else None


def create(ax: Axes, limits: tuple[float, float], pad: float) -> list:
    """Create a line and its name, to be placed."""
    line = ax.axvline(0, color="#6b6b6b", linewidth=1.2, linestyle=(0, (1, 2)))
    top = limits[1] + 0.5 * pad * (limits[1] - limits[0])
    return [line, ax.text(0, top, " √H", color="#555555", fontsize="small", va="top")]


def place(artists: list, step: float | None) -> None:
    """Put the mark at a step, or take it away."""
    line, name = artists
    line.set_xdata([step or 0] * 2)
    name.set_x(step or 0)
    for artist in artists:
        artist.set_visible(step is not None)


def describe(step: float | None, back: bool) -> list[str]:
    """Say what the mark means, in a list of one sentence; of none where there is no mark."""
    if step is None:
        return []
    text = (
        _("A line marks √H steps back, at t = {step}: from about there on one W_hh, used again and again, shows.")
        if back
        else _("A line marks √H steps, t = {step}: from about there on one W_hh, used again and again, shows.")
    )
    return [text.format(step=number(step))]
