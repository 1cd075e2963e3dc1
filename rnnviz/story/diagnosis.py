"""What happened and why, in numbers and single words: the diagnosis that a verdict puts into sentences.

Forward (does the state keep its size?) and backward (does the gradient survive the way back?) are judged apart. `cause`
names in one word what explains the gradient; it never confuses small weights, saturation, and an input that keeps the
slopes below 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Cell
from ..network.config import Config
from ..network.inputs import INPUTS
from ..network.schemes import SCHEMES
from ..numerics.quantiles import median

KEEPS = 0.15  # decades: a state whose second moment drifts less over the last half keeps its size
SURVIVES = 1.0  # decades: a gradient that changes less over all steps survives
SAME = 0.05  # decades: a factor per step that differs less from 1 has no effect
APART = 0.12  # decades: W_hh's effect on the gradient and on any direction differ by more than this, or not at all


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of one scheme, medians over seeds. Factors are log10.

    Attributes
    ----------
    scheme, cell, activation, seq_len, loss_at : from the Config; name : what a legend calls the scheme.
    seeds : the number of runs.
    input : "steady", "impulse" (at the first step only) or "nothing".
    forward : "keeps", "shrinks", "grows", "saturates", "zero" or "overflows".
    second_moment : log10 E h^2 at the last step; saturation : share of units saturated there.
    vanished : whether every h is exactly 0 at the last step, not only h^2.
    overflow : the first step at which a run's state is not finite, or None; overflowed : how many runs.
    backward : "survives", "shrinks", "grows", "zero" or "undefined".
    decades : the change of the gradient's norm over all steps back; factor : the same per step.
    step_factor : the slopes' (or the gate's) factor per step, a root mean square; step_factor_name : phi', or the gate.
    first_step_factor : the step factor at step 1, where only the input has acted.
    weight_size : the factor by which W_hh changes the length of any direction, a root mean square:
        ``||W_hh|| / sqrt(H)``; one_sign : whether its weights pull all units one way.
    path_factor : the factor per step along the path that the gate keeps open (an LSTM's dL/dc, else dL/dh).
    silent : whether dL/dh is exactly 0 at the last step; off : whether all slopes are 0 at some step.
    """

    scheme: str
    name: str
    cell: str
    activation: str
    seq_len: int
    loss_at: str
    seeds: int
    input: str
    forward: str
    second_moment: float
    saturation: float
    vanished: bool
    overflow: int | None
    overflowed: int
    backward: str
    decades: float
    factor: float
    step_factor: float
    step_factor_name: str
    first_step_factor: float
    weight_size: float
    one_sign: bool
    path_factor: float
    silent: bool
    off: bool

    @property
    def kind(self) -> Cell:
        """The cell itself, whose name is ``cell``."""
        return CELLS[self.cell]

    @property
    def steps(self) -> int:
        """The number of steps that the gradient is followed back."""
        return self.seq_len - first_loss(self)

    @property
    def weight_factor(self) -> float:
        """W_hh's factor per step on this gradient: what the step factor leaves to explain."""
        return self.factor - self.step_factor

    @property
    def any_direction(self) -> float:
        """The factor per step on a gradient of any direction: of W_hh and the slopes, or of the gate alone."""
        return self.step_factor + (self.weight_size if self.kind.has_matrix_jacobian else 0.0)

    @property
    def path_entry(self) -> float:
        """The factor, applied once, for getting from h onto the path."""
        return self.decades - self.path_factor * self.steps

    @property
    def by_input(self) -> bool:
        """Whether the input alone, at step 1, explains at least half of the slopes' effect."""
        return self.input == "steady" and self.first_step_factor <= 0.5 * self.step_factor


def diagnose(trace: Trace, scheme_index: int) -> Diagnosis:
    """Return the diagnosis of one scheme of a comparison, of a single run, or of an own network."""
    trace, config = trace.as_comparison(), trace.config
    return Diagnosis(
        scheme=trace.schemes[scheme_index],
        name=trace.names[scheme_index],
        cell=config.cell,
        activation=config.activation,
        seq_len=config.seq_len,
        loss_at=config.loss_at,
        seeds=len(trace.seeds),
        input=input_kind(config),
        weight_size=weight_size(trace, scheme_index),
        one_sign=have_one_sign(trace, scheme_index),
        step_factor_name=CELLS[config.cell].step_factor[0],
        **diagnose_forward(trace, scheme_index),
        **diagnose_backward(trace, scheme_index),
    )


def input_kind(config: Config) -> str:
    """Return when the network reads anything: "steady", "impulse" or "nothing"."""
    if config.input_scale == 0:
        return "nothing"
    return "steady" if INPUTS[config.inputs].steady else "impulse"


def first_loss(network: Config | Diagnosis) -> int:
    """Return the step that the gradient is followed back to: 0, or 1 where all states but h_0 have a loss."""
    return int(network.loss_at == "every" and network.seq_len > 1)


def weight_size(trace: Trace, k: int) -> float:
    """Return log10 of the root mean square factor by which W_hh, as drawn or as given, changes a direction's length."""
    n = trace.config.hidden_size
    with np.errstate(divide="ignore"):
        if trace.own:
            return float(0.5 * np.log10(n * np.mean(np.square(trace.own.params["W_hh"]))))
        known = SCHEMES[trace.schemes[k]]
        square = n * (known.variance(n, n) + known.mean(n, n) ** 2)
        return float(np.log10(trace.config.gain) + 0.5 * np.log10(square))


def have_one_sign(trace: Trace, k: int) -> bool:
    """Tell whether the weights, as drawn or as given, pull all units one way."""
    if trace.own:
        W = trace.own.params["W_hh"]
        return bool((W >= 0).all() or (W <= 0).all())
    return SCHEMES[trace.schemes[k]].mean(64, 64) != 0


def diagnose_forward(trace: Trace, k: int) -> dict[str, Any]:
    """Return the fields of a `Diagnosis` that describe the state."""
    with np.errstate(divide="ignore"):
        moment = median(np.log10(trace.second_moment[k]))
    overflow = np.asarray(trace.first_nonfinite)[k]
    overflow = overflow[overflow >= 0]
    saturation = float(median(trace.saturation[k])[-1])
    return {
        "forward": judge_forward(moment, saturation, overflow.size > 0, trace.config),
        "second_moment": float(moment[-1]),
        "saturation": saturation,
        "vanished": bool(median(np.abs(trace.mean[k]))[-1] == 0.0),
        "overflow": int(overflow.min()) if overflow.size else None,
        "overflowed": int(overflow.size),
    }


def diagnose_backward(trace: Trace, k: int) -> dict[str, Any]:
    """Return the fields of a `Diagnosis` that describe the gradient."""
    first = first_loss(trace.config)
    norms, steps = median(trace.log10_grad_norm[k]), trace.config.seq_len - first
    decades = change_back(trace.log10_relative_norm[k], first)
    along_path = decades if trace.log10_relative_norm_c is None else change_back(trace.log10_relative_norm_c[k], first)
    factors = median(trace.log10_step_factor[k][:, 1:])
    known = factors[np.isfinite(factors)]
    return {
        "backward": judge_backward(norms[first:], decades),
        "decades": decades,
        "factor": decades / steps,
        # The mean over steps, not the median: only the mean multiplies to the change over all steps.
        "step_factor": float(known.mean()) if known.size else float("nan"),
        "first_step_factor": float(factors[0]),
        "path_factor": along_path / steps,
        "silent": bool(np.isneginf(norms[-1])),
        "off": bool(np.isneginf(factors).any()),
    }


def change_back(relative: np.ndarray, first: int) -> float:
    """Return by how many decades a gradient changes from the last step to ``first``, a median over runs.

    The change is computed run by run, as in the picture: between runs, dL/dh_T may differ by many decades.
    """
    with np.errstate(invalid="ignore"):
        return float(median(relative[:, first] - relative[:, -1]))


def judge_forward(moment: np.ndarray, saturation: float, overflows: bool, config: Config) -> str:
    """Return in one word what the state did; ``moment`` is log10 E h^2 at steps 0..T.

    The last step is compared with the middle one, or, where the input is an impulse, with the first.
    """
    if overflows:
        return "overflows"
    if moment[-1] == -np.inf:
        return "zero"
    if moment[-1] == np.inf:  # h is finite, and its square is not
        return "grows"
    if saturation > 0.5 and not ACTIVATIONS[config.activation].homogeneous:
        return "saturates"
    drift = moment[-1] - moment[max(1, len(moment) // 2) if INPUTS[config.inputs].steady else 1]
    return "keeps" if abs(drift) <= KEEPS else "grows" if drift > 0 else "shrinks"


def judge_backward(norms: np.ndarray, decades: float) -> str:
    """Return in one word what the gradient did; ``norms`` is log10 ||dL/dh_t|| at the steps that count."""
    if np.isnan(norms[-1]):
        return "undefined"
    if np.isneginf(norms).any():
        return "zero"
    return "survives" if abs(decades) <= SURVIVES else "grows" if decades > 0 else "shrinks"


def cause(diagnosis: Diagnosis) -> str:
    """Return what explains the gradient, a key of ``verdict.CAUSES``: "" where nothing stands out."""
    if diagnosis.backward not in ("survives", "shrinks", "grows"):
        return ""
    if losses_add_up(diagnosis):
        return "hidden" if diagnosis.any_direction < -0.2 * SAME else "added"
    if not np.isfinite(diagnosis.step_factor):
        return ""
    if not diagnosis.kind.has_matrix_jacobian:
        return cause_of_gates(diagnosis)
    if diagnosis.backward == "shrinks":
        return cause_of_fading(diagnosis)
    if diagnosis.backward == "grows":
        return cause_of_growth(diagnosis)
    return "balance" if diagnosis.weight_factor > SAME and diagnosis.step_factor < -SAME else ""


def losses_add_up(diagnosis: Diagnosis) -> bool:
    """Return whether the losses of many steps can explain the gradient: T of them add up to at most T times one."""
    return first_loss(diagnosis) == 1 and (
        diagnosis.backward != "grows" or diagnosis.decades < np.log10(diagnosis.seq_len) + APART
    )


def cause_of_fading(diagnosis: Diagnosis) -> str:
    """Distinguish small weights from flat slopes, and find what keeps the slopes flat."""
    weights, slopes = max(0.0, -diagnosis.weight_size), -diagnosis.step_factor
    if diagnosis.forward == "saturates":
        flatter = ", flatter" if diagnosis.weight_factor < min(0.0, diagnosis.weight_size) - APART else ""
        return f"saturated by input{flatter}" if diagnosis.by_input else f"saturated{flatter}"
    if weights > SAME and weights >= 2.0 * slopes:
        return "small"
    if diagnosis.weight_factor < diagnosis.weight_size - APART:
        return "flatter"
    if slopes < SAME:
        return ""
    if weights > SAME and slopes < 2.0 * weights:
        return "both"
    if 2.0 * ACTIVATIONS[diagnosis.activation].log10_steepest <= diagnosis.step_factor + SAME:
        return "ceiling"
    if ACTIVATIONS[diagnosis.activation].homogeneous:
        return "switched off"
    return "input" if diagnosis.by_input else "state"


def cause_of_growth(diagnosis: Diagnosis) -> str:
    """Distinguish large weights, weights of one sign, and one matrix applied again and again."""
    if diagnosis.forward == "saturates":
        return "unsaturated few"
    if diagnosis.weight_factor > diagnosis.weight_size + 2.0 * APART and diagnosis.one_sign:
        return "one sign"
    return "large" if diagnosis.weight_size + diagnosis.step_factor > 0.2 * SAME else "same matrix"


def cause_of_gates(diagnosis: Diagnosis) -> str:
    """Distinguish an open gate, one that leaks, and one that shuts at times."""
    if "c" in diagnosis.kind.states and diagnosis.path_entry < -3.0 * SURVIVES and diagnosis.backward == "shrinks":
        return "costly entry"
    if diagnosis.path_factor < diagnosis.step_factor - SAME:
        return "shut at times"
    if diagnosis.step_factor > -0.2 * SAME and abs(diagnosis.path_factor) < SAME:
        return "open"
    return "path" if diagnosis.path_factor > diagnosis.step_factor + 0.4 * SAME else "path alone"
