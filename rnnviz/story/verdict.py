"""What happened and why: a `Diagnosis` in one sentence, forward and backward apart."""

from __future__ import annotations

import numpy as np

from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..text.glossary import TERMS
from ..text.language import N_, _, ngettext
from ..text.number_format import factor, number, percent
from .arrivals import arrival_words, down_words
from .causes import alone_word, cause, words_over_all_steps
from .diagnosis import Diagnosis, diagnose_all
from .judgement import VERBS, first_loss, in_runs

RULE = N_(
    "A gradient survives if it stays within 5% of 1 per step and within a factor of 10 in all; it fades or grows "
    "slowly if it stays within 5% per step only. Each layer that it passes through counts as a step."
)
STATE_RULE = N_(
    "A state keeps its size if E h² changes by at most a factor of 1.4 over the second half of the steps (after one "
    "kick, over all steps); it saturates if more than half of the units are saturated at the last step."
)
SURVIVES, KEEPS = N_("survives, fades, grows"), N_("keeps its size, saturates")
TERMS.add(SURVIVES, RULE)
TERMS.add(KEEPS, STATE_RULE)
FEW_STEPS = 50  # over which what rounding takes from the change would show in the factor per step
CAUSES = {
    "balance": N_("W_hh and φ′ balance: {factors}"),
    "small": N_("its weights are small: {factors}"),
    "contracts": N_("W_hh shrinks the directions in which it points: {factors}"),
    "both": N_("W_hh and φ′ both shrink it: {factors}"),
    "saturated": N_("saturated units pass little back: {factors}"),
    "saturated by input": N_("so strong an input saturates the units, which pass little back: {factors}"),
    "ceiling": N_("the slope of {activation} is at most {ceiling}: {factors}"),
    "switched off": ACTIVATIONS["relu"].switched_off,  # each activation has words of its own
    "input": N_("{weights}; the input pushes the units to where their slope is below 1: {factors}"),
    "state": N_("{weights}; the state's own size pushes the units to where their slope is below 1: {factors}"),
    "input and state": N_(
        "{weights}; the input and the state's own size push the units to where their slope is below 1: {factors}"
    ),
    "below": N_("{weights}; the layer below pushes the units to where their slope is below 1: {factors}"),
    "below and state": N_(
        "{weights}; the layer below and the state's own size push the units to where their slope is below 1: {factors}"
    ),
    "flat": N_("{weights}; the units are where their slope is below 1: {factors}"),
    "large": N_("its weights are large: {factors}"),
    "one sign": N_("its weights have one sign and add up: {factors}"),
    "stretches": N_("W_hh stretches the directions in which it points: {factors}"),
    "outweighs": N_("W_hh outweighs what the saturated units hold back: {factors}"),
    "path": N_("{path} alone passes on ×{alone_path} per step; with the paths through W_hh, ×{then}"),
    "path alone": N_("{path} passes on ×{alone_path} per step, and the paths through W_hh add next to nothing"),
    "open": N_("{path} stays open: ×{alone_path} per step"),
    "hidden": N_("every step adds a loss of its own, which hides that the gradient of the last loss alone {alone}"),
    "added": N_("every step adds a loss of its own; the gradient of the last loss alone {alone}"),
    "alone": N_("that of the last loss alone {alone}"),
}


def sentence(diagnosis: Diagnosis) -> str:
    """Return what happened and why, and with several layers a sentence on what arrives at the first."""
    if is_feed_forward(diagnosis):
        return feed_forward_words(diagnosis)
    why = reason(diagnosis)
    top = in_full(diagnosis, f"{backward_words(diagnosis)} – {why}" if why else backward_words(diagnosis))
    return " ".join([top, *arrival_words(diagnosis.arrivals, diagnosis.layers)])


def parts(diagnosis: Diagnosis) -> tuple[str, str]:
    """Return what happened and, as sentences of their own, why and what arrives at layer 1; "" for neither."""
    if is_feed_forward(diagnosis):
        return feed_forward_words(diagnosis), ""
    why = reason(diagnosis)
    more = [f"{why[:1].upper()}{why[1:]}."] if why else []
    top = in_full(diagnosis, backward_words(diagnosis))
    return top, " ".join([*more, *arrival_words(diagnosis.arrivals, diagnosis.layers)])


def is_feed_forward(diagnosis: Diagnosis) -> bool:
    """Return whether there are layers and no time, so that W_hh changes nothing, and a gradient to follow."""
    return diagnosis.seq_len == 1 and bool(diagnosis.arrivals) and diagnosis.forward != "overflows"


def feed_forward_words(diagnosis: Diagnosis) -> str:
    """Return what layers without time do to the state and to the gradient."""
    text = _("{scheme}, one step: {first} in layer 1, {last} in layer {layers}; from there down to layer 1 {gradient}.")
    sizes = {"first": moment_words(diagnosis.first_moment), "last": moment_words(diagnosis.second_moment)}
    gradient = down_words(diagnosis.arrivals[0])
    return text.format(scheme=diagnosis.name, layers=diagnosis.layers, gradient=gradient, **sizes)


def in_full(diagnosis: Diagnosis, backward: str) -> str:
    """Return a sentence on the state and, in these words, on the gradient: of several layers, those of the top one."""
    text = _("{scheme}: {forward}; {backward}.")
    if diagnosis.layers > 1:
        text = _("{scheme}, layer {layer} of {layers}: {forward}; {backward}.")
    named = {"scheme": diagnosis.name, "layer": diagnosis.layers, "layers": diagnosis.layers}
    return text.format(**named, forward=forward_words(diagnosis), backward=backward)


def sentences(trace: Trace) -> list[str]:
    """Return a sentence for each scheme of a comparison."""
    return list(map(sentence, diagnose_all(trace)))


def forward_words(diagnosis: Diagnosis) -> str:
    """Return what the state did, with its size."""
    if diagnosis.forward == "overflows":
        return overflow_words(diagnosis)
    size = moment_words(diagnosis.second_moment)
    if diagnosis.seq_len == 1 and set(diagnosis.forward_runs) == {"keeps"}:
        return _("the state has one step only ({size})").format(size=size)
    if len(diagnosis.forward_runs) > 1:
        return _("the state {runs} (median {size})").format(runs=in_runs(diagnosis.forward_runs), size=size)
    if diagnosis.forward == "zero":
        return nothing_words(diagnosis)
    text = {
        "keeps": _("the state keeps its size ({size})"),
        "shrinks": _("the state shrinks ({size})"),
        "grows": _("the state grows ({size})"),
        "saturates": _("the state saturates ({saturation} of the units, {size})"),
    }[diagnosis.forward]
    return text.format(size=size, saturation=percent(diagnosis.saturation))


def moment_words(log10: float) -> str:
    """Write E h^2, which may be out of range for a float although h is not."""
    return _("E h² above 1e308") if log10 == np.inf else f"E h² {number(log10, log10=True)}"


def nothing_words(diagnosis: Diagnosis) -> str:
    """Return why the state is 0."""
    if not diagnosis.vanished:
        return _("the state shrinks (E h² below 1e-308)")
    if diagnosis.input == "nothing" and not diagnosis.biased:
        return _("the state is exactly 0, as there is no input")
    if not diagnosis.fed:
        return _("the state is exactly 0, as the weights between the layers are 0")
    if diagnosis.weight_size == -np.inf and diagnosis.input == "impulse":
        return _("the state is exactly 0, as W_hh is 0 and passes nothing on")
    if diagnosis.saturation == 1.0:
        return _("the state is exactly 0, as every unit is off")
    return _("the state has shrunk to exactly 0, below what a float holds")


def overflow_words(diagnosis: Diagnosis) -> str:
    """Return where the state became too large for a float, and in how many runs."""
    text = _("the state is no longer finite in {count} of {runs} runs, first at step {step}")
    if len(diagnosis.forward_runs) == 1:
        text = _("the state is no longer finite from step {step} on")
    return text.format(step=diagnosis.overflow, count=diagnosis.forward_runs["overflows"], runs=diagnosis.seeds)


def backward_words(diagnosis: Diagnosis) -> str:
    """Return what the gradient did, with its factor per step."""
    if diagnosis.backward == "undefined":
        overflows = diagnosis.forward == "overflows"
        return _("so it has no gradient") if overflows else _("the loss is not finite: no gradient")
    if diagnosis.backward == "zero" and len(diagnosis.backward_runs) == 1:
        return zero_words(diagnosis)
    return _("the gradient {outcome}").format(outcome=outcome_words(diagnosis))


def outcome_words(diagnosis: Diagnosis) -> str:
    """Return what the gradient did, without its subject."""
    change = change_words(diagnosis)
    if not np.isfinite(diagnosis.decades):  # of some runs only
        return in_runs(diagnosis.backward_runs)
    if len(diagnosis.backward_runs) > 1:
        return _("{runs} (median {change})").format(runs=in_runs(diagnosis.backward_runs), change=change)
    return f"{_(VERBS[diagnosis.backward])}, {change}"


def change_words(diagnosis: Diagnosis) -> str:
    """Write the factor per step and the change over all steps, and its range over the runs where they lie far apart."""
    words = rate_words(diagnosis)
    if diagnosis.steps > 1:
        after = ngettext("{change} after {steps} step", "{change} after {steps} steps", diagnosis.steps)
        digits = 3 if diagnosis.steps < FEW_STEPS else 2
        change = number(diagnosis.decades, log10=True, digits=digits)
        words = f"{words}: {after.format(change=change, steps=diagnosis.steps)}"
    if diagnosis.cut:
        text = (
            _("{change}, as far back as each loss reaches")
            if first_loss(diagnosis)
            else _("{change}, where it is cut off")
        )
        words = text.format(change=words)
    spread = diagnosis.high - diagnosis.low
    if spread > max(1.0, 0.5 * abs(diagnosis.decades)) or len(diagnosis.backward_runs) > 1:
        low, high = (number(value, log10=True) for value in (diagnosis.low, diagnosis.high))
        words = _("{change}, {low} to {high} by run").format(change=words, low=low, high=high)
    return words


def rate_words(diagnosis: Diagnosis) -> str:
    """Write the factor per step; with gates, that of the first step back apart, which costs once."""
    if diagnosis.steps == 1:
        return _("×{factor} in one step").format(factor=factor(diagnosis.decades))
    if diagnosis.slopes is not None or first_loss(diagnosis):
        return _("×{factor} per step").format(factor=factor(diagnosis.factor))
    first, then = factor(diagnosis.first_step), factor(diagnosis.then)
    return _("first step ×{first}, then ×{then} per step").format(first=first, then=then)


def zero_words(diagnosis: Diagnosis) -> str:
    """Return why the gradient is 0."""
    if diagnosis.zero_steps[:1] == (diagnosis.seq_len,):
        return _("the gradient is exactly 0 from the start: the loss passes nothing back")
    text = _("the gradient is exactly 0 from step {step} back")
    if diagnosis.weight_size == -np.inf:
        text = _("the gradient is exactly 0 from step {step} back, as W_hh is 0")
        if diagnosis.path is not None and diagnosis.kind.states[-1] != "h":
            text = _(
                "the gradient is exactly 0 from step {step} back, as W_hh is 0; {path} passes on ×{alone_path} per step"
            )
    elif diagnosis.kind.has_matrix_jacobian and ACTIVATIONS[diagnosis.activation].stops:
        text = _("the gradient is exactly 0 from step {step} back, as it meets only units whose slope is 0")
        if ACTIVATIONS[diagnosis.activation].switched_off:
            text = _("the gradient is exactly 0 from step {step} back, as it meets only units that are off")
    step, path = zero_step_words(diagnosis.zero_steps), path_words(diagnosis)
    return text.format(step=step, path=path, alone_path=factor(diagnosis.path or 0.0))


def zero_step_words(steps: tuple[int, ...]) -> str:
    """Write the median of the steps from which the gradients of the runs are 0, and the range where they differ."""
    text = _("{step} ({low} to {high} by run)") if steps[0] < steps[-1] else "{step}"
    return text.format(step=steps[len(steps) // 2], low=steps[0], high=steps[-1])


def reason(diagnosis: Diagnosis) -> str:
    """Return which of a step's factors explains the gradient; "" where nothing does."""
    why = cause(diagnosis)
    if diagnosis.backward in ("zero", "undefined") or not diagnosis.agree or (diagnosis.slopes is None and not why):
        return ""
    phi = ACTIVATIONS[diagnosis.activation]
    text = phi.switched_off if why == "switched off" else CAUSES.get(why, "{factors}")
    return _(text).format(
        factors=factors_words(diagnosis),
        activation=_(phi.label),
        ceiling=number(phi.log10_steepest, log10=True),
        saturation=percent(diagnosis.saturation),
        weights=weights_words(diagnosis),
        path=path_words(diagnosis),
        alone_path=factor(diagnosis.path or 0.0),
        then=factor(diagnosis.then),
        alone=alone_words(diagnosis),
    )


def path_words(diagnosis: Diagnosis) -> str:
    """Return the cell's path in words, or else the gate that keeps it open."""
    path = diagnosis.kind.path
    return _(path) if path else diagnosis.kind.step_factor[0]


def factors_words(diagnosis: Diagnosis) -> str:
    """Write a step's factors, which multiply to that of the gradient."""
    if diagnosis.slopes is None:
        return ""
    name = diagnosis.kind.step_factor[0]
    text = f"W_hh ×{factor(diagnosis.weight_factor)}, {name} ×{factor(diagnosis.step_factor)}"
    if first_loss(diagnosis) == 0:
        return text
    return _("{factors}, the other losses ×{losses}").format(factors=text, losses=factor(diagnosis.loss_factor))


def alone_words(diagnosis: Diagnosis) -> str:
    """Write what the gradient of the last step's loss alone does."""
    word = alone_word(diagnosis)
    if word == "zero":
        return _(VERBS[word])
    alone = factor(diagnosis.alone / diagnosis.steps)
    return _("{verb}, ×{factor} per step").format(verb=_(VERBS[word]), factor=alone)


def weights_words(diagnosis: Diagnosis) -> str:
    """Return what W_hh alone does to the gradient over all steps."""
    weights, _slopes = words_over_all_steps(diagnosis)
    if weights == "survives":
        return _("W_hh hardly changes it")
    return _("W_hh enlarges it") if weights == "grows" else _("W_hh shrinks it less")
