"""Networks that learn, by autograd and an Adam of its own in place of the engine, some draws side by side."""

from __future__ import annotations

from functools import cache

import autograd
import autograd.numpy as anp
import numpy as np
import reference

import rnnviz as rv
from rnnviz.learning.problems import PROBLEMS
from rnnviz.network.sampling import stream

WINDOW = 20  # training steps whose mean loss has to reach the target


class Retrain:
    """R tanh networks that learn to recall the first symbol; ``losses`` (steps, R), ``reached`` (R,), 0 for never.

    ``left[step]`` (R,) is the gradient at step 0 over that at the last one, on sequences not trained on.
    """

    def __init__(self, steps, looks=(0,), seeds=3, **settings):
        self.problem, configs = PROBLEMS["recall"], [rv.Config(seed=seed, **settings) for seed in range(seeds)]
        self.config, drawn = configs[0], [rv.init_params(c, self.problem.sizes(c)) for c in configs]
        self.params = {name: np.stack([np.atleast_2d(one[name]) for one in drawn]) for name in drawn[0]}
        self.memory = {name: (np.zeros_like(p), np.zeros_like(p)) for name, p in self.params.items()}
        self.losses, self.left = [], {}
        gradient = autograd.value_and_grad(lambda params, x, symbols: anp.sum(self.loss(params, x, symbols)))
        for step in range(steps + 1):
            if step in looks:
                self.left[step] = self.look()
            if step < steps:
                x, symbols = self.batch("batches", step)
                self.losses.append(self.loss(self.params, x, symbols))
                self.learn(gradient(self.params, x, symbols)[1], step + 1)

    def batch(self, kind, *step):
        """Return sequences (T, R, B, 8) and their first symbols (R, B)."""
        at = step[0] if step else 0
        drawn = [self.problem.draw(stream(r, kind, *step), self.config, at) for r in range(len(self.params["W_hh"]))]
        return np.stack([each.x for each in drawn], axis=1), np.stack([each.targets[0] for each in drawn])

    def loss(self, params, x, symbols, bumps=None):
        """Return the cross-entropies (R,); ``bumps`` are added to the states."""
        h = np.zeros((*x.shape[1:3], self.config.hidden_size)) + (0.0 if bumps is None else bumps[0])
        for t, now in enumerate(x):
            h, _ = reference.rnn(params, now, h, None, anp.tanh, anp)
            h = h if bumps is None else h + bumps[t + 1]
        y = h @ params["W_hy"] + params["b_y"]
        logs = y - anp.log(anp.sum(anp.exp(y), axis=-1, keepdims=True))
        return -anp.mean(anp.sum(logs * np.eye(8)[symbols], axis=-1), axis=-1)

    def look(self):
        x, symbols = self.batch("tests")
        nothing = np.zeros((*x.shape[1:3], self.config.hidden_size))
        d_h = autograd.grad(lambda bumps: anp.sum(self.loss(self.params, x, symbols, bumps)))([nothing] * (len(x) + 1))
        first, last = (np.linalg.norm(d_h[t], axis=(1, 2)) for t in (0, -1))
        return first / last

    def learn(self, gradients, step, rate=0.003, limit=1.0):
        """Clip by the norm of all gradients of a draw, and take a step of Adam."""
        norms = np.sqrt(sum(np.sum(g**2, axis=(1, 2)) for g in gradients.values()))
        for name, g in gradients.items():
            g = g * np.minimum(1.0, limit / (norms + 1e-6))[:, None, None]
            mean, square = self.memory[name]
            mean += 0.1 * (g - mean)
            square += 0.001 * (g * g - square)
            unbiased = np.sqrt(square / (1 - 0.999**step)) + 1e-8
            self.params[name] = self.params[name] - rate * mean / (1 - 0.9**step) / unbiased

    @property
    def reached(self):
        """The first training step at which the mean loss of the last 20 is at most a tenth of ln 8."""
        losses = np.array(self.losses)
        means = np.array([losses[k - WINDOW : k].mean(axis=0) for k in range(WINDOW, len(losses) + 1)])
        is_there = means <= 0.1 * np.log(8)
        return np.where(is_there.any(axis=0), WINDOW + is_there.argmax(axis=0), 0)


@cache
def retrain(*arguments, **settings):
    return Retrain(*arguments, **settings)
