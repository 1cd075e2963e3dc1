"""One layer of many networks side by side: all steps forward, all steps back, and its parameters' gradients.

The cells are those of the rest of the package, with plain float64. What a training step keeps is written into arrays
that stay, since new memory would cost more than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..network.activations import Activation
from ..network.arithmetic import PLAIN
from ..network.cells import Cell, Params, State, StepBack
from ..numerics.progress import Progress
from .products import product, weights

Array = np.ndarray
EVERY = 16  # steps between two yields


class Layer:
    """One layer of N networks, T steps, B sequences.

    ``params`` and ``grads`` hold its W_xh, W_hh and biases, each with the leading axis N. ``x`` (N, T, B, D) is what it
    read, ``h`` (N, T+1, B, H) its states; ``d_in`` (N, T, B, kH) the gradients of ``x W_xh + b_h``, ``d_rec`` those of
    ``h W_hh``.
    """

    def __init__(self, params: Params, grads: Params, cell: Cell, phi: Activation, steps: int, batch: int):
        self.params, self.grads, self.cell, self.phi = params, grads, cell, phi
        runs, size, wide = params["W_hh"].shape
        self.steps, self.batch = steps, batch
        self.h = np.zeros((runs, steps + 1, batch, size))
        self.tape = tuple(np.empty((runs, steps, batch, size)) for _ in range(cell.factors))
        self.d_in = np.zeros((runs, steps, batch, wide))
        self.d_rec = self.d_in

    def initial(self) -> State:
        return {name: np.zeros(self.h[:, 0].shape) for name in self.cell.states}

    def forward(self, x: Array, state: State) -> Progress[State]:
        """Read ``x`` (N, T, B, D) and return the last state."""
        self.x = x
        projected = product(merged(x), self.params["W_xh"])
        projected += self.params["b_h"]
        projected = projected.reshape(self.d_in.shape)
        params = self.params | {"W_hh": weights(self.params["W_hh"], self.batch)}
        self.h[:, 0] = state["h"]
        for t in range(self.steps):
            state, kept, _ = self.cell.step(params, projected[:, t], state, self.phi, PLAIN)
            self.h[:, t + 1] = state["h"]
            for room, factor in zip(self.tape, self.cell.tape(kept, self.phi, PLAIN), strict=True):
                room[:, t] = factor
            if t % EVERY == 0:
                yield 0.0
        return {name: state[name] for name in self.cell.states}

    def backward(self, errors: Mapping[int, Array], window: slice) -> Progress[None]:
        """Go back through the steps of ``window``; ``errors[t]`` (N, B, H) is what reaches h_{t+1} from outside."""
        W_back = weights(self.params["W_hh"].swapaxes(-1, -2).copy(), self.batch)
        d = self.initial()
        for t in range(window.stop - 1, window.start - 1, -1):
            if t in errors:
                d = d | {"h": d["h"] + errors[t]}
            back = self.cell.step_back(W_back, tuple(room[:, t] for room in self.tape), d, PLAIN)
            self.keep(back, t)
            d = back.previous
            if t % EVERY == 0:
                yield 0.0

    def keep(self, back: StepBack, t: int) -> None:
        """Write the gradients of a step into ``d_in`` and ``d_rec``."""
        self.set_apart(back)
        parts = [(self.d_in, back.d_in), (self.d_rec, back.d_rec)]
        for room, gates in parts if self.d_rec is not self.d_in else parts[:1]:
            for block, value in zip(self.cell.split(room[:, t]), gates, strict=True):
                np.copyto(block, value)

    def add(self, back: StepBack) -> None:
        """Add the gradients of all steps, (N, T, B, H) for each gate, to ``d_in`` and ``d_rec``."""
        self.set_apart(back)
        parts = [(self.d_in, back.d_in), (self.d_rec, back.d_rec)]
        for room, gates in parts if self.d_rec is not self.d_in else parts[:1]:
            for block, value in zip(self.cell.split(room), gates, strict=True):
                block += value

    def set_apart(self, back: StepBack) -> None:
        """Give ``d_rec`` memory of its own where the cell's two gradients differ."""
        if self.d_rec is self.d_in and back.d_rec is not back.d_in:
            self.d_rec = self.d_in.copy()

    def through_input(self, d_in: Array) -> Array:
        """Return the gradients (N, T, B, D) of what the layer reads."""
        W = self.params["W_xh"].swapaxes(-1, -2)
        return product(merged(d_in), W).reshape(*d_in.shape[:-1], W.shape[-1])

    def collect(self, window: slice) -> None:
        """Write the parameters' gradients, sums over the ``window``: ``dL/dW_hh = sum_t h_{t-1}^T dL/da_t``."""
        d_in, d_rec = merged(self.d_in[:, window]), merged(self.d_rec[:, window])
        product(merged(self.x[:, window]).swapaxes(-1, -2), d_in, self.grads["W_xh"])
        product(merged(self.h[:, window]).swapaxes(-1, -2), d_rec, self.grads["W_hh"])
        d_in.sum(axis=1, keepdims=True, out=self.grads["b_h"])
        if gate := self.cell.recurrent_bias:
            alone = d_rec[..., self.cell.block(gate, self.h.shape[-1])]
            alone.sum(axis=1, keepdims=True, out=self.grads[f"b_h{gate}"])


def merged(a: Array) -> Array:
    """Return (N, T, B, ...) as (N, T B, ...)."""
    return a.reshape(a.shape[0], -1, a.shape[-1])
