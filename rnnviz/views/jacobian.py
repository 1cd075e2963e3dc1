"""The singular values of dh_T/dh_{T-k}: what is left of each direction after k steps, along a real sequence."""

from __future__ import annotations

import numpy as np

from .. import spectrum
from ..cells import CELLS
from ..runs import Trace, init_params
from ..schemes import SCHEMES
from ..trajectory import log_slopes
from ..words import number
from . import lines, scale
from .lines import Curve, Frame, Lines
from .view import VIEWS, View

Array = np.ndarray
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
    return Lines(frame, tuple(lines.with_arrow(each, limits, shown, "k") for each in curves), shown)


def curve(trace: Trace, scheme: str, shown: int) -> Curve:
    """Return one scheme's curve over k = 0..shown."""
    config = trace.config.replace(scheme=scheme, seed=trace.seeds[0])
    slopes = log_slopes(config)
    if np.isnan(slopes).any():
        nothing = np.full(shown + 1, np.nan)
        return Curve(SCHEMES[scheme].short, nothing, nothing, nothing, (("nonfinite", shown),))
    values = spectrum.jacobian_singular_values(init_params(config)["W_hh"], slopes[-shown:], range(shown + 1), log=True)
    median = np.median(np.maximum(values, -1e300), axis=1)
    least = np.where(np.isneginf(values[:, -1]), np.nan, values[:, -1])
    return Curve(SCHEMES[scheme].short, np.where(median < -1e290, np.nan, median), least, values[:, 0])


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


VIEWS.add(
    "jacobian",
    View(
        name="jacobian",
        label="Jacobian",
        help="what is left of each direction of the state after k steps, along a real sequence",
        data=data,
        frame=lambda data: data.frame,
        head=lines.head,
        draw=lines.draw,
        update=lines.update,
        describe=describe,
        late=True,
    ),
)
