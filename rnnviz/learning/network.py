"""Networks side by side: their loss on a batch and its gradient, by full or truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.arithmetic import PLAIN
from ..network.cells import CELLS, Params, State, StepBack
from ..network.config import Config
from ..network.layers import count_layers, layer_params
from ..numerics.progress import Progress
from .layer import Layer, Room, merged
from .losses import LOSSES
from .problem import Problem
from .products import product, weights

Array = np.ndarray


class Learned(NamedTuple):
    """The losses (N,), the last states by layer, and which runs' states are finite (N,)."""

    losses: Array
    states: list[State]
    is_finite: Array


class Rooms:
    """Memory for stacks of networks, one `Room` for each layer: as many sets as are in use at a time."""

    def __init__(self, config: Config, problem: Problem, runs: int):
        shape = (runs, problem.length(config.seq_len), config.batch_size, config.hidden_size)
        self.new = lambda: [Room(CELLS[config.cell], *shape) for _ in range(config.layers)]
        self.free: list[list[Room]] = []

    def take(self) -> list[Room]:
        """Return a set that nobody uses; who took it appends it to ``free`` in the end."""
        try:
            return self.free.pop()
        except IndexError:
            return self.new()


class Networks:
    """N networks of the same shape; ``params`` and ``grads`` are dicts of arrays with the leading axis N.

    ``config.truncate`` k > 0: every loss reaches back k steps: one at step t reaches the steps t - k + 1 to t.
    """

    def __init__(self, params: Params, grads: Params, config: Config, problem: Problem):
        cell, phi = CELLS[config.cell], ACTIVATIONS[config.activation]
        self.params, self.grads, self.batch = params, grads, config.batch_size
        self.cell, self.loss, self.truncate = cell, LOSSES[problem.loss], config.truncate
        self.where = problem.steps_with_loss(config)
        self.weight = 1.0 / config.batch_size / (1 if problem.is_summed else len(self.where))
        self.layers = [
            Layer(layer_params(params, k), layer_params(grads, k), cell, phi)
            for k in range(1, count_layers(params) + 1)
        ]

    def initial(self) -> list[State]:
        """Return a state of zeros for every layer."""
        return [layer.initial(self.batch) for layer in self.layers]

    def learn(self, x: Array, targets: Array, states: Sequence[State], rooms: Rooms) -> Progress[Learned]:
        """Go forward and back, and write the gradients into ``grads``.

        ``x`` is (N, T, B, D), ``targets`` (N, K, B) or (N, K, B, O).
        """
        taken = rooms.take()
        try:
            return (yield from self.learn_in(taken, x, targets, states))
        finally:
            rooms.free.append(taken)

    def learn_in(self, rooms: Sequence[Room], x: Array, targets: Array, states: Sequence[State]) -> Progress[Learned]:
        ends = []
        for layer, state, room in zip(self.layers, states, rooms, strict=True):
            layer.enter(room)
            ends.append((yield from layer.forward(x, state)))
            x = layer.h[:, 1:]
        losses, errors = self.read_out(targets)
        last = int(self.where[-1])
        if 0 < self.truncate <= last and len(self.where) > 1:
            window = yield from self.backward_windows(errors)
        else:
            window = slice(max(0, last + 1 - self.truncate) if self.truncate else 0, last + 1)
            yield from self.backward(errors, window)
        for layer in self.layers:
            layer.collect(window)
            yield 0.0
        return Learned(losses, ends, self.finite(losses))

    def finite(self, losses: Array) -> Array:
        """Return which runs' states are finite (N,); those of a run with a finite loss are."""
        is_finite = np.isfinite(losses)
        for run in np.flatnonzero(~is_finite):
            is_finite[run] = all(np.isfinite(layer.h[run]).all() for layer in self.layers)
        return is_finite

    def read_out(self, targets: Array) -> tuple[Array, Mapping[int, Array]]:
        """Return the losses (N,), and their gradients (N, B, H) with respect to the top layer's states, by step."""
        states = self.layers[-1].h[:, 1:]
        h = merged(states if len(self.where) == states.shape[1] else states[:, self.where])
        y = product(h, self.params["W_hy"]) + self.params["b_y"]
        shape = (len(y), y.shape[1], *targets.shape[3:])
        losses, d_y = self.loss.fn(y, targets.reshape(shape))
        d_y *= self.weight
        product(h.swapaxes(-1, -2), d_y, self.grads["W_hy"])
        d_y.sum(axis=1, keepdims=True, out=self.grads["b_y"])
        errors = product(d_y, self.params["W_hy"].swapaxes(-1, -2))
        errors = errors.reshape(len(y), len(self.where), -1, errors.shape[-1])
        return losses.mean(axis=1), {int(t): errors[:, k] for k, t in enumerate(self.where)}

    def backward(self, errors: Mapping[int, Array], window: slice) -> Progress[None]:
        """Go back through the steps of ``window``, layer by layer from the top."""
        for layer in self.layers[::-1]:
            yield from layer.backward(errors, window)
            if layer is not self.layers[0]:
                below = layer.through_input(layer.d_in[:, window])
                errors = {window.start + k: below[:, k] for k in range(below.shape[1])}

    def backward_windows(self, errors: Mapping[int, Array]) -> Progress[slice]:
        """Go back from every loss by ``truncate`` steps, all losses at once, one step further each time."""
        for layer in self.layers:
            layer.d_in[...] = 0.0
            layer.d_rec[...] = 0.0
        top = np.zeros(self.layers[-1].h[:, 1:].shape)
        for t, error in errors.items():
            top[:, t] = error
        waiting = [{name: np.zeros_like(top) for name in self.cell.states} for _ in self.layers]
        waiting[-1]["h"] = top
        for _ in range(self.truncate):
            reaches: Array | float = 0.0
            for k in range(len(self.layers) - 1, -1, -1):
                d = waiting[k] | {"h": waiting[k]["h"] + reaches}
                back = step_back_everywhere(self.layers[k], d)
                self.layers[k].add(back)
                if k:
                    reaches = self.layers[k].through_input(np.concatenate(back.d_in, axis=-1))
                waiting[k] = {name: earlier(value) for name, value in back.previous.items()}
                yield 0.0
        return slice(0, self.layers[-1].steps)


def step_back_everywhere(layer: Layer, d: Mapping[str, Array]) -> StepBack:
    """Take one step back from every step at once: arrays are (N, T, B, H)."""
    W_back = weights(layer.params["W_hh"].swapaxes(-1, -2)[:, None].copy(), layer.batch)
    return layer.cell.step_back(W_back, layer.tape, dict(d), PLAIN)


def earlier(d: Array) -> Array:
    """Return the gradients (N, T, ...) of the states before each step, at the steps that these states end."""
    moved = np.zeros_like(d)
    moved[:, :-1] = d[:, 1:]
    return moved
