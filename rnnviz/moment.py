"""One step of a comparison in words: its equation, with the numbers of this step filled in."""

from __future__ import annotations

import numpy as np

from .cells import CELLS
from .language import _
from .quantiles import median
from .runs import Trace
from .schemes import SCHEMES
from .words import number


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


def at_step(trace: Trace, k: int, t: int) -> list[str]:
    """Return the parts of one scheme's sentence: the state's size, the gradient's, and the factor between two steps."""
    runs = trace.log10_grad_norm[k]
    moment, norm = float(median(trace.second_moment[k][:, t])), float(median(runs[:, t]))
    size = _("E h² above 1e308") if moment == np.inf else f"E h² = {number(moment)}"
    parts = [size, f"‖∂L/∂h‖ = {number(norm, log10=True)}"]
    before = float(median(runs[:, t - 1])) if t > 0 else np.nan
    if np.isfinite(norm) and np.isfinite(before):
        parts.append(step_back(trace, k, t, norm, before))
    return parts


def step_back(trace: Trace, k: int, t: int, norm: float, before: float) -> str:
    """Return the equation of the step from t back to t - 1, with its two factors."""
    factor, carry = before - norm, float(median(trace.log10_carry[k][:, t]))
    name = CELLS[trace.config.cell].carry[0]
    after = number(before, log10=True)
    if trace.config.loss_at == "every" or not np.isfinite(carry):
        return _("one step back it is {after}, ×{factor}").format(after=after, factor=number(factor, log10=True))
    rest, own = number(factor - carry, log10=True), number(carry, log10=True)
    product = f"{number(norm, log10=True)} × {own} ({name}) × {rest} ({_('W_hh, this direction')})"
    return _("one step back it is {after} = {product}").format(after=after, product=product)
