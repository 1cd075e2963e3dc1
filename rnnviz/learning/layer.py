"""One layer of many networks side by side: all steps forward, all steps back, and its parameters' gradients.

The cells are those of the rest of the package, with plain float64. What a training step keeps is written into a `Room`,
arrays that stay, since new memory would cost more than the arithmetic.
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


class Room:
    """Memory for one layer of up to N networks.

    ``h`` (N, T+1, B, H) holds the states, ``tape`` the cell's factors (N, T, B, H); ``d_in`` (N, T, B, kH) first
    ``x W_xh + b_h`` and then the gradients of it, ``d_rec`` those of ``h W_hh`` where they differ.
    """

    def __init__(self, cell: Cell, runs: int, steps: int, batch: int, size: int):
        self.h = np.empty((runs, steps + 1, batch, size))
        self.tape = tuple(np.empty((runs, steps, batch, size)) for _ in range(cell.factors))
        # Memory that is never written to is never taken: ``d_rec`` costs nothing where a cell does not need it.
        self.d_in, self.d_rec = (np.empty((runs, steps, batch, len(cell.gates) * size)) for _ in range(2))


class Layer:
    """One layer of N networks; ``params`` and ``grads`` hold its W_xh, W_hh and biases, with the leading axis N."""

    def __init__(self, params: Params, grads: Params, cell: Cell, phi: Activation):
        self.params, self.grads, self.cell, self.phi = params, grads, cell, phi
        self.has_two = False  # whether the gradients of x W_xh and of h W_hh differ

    def enter(self, room: Room) -> None:
        """Use this memory from now on."""
        runs = len(self.params["W_hh"])
        self.h, self.d_in, self.d_rec = room.h[:runs], room.d_in[:runs], room.d_rec[:runs]
        self.tape = tuple(each[:runs] for each in room.tape)
        self.steps, self.batch = self.d_in.shape[1:3]

    def initial(self, batch: int) -> State:
        """Return a state of zeros."""
        runs, size, _ = self.params["W_hh"].shape
        return {name: np.zeros((runs, batch, size)) for name in self.cell.states}

    def forward(self, x: Array, state: State) -> Progress[State]:
        """Read ``x`` (N, T, B, D) and return the last state."""
        self.x, projected = x, self.d_in
        product(merged(x), self.params["W_xh"], merged(projected))
        projected += self.params["b_h"][:, None]
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
        d = self.initial(self.batch)
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
        for room, gates in self.kept(back):
            for block, value in zip(self.cell.split(room[:, t]), gates, strict=True):
                np.copyto(block, value)

    def add(self, back: StepBack) -> None:
        """Add the gradients of all steps, (N, T, B, H) for each gate, to ``d_in`` and ``d_rec``."""
        for room, gates in self.kept(back):
            for block, value in zip(self.cell.split(room), gates, strict=True):
                block += value

    def kept(self, back: StepBack) -> list[tuple[Array, list[Array]]]:
        """Return where gradients belong, and the gradients by gate: once where the cell's two are the same."""
        self.has_two = back.d_rec is not back.d_in
        kept = [(self.d_in, back.d_in), (self.d_rec, back.d_rec)]
        return kept if self.has_two else kept[:1]

    def through_input(self, d_in: Array) -> Array:
        """Return the gradients (N, T, B, D) of what the layer reads."""
        W = self.params["W_xh"].swapaxes(-1, -2)
        return product(merged(d_in), W).reshape(*d_in.shape[:-1], W.shape[-1])

    def collect(self, window: slice) -> None:
        """Write the parameters' gradients, sums over the ``window``: ``dL/dW_hh = sum_t h_{t-1}^T dL/da_t``."""
        d_in, d_rec = (merged(each[:, window]) for each in (self.d_in, self.d_rec if self.has_two else self.d_in))
        product(merged(self.x[:, window]).swapaxes(-1, -2), d_in, self.grads["W_xh"])
        product(merged(self.h[:, window]).swapaxes(-1, -2), d_rec, self.grads["W_hh"])
        d_in.sum(axis=1, keepdims=True, out=self.grads["b_h"])
        if gate := self.cell.recurrent_bias:
            alone = d_rec[..., self.cell.block(gate, self.h.shape[-1])]
            alone.sum(axis=1, keepdims=True, out=self.grads[f"b_h{gate}"])


def merged(a: Array) -> Array:
    """Return (N, T, B, ...) as (N, T B, ...)."""
    return a.reshape(a.shape[0], -1, a.shape[-1])
