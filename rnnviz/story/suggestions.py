"""One thing to try: a change of the settings that a theory proposes, and that a small run has shown to help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.runs import Trace, compare
from ..network.activations import ACTIVATIONS
from ..network.config import FIELDS, Config
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.number_format import factor, listed, plain
from ..theory import mean_field, prediction
from .diagnosis import SURVIVES, Account, account, first_loss

SEEDS, BATCH = 4, 4  # of the small run that a suggestion has to pass
HELPS = 0.5  # share of the decades that a suggestion may leave
ENOUGH = 0.8 * SURVIVES  # decades at which to look no further; the rest is for chance
FORGET = (4.0, 2.0, 8.0)  # forget biases to try, a usual one first
KEPT = 256  # small runs whose results are kept
MEASURED: dict[tuple[Config, tuple[int, ...]], float] = {}
WIDTHS = (3.0, 2.0, 1.0)  # sigma_w to try for gated cells, which mean-field theory here leaves out
CENTRED = {"uniform01": "uniform_centered"}
SAID = {
    "scheme": lambda scheme: weights_words(scheme),
    "activation": lambda activation: _(ACTIVATIONS[activation].label),
    "gain": lambda gain: _("gain {value}").format(value=plain(gain, ".3g")),
    "input_scale": lambda scale: _("input scale {value}").format(value=plain(scale, ".3g")),
    "forget_bias": lambda bias: _("forget bias {value}").format(value=plain(bias)),
    "loss_at": lambda place: _("a loss at the last step alone"),
}
BALANCED = N_("there mean-field theory expects a gradient that neither fades nor grows")


@dataclass(frozen=True)
class Suggestion:
    """One thing to try.

    Attributes
    ----------
    text : a sentence, without its full stop.
    changes : the fields of `Config` to change, with their new values.
    root : whether it takes the cause away, and is to be preferred to what merely outweighs it.
    """

    text: str
    changes: dict[str, Any]
    root: bool = False


def suggest(trace: Trace, k: int, tick: Callable[[], None] = lambda: None) -> Suggestion | None:
    """Return what to try for the k-th scheme of a comparison, or None where all is well or nothing known helps.

    A suggestion that is applied leaves, in a small run of up to 4 seeds, at most half of the decades by which the
    gradient fades or grows. Two only bring something to see: an input where there is none, and a loss at the last step
    alone where those on the way may hide what fades. ``tick``, called at each step of each run, may raise to end it.
    """
    story = account(trace, k)
    config = trace.config.replace(scheme=trace.schemes[k])
    return wake(story) or reveal(story) or improve(config, story, trace.seeds, tick)


def wake(story: Account) -> Suggestion | None:
    """Return the suggestion that brings an input where the state is 0 for want of one."""
    if story.input != "nothing" or story.forward != "zero":
        return None
    changes = {"input_scale": 1.0}
    return Suggestion(proposed(changes, _("without an input there is no state to keep")), changes)


def reveal(story: Account) -> Suggestion | None:
    """Return the suggestion that shows the way back without the losses on the way, where they may hide something."""
    if first_loss(story) == 0 or story.backward == "undefined":
        return None
    alone = abs(story.size + story.carry) * story.seq_len  # of an RNN: decades without the losses on the way
    if story.backward == "survives" and story.cell == "rnn" and alone <= SURVIVES:
        return None
    changes = {"loss_at": "last"}
    return Suggestion(proposed(changes, _("it shows what those on the way may hide")), changes)


def improve(config: Config, story: Account, seeds: tuple[int, ...], tick: Callable[[], None]) -> Suggestion | None:
    """Return the first suggestion that makes the gradient survive or takes a cause away, else the best that helps."""
    before = decades(story)
    best, least = None, np.inf
    if before <= SURVIVES:
        return None
    for suggestion in candidates(config, story):
        after = measure(config.replace(**suggestion.changes), seeds[:SEEDS], tick)
        if after <= HELPS * before and after < least:
            best, least = suggestion, after
        if best is suggestion and (least <= ENOUGH or suggestion.root):
            break
    return best


def decades(story: Account) -> float:
    """Return by how many decades the gradient fades or grows; inf where it is 0 or missing."""
    if story.forward == "overflows" or story.backward in ("zero", "undefined"):
        return np.inf
    return abs(story.decades)


def measure(config: Config, seeds: tuple[int, ...], tick: Callable[[], None]) -> float:
    """Return by how many decades the gradient fades or grows in a small run; the last ones are kept."""
    tick()
    draft = config.replace(batch_size=min(config.batch_size, BATCH))
    if (draft, seeds) not in MEASURED:
        found = decades(account(compare(draft, (config.scheme,), seeds, lambda share: tick()), 0))
        if len(MEASURED) >= KEPT:
            MEASURED.clear()
        MEASURED[draft, seeds] = found
    return MEASURED[draft, seeds]


def candidates(config: Config, story: Account) -> Iterator[Suggestion]:
    """Yield what may help, the most telling first; each changes something, and within the bounds of Config."""
    for why, changes, root in proposals(config, story):
        changes = {name: value for name, value in changes.items() if differs(value, getattr(config, name))}
        if changes and all(map(allowed, changes, changes.values())):
            yield Suggestion(proposed(changes, why), changes, root)


def proposals(config: Config, story: Account) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield reasons, settings, and whether they take the cause away."""
    if config.scheme in CENTRED:
        why = _("the same spread, without the mean that pulls all units one way")
        yield why, {"scheme": CENTRED[config.scheme]}, True
    if config.input_scale > 1 and (story.by_input or config.cell != "rnn"):
        yield _("a weaker input saturates fewer units"), {"input_scale": 1.0}, True
    for why, changes in for_rnn(config, story) if config.cell == "rnn" else for_gates(config):
        yield why, changes, False


def for_rnn(config: Config, story: Account) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield gains, of theory and as measured; then other weights, another activation."""
    yield _(BALANCED), {"gain": critical(config)}
    if ACTIVATIONS[config.activation].homogeneous and np.isfinite(story.factor):
        gain = rounded(config.gain * 10.0 ** float(np.clip(-story.factor, -300, 300)))
        why = _("the gradient scales with the gain at every step, and ×{factor} a step is made up for")
        yield why.format(factor=factor(story.factor)), {"gain": gain}
    calm = min(config.input_scale, 1.0)
    for changes in (
        {"scheme": "orthogonal"},
        {"activation": "tanh", "scheme": "orthogonal"},
        {"activation": "tanh", "scheme": "orthogonal", "input_scale": calm},
    ):
        yield _(BALANCED), {**changes, "gain": critical(config.replace(**changes))}


def for_gates(config: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield forget biases for an LSTM (with a scheme that leaves them free), then scales of W_hh."""
    if config.cell == "lstm":
        free = {} if SCHEMES[config.scheme].bias is None else {"scheme": "orthogonal"}
        for bias in FORGET:
            yield _("a forget gate near 1 keeps the road through c open"), {**free, "forget_bias": bias}
    width = prediction.sigma_w(config.replace(gain=1.0))
    why = _("W_hh then adds about as much to a step as the gates take away")
    for wanted in WIDTHS if width > 0 else ():
        yield why, {"gain": rounded(wanted / width)}
    for wanted in WIDTHS[:2]:
        yield why, {"scheme": "orthogonal", "gain": wanted}
    if config.input_scale > 1:
        yield why, {"scheme": "orthogonal", "input_scale": 1.0, "gain": WIDTHS[0]}


def critical(config: Config) -> float:
    """Return the gain at which theory expects chi = 1, for the Config's own input and scheme; inf where there is none.

    An input that has ended leaves no trace in the median over steps.
    """
    inputs = float(np.median(prediction.sigma_in(config)[0]))
    width = prediction.sigma_w(config.replace(gain=1.0))
    return rounded(mean_field.critical_gain(config.activation, inputs) / width) if width > 0 else np.inf


def rounded(gain: float) -> float:
    """Return a gain to three digits, as a person would set it."""
    return float(f"{gain:.3g}")


def differs(value: Any, now: Any) -> bool:
    """Tell whether a value differs from what is set, by more than nobody would see."""
    return abs(value - now) > 0.005 * abs(value) if isinstance(value, float) else value != now


def allowed(name: str, value: Any) -> bool:
    """Tell whether a number lies within its field's bounds."""
    bounds = FIELDS[name].metadata
    return not isinstance(value, float) or bounds["low"] <= value <= bounds["high"]


def words(changes: dict[str, Any]) -> str:
    """Write changes as a person says them.

    >>> words({"activation": "tanh", "scheme": "orthogonal", "gain": 1.68})
    'tanh, orthogonal weights and gain 1.68'
    """
    return listed([SAID[name](value) for name, value in changes.items()])


def weights_words(scheme: str) -> str:
    """Write weights of a scheme as a person says them."""
    if scheme == "orthogonal":
        return _("orthogonal weights")
    return _("{scheme} weights").format(scheme=_(SCHEMES[scheme].short))


def proposed(changes: dict[str, Any], why: str) -> str:
    """Say what to try, and why."""
    return _("Try {changes}: {why}").format(changes=words(changes), why=why)
