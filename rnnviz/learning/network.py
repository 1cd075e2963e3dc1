"""Networks side by side: their loss on a batch and its gradient, by full or truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.arithmetic import PLAIN
from ..network.cells import CELLS, Params, State, StepBack
from ..network.config import Config
from ..network.layers import count_layers, layer_params
from ..numerics.progress import Progress
from .layer import Layer, merged
from .losses import LOSSES
from .problem import Problem
from .products import product, weights

Array = np.ndarray


class Networks:
    """N networks of the same shape; ``params`` and ``grads`` are dicts of arrays with the leading axis N.

    ``config.truncate`` k > 0: every loss reaches back k steps: one at step t reaches the steps t - k to t.
    """

    def __init__(self, params: Params, grads: Params, config: Config, problem: Problem):
        cell, phi = CELLS[config.cell], ACTIVATIONS[config.activation]
        steps = problem.length(config.seq_len)
        self.params, self.grads = params, grads
        self.cell, self.loss, self.truncate = cell, LOSSES[problem.loss], getattr(config, "truncate", 0)
        self.where = problem.steps_with_loss(config)
        self.weight = 1.0 / config.batch_size / (1 if problem.is_summed else len(self.where))
        self.layers = [
            Layer(layer_params(params, k), layer_params(grads, k), cell, phi, steps, config.batch_size)
            for k in range(1, count_layers(params) + 1)
        ]

    def initial(self) -> list[State]:
        """Return a state of zeros for every layer."""
        return [layer.initial() for layer in self.layers]

    @property
    def runs(self) -> int:
        return len(self.params["W_hh"])

    def is_finite(self, run: int) -> bool:
        """Return whether all states of a run are finite."""
        return all(np.isfinite(layer.h[run]).all() for layer in self.layers)

    def learn(self, x: Array, targets: Array, states: Sequence[State]) -> Progress[tuple[Array, list[State]]]:
        """Return the losses (N,) and the last states, and write the gradients into ``grads``.

        ``x`` is (N, T, B, D), ``targets`` (N, K, B) or (N, K, B, O).
        """
        ends = []
        for layer, state in zip(self.layers, states, strict=True):
            ends.append((yield from layer.forward(x, state)))
            x = layer.h[:, 1:]
        losses, errors = self.read_out(targets)
        last = int(self.where[-1])
        if 0 < self.truncate <= last and len(self.where) > 1:
            window = yield from self.backward_windows(errors)
        else:
            window = slice(max(0, last - self.truncate) if self.truncate else 0, last + 1)
            yield from self.backward(errors, window)
        for layer in self.layers:
            layer.collect(window)
            yield 0.0
        return losses, ends

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
        for _ in range(self.truncate + 1):
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
