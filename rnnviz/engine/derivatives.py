"""Derivatives of a loss computed without a backward pass, and how much of them rounding decides.

The complex step takes ``Im L(p + i h) / h``: it forms no difference, so nothing cancels, and is accurate to the last
digits of float64 (Squire & Trapp 1998). It needs functions that are analytic where they are used, as are tanh, the
sigmoid, and ReLU away from its kink. An activation that takes no complex numbers gets central differences.

Rounding may still decide such a derivative: in a chaotic network, or where saturated states differ by less than a last
bit. So each is computed twice, the second time with every activation's last bits changed at random (Vignes 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import PLAIN, Arithmetic, Kept, Plain
from ..network.cells import CELLS, Params, State
from ..network.config import Config
from ..network.layers import layer_params, layers_above
from ..network.losses import loss_weight
from ..network.sampling import draw_inputs, init_params
from ..numerics.progress import Progress, rescaled
from .bptt import Gradients
from .layers import forward, forward_through
from .passes import cross_entropy
from .sensitivity import jitter

Array = np.ndarray
STEP = 1e-20  # of the complex step, relative to the step that changes the loss by 1
OTHER_STEP = 1e10  # times as long is the second one: the first may underflow on its way to the loss
DIFFERENCE = 1e-6  # of central differences
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


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
        self.every, self.reach = config.loss_at == "every", min(config.truncate or config.seq_len, config.seq_len)
        self.layers = state_names(config.layers)
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
        if name in self.layers:
            return self.loss_after(self.layers[name], index, step, num)
        return self.total(self.params | {name: moved(self.params[name], index, step)}, num)

    def loss_after(self, layer: int, index: tuple[int, ...], step: complex, num: Arithmetic) -> Progress[complex]:
        """Return the losses of one sequence that a layer's h_t reaches, with one number of h_t moved."""
        t, row, unit = index
        rows, end = slice(row, row + 1), min(t + self.reach, len(self.x))
        state = self.state(layer, t, rows)
        state["h"] = moved(state["h"], (0, unit), step)
        x = self.x if layer == 1 else self.gradients.h_by_layer[layer - 2, 1:]
        h = [state["h"]] if t else []
        for each in forward(layer_params(self.params, layer), x[t:end, rows], self.cell, self.phi, num, state):
            h.append(each.state["h"])
            yield len(h) / (end - t + 1)
        begin = end - len(h)
        if layer < self.config.layers:
            states = [self.state(above, begin, rows) for above in range(layer + 1, self.config.layers + 1)]
            walk = forward_through(layers_above(self.params, layer), np.stack(h), self.cell, self.phi, num, states)
            h = [each.state["h"] for above, each in walk if above == len(states)]
        if not self.every and end < len(self.x):
            return 0.0
        return self.sum_of_losses(self.params, h, self.targets[begin:end, rows]) / self.config.batch_size

    def state(self, layer: int, t: Any, rows: slice = slice(None)) -> State:
        """Return the states that a layer has passed on from some steps."""
        by_layer = {name: getattr(self.gradients, f"{name}_by_layer") for name in self.cell.states}
        return {name: values[layer - 1, t][..., rows, :] for name, values in by_layer.items()}

    def total(self, params: Params, num: Arithmetic) -> Progress[complex]:
        """Return the loss; where it is truncated, states beyond its reach are those computed before."""
        length, reach = len(self.x), self.reach
        if reach == length or self.every:
            begun = yield from self.over(params, self.x[:reach], self.targets[:reach], num)
        if reach == length:
            return begun
        if not self.every:
            return (yield from self.over(params, self.x[-reach:], self.targets[-reach:], num, length - reach))
        x, targets = (np.moveaxis(sliding_window_view(a[1:], reach, axis=0), -1, 1) for a in (self.x, self.targets))
        return begun + (yield from self.over(params, x, targets, num, slice(1, length - reach + 1)))

    def over(self, params: Params, x: Array, targets: Array, num: Arithmetic, start: Any = None) -> Progress[complex]:
        """Return the losses over the steps of ``x`` (..., T, B, D); of several stretches, those of their last steps.

        They are entered with the states of the steps ``start``, by default with 0.
        """
        layers, h = range(1, self.config.layers + 1), []
        states = [] if start is None else [self.state(layer, start) for layer in layers]
        for done, (layer, step) in enumerate(forward_through(params, x, self.cell, self.phi, num, states), 1):
            if layer == len(layers):
                h.append(step.state["h"])
            yield done / (len(layers) * x.shape[-3])
        last_only = x.ndim > 3
        targets = np.moveaxis(targets, -2, 0)
        return self.sum_of_losses(params, h[-1:] if last_only else h, targets[-1:] if last_only else targets)

    def sum_of_losses(self, params: Params, h: Sequence[Array], targets: Array) -> complex:
        """Return the loss of some steps: of each that has one."""
        pairs = list(zip(h, targets, strict=True))[0 if self.every else -1 :]
        return sum(complex(np.sum(cross_entropy(params, each, target, self.weight)[0])) for each, target in pairs)


def state_names(layers: int) -> dict[str, int]:
    """Return what the gradient of each layer's states is called, and the layer, counted from 1.

    >>> state_names(1), state_names(2)
    ({'dL/dh': 1}, {'dL/dh⁽¹⁾': 1, 'dL/dh⁽²⁾': 2})
    """
    if layers == 1:
        return {"dL/dh": 1}
    return {f"dL/dh⁽{str(layer).translate(RAISED)}⁾": layer for layer in range(1, layers + 1)}


def moved(a: Array, index: tuple[int, ...], step: complex) -> Array:
    """Return a copy with one number moved."""
    a = a.astype(np.result_type(a, type(step)))
    a[index] += step
    return a
