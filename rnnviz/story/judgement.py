"""The rules by which a state keeps its size and a gradient survives: the same for verdicts, bets and suggestions."""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.config import Config
from ..network.inputs import INPUTS

KEEPS = 0.15  # decades: a state whose second moment drifts less over the last half keeps its size
ENOUGH = 8  # steps that tell a drift from ups and downs
STEADY = 0.05  # a factor per step that differs less from 1 does little at each step
SURVIVES = 1.0  # decades: the most that a surviving gradient changes in all


def judge_gradient(decades: float, steps: int) -> str:
    """Return in one word what happens to a size that changes by ``decades`` over ``steps`` steps.

    It *survives* where it stays within 5 % of 1 per step and within a factor of 10 in all; it *fades slowly* or *grows
    slowly* where it stays within 5 % per step only; else it *fades* or *grows*. Bets and verdicts share this rule.

    >>> [judge_gradient(*change) for change in ((0.3, 50), (-1.1, 50), (-1.1, 10), (2.0, 200))]
    ['survives', 'fades slowly', 'fades', 'grows slowly']
    """
    if np.isnan(decades):
        return "undefined"
    if np.isneginf(decades):
        return "zero"
    with np.errstate(over="ignore"):
        slowly = abs(np.float64(10.0) ** (decades / steps) - 1.0) <= STEADY + 1e-12
    if slowly and abs(decades) <= SURVIVES:
        return "survives"
    return ("grows" if decades > 0 else "fades") + (" slowly" if slowly else "")


def judge_state(moment: np.ndarray, saturation: float, overflows: bool, config: Config) -> str:
    """Return in one word what the state did; ``moment`` is log10 E h^2 at steps 0..T.

    The last step is compared with the middle one, or, where the input is an impulse, with the first. Few sequences of a
    steady input make E h^2 go up and down from step to step, which is neither growing nor shrinking.
    """
    if overflows:
        return "overflows"
    if moment[-1] == -np.inf:
        return "zero"
    if moment[-1] == np.inf:  # h is finite, and its square is not
        return "grows"
    if saturation > 0.5 and not ACTIVATIONS[config.activation].switched_off:
        return "saturates"
    steady = INPUTS[config.inputs].steady
    later = moment[max(1, len(moment) // 2) if steady else 1 :]
    drift = later[-1] - later[0]
    if abs(drift) <= KEEPS or (steady and len(later) >= ENOUGH and goes_up_and_down(later, drift)):
        return "keeps"
    return "grows" if drift > 0 else "shrinks"


def goes_up_and_down(moment: np.ndarray, drift: float) -> bool:
    """Return whether the medians of a curve's halves differ too little for a drift, given its changes per step."""
    half = len(moment) // 2
    with np.errstate(invalid="ignore"):
        trend = 2.0 * (np.median(moment[half:]) - np.median(moment[:half]))
        changes = float(np.mean(np.abs(np.diff(moment))))
    return bool(trend * np.sign(drift) < max(0.5 * KEEPS, 2.0 * changes))
