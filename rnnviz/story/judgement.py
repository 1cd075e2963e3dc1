"""The rules by which a state keeps its size and a gradient survives: the same for verdicts, bets and suggestions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.config import Config
from ..network.inputs import INPUTS
from ..text.language import N_, _
from ..text.number_format import listed

KEEPS = 0.15  # decades: a state whose second moment drifts less over the last half keeps its size
ENOUGH = 8  # steps that tell a drift from ups and downs
STEADY = 0.05  # a factor per step that differs less from 1 does little at each step
SURVIVES = 1.0  # decades: the most that a surviving gradient changes in all

VERBS = {
    "keeps": N_("keeps its size"),
    "shrinks": N_("shrinks"),
    "saturates": N_("saturates"),
    "overflows": N_("overflows"),
    "survives": N_("survives"),
    "fades slowly": N_("fades slowly"),
    "fades": N_("fades"),
    "grows slowly": N_("grows slowly"),
    "grows": N_("grows"),
    "zero": N_("is exactly 0"),
    "undefined": N_("is undefined"),
}


def input_kind(config: Config) -> str:
    """Return when the network reads anything: "steady", "impulse" or "nothing"."""
    if config.input_scale == 0:
        return "nothing"
    return "steady" if INPUTS[config.inputs].steady else "impulse"


def first_loss(network: Any) -> int:
    """Return 1 where all states but h_0 have a loss of their own, else 0; ``network`` is a Config or a Diagnosis."""
    return int(network.loss_at == "every" and network.seq_len > 1)


def followed_to(network: Any) -> int:
    """Return the step that the gradient is followed back to: where it is cut off, or else that of `first_loss`."""
    cut = network.seq_len - network.truncate if network.truncate else 0
    return max(first_loss(network), cut)


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


def in_runs(counts: dict[str, int]) -> str:
    """Write what the runs do where they disagree, such as "survives in 5 of 8 runs and fades in 3"."""
    (word, count), *others = counts.items()
    first = _("{verb} in {count} of {runs} runs").format(verb=_(VERBS[word]), count=count, runs=sum(counts.values()))
    further = [_("{verb} in {count}").format(verb=_(VERBS[each]), count=some) for each, some in others]
    return listed([first, *further])
