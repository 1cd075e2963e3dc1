"""What arrives of the gradient at the first layer, through the layers and over the steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..engine.trace import Trace
from ..numerics.quantiles import median
from ..text.language import _
from ..text.number_format import factor
from .judgement import VERBS, followed_to, in_runs, judge_gradient


@dataclass(frozen=True)
class Arrival:
    """What arrives at layer 1 of the top layer's gradient at the last step.

    Attributes
    ----------
    step : the step at which it arrives.
    length : the number of layers and steps on its way: each counts as a step for the rule by which it survives.
    decades : log10 of the norm over the top layer's at the last step, a median over the runs.
    runs : word of `judge_gradient` -> number of runs, the most frequent first.
    """

    step: int
    length: int
    decades: float
    runs: dict[str, int]

    @property
    def word(self) -> str:
        """What happens to the median."""
        return judge_gradient(self.decades, self.length)


def arrivals(trace: Trace, k: int) -> tuple[Arrival, ...]:
    """Return what arrives at layer 1 at the last step and at step 1, or at the step where it is cut off.

    Empty where there is one layer, or where no gradient is defined.
    """
    config = trace.config
    if config.layers == 1:
        return ()
    norms = trace.of_layer(1).log10_relative_norm[k]
    steps = dict.fromkeys((config.seq_len, max(1, followed_to(config))))
    found = (arrival(norms[:, step], step, config.layers - 1 + config.seq_len - step) for step in steps)
    return tuple(each for each in found if each.runs)


def arrival(norms: np.ndarray, step: int, length: int) -> Arrival:
    """Return what arrives at a step, given the relative norms there (R,)."""
    known = norms[~np.isnan(norms)]
    runs = Counter(judge_gradient(float(norm), length) for norm in known)
    return Arrival(step, length, float(median(known)) if known.size else np.nan, dict(runs.most_common()))


def arrival_words(found: Sequence[Arrival], layers: int) -> list[str]:
    """Return a list of one sentence on what arrives at layer 1; empty where there is one layer, or no gradient."""
    if not found:
        return []
    now, *later = found
    text = _("Of the gradient of layer {top} at step {last}, layer 1 gets ×{now} at the same step ({through}).")
    values: dict[str, object] = {"now": factor(now.decades), "through": through_words(now)}
    if later:
        text = _(
            "Of the gradient of layer {top} at step {last}, layer 1 gets ×{now} at the same step ({through}), and "
            "×{then} at step {first} ({over})."
        )
        over = _("over layers and steps it {outcome}").format(outcome=runs_words(later[0]))
        values |= {"then": factor(later[0].decades), "first": later[0].step, "over": over}
    return [text.format(top=layers, last=now.step, **values)]


def through_words(arrival: Arrival) -> str:
    """Write what the layers do to the gradient, with the factor per layer."""
    text = _("through the layers it {outcome}")
    if arrival.length > 1 and len(arrival.runs) == 1 and np.isfinite(arrival.decades):
        text = _("through the layers it {outcome}, ×{factor} per layer")
    return text.format(outcome=runs_words(arrival), factor=factor(arrival.decades / arrival.length))


def runs_words(arrival: Arrival) -> str:
    """Write what happens to the gradient in all runs, or in how many."""
    return in_runs(arrival.runs) if len(arrival.runs) > 1 else _(VERBS[arrival.word])


def down_words(arrival: Arrival) -> str:
    """Write what the layers do to the gradient where there is no time, with the factor of all and per layer."""
    text = _("the gradient {outcome}, ×{factor}")
    if not np.isfinite(arrival.decades):
        text = _("the gradient {outcome}")
    elif len(arrival.runs) > 1:
        text = _("the gradient {outcome} (median ×{factor})")
    elif arrival.length > 1:
        text = _("the gradient {outcome}, ×{factor} (×{each} per layer)")
    each = factor(arrival.decades / arrival.length)
    return text.format(outcome=runs_words(arrival), factor=factor(arrival.decades), each=each)
