"""One step of a comparison in words: its equations with this step's numbers."""

from __future__ import annotations

import numpy as np

from ..engine.trace import Trace
from ..network.cells import CELLS
from ..numerics.quantiles import median
from ..text.language import _
from ..text.number_format import factor, number


def sentences(trace: Trace, t: int) -> list[str]:
    """Return one sentence for each scheme on what happened at step t; medians over seeds.

    Raises
    ------
    ValueError : unless 0 <= t <= T.
    """
    if not 0 <= t <= trace.config.seq_len:
        text = _("{name} must be a whole number from {low} to {high}; got {received}.")
        raise ValueError(text.format(name="t", low=0, high=trace.config.seq_len, received=repr(t)))
    return [f"{name}: {'; '.join(scheme_parts(trace, k, t))}." for k, name in enumerate(trace.names)]


def gates(trace: Trace, t: int) -> list[str]:
    """Return a list of one sentence, the means of the first scheme's gates at step t; empty where there are none."""
    means = {name: float(median(values[0][:, t])) for name, values in trace.gates.items()}
    parts = [f"{name} {number(value)}" for name, value in means.items() if np.isfinite(value)]
    title = _("Gates, {scheme}").format(scheme=trace.names[0])
    return [f"{title}: {', '.join(parts)}."] if parts else []


def scheme_parts(trace: Trace, k: int, t: int) -> list[str]:
    """Return the parts of one scheme's sentence: the state's size, the gradient's, and the step back."""
    runs = trace.log10_grad_norm[k]
    norm = float(median(runs[:, t]))
    parts = [state_words(trace, k, t), f"‖∂L/∂h‖ = {number(norm, log10=True)}"]
    before = float(median(runs[:, t - 1])) if t > 0 else np.nan
    if np.isfinite(norm) and np.isfinite(before):
        parts.append(step_back_words(trace, k, t, norm, before))
    return parts


def state_words(trace: Trace, k: int, t: int) -> str:
    """Return the state's size at step t, as the previous step's size times a factor."""
    now = float(median(trace.second_moment[k][:, t]))
    before = float(median(trace.second_moment[k][:, t - 1])) if t > 0 else 0.0
    if now == np.inf:
        return _("E h² above 1e308")
    if before == 0 or now == 0 or not np.isfinite(before):
        return f"E h² = {number(now)}"
    return f"E h² = {number(before)} × {factor(float(np.log10(now) - np.log10(before)))} = {number(now)}"


def step_back_words(trace: Trace, k: int, t: int, norm: float, before: float) -> str:
    """Return the equation of the step from t back to t - 1, with its two factors."""
    change, step_factor = before - norm, float(median(trace.log10_step_factor[k][:, t]))
    name = CELLS[trace.config.cell].step_factor[0]
    after = number(before, log10=True)
    if trace.config.loss_at == "every" or not np.isfinite(step_factor):
        return _("one step back: {after}, ×{factor}").format(after=after, factor=factor(change))
    rest, own, direction = factor(change - step_factor), factor(step_factor), _("W_hh, this direction")
    product = f"{number(norm, log10=True)} × {own} ({name}) × {rest} ({direction})"
    return _("one step back: {after} = {product}").format(after=after, product=product)
