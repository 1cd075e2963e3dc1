"""The singular values of dh_T/dh_{T-k}: what is left of each direction after k steps, along a real sequence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .. import spectrum
from ..cells import CELLS
from ..draws import init_params
from ..runs import Trace
from ..schemes import SCHEMES
from ..trajectory import log_slopes
from ..words import number
from . import lines, scale
from .lines import Curve, Frame, Lines

Array = np.ndarray
MANY = 128  # units from which only some distances are computed
SOME = 9
WORK = 1.6e10  # multiplications that one scheme may take; at larger sizes fewer steps are shown


def data(trace: Trace) -> Lines:
    """Return the median singular value over the distance k for every scheme's first seed; its band holds all others."""
    config = trace.config
    shown = int(min(config.seq_len, max(5, WORK / (40.0 * config.hidden_size**3))))
    if config.cell != "rnn":
        return empty(trace, f"The {CELLS[config.cell].label}'s step is no single matrix: choose the RNN")
    curves = tuple(curve(trace, name, shown) for name in trace.schemes)
    limits = scale.decades(*lines.extremes(curves), down=3.0, up=1.0)
    title = "Singular values of ∂h(T)/∂h(T−k)" + (f", first {shown} steps back" if shown < config.seq_len else "")
    frame = Frame(title, "distance k", "largest to least", scale.steps_limit(shown), limits, legend(trace))
    return Lines(frame, tuple(arrow(each, limits, shown) for each in curves), shown)


def arrow(curve: Curve, limits: tuple[float, float], shown: int) -> Curve:
    """Return the curve with words for its last value, where that lies outside the axes."""
    words = lines.with_arrow(curve, limits, -1, "k").beyond
    return replace(curve, beyond=words.replace("k = -1", f"k = {shown}"))


def curve(trace: Trace, scheme: str, shown: int) -> Curve:
    """Return one scheme's curve over k = 0..shown."""
    config = trace.config.replace(scheme=scheme, seed=trace.seeds[0])
    slopes, distances = log_slopes(config), distances_shown(config.hidden_size, shown)
    name = SCHEMES[scheme].short
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
    return tuple(SCHEMES[name].short for name in trace.schemes)


def empty(trace: Trace, title: str) -> Lines:
    return Lines(Frame(title, "distance k", "", scale.steps_limit(trace.config.seq_len), (-3.0, 1.0), ()), (), 0)


def describe(data: Lines) -> str:
    """Say what the picture shows, with numbers."""
    words = [f"{data.frame.title}."]
    for each in data.curves:
        last, low, high = (float(part[-1]) for part in (each.median, each.low, each.high))
        if np.isfinite(last):
            ends = f"from {number(low, log10=True)} to {number(high, log10=True)}" if np.isfinite(low) else ""
            words.append(
                f"{each.label}: after {data.last_step} steps the median is {number(last, log10=True)}, {ends}."
            )
        else:
            words.append(f"{each.label}: most directions are lost altogether, or the state is not finite.")
    return " ".join(words)


lines.register(
    "jacobian",
    "Jacobian",
    "what is left of each direction of the state after k steps, along a real sequence",
    data,
    describe,
    late=True,
)
