"""Check backpropagation for the current settings.

Each entry is compared with a derivative of the loss computed without backpropagation (see `derivatives`). There are
three outcomes: it agrees, it differs, or it cannot be checked, as where rounding decides the derivative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..network.config import Config
from ..numerics.progress import Progress, mapped, rescaled
from ..text.language import N_, _, ngettext
from ..text.number_format import number
from .bptt import backpropagating
from .derivatives import Derivatives
from .sensitivity import is_chaotic, nearby

Array = np.ndarray
REACH = 280.0  # decades: the derivatives that float64 shows after such a step
SAME = {"complex step": 1e-10, "central differences": 1e-5}  # relative errors up to which derivatives agree ...
NOISES = 10.0  # ... or up to so many times the noise, where that is larger,
MOST_NOISE = 1e-6  # which must not be larger than this
TINY = 1e-290  # states below this may end as 0
BELOW = N_("their gradient is below 1e-280, where no step in float64 shows")
ABOVE = N_("their gradient is above 1e+280, where no step in float64 shows")
UNRESOLVED = N_("too small beside the loss for central differences, or at a kink")
ROUNDED = N_("rounding decides their derivative")
UNDERFLOWN = N_("the numbers that they depend on are below what a float holds")
METHODS = {"complex step": N_("the complex step"), "central differences": N_("the central differences")}


@dataclass(frozen=True)
class Entry:
    """A number that was checked: ``ours`` and the numeric one, at ``index`` of the array ``where``.

    ``error`` is their difference and ``noise`` the share of the numeric one that rounding decides, both relative to
    the larger of the two numbers, or to the root mean square of the gradient that they belong to, where that is larger.
    """

    where: str
    index: tuple[int, ...]
    ours: float
    numeric: float
    error: float
    noise: float = 0.0


@dataclass(frozen=True)
class Check:
    """The result so far.

    Attributes
    ----------
    method : "complex step" or "central differences".
    done, total : the number of entries processed so far, and in all.
    share : the share done, 0 to 1, also within an entry.
    entries : those that could be compared.
    skipped : reason -> how many entries could not be compared.
    last_bit : in a chaotic network, the largest change of log10 ||dL/dh_t|| when the last bit of every weight changes.
    worst : the entry with the largest error, or None. checked : how many entries were compared.
    agrees : whether all of them agree, None where there are none; ``digits``: to how many digits.
    """

    method: str
    total: int
    done: int = 0
    entries: tuple[Entry, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    share: float = 0.0
    last_bit: float = 0.0

    def after(self, outcome: Entry | str) -> Check:
        """Return the result with one more entry: compared, or the reason why not."""
        result = replace(self, done=self.done + 1, share=(self.done + 1) / self.total)
        if isinstance(outcome, Entry):
            return replace(result, entries=(*self.entries, outcome))
        return replace(result, skipped=self.skipped | {outcome: self.skipped.get(outcome, 0) + 1})

    def at(self, share: float) -> Check:
        """Return the result with another share done."""
        return replace(self, share=share)

    @property
    def worst(self) -> Entry | None:
        return max(self.entries, key=lambda entry: entry.error, default=None)

    @property
    def error(self) -> float:
        """The largest relative error, nan where nothing could be compared."""
        return self.worst.error if self.worst else np.nan

    @property
    def checked(self) -> int:
        return len(self.entries)

    @property
    def tolerance(self) -> float:
        """The largest error of numbers that agree."""
        return max(SAME[self.method], NOISES * max((entry.noise for entry in self.entries), default=0.0))

    @property
    def agrees(self) -> bool | None:
        return None if self.worst is None else self.error <= self.tolerance

    @property
    def digits(self) -> int:
        return int(-np.log10(max(self.error, np.finfo(float).eps)))

    @property
    def words(self) -> str:
        """Sentences: to how many digits the entries agree, why others could not be compared, whether there is chaos."""
        skipped = [
            ngettext(
                "{count} entry cannot be checked: {reason}.", "{count} entries cannot be checked: {reason}.", count
            ).format(count=count, reason=_(reason))
            for reason, count in self.skipped.items()
        ]
        chaos = _(
            "Chaos: changing the last bit of every weight changes the gradient by a factor of up to {factor}. The "
            "gradient is that of the states as computed here; another computer may compute others."
        ).format(factor=number(self.last_bit, log10=True))
        return " ".join([self.outcome, *skipped, *([chaos] if self.last_bit else [])])

    @property
    def outcome(self) -> str:
        """One sentence on the entries that were compared."""
        if self.worst is None:
            return _("Nothing could be compared.")
        text = ngettext(
            "{count} entry checked without backpropagation, by {method}: the same gradient to {digits} digits "
            "(worst: {where}).",
            "{count} entries checked without backpropagation, by {method}: the same gradients to {digits} digits "
            "(worst: {where}).",
            self.checked,
        )
        if not self.agrees:
            text = ngettext(
                "{count} entry checked without backpropagation, by {method}: the gradients differ, by a relative "
                "error of {error} (worst: {where}).",
                "{count} entries checked without backpropagation, by {method}: the gradients differ, by a relative "
                "error of up to {error} (worst: {where}).",
                self.checked,
            )
        where = f"{self.worst.where}[{', '.join(map(str, self.worst.index))}]"
        error = number(self.error)
        said = {"count": self.checked, "digits": self.digits, "error": error, "where": where}
        return text.format(method=_(METHODS[self.method]), **said)


def check(config: Config, entries: int = 5, seed: int = 0) -> Check:
    """Check ``entries`` random entries of every parameter and of each layer's dL/dh_t at as many steps.

    Raises
    ------
    FloatingPointError : where a state or the loss is not finite, so that no gradient is defined.

    >>> result = check(Config(hidden_size=8, seq_len=5, batch_size=4), entries=3)
    >>> result.method, result.checked, result.error < 1e-10
    ('complex step', 18, True)
    """
    *_, last = progress(config, entries, seed)
    return last


def progress(config: Config, entries: int = 5, seed: int = 0) -> Iterator[Check]:
    """Yield what `check` has found so far, after every entry and again and again within a long one."""
    probe = Probe(config)
    result = Check(probe.method, total=entries * (len(probe.params) + len(probe.layers)))
    yield result
    for _share in probe.backpropagating():
        yield result
    result = replace(result, last_bit=probe.last_bit)
    for name in probe.ours:
        for index in probe.sample(name, entries, np.random.default_rng(seed)):
            comparison = rescaled(probe.compare(name, index), result.share, 1 / result.total)
            outcome = yield from mapped(comparison, result.at)
            result = result.after(outcome)
            yield result


class Probe(Derivatives):
    """One network with its gradients, and its loss as a function of any entry."""

    def backpropagating(self) -> Progress[None]:
        """Compute the gradients to check, and how far they depend on the last bit of the weights."""
        names = ("cell", "activation", "loss_at", "loss_reduction", "truncate")
        chosen = {name: getattr(self.config, name) for name in names}
        self.gradients = yield from backpropagating(self.params, self.x, self.targets, **chosen)
        d_h = {name: self.gradients.d_h_by_layer[layer - 1] for name, layer in self.layers.items()}
        self.ours = self.gradients.d_params | d_h
        self.last_bit = 0.0
        if not is_chaotic(self.params, self.x, self.config.cell, self.config.activation):
            return
        again = yield from backpropagating(nearby(self.params), self.x, self.targets, **chosen)
        with np.errstate(invalid="ignore"):
            changes = np.abs(again.log10_grad_norm_by_layer - self.gradients.log10_grad_norm_by_layer)
        self.last_bit = float(np.nanmax(changes, initial=0.0))

    @cached_property
    def underflows(self) -> bool:
        """Whether a state comes near float64's smallest number, beyond which it would be 0."""
        sizes = np.abs(self.gradients.h_by_layer)
        return bool(np.any((sizes > 0) & (sizes < TINY)))

    def sample(self, name: str, entries: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
        """Yield random indices of a parameter, or, for the states, indices at steps spread from 0 to T."""
        shape = self.ours[name].shape
        for step in np.linspace(0, shape[0] - 1, entries).round().astype(int):
            index = tuple(int(rng.integers(size)) for size in shape)
            yield (int(step), *index[1:]) if name in self.layers else index

    def compare(self, name: str, index: tuple[int, ...]) -> Progress[Entry | str]:
        """Return the compared entry, or the reason why it cannot be compared."""
        ours = self.ours[name][index[0]] if name in self.layers else self.ours[name]
        decades = self.decades(name, index, ours)
        is_zero = decades == -np.inf
        if abs(decades) > REACH and not is_zero:
            return BELOW if decades < 0 else ABOVE
        found = yield from self.twice(name, index, 0.0 if is_zero else decades)
        if found is None:
            return UNRESOLVED
        numeric, other = found
        value = float(self.ours[name][index])
        if numeric == 0 and (self.underflows if is_zero else value and decades < -REACH / 2):
            return UNDERFLOWN
        size = max(abs(value), abs(numeric), 0.0 if is_zero else 10.0**decades) or 1.0
        error, noise = abs(value - numeric) / size, abs(other - numeric) / size
        if self.method == "complex step" and noise > MOST_NOISE:
            return ROUNDED
        return Entry(name, index, value, numeric, float(error), float(noise))

    def decades(self, name: str, index: tuple[int, ...], ours: Array) -> float:
        """Return log10 of the root mean square of the gradient that an entry belongs to."""
        if name in self.layers:
            return self.gradients.log10_grad_norm_by_layer[self.layers[name] - 1, index[0]] - 0.5 * np.log10(ours.size)
        top = np.abs(ours).max()
        if top == 0 or not np.isfinite(top):
            return -np.inf if top == 0 else np.inf
        return np.log10(top) + 0.5 * np.log10(np.mean(np.square(ours / top)))
