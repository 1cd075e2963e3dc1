"""Check backpropagation for the current settings.

Each entry is compared with a derivative of the loss computed without backpropagation. The complex step takes
``Im L(p + i h) / h``: it forms no difference, so nothing cancels, and is accurate to the last digits of float64
(Squire & Trapp 1998). It needs functions that are analytic where they are used, as are tanh, the sigmoid, and ReLU
away from its kink. An activation that takes no complex numbers is checked by central differences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import PLAIN
from ..network.cells import CELLS, Params, State
from ..network.config import Config
from ..network.losses import loss_weight
from ..network.sampling import draw_inputs, init_params
from ..numerics.progress import Progress, mapped, rescaled
from ..text.language import N_, _, ngettext
from ..text.number_format import plain
from .bptt import backpropagating, cross_entropy, forward

Array = np.ndarray
STEP = 1e-20  # of the complex step, relative to the step that changes the loss by 1
DIFFERENCE = 1e-6  # of central differences
REACH = 280.0  # decades: the derivatives that float64 shows after such a step
BELOW = N_("their gradient is below 1e-280, where no step in float64 shows")
ABOVE = N_("their gradient is above 1e+280, where no step in float64 shows")
UNRESOLVED = N_("too small beside the loss for central differences, or at a kink")
METHODS = {"complex step": N_("the complex step"), "central differences": N_("the central differences")}


@dataclass(frozen=True)
class Entry:
    """A number that was checked: ``ours`` and the numeric one, at ``index`` of the array ``where``."""

    where: str
    index: tuple[int, ...]
    ours: float
    numeric: float
    error: float


@dataclass(frozen=True)
class Check:
    """The result so far.

    Attributes
    ----------
    method : "complex step" or "central differences".
    done, total : the number of entries processed so far, and in all.
    share : the share done, 0 to 1, also within an entry.
    entries : those that could be compared. The error is relative to the larger of the two numbers, or to the root
        mean square of the gradient that the entry belongs to, where that is larger.
    skipped : reason -> how many entries could not be compared.
    worst : the entry with the largest error, or None. checked : how many entries were compared.
    """

    method: str
    total: int
    done: int = 0
    entries: tuple[Entry, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)
    share: float = 0.0

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
    def words(self) -> str:
        """Sentences: how many entries agree and how well, and why others could not be compared."""
        parts = [
            ngettext("{count} entry not compared: {reason}.", "{count} entries not compared: {reason}.", count).format(
                count=count, reason=_(reason)
            )
            for reason, count in self.skipped.items()
        ]
        if self.worst is None:
            return " ".join([_("Nothing could be compared."), *parts])
        where = f"{self.worst.where}[{', '.join(map(str, self.worst.index))}]"
        agree = ngettext(
            "{count} entry agrees with {method} to a relative error of {error} (worst: {where}).",
            "{count} entries agree with {method} to a relative error of {error} (worst: {where}).",
            self.checked,
        ).format(count=self.checked, method=_(METHODS[self.method]), error=plain(self.error, ".1e"), where=where)
        return " ".join([agree, *parts])


def check(config: Config, entries: int = 5, seed: int = 0) -> Check:
    """Check ``entries`` random entries of every parameter and of dL/dh_t at as many steps.

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
    result = Check(probe.method, total=entries * (len(probe.params) + 1))
    yield result
    for _share in probe.backpropagating():
        yield result
    for name in probe.ours:
        for index in probe.sample(name, entries, np.random.default_rng(seed)):
            comparison = rescaled(probe.compare(name, index), result.share, 1 / result.total)
            outcome = yield from mapped(comparison, result.at)
            result = result.after(outcome)
            yield result


def takes_complex(phi: Activation) -> bool:
    """Return whether an activation keeps the imaginary part of a number."""
    a = np.array([-0.3, 0.7]) + 1e-20j
    try:
        h = phi.f(a)
    except TypeError:
        return False
    return np.iscomplexobj(h) and np.allclose(h.imag / 1e-20, phi.slope(a.real))


class Probe:
    """One network with its gradients, and its loss as a function of any entry."""

    def __init__(self, config: Config):
        self.config, self.cell, self.phi = config, CELLS[config.cell], ACTIVATIONS[config.activation]
        self.params, (self.x, self.targets) = init_params(config), draw_inputs(config)
        self.weight = loss_weight(config.loss_at, config.loss_reduction, config.seq_len)
        self.method = "complex step" if takes_complex(self.phi) else "central differences"

    def backpropagating(self) -> Progress[None]:
        """Compute the gradients to check."""
        names = ("cell", "activation", "loss_at", "loss_reduction")
        chosen = {name: getattr(self.config, name) for name in names}
        self.gradients = yield from backpropagating(self.params, self.x, self.targets, **chosen)
        self.ours = {**self.gradients.d_params, "dL/dh": self.gradients.d_h}

    def sample(self, name: str, entries: int, rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
        """Yield random indices of a parameter, or, for the states, indices at steps spread from 0 to T."""
        shape = self.ours[name].shape
        for step in np.linspace(0, shape[0] - 1, entries).round().astype(int):
            index = tuple(int(rng.integers(size)) for size in shape)
            yield (int(step), *index[1:]) if name == "dL/dh" else index

    def compare(self, name: str, index: tuple[int, ...]) -> Progress[Entry | str]:
        """Return the compared entry, or the reason why it cannot be compared."""
        ours = self.ours[name][index[0]] if name == "dL/dh" else self.ours[name]
        decades = self.decades(name, index, ours)
        is_zero = decades == -np.inf
        if abs(decades) > REACH and not is_zero:
            return BELOW if decades < 0 else ABOVE
        numeric = yield from self.derivative(name, index, 0.0 if is_zero else decades)
        if numeric is None:
            return UNRESOLVED
        if is_zero:
            return Entry(name, index, 0.0, numeric, 0.0 if numeric == 0 else 1.0)
        value = float(self.ours[name][index])
        error = abs(value - numeric) / max(abs(value), abs(numeric), 10.0**decades)
        return Entry(name, index, value, numeric, float(error))

    def decades(self, name: str, index: tuple[int, ...], ours: Array) -> float:
        """Return log10 of the root mean square of the gradient that an entry belongs to."""
        if name == "dL/dh":
            return self.gradients.log10_grad_norm[index[0]] - 0.5 * np.log10(ours.size)
        top = np.abs(ours).max()
        if top == 0 or not np.isfinite(top):
            return -np.inf if top == 0 else np.inf
        return np.log10(top) + 0.5 * np.log10(np.mean(np.square(ours / top)))

    def derivative(self, name: str, index: tuple[int, ...], decades: float) -> Progress[float | None]:
        """Return the derivative of the loss by one entry, None where it cannot be resolved."""
        if self.method == "complex step":
            # A step in proportion to the gradient keeps the loss's change at 1e-20 of 1, far inside float64.
            step = STEP * 10.0 ** -max(decades, 0.0)
            return float((yield from self.loss(name, index, 1j * step)).imag / step)
        differences: list[float] = []
        for h in (DIFFERENCE, DIFFERENCE / 2):
            above = yield from rescaled(self.loss(name, index, h), 0.5 * len(differences), 0.25)
            below = yield from rescaled(self.loss(name, index, -h), 0.5 * len(differences) + 0.25, 0.25)
            differences.append(float((above - below).real / (2 * h)))
        noise = np.finfo(float).eps * abs(self.gradients.loss) / DIFFERENCE
        agree = abs(differences[0] - differences[1]) < 1e-4 * abs(differences[1])
        return differences[0] if agree and abs(differences[0]) > 1e4 * noise else None

    def loss(self, name: str, index: tuple[int, ...], step: complex) -> Progress[complex]:
        """Return the loss with one entry moved by ``step``."""
        if name == "dL/dh":
            return self.loss_after(index, step)
        return self.total(self.params | {name: moved(self.params[name], index, step)}, self.x, self.targets)

    def loss_after(self, index: tuple[int, ...], step: complex) -> Progress[complex]:
        """Return the loss from step t on of the one sequence that h_t belongs to, with one number of h_t moved."""
        t, row, unit = index
        rows = slice(row, row + 1)
        state = {name: getattr(self.gradients, name)[t, rows] for name in self.cell.states}
        state["h"] = moved(state["h"], (0, unit), step)
        x, targets = self.x[t:, rows], self.targets[t:, rows]
        loss: complex = (yield from self.total(self.params, x, targets, state)) if len(x) else 0.0
        if t and (self.config.loss_at == "every" or not len(x)):
            loss += complex(cross_entropy(self.params, state["h"], self.targets[t - 1, rows], self.weight)[0])
        return loss / self.config.batch_size

    def total(self, params: Params, x: Array, targets: Array, state: State | None = None) -> Progress[complex]:
        """Return the loss over the steps of ``x``, entered with ``state``."""
        steps = []
        for step in forward(params, x, self.cell, self.phi, PLAIN, state):
            steps.append(step)
            yield len(steps) / len(x)
        first = 0 if self.config.loss_at == "every" else len(steps) - 1
        pairs = zip(steps[first:], targets[first:], strict=True)
        return sum(complex(cross_entropy(params, step.state["h"], target, self.weight)[0]) for step, target in pairs)


def moved(a: Array, index: tuple[int, ...], step: complex) -> Array:
    """Return a copy with one number moved."""
    a = a.astype(np.result_type(a, type(step)))
    a[index] += step
    return a
