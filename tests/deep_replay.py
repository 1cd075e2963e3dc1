"""Stacked tanh RNNs that a Config draws, run here and by autograd in place of the engine, eight draws side by side."""

from __future__ import annotations

from functools import cache

import autograd.numpy as anp
import numpy as np
from replay import Replay, expected
from scipy.optimize import brentq


class DeepReplay(Replay):
    """R draws of L layers with the loss at step T: ``h`` (L, T+1, R, B, H), ``norms`` (L, T+1, R) of log10 ||d_h||."""

    def weights(self, name, layer):
        return self.params[name if layer == 1 else f"{name}_{layer}"]

    def states(self, bumps):
        """Return h of every layer at every step, to each of which something is added."""
        layers, read = [], self.x
        for layer, added in enumerate(bumps, 1):
            W_xh, W_hh, b = (self.weights(name, layer) for name in ("W_xh", "W_hh", "b_h"))
            h = [added[0]]
            for x, bump in zip(read, added[1:], strict=True):
                h.append(anp.tanh(x @ W_xh + h[-1] @ W_hh + b) + bump)
            layers.append(h)
            read = h[1:]
        return layers

    def no_bumps(self):
        return [super().no_bumps()] * self.config.layers

    def last(self, states):
        return states[-1][-1]

    def second_moment(self, layer):
        """E h^2 of a layer at the last step; a median over draws, as in all that follows."""
        return np.median(np.square(self.h[layer - 1, -1]).mean(axis=(-2, -1)))

    def left(self, layer, step):
        """What is left of the top layer's gradient at the last step."""
        return 10 ** np.median(self.norms[layer - 1, step] - self.norms[-1, -1])

    def per_layer(self, step=-1):
        """The factor per layer from the top down to layer 1."""
        return self.left(1, step) ** (1 / (self.config.layers - 1))

    def singular_value(self):
        """The mean singular value of dh^l / dh^{l-1}, layers 2..L, at the last step of the first sequence and draw."""
        jacobians = [
            self.weights("W_xh", layer)[0] * (1 - self.h[layer - 1, -1, 0, 0] ** 2)
            for layer in range(2, self.config.layers + 1)
        ]
        return np.linalg.svd(np.array(jacobians))[1].mean()


@cache
def deep_replay(**settings):
    return DeepReplay(**settings)


def top_chi(gain, layers, noise, between=None):
    """Return mean field's factor per step of the squared gradient in the top layer of tanh layers.

    The gain is a factor on the weights between layers too, unless ``between`` is.
    """
    between = gain if between is None else between
    read = noise
    for _layer in range(layers):
        q = 1.0
        for _ in range(100):
            q = gain**2 * expected(lambda a: np.tanh(a) ** 2, q) + read
        read = between**2 * expected(lambda a: np.tanh(a) ** 2, q)
    return gain**2 * expected(lambda a: np.cosh(a) ** -4, q)


def critical_gain(layers, noise=1.0):
    return brentq(lambda gain: top_chi(gain, layers, noise) - 1, 1.2, 3.5, xtol=1e-4)
