"""A gradient check on the settings of the moment: is the backward pass right, here and now?

Each entry is compared with a derivative of the loss that knows nothing of the backward pass. The complex step takes
``Im L(p + i h) / h``: no difference is formed, so nothing cancels, and it is right to the last digits of float64
(Squire & Trapp 1998). It needs functions that are analytic where they are used, as tanh and the sigmoid are, and ReLU
on either side of its kink. An activation that takes no complex numbers is checked by central differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import PLAIN
from ..network.cells import CELLS
from ..network.config import Config
from ..network.sampling import draw_inputs, init_params
from ..text.language import N_, _, ngettext
from ..text.number_format import plain
from .bptt import Gradients, bptt, cross_entropy, forward

Array = np.ndarray
STEP = 1e-20  # of the complex step, relative to what would move the loss by 1
DIFFERENCE = 1e-6  # of central differences
REACH = 280.0  # decades: what float64 shows of a derivative after such a step
BELOW = N_("their gradient is below 1e-280, where no step in float64 shows")
ABOVE = N_("their gradient is above 1e+280, where no step in float64 shows")
UNRESOLVED = N_("too small beside the loss for central differences, or at a kink")
METHODS = {"complex step": N_("the complex step"), "central differences": N_("the central differences")}


@dataclass(frozen=True)
class Entry:
    """One number that was checked: ``where`` and at which index, ours, the numeric one, and their relative error."""

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
    done, total : entries that were looked at, and that will be.
    entries : those that could be compared. The error is relative to the larger of the two numbers, or to the root
        mean square of the gradient that the entry belongs to, where that is larger.
    skipped : reason -> how many entries could not be compared.
    worst : the entry of the largest error, or None. checked : how many entries were compared.
    """

    method: str
    total: int
    done: int = 0
    entries: tuple[Entry, ...] = ()
    skipped: dict[str, int] = field(default_factory=dict)

    def after(self, outcome: Entry | str) -> Check:
        """Return the result with one more entry looked at: compared, or else the reason why not."""
        if isinstance(outcome, Entry):
            return replace(self, done=self.done + 1, entries=(*self.entries, outcome))
        skipped = self.skipped | {outcome: self.skipped.get(outcome, 0) + 1}
        return replace(self, done=self.done + 1, skipped=skipped)

    @property
    def worst(self) -> Entry | None:
        return max(self.entries, key=lambda entry: entry.error, default=None)

    @property
    def error(self) -> float:
        """The largest relative error, nan where nothing could be compared."""
        return self.worst.error if self.entries else np.nan

    @property
    def checked(self) -> int:
        return len(self.entries)

    @property
    def words(self) -> str:
        """Say in sentences what was compared, how well it agrees, and what could not be."""
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


def progress(
    config: Config, entries: int = 5, seed: int = 0, tick: Callable[[], None] = lambda: None
) -> Iterator[Check]:
    """Yield a `Check` after every entry, so that a long one can be shown; ``tick``, called at each step, may end it."""
    probe = Probe(config, tick)
    chosen = [pick for name in probe.ours for pick in probe.sample(name, entries, np.random.default_rng(seed))]
    result = Check(probe.method, total=len(chosen))
    yield result
    for name, index in chosen:
        result = result.after(probe.compare(name, index))
        yield result


def takes_complex(phi: Activation) -> bool:
    """Whether an activation hands on the imaginary part of a number."""
    a = np.array([-0.3, 0.7]) + 1e-20j
    try:
        h = phi.f(a)
    except TypeError:
        return False
    return np.iscomplexobj(h) and np.allclose(h.imag / 1e-20, phi.slope(a.real))


class Probe:
    """One network with its gradients, and its loss as a function of any entry."""

    def __init__(self, config: Config, tick: Callable[[], None]):
        self.tick = tick
        self.config, self.cell, self.phi = config, CELLS[config.cell], ACTIVATIONS[config.activation]
        self.params, (self.x, self.targets) = init_params(config), draw_inputs(config)
        names = (config.cell, config.activation, config.loss_at)
        self.gradients: Gradients = bptt(self.params, self.x, self.targets, *names)
        self.ours = {**self.gradients.d_params, "dL/dh": self.gradients.d_h}
        self.method = "complex step" if takes_complex(self.phi) else "central differences"

    def sample(self, name: str, entries: int, rng: np.random.Generator) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Yield random places in a parameter, or, for the states, places at steps spread from 0 to T."""
        shape = self.ours[name].shape
        for step in np.linspace(0, shape[0] - 1, entries).round().astype(int):
            index = tuple(int(rng.integers(size)) for size in shape)
            yield name, (int(step), *index[1:]) if name == "dL/dh" else index

    def compare(self, name: str, index: tuple[int, ...]) -> Entry | str:
        """Return the compared entry, or the reason why it cannot be compared."""
        ours = self.ours[name][index[0]] if name == "dL/dh" else self.ours[name]
        decades = self.decades(name, index, ours)
        if decades == -np.inf:
            return self.zero(name, index)
        if abs(decades) > REACH:
            return BELOW if decades < 0 else ABOVE
        numeric = self.derivative(name, index, decades)
        if numeric is None:
            return UNRESOLVED
        scale = 10.0**decades
        value = float(self.ours[name][index])
        error = float(abs(value - numeric) / max(abs(value), abs(numeric), scale))
        return Entry(name, index, value, numeric, error)

    def decades(self, name: str, index: tuple[int, ...], ours: Array) -> float:
        """Return log10 of the root mean square of the gradient that an entry belongs to."""
        if name == "dL/dh":
            return self.gradients.log10_grad_norm[index[0]] - 0.5 * np.log10(ours.size)
        top = np.abs(ours).max()
        if top == 0 or not np.isfinite(top):
            return -np.inf if top == 0 else np.inf
        return np.log10(top) + 0.5 * np.log10(np.mean(np.square(ours / top)))

    def zero(self, name: str, index: tuple[int, ...]) -> Entry | str:
        """Return an entry whose gradient is exactly 0 in our account, unless the loss says otherwise."""
        numeric = self.derivative(name, index, 0.0)
        if numeric is None:
            return UNRESOLVED
        return Entry(name, index, 0.0, numeric, 0.0 if numeric == 0 else 1.0)

    def derivative(self, name: str, index: tuple[int, ...], decades: float) -> float | None:
        """Return the derivative of the loss by one entry, None where it cannot be resolved."""
        if self.method == "complex step":
            # A step in proportion to the gradient keeps the loss's change at 1e-20 of 1, far inside float64.
            step = STEP * 10.0 ** -max(decades, 0.0)
            return float(self.loss(name, index, 1j * step).imag / step)
        differences = [
            float((self.loss(name, index, h) - self.loss(name, index, -h)).real / (2 * h))
            for h in (DIFFERENCE, DIFFERENCE / 2)
        ]
        noise = np.finfo(float).eps * abs(self.gradients.loss) / DIFFERENCE
        agree = abs(differences[0] - differences[1]) < 1e-4 * abs(differences[1])
        return differences[0] if agree and abs(differences[0]) > 1e4 * noise else None

    def loss(self, name: str, index: tuple[int, ...], step: complex) -> complex:
        """Return the loss with one entry moved by ``step``."""
        if name == "dL/dh":
            return self.loss_after(index, step)
        return self.total(self.params | {name: moved(self.params[name], index, step)}, self.x, self.targets)

    def loss_after(self, index: tuple[int, ...], step: complex) -> complex:
        """Return the loss from step t on of the one sequence that notices, restarted with one number of h_t moved."""
        t, row, unit = index
        rows = slice(row, row + 1)
        state = {name: getattr(self.gradients, name)[t, rows] for name in self.cell.states}
        state["h"] = moved(state["h"], (0, unit), step)
        x, targets = self.x[t:, rows], self.targets[t:, rows]
        loss = self.total(self.params, x, targets, state) if len(x) else 0.0
        if t and (self.config.loss_at == "every" or not len(x)):
            loss = loss + cross_entropy(self.params, state["h"], self.targets[t - 1, rows])[0]
        return loss / self.config.batch_size

    def total(self, params, x: Array, targets: Array, state=None) -> complex:
        """Return the loss over the steps of ``x``, entered with ``state``."""
        steps = []
        for step in forward(params, x, self.cell, self.phi, PLAIN, state):
            self.tick()
            steps.append(step)
        first = 0 if self.config.loss_at == "every" else len(steps) - 1
        pairs = zip(steps[first:], targets[first:], strict=True)
        return sum(cross_entropy(params, step.state["h"], target)[0] for step, target in pairs)


def moved(a: Array, index: tuple[int, ...], step: complex) -> Array:
    """Return a copy with one number moved."""
    a = a.astype(np.result_type(a, type(step)))
    a[index] += step
    return a
