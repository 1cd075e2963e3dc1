"""Derivatives of a loss computed without a backward pass, and how much of them rounding decides.

The complex step takes ``Im L(p + i h) / h``: it forms no difference, so nothing cancels, and is accurate to the last
digits of float64 (Squire & Trapp 1998). It needs functions that are analytic where they are used, as are tanh, the
sigmoid, and ReLU away from its kink. An activation that takes no complex numbers gets central differences.

Rounding may still decide such a derivative: in a chaotic network, or where saturated states differ by less than a last
bit. So each is computed twice, the second time with every activation's last bits changed at random (Vignes 1993).
"""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import PLAIN, Arithmetic, Kept, Plain
from ..network.cells import CELLS, Params, State
from ..network.config import Config
from ..network.losses import loss_weight
from ..network.sampling import draw_inputs, init_params
from ..numerics.progress import Progress, rescaled
from .bptt import Gradients
from .passes import cross_entropy, forward
from .sensitivity import jitter

Array = np.ndarray
STEP = 1e-20  # of the complex step, relative to the step that changes the loss by 1
OTHER_STEP = 1e10  # times as long is the second one: the first may underflow on its way to the loss
DIFFERENCE = 1e-6  # of central differences


def takes_complex(phi: Activation) -> bool:
    """Return whether an activation keeps the imaginary part of a number."""
    a = np.array([-0.3, 0.7]) + 1e-20j
    try:
        h = phi.f(a)
    except TypeError:
        return False
    return np.iscomplexobj(h) and np.allclose(h.imag / 1e-20, phi.slope(a.real))


class Jittered(Plain):
    """Plain arithmetic whose activations have random last bits, the same at every run."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def activate(self, phi: Activation, a: Array) -> tuple[Array, Kept]:
        h, kept = super().activate(phi, a)
        return h * jitter(a.shape, self.rng, 2), kept


class Derivatives:
    """The loss of the network that a Config draws, as a function of any entry of its parameters and states."""

    gradients: Gradients  # whose states `loss_after` starts from

    def __init__(self, config: Config):
        self.config, self.cell, self.phi = config, CELLS[config.cell], ACTIVATIONS[config.activation]
        self.params, (self.x, self.targets) = init_params(config), draw_inputs(config)
        self.weight = loss_weight(config.loss_at, config.loss_reduction, config.seq_len)
        self.method = "complex step" if takes_complex(self.phi) else "central differences"

    def twice(self, name: str, index: tuple[int, ...], decades: float) -> Progress[tuple[float, float] | None]:
        """Return the derivative by one entry, about 10**decades, in two ways; None where it cannot be resolved."""
        found: list[float] = []
        if self.method == "complex step":
            # A step in proportion to the gradient keeps the loss's change at 1e-20 of 1, far inside float64.
            step = STEP * 10.0 ** -max(decades, 0.0)
            for h, num in ((step, PLAIN), (step * OTHER_STEP, Jittered())):
                moved_loss = yield from rescaled(self.loss(name, index, 1j * h, num), 0.5 * len(found), 0.5)
                found.append(float(moved_loss.imag / h))
            return found[0], found[1]
        for h in (DIFFERENCE, DIFFERENCE / 2):
            above = yield from rescaled(self.loss(name, index, h), 0.5 * len(found), 0.25)
            below = yield from rescaled(self.loss(name, index, -h), 0.5 * len(found) + 0.25, 0.25)
            found.append(float((above - below).real / (2 * h)))
        noise = np.finfo(float).eps * abs(self.gradients.loss) / DIFFERENCE
        agree = abs(found[0] - found[1]) < 1e-4 * abs(found[1])
        return (found[0], found[1]) if agree and abs(found[0]) > 1e4 * noise else None

    def loss(self, name: str, index: tuple[int, ...], step: complex, num: Arithmetic = PLAIN) -> Progress[complex]:
        """Return the loss with one entry moved by ``step``."""
        if name == "dL/dh":
            return self.loss_after(index, step, num)
        return self.total(self.params | {name: moved(self.params[name], index, step)}, self.x, self.targets, num)

    def loss_after(self, index: tuple[int, ...], step: complex, num: Arithmetic) -> Progress[complex]:
        """Return the loss from step t on of the one sequence that h_t belongs to, with one number of h_t moved."""
        t, row, unit = index
        rows = slice(row, row + 1)
        state = {name: getattr(self.gradients, name)[t, rows] for name in self.cell.states}
        state["h"] = moved(state["h"], (0, unit), step)
        x, targets = self.x[t:, rows], self.targets[t:, rows]
        loss: complex = (yield from self.total(self.params, x, targets, num, state)) if len(x) else 0.0
        if t and (self.config.loss_at == "every" or not len(x)):
            loss += complex(cross_entropy(self.params, state["h"], self.targets[t - 1, rows], self.weight)[0])
        return loss / self.config.batch_size

    def total(
        self, params: Params, x: Array, targets: Array, num: Arithmetic, state: State | None = None
    ) -> Progress[complex]:
        """Return the loss over the steps of ``x``, entered with ``state``."""
        steps = []
        for step in forward(params, x, self.cell, self.phi, num, state):
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
