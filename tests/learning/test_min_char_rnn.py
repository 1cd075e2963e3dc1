"""The default of the problem "characters" is min-char-rnn: an independent copy of its loop gives the same curve."""

from __future__ import annotations

import numpy as np

import rnnviz as rv
from rnnviz.learning.problems import PROBLEMS


def loss_and_gradients(p, codes, targets, h):
    """Return the loss in nats, summed over the steps, the gradients clipped at 5, and the last state."""
    size, wide = len(p["b_y"]), len(p["b_h"])
    states, probabilities, loss = [h], [], 0.0
    for code, target in zip(codes, targets, strict=True):
        states.append(np.tanh(p["W_xh"][code] + states[-1] @ p["W_hh"] + p["b_h"]))
        y = np.exp(states[-1] @ p["W_hy"] + p["b_y"])
        probabilities.append(y / y.sum())
        loss -= np.log(probabilities[-1][target])
    d = {name: np.zeros_like(value) for name, value in p.items()}
    d_next = np.zeros(wide)
    for t in reversed(range(len(codes))):
        d_y = probabilities[t] - np.eye(size)[targets[t]]
        d["W_hy"] += np.outer(states[t + 1], d_y)
        d["b_y"] += d_y
        d_a = (d_y @ p["W_hy"].T + d_next) * (1 - states[t + 1] ** 2)
        d["b_h"] += d_a
        d["W_xh"][codes[t]] += d_a
        d["W_hh"] += np.outer(states[t], d_a)
        d_next = p["W_hh"] @ d_a
    return loss, {name: np.clip(value, -5, 5) for name, value in d.items()}, states[-1]


def test_it_is_min_char_rnn():
    """Adagrad divides by the gradient's own size, so that rounding grows, here from 1e-16 to 1e-4."""
    text = "two letters after letters, " * 5
    training = rv.Training(PROBLEMS["characters"].config(text=text, scheme="small_normal"), "characters")
    p, letters = training.params(), sorted(set(text))
    memory = {name: np.zeros_like(value) for name, value in p.items()}
    position, starts = 0, 0
    for step in range(25):
        if position + 25 + 1 >= len(text) or step == 0:
            h, position, starts = np.zeros(100), 0, starts + 1
        codes, targets = ([letters.index(c) for c in text[position + k :][:25]] for k in (0, 1))
        loss, d, h = loss_and_gradients(p, codes, targets, h)
        for name, g in d.items():
            memory[name] += g * g
            p[name] = p[name] - 0.1 * g / (np.sqrt(memory[name]) + 1e-10)  # there 1e-8, within the root
        position += 25
        assert abs(25 * training.advance().loss - loss) < 1e-3 * loss, step
    assert starts == 5
