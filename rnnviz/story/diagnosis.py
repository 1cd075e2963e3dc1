"""What happened and why, as numbers and single words: the account that a verdict tells.

Forward (does the state keep its size?) and backward (does the gradient survive the way back?) are judged apart. What
made the gradient's story is one of the words of `cause`; the words for small weights, for saturation and for an input
that keeps the units off slope 1 are never mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..engine.runs import Trace
from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.config import Config
from ..network.schemes import SCHEMES
from ..numerics.quantiles import median

KEEPS = 0.15  # decades by which the second moment may drift over the last half and still keep its size
SURVIVES = 1.0  # decades by which the gradient may change over all steps and still survive
SAME = 0.05  # decades by which a factor a step may differ from 1 and still take or add nothing
APART = 0.12  # decades by which what W_hh did to the gradient may differ from what it does to any direction


@dataclass(frozen=True)
class Account:
    """One scheme's story in numbers, medians over seeds.

    Attributes
    ----------
    scheme, cell, activation, seq_len, loss_at : from the Config.
    seeds : how many runs there are.
    input : "steady", "kick" (at the first step only) or "nothing".
    forward : "keeps", "shrinks", "grows", "saturates", "zero" or "overflows".
    second_moment : log10 E h^2 at the last step; saturation : share of units saturated there.
    vanished : whether every h is exactly 0 at the last step, not only h^2.
    overflow : the first step at which a run's state is not finite, or None; overflowed : how many runs.
    backward : "survives", "shrinks", "grows", "zero" or "undefined".
    decades : log10 of the gradient's norm at the end of these steps relative to the last step.
    factor : log10 of its factor a step back.
    carry : log10 of the factor that the activation (or gate) contributes to it a step, a root mean square.
    carry_name : phi', or the gate; first_carry : the same at step 1, where only the input has acted.
    size : log10 of what W_hh does to the length of any direction, a root mean square: ``||W_hh|| / sqrt(H)``.
    road : log10 of the factor a step along the road that the gate keeps (an LSTM's dL/dc, else dL/dh).
    silent : whether the loss hands back exactly 0 to the last step; off : whether all slopes are 0 at some step.
    """

    scheme: str
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
    carry: float
    carry_name: str
    first_carry: float
    size: float
    road: float
    silent: bool
    off: bool

    @property
    def steps(self) -> int:
        """How many steps the gradient is followed back."""
        return self.seq_len - first_loss(self)

    @property
    def recurrent(self) -> float:
        """log10 of the factor that W_hh contributes a step: what the carried factor leaves to explain."""
        return self.factor - self.carry

    @property
    def way(self) -> float:
        """log10 of what a step leaves of a gradient of any direction: W_hh and the slopes, or the gate alone."""
        return self.carry + (self.size if self.cell == "rnn" else 0.0)

    @property
    def entry(self) -> float:
        """log10 of what the way from h onto the road of c costs, once."""
        return self.decades - self.road * self.steps

    @property
    def by_input(self) -> bool:
        """Whether the input alone, at step 1, explains at least half of what the slopes take."""
        return self.input == "steady" and self.first_carry <= 0.5 * self.carry


def account(trace: Trace, k: int) -> Account:
    """Return the account of the k-th scheme of a comparison."""
    config, scheme = trace.config, trace.schemes[k]
    return Account(
        scheme=scheme,
        cell=config.cell,
        activation=config.activation,
        seq_len=config.seq_len,
        loss_at=config.loss_at,
        seeds=len(trace.seeds),
        input="nothing" if config.input_scale == 0 else "kick" if config.inputs == "none" else "steady",
        size=weight_size(config.replace(scheme=scheme)),
        carry_name=CELLS[config.cell].carry[0],
        **tell_forward(trace, k),
        **tell_backward(trace, k),
    )


def first_loss(network: Config | Account) -> int:
    """Return the step that the gradient is followed back to: 0, or 1 where all states but h_0 have a loss."""
    return int(network.loss_at == "every" and network.seq_len > 1)


def weight_size(config: Config) -> float:
    """Return log10 of the root mean square factor by which W_hh changes the length of a direction."""
    known, n = SCHEMES[config.scheme], config.hidden_size
    with np.errstate(divide="ignore"):
        return float(np.log10(config.gain) + 0.5 * np.log10(n * (known.variance(n, n) + known.mean(n, n) ** 2)))


def tell_forward(trace: Trace, k: int) -> dict:
    """Return the forward part of an account."""
    with np.errstate(divide="ignore"):
        moment = median(np.log10(trace.second_moment[k]))
    overflow = trace.first_nonfinite[k][trace.first_nonfinite[k] >= 0]
    saturation = float(median(trace.saturation[k])[-1])
    return {
        "forward": judge_forward(moment, saturation, overflow.size > 0, trace.config),
        "second_moment": float(moment[-1]),
        "saturation": saturation,
        "vanished": bool(median(np.abs(trace.mean[k]))[-1] == 0.0),
        "overflow": int(overflow.min()) if overflow.size else None,
        "overflowed": int(overflow.size),
    }


def tell_backward(trace: Trace, k: int) -> dict:
    """Return the backward part of an account."""
    first = first_loss(trace.config)
    norms, steps = median(trace.log10_grad_norm[k]), trace.config.seq_len - first
    decades = way_back(trace.log10_relative_norm[k], first)
    road = decades if trace.log10_relative_norm_c is None else way_back(trace.log10_relative_norm_c[k], first)
    carry = median(trace.log10_carry[k][:, 1:])
    known = carry[np.isfinite(carry)]
    return {
        "backward": judge_backward(norms[first:], decades),
        "decades": decades,
        "factor": decades / steps,
        # The mean, not the median over steps: only it multiplies to the whole way.
        "carry": float(known.mean()) if known.size else float("nan"),
        "first_carry": float(carry[0]),
        "road": road / steps,
        "silent": bool(np.isneginf(norms[-1])),
        "off": bool(np.isneginf(carry).any()),
    }


def way_back(relative: np.ndarray, first: int) -> float:
    """Return by how many decades a gradient changes from the last step to ``first``, a median over runs.

    Run by run, as the picture has it: where the loss hands back differs from run to run by many decades.
    """
    with np.errstate(invalid="ignore"):
        return float(median(relative[:, first] - relative[:, -1]))


def judge_forward(moment: np.ndarray, saturation: float, overflows: bool, config: Config) -> str:
    """Say in one word what the state did; ``moment`` is log10 E h^2 at steps 0..T.

    It is compared with the middle, when a steady input has been taken in; after one kick, with the kick itself.
    """
    if overflows:
        return "overflows"
    if moment[-1] == -np.inf:
        return "zero"
    if moment[-1] == np.inf:  # h is finite, and its square is not
        return "grows"
    if saturation > 0.5 and not ACTIVATIONS[config.activation].homogeneous:
        return "saturates"
    drift = moment[-1] - moment[1 if config.inputs == "none" else max(1, len(moment) // 2)]
    return "keeps" if abs(drift) <= KEEPS else "grows" if drift > 0 else "shrinks"


def judge_backward(norms: np.ndarray, decades: float) -> str:
    """Say in one word what the gradient did; ``norms`` is log10 ||dL/dh_t|| at the steps it is followed over."""
    if np.isnan(norms[-1]):
        return "undefined"
    if np.isneginf(norms).any():
        return "zero"
    return "survives" if abs(decades) <= SURVIVES else "grows" if decades > 0 else "shrinks"


def cause(story: Account) -> str:
    """Say in one word what made the gradient's story, a key of ``verdict.CAUSES``, or "" where nothing stands out."""
    if story.backward not in ("survives", "shrinks", "grows"):
        return ""
    if losses_add_up(story):
        return "hidden" if story.way < -0.2 * SAME else "added"
    if not np.isfinite(story.carry):
        return ""
    if story.cell != "rnn":
        return cause_of_gates(story)
    if story.backward == "shrinks":
        return cause_of_fading(story)
    if story.backward == "grows":
        return cause_of_growth(story)
    return "balance" if story.recurrent > SAME and story.carry < -SAME else ""


def losses_add_up(story: Account) -> bool:
    """Tell whether the losses of many steps can have made the story: T of them add up to T times one at most."""
    return first_loss(story) == 1 and (story.backward != "grows" or story.decades < np.log10(story.seq_len) + APART)


def cause_of_fading(story: Account) -> str:
    """Tell small weights from flat slopes, and what keeps the slopes flat."""
    weights, slopes = max(0.0, -story.size), -story.carry
    if story.forward == "saturates":
        flatter = ", flatter" if story.recurrent < min(0.0, story.size) - APART else ""
        return f"saturated by input{flatter}" if story.by_input else f"saturated{flatter}"
    if weights > SAME and weights >= 2.0 * slopes:
        return "small"
    if story.recurrent < story.size - APART:
        return "flatter"
    if slopes < SAME:
        return ""
    if weights > SAME and slopes < 2.0 * weights:
        return "both"
    if 2.0 * steepest(story.activation) <= story.carry + SAME:
        return "ceiling"
    if ACTIVATIONS[story.activation].homogeneous:
        return "switched off"
    return "input" if story.by_input else "state"


def cause_of_growth(story: Account) -> str:
    """Tell large weights from weights of one sign, and from one matrix used again and again."""
    if story.forward == "saturates":
        return "unsaturated few"
    known = SCHEMES[story.scheme]
    if story.recurrent > story.size + 2.0 * APART and known.mean(64, 64) != 0:
        return "one sign"
    return "large" if story.size + story.carry > 0.2 * SAME else "same matrix"


def cause_of_gates(story: Account) -> str:
    """Tell an open gate, one that leaks, and one that shuts at times."""
    if story.cell == "lstm" and story.entry < -3.0 * SURVIVES and story.backward == "shrinks":
        return "no way onto c"
    if story.road < story.carry - SAME:
        return "shut at times"
    if story.carry > -0.2 * SAME and abs(story.road) < SAME:
        return "open"
    return "road" if story.road > story.carry + 0.4 * SAME else "road alone"


@cache
def steepest(activation: str) -> float:
    """Return log10 of the largest slope of an activation."""
    return float(np.log10(ACTIVATIONS[activation].slope(np.linspace(-20.0, 20.0, 4001)).max()))
