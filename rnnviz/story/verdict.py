"""What happened and why: a `Diagnosis` in one sentence, forward and backward apart."""

from __future__ import annotations

import numpy as np

from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..text.language import N_, _, ngettext
from ..text.number_format import factor, number, percent
from .diagnosis import SAME, Diagnosis, cause, diagnose

CAUSES = {
    "": N_("a step is {factors}"),
    "balance": N_("W_hh and {carry_name} balance: {factors}"),
    "small": N_("its weights are small: {factors}"),
    "both": N_("small weights and flat slopes together: {factors}"),
    "saturated": N_("saturated units pass almost nothing back: {factors}"),
    "saturated, flatter": N_(
        "saturated units pass almost nothing back: {factors}, and those that the gradient meets are flatter still"
    ),
    "saturated by input": N_("so strong an input saturates the units, which pass little back: {factors}"),
    "saturated by input, flatter": N_(
        "so strong an input saturates the units: {factors}, and those that the gradient meets are flatter still"
    ),
    "flatter": N_("the units that it meets are flatter than most: {factors}"),
    "ceiling": N_("the slope of {activation} is never above {ceiling}: {factors}"),
    "switched off": N_("{saturation} of the units are off: {factors}"),
    "input": N_("{weights}, but the input keeps the units off slope 1: {factors}"),
    "state": N_("{weights}, but the state's own size keeps the units off slope 1: {factors}"),
    "large": N_("its weights are large: {factors}"),
    "one sign": N_("its weights have one sign and add up: {factors}"),
    "same matrix": N_("one W_hh stretches the same directions at every step: {factors}"),
    "unsaturated few": N_("so large are its weights that the few unsaturated units suffice: {factors}"),
    "path": N_("{road} keeps ×{carry} a step, and the ways through W_hh make that ×{along}"),
    "path alone": N_("{road} keeps ×{carry} a step, and the ways through W_hh add next to nothing"),
    "open": N_("{road} stays open: ×{carry} a step"),
    "shut at times": N_("{road} keeps ×{carry} a step on average, but shuts at times, and ×{along} is left"),
    "costly entry": N_("{road} keeps ×{carry} a step, but the way from h onto it costs {entry} once"),
    "hidden": N_("every step adds a loss of its own, which hides what fades"),
    "added": N_("every step adds a loss of its own"),
}


def sentence(diagnosis: Diagnosis) -> str:
    """Return what happened and why."""
    said = {"forward": forward_words(diagnosis), "backward": backward_words(diagnosis)}
    return _("{scheme}: {forward}; {backward}.").format(scheme=diagnosis.name, **said)


def forward_words(diagnosis: Diagnosis) -> str:
    """Return what the state did, with its size."""
    if diagnosis.forward == "zero":
        return nothing_words(diagnosis)
    if diagnosis.forward == "overflows":
        return overflow_words(diagnosis)
    text = {
        "keeps": _("the state keeps its size ({size})"),
        "shrinks": _("the state shrinks ({size})"),
        "grows": _("the state grows ({size})"),
        "saturates": _("the state saturates ({saturation} of the units, {size})"),
    }[diagnosis.forward]
    return text.format(size=moment_words(diagnosis.second_moment), saturation=percent(diagnosis.saturation))


def moment_words(log10: float) -> str:
    """Write E h^2, which may be out of range for a float although h is not."""
    return _("E h² above 1e308") if log10 == np.inf else f"E h² {number(log10, log10=True)}"


def nothing_words(diagnosis: Diagnosis) -> str:
    """Return why the state is 0."""
    if not diagnosis.vanished:
        return _("the state shrinks (E h² below 1e-308)")
    if diagnosis.input == "nothing":
        return _("the state is exactly 0, as there is no input")
    if diagnosis.weight_size == -np.inf and diagnosis.input == "impulse":
        return _("the state is exactly 0, as W_hh is 0 and hands nothing on")
    if diagnosis.off and diagnosis.kind.has_matrix_jacobian:
        return _("the state is exactly 0, as every unit is off")
    return _("the state has shrunk to exactly 0, below what a float holds")


def overflow_words(diagnosis: Diagnosis) -> str:
    """Return where the state became too large for a float, and in how many runs."""
    text = _("the state leaves the finite numbers in {count} of {runs} runs, first at step {step}")
    if diagnosis.overflowed == diagnosis.seeds:
        text = _("the state leaves the finite numbers at step {step}")
    return text.format(step=diagnosis.overflow, count=diagnosis.overflowed, runs=diagnosis.seeds)


def backward_words(diagnosis: Diagnosis) -> str:
    """Return what the gradient did, with its factor per step, and why."""
    if diagnosis.backward == "undefined":
        overflows = diagnosis.forward == "overflows"
        return _("so it has no gradient") if overflows else _("the loss is not finite: no gradient")
    if diagnosis.backward == "zero":
        return zero_words(diagnosis)
    after = ngettext("{change} after {steps} step", "{change} after {steps} steps", diagnosis.steps)
    text = {
        "survives": _("the gradient survives, ×{factor} a step: {after} – {reason}"),
        "shrinks": _("the gradient shrinks, ×{factor} a step: {after} – {reason}"),
        "grows": _("the gradient grows, ×{factor} a step: {after} – {reason}"),
    }[diagnosis.backward]
    return text.format(
        factor=factor(diagnosis.factor),
        after=after.format(change=number(diagnosis.decades, log10=True), steps=diagnosis.steps),
        reason=reason(diagnosis),
    )


def zero_words(diagnosis: Diagnosis) -> str:
    """Return why the gradient is 0."""
    if diagnosis.silent:
        return _("the gradient is exactly 0 from the start: the loss hands nothing back")
    text = _("the gradient is exactly 0 before the last step reaches back to the first")
    if diagnosis.weight_size == -np.inf:
        text = _("the gradient is exactly 0 before the last step reaches back to the first, as W_hh is 0")
        if len(diagnosis.kind.states) > 1 and diagnosis.kind.forget_gate:
            text = _(
                "the gradient is exactly 0 before the last step reaches back to the first, as W_hh is 0; "
                "the road through c (gate f) keeps ×{carry} a step"
            )
    elif diagnosis.off and diagnosis.kind.has_matrix_jacobian:
        text = _(
            "the gradient is exactly 0 before the last step reaches back to the first, "
            "as every unit is off at some step"
        )
    return text.format(carry=factor(diagnosis.step_factor))


def reason(diagnosis: Diagnosis) -> str:
    """Return which of a step's two factors explains the gradient: W_hh's, or that of the slopes or the gate."""
    return _(CAUSES[cause(diagnosis)]).format(
        factors=factors_words(diagnosis),
        carry=factor(diagnosis.step_factor),
        carry_name=diagnosis.step_factor_name,
        activation=_(ACTIVATIONS[diagnosis.activation].label),
        ceiling=number(ACTIVATIONS[diagnosis.activation].log10_steepest, log10=True),
        saturation=percent(diagnosis.saturation),
        weights=weights_words(diagnosis),
        road=path_words(diagnosis),
        along=factor(diagnosis.path_factor),
        entry=number(diagnosis.path_entry, log10=True),
    )


def path_words(diagnosis: Diagnosis) -> str:
    """Return the cell's path in words, or else the gate that keeps it open."""
    path = diagnosis.kind.path
    return _(path) if path else diagnosis.step_factor_name


def factors_words(diagnosis: Diagnosis) -> str:
    """Write a step's two factors; where the gradient met flat units, W_hh's factor is that on any direction."""
    weights = diagnosis.weight_size if cause(diagnosis).endswith("flatter") else diagnosis.weight_factor
    return f"W_hh ×{factor(weights)}, {diagnosis.step_factor_name} ×{factor(diagnosis.step_factor)}"


def weights_words(diagnosis: Diagnosis) -> str:
    """Return what W_hh alone does to the gradient's length."""
    if abs(diagnosis.weight_factor) <= SAME:
        return _("W_hh takes nothing away")
    return _("W_hh enlarges it") if diagnosis.weight_factor > 0 else _("W_hh takes little away")


def sentences(trace: Trace) -> list[str]:
    """Return a sentence for each scheme of a comparison."""
    return [sentence(diagnose(trace, k)) for k in range(len(trace.schemes))]
