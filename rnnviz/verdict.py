"""What happened and why, in words, from the numbers of a comparison.

Forward (does the state keep its size?) and backward (does the gradient survive the way back?) are judged apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import ACTIVATIONS
from .cells import CELLS
from .quantiles import over_seeds
from .runs import Trace
from .schemes import SCHEMES
from .words import number

KEEPS = 0.15  # decades by which the second moment may drift over the last half and still keep its size
SURVIVES = 1.0  # decades by which the gradient may change over all steps and still survive


@dataclass(frozen=True)
class Account:
    """One scheme's story in numbers, medians over seeds.

    Attributes
    ----------
    scheme : name of the scheme.
    forward : "keeps", "shrinks", "grows", "saturates", "zero" or "overflows".
    second_moment : log10 E h^2 at the last step; saturation : share of units saturated there.
    overflow : the first step at which a run's state is not finite, or None; overflowed : how many runs.
    backward : "survives", "shrinks", "grows", "zero" or "undefined".
    decades : log10 of the gradient's norm at step 0 relative to the last step.
    factor : log10 of its factor a step back.
    carry : log10 of the factor that the activation (or gate) contributes to it a step, a root mean square.
    carry_name : phi', or the gate.
    seq_len, loss_at : from the Config.
    """

    scheme: str
    forward: str
    second_moment: float
    saturation: float
    overflow: int | None
    overflowed: int
    backward: str
    decades: float
    factor: float
    carry: float
    carry_name: str
    activation: str
    seq_len: int
    loss_at: str

    @property
    def recurrent(self) -> float:
        """log10 of the factor that W_hh contributes a step: what the carried factor leaves to explain."""
        return self.factor - self.carry


def median(values: np.ndarray) -> np.ndarray:
    """Return the median over seeds."""
    return over_seeds(values, (0.5,))[0]


def account(trace: Trace, k: int) -> Account:
    """Return the account of the k-th scheme of a comparison."""
    with np.errstate(divide="ignore"):
        moment = median(np.log10(trace.second_moment[k]))
    norms = median(trace.log10_grad_norm[k])
    overflow = trace.first_nonfinite[k][trace.first_nonfinite[k] >= 0]
    saturation = float(median(trace.saturation[k])[-1])
    steps = trace.config.seq_len
    with np.errstate(invalid="ignore"):
        decades = float(norms[0] - norms[-1])
    carry = trace.log10_carry[k][:, 1:]
    return Account(
        scheme=trace.schemes[k],
        forward=judge_forward(moment, saturation, overflow.size > 0, trace.config.activation),
        second_moment=float(moment[-1]),
        saturation=saturation,
        overflow=int(overflow.min()) if overflow.size else None,
        overflowed=int(overflow.size),
        backward=judge_backward(norms, decades),
        decades=decades,
        factor=decades / steps,
        carry=float(np.median(median(carry))) if np.isfinite(carry).any() else float("nan"),
        carry_name=CELLS[trace.config.cell].carry[0],
        activation=trace.config.activation,
        seq_len=steps,
        loss_at=trace.config.loss_at,
    )


def judge_forward(moment: np.ndarray, saturation: float, overflows: bool, activation: str) -> str:
    """Say in one word what the state did; ``moment`` is log10 E h^2 at steps 0..T."""
    if overflows:
        return "overflows"
    if moment[-1] == -np.inf:
        return "zero"
    if saturation > 0.5 and not ACTIVATIONS[activation].homogeneous:
        return "saturates"
    half = max(1, len(moment) // 2)
    drift = moment[-1] - moment[half]
    return "keeps" if abs(drift) <= KEEPS else "grows" if drift > 0 else "shrinks"


def judge_backward(norms: np.ndarray, decades: float) -> str:
    """Say in one word what the gradient did; ``norms`` is log10 ||dL/dh_t|| at steps 0..T."""
    if np.isnan(norms[-1]):
        return "undefined"
    if np.isneginf(norms).any():
        return "zero"
    return "survives" if abs(decades) <= SURVIVES else "grows" if decades > 0 else "shrinks"


def sentence(story: Account) -> str:
    """Say what happened and why."""
    return f"{SCHEMES[story.scheme].short}: {forward_words(story)}; {backward_words(story)}."


def forward_words(story: Account) -> str:
    size = f"(E h² {number(story.second_moment, log10=True)})"
    saturated = f"({story.saturation:.0%} of the units, E h² {number(story.second_moment, log10=True)})"
    return {
        "keeps": f"the state keeps its size {size}",
        "shrinks": f"the state shrinks {size}",
        "grows": f"the state grows {size}",
        "saturates": f"the state saturates {saturated}",
        "zero": "the state is exactly 0",
        "overflows": f"the state leaves the finite numbers at step {story.overflow}",
    }[story.forward]


def backward_words(story: Account) -> str:
    if story.backward == "undefined":
        return "so it has no gradient"
    if story.backward == "zero":
        return "the gradient is exactly 0 before the last step reaches back to the first"
    after = f"{number(story.decades, log10=True)} after {story.seq_len} steps"
    step = number(story.factor, log10=True)
    verb = {"survives": "survives, ×", "shrinks": "shrinks by ", "grows": "grows by "}[story.backward]
    return f"the gradient {verb}{step} a step: {after}{reason(story)}"


def reason(story: Account) -> str:
    """Say which of the two factors of a step made it, W_hh or the activation's slope."""
    if story.loss_at == "every":
        return " – every step adds a loss of its own, which hides what fades"
    if not np.isfinite(story.carry):
        return ""
    if story.backward == "shrinks" and story.forward == "saturates" and story.carry_name == "φ′":
        return f" – saturated units pass almost nothing back (φ′ {number(story.carry, log10=True)})"
    parts = f"W_hh ×{number(story.recurrent, log10=True)}, {story.carry_name} ×{number(story.carry, log10=True)}"
    return f" – a step is {parts}"


def sentences(trace: Trace) -> list[str]:
    """Return a sentence for each scheme of a comparison."""
    return [sentence(account(trace, k)) for k in range(len(trace.schemes))]
