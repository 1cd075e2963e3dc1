"""Why a gradient fades, survives or grows: a `Diagnosis` reduced to the one word that explains it.

`cause` never confuses small weights, saturation, and an input that keeps the slopes below 1.
"""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS
from .diagnosis import Diagnosis
from .judgement import first_loss, judge_gradient

APART = 0.12  # decades per step: a W_hh that does more than this to one gradient beyond others prefers its direction
MAINLY = 2.0  # one of two factors explains a change that it contributes so many times more decades to
MOSTLY = 0.5  # share of what W_hh does to a gradient that its size must explain
NEXT_TO_NOTHING = 0.01  # decades per step


def cause(diagnosis: Diagnosis) -> str:
    """Return what explains the gradient, a key of ``verdict.CAUSES``: "" where nothing stands out."""
    if diagnosis.backward in ("zero", "undefined") or not diagnosis.agree:
        return ""
    if losses := cause_of_losses(diagnosis):
        return losses
    if diagnosis.slopes is None:
        return "alone" if first_loss(diagnosis) else cause_of_gates(diagnosis)
    if diagnosis.backward.startswith("fades"):
        return cause_of_fading(diagnosis)
    if diagnosis.backward.startswith("grows"):
        return cause_of_growth(diagnosis)
    balanced = words_over_all_steps(diagnosis) == ("grows", "fades")
    return "balance" if balanced else ""


def alone_word(diagnosis: Diagnosis) -> str:
    """Return in one word what the gradient of the last step's loss alone does."""
    return judge_gradient(diagnosis.alone, diagnosis.steps)


def words_over_all_steps(diagnosis: Diagnosis) -> tuple[str, str]:
    """Return in one word each what W_hh and the slopes alone do to the gradient over all steps."""
    steps = diagnosis.steps
    words = (judge_gradient(factor * steps, steps) for factor in (diagnosis.weight_factor, diagnosis.step_factor))
    weights, slopes = (word.split()[0] for word in words)
    return weights, slopes


def cause_of_losses(diagnosis: Diagnosis) -> str:
    """Return what the losses of other steps explain, compared with the last step's loss alone; "" if nothing."""
    if first_loss(diagnosis) == 0:
        return ""
    alone = alone_word(diagnosis)
    if alone == "zero" or (alone.startswith("fades") and not diagnosis.backward.startswith("fades")):
        return "hidden"
    mostly_added = diagnosis.decades - diagnosis.alone > 0.5 * abs(diagnosis.decades)
    return "added" if diagnosis.backward.startswith("grows") and mostly_added else ""


def cause_of_fading(diagnosis: Diagnosis) -> str:
    """Distinguish W_hh from flat slopes, and find what keeps the slopes flat."""
    weights, slopes = max(0.0, -diagnosis.weight_factor), max(0.0, -diagnosis.step_factor)
    if weights >= MAINLY * slopes:
        return "small" if diagnosis.weight_size <= MOSTLY * diagnosis.weight_factor else "contracts"
    return "both" if slopes < MAINLY * weights else cause_of_flat_slopes(diagnosis)


def cause_of_flat_slopes(diagnosis: Diagnosis) -> str:
    """Find what keeps the slopes flat: saturation, the activation itself, the input, or the state."""
    activation = ACTIVATIONS[diagnosis.activation]
    if diagnosis.forward == "saturates" and len(diagnosis.forward_runs) == 1:
        read = "saturated by input" if diagnosis.layers == 1 else "below"
        return read if diagnosis.by_input else "saturated"
    if 2.0 * activation.log10_steepest <= diagnosis.step_factor and activation.log10_steepest < 0:
        return "ceiling"
    if activation.switched_off and diagnosis.saturation >= 0.01:
        return "switched off"
    if activation.homogeneous or activation.log10_steepest < 0:
        return ""
    read = "input" if diagnosis.layers == 1 else "below"  # what the top layer reads
    if diagnosis.by_input:
        return read
    if diagnosis.biased:
        return "flat"
    without = diagnosis.slopes_without_input
    return "state" if without is None or without <= 0.85 * diagnosis.step_factor else f"{read} and state"


def cause_of_growth(diagnosis: Diagnosis) -> str:
    """Distinguish large weights, weights of one sign, and directions that W_hh prefers."""
    if diagnosis.weight_factor <= 0:  # slopes above 1
        return ""
    if diagnosis.forward == "saturates" and len(diagnosis.forward_runs) == 1:
        return "outweighs"
    if diagnosis.weight_factor > diagnosis.weight_size + 2.0 * APART and diagnosis.one_sign:
        return "one sign"
    enough = max(-diagnosis.step_factor, MOSTLY * diagnosis.weight_factor)
    return "large" if diagnosis.weight_size >= enough else "stretches"


def cause_of_gates(diagnosis: Diagnosis) -> str:
    """Distinguish what a gate passes on alone from what it passes on with the paths through W_hh."""
    if diagnosis.path is None or not np.isfinite(diagnosis.path):
        return ""
    further, rest = diagnosis.steps - 1, diagnosis.then - diagnosis.path
    if abs(rest) > NEXT_TO_NOTHING or judge_gradient(rest * further, further) != "survives":
        return "path"
    return "open" if judge_gradient(diagnosis.path * further, further) == "survives" else "path alone"
