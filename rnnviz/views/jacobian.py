"""The singular values of dh_T/dh_{T-k}: what is left of each direction after k steps, along a real sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engine.runs import Trace
from ..engine.trajectory import log_slopes
from ..network.cells import CELLS
from ..network.sampling import init_params
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.number_format import number
from ..theory import spectrum
from . import lines, scale
from .lines import Curve, Frame, Lines
from .view import Tick, quiet, ticking

Array = np.ndarray
MANY = 128  # units from which only some distances are computed
SOME = 9
WORK = 1.6e10  # multiplications that one scheme may take; at larger sizes fewer steps are shown


@dataclass(frozen=True)
class Distances(Lines):
    """One picture of curves over the distance k = T - t; ``seq_len`` is T."""

    seq_len: int = 0


def data(trace: Trace, tick: Tick = quiet) -> Distances:
    """Return the median singular value over the distance k for every scheme's first seed; its band holds all others."""
    config = trace.config
    shown = int(min(config.seq_len, max(5, WORK / (40.0 * config.hidden_size**3))))
    if config.cell != "rnn":
        title = _("The {cell}'s step is no single matrix: choose the RNN")
        return empty(trace, title.format(cell=_(CELLS[config.cell].label)))
    curves = tuple(curve(trace, name, shown) for name in ticking(trace.schemes, tick))
    limits = scale.decades(*lines.extremes(curves), down=3.0, up=1.0)
    title = _("Singular values of ∂h(T)/∂h(T−k)")
    if shown < config.seq_len:
        title = _("Singular values of ∂h(T)/∂h(T−k), first {steps} steps back").format(steps=shown)
    frame = Frame(title, _("distance k"), _("largest to least"), scale.steps_limit(shown), limits, legend(trace))
    curves = tuple(lines.with_arrow(each, limits, -1, f"k = {shown}") for each in curves)
    return Distances(frame, curves, shown, seq_len=config.seq_len)


def curve(trace: Trace, scheme: str, shown: int) -> Curve:
    """Return one scheme's curve over k = 0..shown."""
    config = trace.config.replace(scheme=scheme, seed=trace.seeds[0])
    slopes, distances = log_slopes(config), distances_shown(config.hidden_size, shown)
    name = _(SCHEMES[scheme].short)
    if np.isnan(slopes).any():
        nothing = np.full(len(distances), np.nan)
        return Curve(name, nothing, nothing, nothing, (("nonfinite", shown),), steps=distances)
    W_hh = init_params(config)["W_hh"]
    values = spectrum.jacobian_singular_values(W_hh, slopes[-shown:], distances.tolist(), log=True)
    median = np.median(np.maximum(values, -1e300), axis=1)
    least = np.where(np.isneginf(values[:, -1]), np.nan, values[:, -1])
    median = np.where(median < -1e290, np.nan, median)
    return Curve(name, median, least, values[:, 0], steps=distances)


def distances_shown(hidden_size: int, shown: int) -> Array:
    """Return the distances that are computed: all of 0..shown, or some where each takes long."""
    if hidden_size < MANY:
        return np.arange(shown + 1)
    return np.unique(np.linspace(0, shown, SOME).astype(int))


def legend(trace: Trace) -> tuple[str, ...]:
    return tuple(_(SCHEMES[name].short) for name in trace.schemes)


def empty(trace: Trace, title: str) -> Distances:
    steps = trace.config.seq_len
    frame = Frame(title, _("distance k"), "", scale.steps_limit(steps), (-3.0, 1.0), ())
    return Distances(frame, (), 0, seq_len=steps)


def describe(data: Lines) -> str:
    """Say what the picture shows, with numbers."""
    words = [f"{data.frame.title}."]
    for each in data.curves:
        words.append(describe_curve(each, data.last_step))
    return " ".join(words)


def describe_curve(curve: Curve, steps: int) -> str:
    """Say what is left after the last distance, and in the best and the worst direction where both are known."""
    last, low, high = (float(part[-1]) for part in (curve.median, curve.low, curve.high))
    text = _("{curve}: most directions are lost altogether, or the state is not finite.")
    if np.isfinite(last):
        text = _("{curve}: after {steps} steps the median is {median}.")
    if np.isfinite(last) and np.isfinite(low):
        text = _("{curve}: after {steps} steps the median is {median}, from {low} to {high}.")
    median, low, high = (number(value, log10=True) for value in (last, low, high))
    return text.format(curve=curve.label, steps=steps, median=median, low=low, high=high)


lines.register(
    "jacobian",
    N_("Jacobian"),
    N_("what is left of each direction of the state after k steps, along a real sequence"),
    data,
    describe,
    timed=True,
    back=lambda data: data.seq_len,
    late=True,
)
