"""One thing to try: a change of the settings that theory proposes and that has helped in a small run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..engine.runs import Trace, comparing
from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.config import FIELDS, Config, applies
from ..network.sampling import median_gain
from ..network.schemes import SCHEMES
from ..numerics.progress import Progress, finish, rescaled
from ..text.language import N_, _, ngettext
from ..text.number_format import factor, listed, plain
from ..theory import prediction
from ..theory.layers import critical_gain_by_layer
from ..theory.validity import why_outside
from .causes import alone_word
from .diagnosis import Diagnosis, diagnose
from .judgement import SURVIVES, first_loss
from .verdict import outcome_words

SEEDS, BATCH = 4, 4  # of the small run that tests a suggestion
HELPS = 0.5  # the most that a suggestion may leave of the decades
ENOUGH = 0.8 * SURVIVES  # decades that end the search, with a margin for chance
FORGET = (4.0, 2.0, 8.0)  # forget biases to try, a usual one first
KEPT = 256  # small runs whose results are cached
TRIED: dict[tuple[Config, tuple, tuple[int, ...]], Diagnosis] = {}
WIDTHS = (3.0, 2.0, 1.0)  # sigma_w to try for gated cells, which mean-field theory does not cover here
SAID = {
    "scheme": lambda scheme: weights_words(scheme),
    "activation": lambda activation: _(ACTIVATIONS[activation].label),
    "spectral_radius": lambda radius: _("spectral radius {value}").format(value=plain(radius, ".3g")),
    "gain": lambda gain: _("gain {value}").format(value=plain(gain, ".3g")),
    "input_scale": lambda scale: _("input scale {value}").format(value=plain(scale, ".3g")),
    "forget_bias": lambda bias: _("forget bias {value}").format(value=plain(bias)),
    "loss_at": lambda place: _("a loss at the last step alone"),
}
CRITICAL = N_("the critical gain of mean-field theory")


@dataclass(frozen=True)
class Suggestion:
    """One thing to try.

    Attributes
    ----------
    text : a sentence, without its full stop.
    changes : the fields of `Config` to change, with their new values.
    root : whether it removes the cause, and so is preferred to suggestions that only compensate for it.
    """

    text: str
    changes: dict[str, Any]
    root: bool = False


def suggest(trace: Trace, scheme_index: int) -> Suggestion | None:
    """Return what to try for one scheme of a comparison, or None where all is well or nothing known helps.

    In a trial, a small run of up to 4 seeds, a suggestion leaves at most half of the decades by which the gradient
    fades or grows, and the text reports the trial. Two suggestions only show something: an input where there is none,
    and a loss at the last step alone where the other losses hide what fades.
    """
    return finish(suggesting(trace, scheme_index))


def suggesting(trace: Trace, scheme_index: int) -> Progress[Suggestion | None]:
    """Compute what `suggest` returns, and yield after each step of each run a share that grows towards 1."""
    diagnosis = diagnose(trace, scheme_index)
    config = trace.drawn(scheme_index)
    return wake(diagnosis) or reveal(diagnosis) or (yield from improve(config, diagnosis, trace.seeds))


def wake(diagnosis: Diagnosis) -> Suggestion | None:
    """Return the suggestion to add an input where there is none and the state is 0."""
    if diagnosis.input != "nothing" or diagnosis.forward != "zero":
        return None
    changes = {"input_scale": 1.0}
    return Suggestion(proposed(changes, _("without an input there is no state to keep")), changes)


def reveal(diagnosis: Diagnosis) -> Suggestion | None:
    """Return the suggestion to drop the other losses where the gradient of the last one behaves differently."""
    if first_loss(diagnosis) == 0 or diagnosis.backward == "undefined":
        return None
    if alone_word(diagnosis).split()[0] == diagnosis.backward.split()[0]:
        return None
    changes = {"loss_at": "last"}
    return Suggestion(proposed(changes, _("it shows what the other losses hide")), changes)


def improve(config: Config, diagnosis: Diagnosis, seeds: tuple[int, ...]) -> Progress[Suggestion | None]:
    """Return the first suggestion that makes the gradient survive or removes a cause, else the one that helps most."""
    before = decades(diagnosis)
    best, least = None, np.inf
    if diagnosis.backward == "survives":
        return None
    for k, suggestion in enumerate(candidates(config, diagnosis)):
        trial = trying(config.replace(**suggestion.changes), seeds[:SEEDS])
        # How many trials there will be is unknown: each takes half of the share that is left.
        found = yield from rescaled(trial, 1.0 - 0.5**k, 0.5 ** (k + 1))
        after = decades(found)
        if after <= HELPS * before and after < least:
            # The trial has fewer seeds and sequences: what has no effect may only seem to help.
            now = yield from rescaled(trying(config, seeds[:SEEDS]), 1.0 - 0.5 ** (k + 1), 0.0)
            if after > HELPS * decades(now):
                continue
            suggestion = replace(suggestion, text=tried(suggestion.text, found))
            best, least = suggestion, after
        if best is suggestion and (least <= ENOUGH or suggestion.root):
            break
    return best


def decades(diagnosis: Diagnosis) -> float:
    """Return by how many decades the gradient fades or grows; inf where it is 0 or undefined in any run."""
    if diagnosis.forward == "overflows" or diagnosis.backward_runs.keys() & {"zero", "undefined"}:
        return np.inf
    return abs(diagnosis.decades)


def trying(config: Config, seeds: tuple[int, ...]) -> Progress[Diagnosis]:
    """Return the diagnosis of a small run; recent ones are cached."""
    yield 0.0
    draft = config.replace(batch_size=min(config.batch_size, BATCH))
    key = draft, draft.entries, seeds
    if key not in TRIED:
        trace = yield from comparing(draft, (config.scheme,), seeds)
        if len(TRIED) >= KEPT:
            TRIED.clear()
        TRIED[key] = diagnose(trace, 0)
    return TRIED[key]


def tried(text: str, found: Diagnosis) -> str:
    """Return a suggestion's text with what the trial showed."""
    result = ngettext(
        "{suggestion}; in a trial with {runs} seed, the gradient then {outcome}",
        "{suggestion}; in a trial with {runs} seeds, the gradient then {outcome}",
        found.seeds,
    )
    return result.format(suggestion=text, runs=found.seeds, outcome=outcome_words(found))


def candidates(config: Config, diagnosis: Diagnosis) -> Iterator[Suggestion]:
    """Yield what may help, most likely first; each changes something, within the bounds of Config."""
    for why, changes, root in proposals(config, diagnosis):
        changes = {name: value for name, value in changes.items() if differs(value, getattr(config, name))}
        if changes and all(map(allowed, changes, changes.values())):
            yield Suggestion(proposed(changes, why), changes, root)


def proposals(config: Config, diagnosis: Diagnosis) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield reasons, settings, and whether they remove the cause."""
    if centred := SCHEMES[config.scheme].centred:
        why = _("the same spread, without the mean that pulls all units one way")
        yield why, {"scheme": centred}, True
    if config.input_scale > 1 and (diagnosis.by_input or not diagnosis.kind.has_matrix_jacobian):
        yield _("a weaker input saturates fewer units"), {"input_scale": 1.0}, True
    for why, changes in (
        for_rnn(config, diagnosis) if diagnosis.kind.has_matrix_jacobian else for_gates(config, diagnosis)
    ):
        yield why, changes, False


def for_rnn(config: Config, diagnosis: Diagnosis) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield gains from theory and from the measured factor, then other weights and another activation."""
    if not why_outside(SCHEMES[config.scheme], config.hidden_size):
        yield _(CRITICAL), scaled(config, critical(config))
    alone = diagnosis.alone / diagnosis.steps  # a gain does not change what the other losses add
    if ACTIVATIONS[config.activation].homogeneous and np.isfinite(alone):
        gain = median_gain(config) * 10.0 ** float(np.clip(-alone, -300, 300))
        yield _("this makes up for ×{factor} per step").format(factor=factor(alone)), scaled(config, gain)
    calm = min(config.input_scale, 1.0)
    for changes in (
        {"scheme": "orthogonal"},
        {"activation": "tanh", "scheme": "orthogonal"},
        {"activation": "tanh", "scheme": "orthogonal", "input_scale": calm},
    ):
        changed = config.replace(**changes)
        yield _(CRITICAL), {**changes, **scaled(changed, critical(changed))}


def for_gates(config: Config, diagnosis: Diagnosis) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield forget biases (with a scheme that does not draw them) for a gradient that fades, then scales of W_hh."""
    if CELLS[config.cell].has_forget_bias and not diagnosis.backward.startswith("grows"):
        free = {} if SCHEMES[config.scheme].bias is None else {"scheme": "orthogonal"}
        for bias in FORGET:
            yield _("a forget gate near 1 keeps the path through c open"), {**free, "forget_bias": bias}
    width = prediction.sigma_w(config.replace(gain=1.0))
    why = _("this changes what the paths through W_hh add to the gate's")
    for wanted in WIDTHS if width > 0 else ():
        yield why, {"gain": rounded(wanted / width)}
    for wanted in WIDTHS[:2]:
        yield why, {"scheme": "orthogonal", "gain": wanted}
    if config.input_scale > 1:
        yield why, {"scheme": "orthogonal", "input_scale": 1.0, "gain": WIDTHS[0]}


def critical(config: Config) -> float:
    """Return the gain at which theory expects chi = 1 in the top layer, for the Config's own input and scheme.

    The median over steps ignores an impulse at the first. inf where there is none.
    """
    inputs = float(np.median(prediction.sigma_in(config)[0]))
    unit = prediction.sigmas(config.replace(gain=1.0, spectral_radius=0.0))
    between_too = applies("gain", config.to_dict())
    return (
        critical_gain_by_layer(config.activation, unit, inputs, config.layers, between_too) if unit[0] > 0 else np.inf
    )


def scaled(config: Config, gain: float) -> dict[str, float]:
    """Return the change that gives W_hh a gain: the gain itself or, where that is not read, the spectral radius."""
    if applies("gain", config.to_dict()):
        return {"gain": rounded(gain)}
    return {"spectral_radius": rounded(gain / median_gain(config.replace(spectral_radius=1.0)))}


def rounded(value: float) -> float:
    """Return a number rounded to three digits."""
    return float(f"{value:.3g}")


def differs(value: Any, now: Any) -> bool:
    """Return whether a value differs from the current one by a visible amount."""
    return abs(value - now) > 0.005 * abs(value) if isinstance(value, float) else value != now


def allowed(name: str, value: Any) -> bool:
    """Return whether a number lies within its field's bounds."""
    bounds = FIELDS[name].metadata
    return not isinstance(value, float) or bounds["low"] <= value <= bounds["high"]


def words(changes: dict[str, Any]) -> str:
    """Write changes in words.

    >>> words({"activation": "tanh", "scheme": "orthogonal", "gain": 1.68})
    'tanh, orthogonal weights and gain 1.68'
    """
    return listed([SAID[name](value) for name, value in changes.items()])


def weights_words(scheme: str) -> str:
    """Write a scheme's weights in words."""
    known = SCHEMES[scheme]
    return _(known.phrase) if known.phrase else _("{scheme} weights").format(scheme=_(known.short))


def proposed(changes: dict[str, Any], why: str) -> str:
    """Return a sentence on what to try and why."""
    return _("Try {changes}: {why}").format(changes=words(changes), why=why)
