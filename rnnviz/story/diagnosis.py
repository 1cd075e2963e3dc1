"""What happened in the runs of one scheme, in numbers and single words: what a verdict puts into sentences.

Forward (does the state keep its size?) and backward (does the gradient survive the way back?) are judged apart, and
every run for itself: where the runs disagree, their words are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.trace import Trace
from ..network.cells import CELLS, Cell
from ..network.schemes import SCHEMES
from ..numerics.quantiles import median
from .arrivals import Arrival, arrivals
from .judgement import first_loss, followed_to, input_kind, judge_gradient, judge_state
from .without_input import input_may_flatten, slopes_without_input, top_layer

Array = np.ndarray


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of one scheme. Factors are log10; ``decades`` are those of a factor over all steps.

    What belongs to the gradient is that of the middle run, by the change of its gradient, or the mean over the two in
    the middle; so factors multiply exactly to the change.

    Attributes
    ----------
    scheme, cell, activation, seq_len, loss_at : from the Config; name : what a legend calls the scheme.
    input : "steady", "impulse" (at the first step only) or "nothing".
    forward : "keeps", "shrinks", "grows", "saturates", "zero" or "overflows"; forward_runs : word -> number of runs.
    second_moment : log10 E h^2 at the last step, a median; saturation : share of units saturated there, a median.
    vanished : whether every h is exactly 0 at the last step, not only h^2.
    overflow : the first step at which a run's state is not finite, or None.
    backward : a word of `judge_gradient`; backward_runs : word -> number of runs.
    decades : the change of the gradient's norm over all steps back; low, high : the least and greatest of all runs.
    first_step : the change over the first step back.
    alone : ``decades`` without the losses of other steps than the last.
    slopes : decades that the slopes contribute to ``alone``; W_hh contributes the rest. None with gates.
    path : the factor per step, after the first one back, of what the gate alone passes on. None without gates.
    zero_steps : the last step at which the gradient is exactly 0, for each run in which it is; in order.
    weight_size : the factor by which W_hh changes the length of any direction, a root mean square.
    one_sign : whether its weights pull all units one way; biased : whether it has biases that are not 0.
    slopes_without_input : the slopes' factor per step that the input does not explain; None where there is no input.
    layers : the number of layers; all of this is about the top one, whose input is the layer below.
    truncate : the number of steps after which the gradient is cut off, 0 where it is followed all the way.
    fed : whether the top layer's W_xh is not 0.
    first_moment : log10 E h^2 in layer 1 at the last step, a median; 0 where that is the top layer.
    arrivals : what arrives at layer 1, first at the last step, then at step 1; () where there is one layer.
    """

    scheme: str
    name: str
    cell: str
    activation: str
    seq_len: int
    loss_at: str
    input: str
    forward: str
    forward_runs: dict[str, int]
    second_moment: float
    saturation: float
    vanished: bool
    overflow: int | None
    backward: str
    backward_runs: dict[str, int]
    decades: float
    low: float
    high: float
    first_step: float
    alone: float
    slopes: float | None
    path: float | None
    zero_steps: tuple[int, ...]
    weight_size: float
    one_sign: bool
    biased: bool
    slopes_without_input: float | None = None
    layers: int = 1
    truncate: int = 0
    fed: bool = True
    first_moment: float = 0.0
    arrivals: tuple[Arrival, ...] = ()

    @property
    def kind(self) -> Cell:
        """The cell itself, whose name is ``cell``."""
        return CELLS[self.cell]

    @property
    def seeds(self) -> int:
        """The number of runs."""
        return sum(self.backward_runs.values())

    @property
    def steps(self) -> int:
        """The number of steps that the gradient is followed back."""
        return self.seq_len - followed_to(self)

    @property
    def cut(self) -> bool:
        """Whether the gradient is cut off before it has come all the way."""
        return 0 < self.truncate < self.seq_len - first_loss(self)

    @property
    def factor(self) -> float:
        """The factor per step by which the gradient changes."""
        return self.decades / self.steps

    @property
    def then(self) -> float:
        """The factor per step after the first step back; nan where there is no further one."""
        return (self.decades - self.first_step) / (self.steps - 1) if self.steps > 1 else float("nan")

    @property
    def step_factor(self) -> float:
        """The slopes' factor per step on this gradient; with gates, that of the gate alone."""
        return self.slopes / self.steps if self.slopes is not None else self.path or 0.0

    @property
    def weight_factor(self) -> float:
        """W_hh's factor per step on this gradient: what the slopes leave to explain."""
        return self.alone / self.steps - self.step_factor

    @property
    def loss_factor(self) -> float:
        """The factor per step by which the losses of other steps change the gradient."""
        return (self.decades - self.alone) / self.steps

    @property
    def agree(self) -> bool:
        """Whether all gradients that are defined fade, or all survive, or all grow."""
        return len({word.split()[0] for word in self.backward_runs} - {"undefined"}) <= 1

    @property
    def by_input(self) -> bool:
        """Whether the slopes would come back to near 1 without the input."""
        return self.slopes_without_input is not None and self.slopes_without_input >= 0.25 * self.step_factor


def diagnose(trace: Trace, scheme_index: int) -> Diagnosis:
    """Return the diagnosis of one scheme of a comparison, of a single run, or of an own network."""
    return diagnose_schemes(trace, [scheme_index])[0]


def diagnose_all(trace: Trace) -> list[Diagnosis]:
    """Return the diagnosis of each scheme."""
    return diagnose_schemes(trace, range(len(trace.schemes)))


def diagnose_schemes(trace: Trace, schemes: Sequence[int]) -> list[Diagnosis]:
    """Return the diagnoses of some schemes, given by their places."""
    trace = trace.as_comparison()
    changes = {k: changes_back(trace, k) for k in schemes}
    middle = {k: middle_runs(changes[k]) for k in schemes}
    known = {k: diagnose_forward(trace, k) | diagnose_backward(trace, k, changes[k], middle[k]) for k in schemes}
    asked = [k for k in schemes if trace.has_classes and input_may_flatten(trace.config, known[k])]
    found = iter(slopes_without_input(trace, [(k, int(run)) for k in asked for run in middle[k]]))
    for k in asked:
        known[k]["slopes_without_input"] = mean(np.array([next(found) for _run in middle[k]]))
    return [diagnosis(trace, k, known[k]) for k in schemes]


def diagnosis(trace: Trace, scheme_index: int, known: dict[str, Any]) -> Diagnosis:
    """Return the diagnosis of one scheme, of which the fields in ``known`` are known already."""
    config = trace.config
    return Diagnosis(
        scheme=trace.schemes[scheme_index],
        name=trace.names[scheme_index],
        cell=config.cell,
        activation=config.activation,
        seq_len=config.seq_len,
        loss_at=config.loss_at,
        input=input_kind(config),
        one_sign=have_one_sign(trace, scheme_index),
        biased=have_biases(trace, scheme_index),
        layers=config.layers,
        truncate=config.truncate,
        fed=config.layers == 1 or known["forward"] != "zero" or bool(top_layer(trace, scheme_index, 0)["W_xh"].any()),
        first_moment=first_moment(trace, scheme_index),
        arrivals=arrivals(trace, scheme_index),
        **known,
    )


def first_moment(trace: Trace, k: int) -> float:
    """Return log10 E h^2 in layer 1 at the last step, a median; 0 where that is the top layer."""
    if trace.config.layers == 1:
        return 0.0
    with np.errstate(divide="ignore"):
        return float(median(np.log10(trace.second_moment_by_layer[k][:, 0, -1])))


def have_one_sign(trace: Trace, k: int) -> bool:
    """Tell whether the weights, as drawn or as given, pull all units one way."""
    if trace.own:
        W = top_layer(trace, k, 0)["W_hh"]
        return bool((W >= 0).all() or (W <= 0).all())
    return SCHEMES[trace.schemes[k]].mean(64, 64) != 0


def have_biases(trace: Trace, k: int) -> bool:
    """Tell whether b_h may differ from 0, as drawn or as given."""
    if trace.own:
        return bool(top_layer(trace, k, 0)["b_h"].any())
    return SCHEMES[trace.schemes[k]].bias is not None


def diagnose_forward(trace: Trace, k: int) -> dict[str, Any]:
    """Return the fields of a `Diagnosis` that describe the state."""
    with np.errstate(divide="ignore"):
        moments = np.log10(trace.second_moment[k])
    saturations = trace.saturation[k][:, -1]
    overflow = np.asarray(trace.first_nonfinite)[k]
    finite = overflow < 0
    each = zip(moments, saturations, ~finite, strict=True)
    words = [judge_state(*one, trace.config) for one in each]
    moment, saturation = median(moments), float(median(saturations))
    of_median = judge_state(moment, saturation, not finite.all(), trace.config)
    return {
        "forward": words[0] if len(set(words)) == 1 else of_median,
        "forward_runs": counted(words),
        "second_moment": float(moment[-1]),
        "saturation": saturation,
        "vanished": bool(median(np.abs(trace.mean[k]))[-1] == 0.0),
        "overflow": None if finite.all() else int(overflow[~finite].min()),
    }


def counted(words: list[str]) -> dict[str, int]:
    """Return how many runs have each word, the most frequent first."""
    return dict(Counter(words).most_common())


def changes_back(trace: Trace, k: int) -> Array:
    """Return for each run by how many decades the gradient changes on its way back; -inf for a true zero."""
    silent = np.isneginf(trace.log10_grad_norm[k][:, -1])
    return np.where(silent, -np.inf, trace.log10_relative_norm[k][:, followed_to(trace.config)])


def diagnose_backward(trace: Trace, k: int, changes: Array, middle: Array) -> dict[str, Any]:
    """Return the fields of a `Diagnosis` that describe the gradient; ``changes`` of all runs, ``middle`` ones."""
    config, first = trace.config, followed_to(trace.config)
    steps, relative = config.seq_len - first, trace.log10_relative_norm[k]
    last = trace.log10_relative_norm_last
    factors = trace.log10_step_factor[k][middle]
    known = changes[~np.isnan(changes)]
    decades = mean(changes[middle])
    return {
        "backward": judge_gradient(decades, steps),
        "backward_runs": counted([judge_gradient(float(change), steps) for change in changes]),
        "decades": decades,
        "low": float(known.min(initial=np.inf)),
        "high": float(known.max(initial=-np.inf)),
        "first_step": mean(relative[middle, -2]),
        "alone": decades if last is None else mean(last[k][middle, first]),
        **step_factors(CELLS[config.cell], factors[:, first + 1 :]),
        "zero_steps": zero_steps(relative, first, np.isneginf(trace.log10_grad_norm[k][:, -1])),
        "weight_size": mean(trace.log10_weight_size[k][middle]),
    }


def middle_runs(changes: Array) -> Array:
    """Return the run, or the two, whose change is the median; of two, only one where the other is infinite or nan."""
    order = np.argsort(changes, kind="stable")[: max(1, int(np.sum(~np.isnan(changes))))]
    middle = order[(len(order) - 1) // 2 : len(order) // 2 + 1]
    finite = middle[np.isfinite(changes[middle])]
    return finite if finite.size else middle[:1]


def mean(values: Array) -> float:
    """Return the mean over the middle runs."""
    return float(values.mean())


def step_factors(cell: Cell, factors: Array) -> dict[str, float | None]:
    """Return ``slopes``, or ``path``, from the step factors of the steps that the gradient is followed back."""
    if cell.has_matrix_jacobian:
        return {"slopes": mean(factors.sum(axis=1)), "path": None}
    # From dL/dh_{T-1} back: dL/dc is one step ahead, since h_{T-1} acts on c_T.
    further = factors[:, :-1] if cell.states[-1] == "h" else factors[:, 1:]
    return {"slopes": None, "path": mean(further.mean(axis=1)) if further.size else None}


def zero_steps(relative: Array, first: int, silent: Array) -> tuple[int, ...]:
    """Return the last steps, from ``first`` on, at which gradients are exactly 0, in order, of runs where they are."""
    zero = np.isneginf(relative)
    zero[:, :first] = False  # cut off, or without a loss
    zero[silent, -1] = True
    found = np.flatnonzero(zero.any(axis=1))
    return tuple(sorted(int(np.flatnonzero(zero[run])[-1]) for run in found))
