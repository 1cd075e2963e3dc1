"""One step of a comparison in words: its equation, with the numbers of this step filled in."""

from __future__ import annotations

import numpy as np

from ..engine.runs import Trace
from ..network.cells import CELLS
from ..network.schemes import SCHEMES
from ..numerics.quantiles import median
from ..text.language import _
from ..text.number_format import factor, number


def sentences(trace: Trace, t: int) -> list[str]:
    """Return what happened at step t, a sentence for each scheme; medians over seeds.

    Raises
    ------
    ValueError : unless 0 <= t <= T.
    """
    if not 0 <= t <= trace.config.seq_len:
        text = _("{name} must be a whole number from {low} to {high}; got {received}.")
        raise ValueError(text.format(name="t", low=0, high=trace.config.seq_len, received=repr(t)))
    return [f"{_(SCHEMES[name].short)}: {'; '.join(at_step(trace, k, t))}." for k, name in enumerate(trace.schemes)]


def gates(trace: Trace, t: int) -> list[str]:
    """Return the mean of each gate of the first scheme at step t, in a list of one sentence; of none at step 0."""
    means = {name: float(median(values[0][:, t])) for name, values in trace.gates.items()}
    told = [f"{name} {number(value)}" for name, value in means.items() if np.isfinite(value)]
    title = _("Gates, {scheme}").format(scheme=_(SCHEMES[trace.schemes[0]].short))
    return [f"{title}: {', '.join(told)}."] if told else []


def at_step(trace: Trace, k: int, t: int) -> list[str]:
    """Return the parts of one scheme's sentence: the state's size, the gradient's, and the factor between two steps."""
    runs = trace.log10_grad_norm[k]
    norm = float(median(runs[:, t]))
    parts = [state(trace, k, t), f"‖∂L/∂h‖ = {number(norm, log10=True)}"]
    before = float(median(runs[:, t - 1])) if t > 0 else np.nan
    if np.isfinite(norm) and np.isfinite(before):
        parts.append(step_back(trace, k, t, norm, before))
    return parts


def state(trace: Trace, k: int, t: int) -> str:
    """Return the state's size at step t, as a product with its size at the step before."""
    now = float(median(trace.second_moment[k][:, t]))
    before = float(median(trace.second_moment[k][:, t - 1])) if t > 0 else 0.0
    if now == np.inf:
        return _("E h² above 1e308")
    if before == 0 or now == 0 or not np.isfinite(before):
        return f"E h² = {number(now)}"
    return f"E h² = {number(before)} × {factor(float(np.log10(now) - np.log10(before)))} = {number(now)}"


def step_back(trace: Trace, k: int, t: int, norm: float, before: float) -> str:
    """Return the equation of the step from t back to t - 1, with its two factors."""
    change, carry = before - norm, float(median(trace.log10_carry[k][:, t]))
    name = CELLS[trace.config.cell].carry[0]
    after = number(before, log10=True)
    if trace.config.loss_at == "every" or not np.isfinite(carry):
        return _("one step back: {after}, ×{factor}").format(after=after, factor=factor(change))
    rest, own, direction = factor(change - carry), factor(carry), _("W_hh, this direction")
    product = f"{number(norm, log10=True)} × {own} ({name}) × {rest} ({direction})"
    return _("one step back: {after} = {product}").format(after=after, product=product)
