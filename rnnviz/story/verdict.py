"""What happened and why, in sentences: an `Account` told, its two halves apart."""

from __future__ import annotations

import numpy as np

from ..engine.runs import Trace
from ..network.activations import ACTIVATIONS
from ..network.schemes import SCHEMES
from ..text.language import N_, _, ngettext
from ..text.number_format import factor, number, percent
from .diagnosis import SAME, Account, account, cause, steepest

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
    "road": N_("{road} keeps ×{carry} a step, and the ways through W_hh make that ×{along}"),
    "road alone": N_("{road} keeps ×{carry} a step, and the ways through W_hh add next to nothing"),
    "open": N_("{road} stays open: ×{carry} a step"),
    "shut at times": N_("{road} keeps ×{carry} a step on average, but shuts at times, and ×{along} is left"),
    "no way onto c": N_("{road} keeps ×{carry} a step, but the way from h onto it costs {entry} once"),
    "hidden": N_("every step adds a loss of its own, which hides what fades"),
    "added": N_("every step adds a loss of its own"),
}
ROADS = {"lstm": N_("the road through c (gate f)"), "gru": N_("the road past n (gate z)")}


def sentence(story: Account) -> str:
    """Say what happened and why."""
    said = {"forward": forward_words(story), "backward": backward_words(story)}
    return _("{scheme}: {forward}; {backward}.").format(scheme=_(SCHEMES[story.scheme].short), **said)


def forward_words(story: Account) -> str:
    """Say what the state did, with its size."""
    if story.forward == "zero":
        return nothing_words(story)
    if story.forward == "overflows":
        return overflow_words(story)
    text = {
        "keeps": _("the state keeps its size ({size})"),
        "shrinks": _("the state shrinks ({size})"),
        "grows": _("the state grows ({size})"),
        "saturates": _("the state saturates ({saturation} of the units, {size})"),
    }[story.forward]
    return text.format(size=moment_words(story.second_moment), saturation=percent(story.saturation))


def moment_words(log10: float) -> str:
    """Write E h^2, which a float may not hold although it holds h."""
    return _("E h² above 1e308") if log10 == np.inf else f"E h² {number(log10, log10=True)}"


def nothing_words(story: Account) -> str:
    """Say that the state is 0, and why."""
    if not story.vanished:
        return _("the state shrinks (E h² below 1e-308)")
    if story.input == "nothing":
        return _("the state is exactly 0, as there is no input")
    if story.size == -np.inf and story.input == "kick":
        return _("the state is exactly 0, as W_hh is 0 and hands nothing on")
    if story.off and story.cell == "rnn":
        return _("the state is exactly 0, as every unit is off")
    return _("the state has shrunk to exactly 0, below what a float holds")


def overflow_words(story: Account) -> str:
    """Say where the state became too large for a float, and in how many runs."""
    text = _("the state leaves the finite numbers in {count} of {runs} runs, first at step {step}")
    if story.overflowed == story.seeds:
        text = _("the state leaves the finite numbers at step {step}")
    return text.format(step=story.overflow, count=story.overflowed, runs=story.seeds)


def backward_words(story: Account) -> str:
    """Say what the gradient did, with its factor a step, and why."""
    if story.backward == "undefined":
        overflows = story.forward == "overflows"
        return _("so it has no gradient") if overflows else _("the loss is not finite: no gradient")
    if story.backward == "zero":
        return zero_words(story)
    after = ngettext("{change} after {steps} step", "{change} after {steps} steps", story.steps)
    text = {
        "survives": _("the gradient survives, ×{factor} a step: {after} – {reason}"),
        "shrinks": _("the gradient shrinks, ×{factor} a step: {after} – {reason}"),
        "grows": _("the gradient grows, ×{factor} a step: {after} – {reason}"),
    }[story.backward]
    return text.format(
        factor=factor(story.factor),
        after=after.format(change=number(story.decades, log10=True), steps=story.steps),
        reason=reason(story),
    )


def zero_words(story: Account) -> str:
    """Say that the gradient is 0, and why."""
    if story.silent:
        return _("the gradient is exactly 0 from the start: the loss hands nothing back")
    text = _("the gradient is exactly 0 before the last step reaches back to the first")
    if story.size == -np.inf:
        text = _("the gradient is exactly 0 before the last step reaches back to the first, as W_hh is 0")
        if story.cell == "lstm":
            text = _(
                "the gradient is exactly 0 before the last step reaches back to the first, as W_hh is 0; "
                "the road through c (gate f) keeps ×{carry} a step"
            )
    elif story.off and story.cell == "rnn":
        text = _(
            "the gradient is exactly 0 before the last step reaches back to the first, "
            "as every unit is off at some step"
        )
    return text.format(carry=factor(story.carry))


def reason(story: Account) -> str:
    """Say which of the two factors of a step made it, W_hh or what the activation or the gate carries."""
    return _(CAUSES[cause(story)]).format(
        factors=factors_words(story),
        carry=factor(story.carry),
        carry_name=story.carry_name,
        activation=_(ACTIVATIONS[story.activation].label),
        ceiling=number(steepest(story.activation), log10=True),
        saturation=percent(story.saturation),
        weights=weights_words(story),
        road=_(ROADS.get(story.cell, "")),
        along=factor(story.road),
        entry=number(story.entry, log10=True),
    )


def factors_words(story: Account) -> str:
    """Write the two factors of a step; where the gradient fell on flat units, W_hh's is that of any direction."""
    weights = story.size if cause(story).endswith("flatter") else story.recurrent
    return f"W_hh ×{factor(weights)}, {story.carry_name} ×{factor(story.carry)}"


def weights_words(story: Account) -> str:
    """Say what W_hh by itself does to the gradient's length."""
    if abs(story.recurrent) <= SAME:
        return _("W_hh takes nothing away")
    return _("W_hh enlarges it") if story.recurrent > 0 else _("W_hh takes little away")


def sentences(trace: Trace) -> list[str]:
    """Return a sentence for each scheme of a comparison."""
    return [sentence(account(trace, k)) for k in range(len(trace.schemes))]
