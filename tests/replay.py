"""Networks that a Config draws, run by `reference` and autograd in place of the engine, eight draws side by side."""

from __future__ import annotations

from functools import cache

import autograd
import autograd.numpy as anp
import numpy as np
import reference

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs

Z = np.linspace(-9.0, 9.0, 2001)  # on a smooth function that falls like a Gaussian, the trapezoidal rule is exact


class Replay:
    """R draws of a network: ``h`` and ``d_h`` (T+1, R, B, H), ``norms`` (T+1, R) of log10 ||d_h||; loss at step T."""

    def __init__(self, seeds=8, **settings):
        configs = [rv.Config(seed=seed, **settings) for seed in range(seeds)]
        self.config, drawn = configs[0], [rv.init_params(config) for config in configs]
        self.params = {name: np.stack([np.atleast_2d(one[name]) for one in drawn]) for name in drawn[0]}
        x, targets = zip(*map(draw_inputs, configs), strict=True)
        self.x, self.targets = np.stack(x, axis=1), np.stack(targets, axis=1)[-1]
        bumps = self.no_bumps()
        self.h, self.d_h = np.array(self.states(bumps)), np.array(autograd.grad(self.loss)(bumps))
        self.norms = np.log10(np.linalg.norm(self.d_h, axis=(-2, -1)))

    def no_bumps(self):
        """Return what is added to the states where nothing is."""
        return [np.zeros((*self.x.shape[1:3], self.config.hidden_size))] * (self.config.seq_len + 1)

    def phi(self, a):
        return reference.ACTIVATIONS[self.config.activation](a, anp)

    def states(self, bumps):
        """Return h at every step, to each of which something is added."""
        h, c = [bumps[0]], 0.0 * bumps[0]
        for x, bump in zip(self.x, bumps[1:], strict=True):
            new, c = reference.CELLS[self.config.cell](self.params, x, h[-1], c, self.phi, anp)
            h.append(new + bump)
        return h

    def last(self, states):
        """Return the state that the output reads at step T."""
        return states[-1]

    def loss(self, bumps):
        y = self.last(self.states(bumps)) @ self.params["W_hy"] + self.params["b_y"]
        logs = y - anp.log(anp.sum(anp.exp(y), axis=-1, keepdims=True))
        return -anp.sum(logs * np.eye(y.shape[-1])[self.targets]) / y.shape[1]

    @property
    def slopes(self):
        """phi' at the steps 1..T of an RNN."""
        return {"tanh": 1 - self.h**2, "sigmoid": self.h * (1 - self.h)}[self.config.activation][1:]

    @property
    def left(self):
        """What is left of the gradient at step 0, in each draw."""
        return 10 ** (self.norms[0] - self.norms[-1])

    @property
    def middle(self):
        """The one or two draws whose gradient changes by the median, from which the page reads factors."""
        order = np.argsort(self.norms[0] - self.norms[-1])
        return order[(len(order) - 1) // 2 : len(order) // 2 + 1]

    @property
    def first(self):
        """The factor of the first step back."""
        return 10 ** np.mean((self.norms[-2] - self.norms[-1])[self.middle])

    @property
    def then(self):
        """The factor per step after it."""
        return 10 ** np.mean((self.norms[0] - self.norms[-2])[self.middle] / (self.config.seq_len - 1))

    @property
    def factors(self):
        """||g * phi'|| / ||g|| and W_hh's factor on that, per step; medians over draws, as in all that follows."""
        met = np.log10(np.linalg.norm(self.d_h[1:] * self.slopes, axis=(2, 3)))
        both = (met - self.norms[1:]).mean(axis=0), (self.norms[:-1] - met).mean(axis=0)
        return [10 ** np.median(each) for each in both]

    @property
    def second_moment(self):
        return np.median(np.square(self.h[-1]).mean(axis=(1, 2)))

    def gate(self, number):
        """Return the values of a sigmoid gate at the last step."""
        a = self.x[-1] @ self.params["W_xh"] + self.h[-2] @ self.params["W_hh"] + self.params["b_h"]
        return 1 / (1 + np.exp(-np.split(a, a.shape[-1] // self.config.hidden_size, axis=-1)[number]))


@cache
def replay(**settings):
    return Replay(**settings)


def expected(f, q):
    """Return E f(sqrt(q) z)."""
    return float(np.trapezoid(f(np.sqrt(q) * Z) * np.exp(-0.5 * Z**2), Z) / np.sqrt(2 * np.pi))


def mean_field(activation, gain, noise):
    """Return mean field's variance of the pre-activations and the factor per step of the squared gradient."""
    phi, slope = {
        "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2),
        "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda a: 0.25 / np.cosh(a / 2) ** 2),
    }[activation]
    q = 1.0
    for _ in range(100):
        q = gain**2 * expected(lambda a: phi(a) ** 2, q) + noise
    return q, gain**2 * expected(lambda a: slope(a) ** 2, q)
