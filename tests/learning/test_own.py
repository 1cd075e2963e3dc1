"""What a user registers, a cell or a problem, is trained like the others."""

from __future__ import annotations

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.cells import Cell, StepBack

KEPT = 0.7  # of the state, at each step


class Leaky(Cell):
    """``h_t = 0.7 h_{t-1} + 0.3 phi(x_t W_xh + 0.5 h_{t-1} W_hh + b_h)``: its two gradients differ by 0.5."""

    def step(self, params, x, state, phi, num):
        new, kept = num.activate(phi, x + 0.5 * (state["h"] @ params["W_hh"]))
        return {"h": KEPT * state["h"] + (1 - KEPT) * new}, (kept,), {}

    def tape(self, kept, phi, num):
        return ((1 - KEPT) * num.slope(phi, kept[0]),)

    def step_back(self, W_back, tape, d, num):
        d_a = d["h"] * tape[0]
        return StepBack(d, {"h": KEPT * d["h"] + (0.5 * d_a) @ W_back}, [d_a], [0.5 * d_a])


def echo(rng, config, step):
    """Ask for the mean of what was read so far, at every second step."""
    x = rng.normal(size=(config.seq_len, config.batch_size, 3))
    means = np.cumsum(x, axis=0) / np.arange(1, len(x) + 1)[:, None, None]
    return rv.problems.Batch(x, means[::2])


@pytest.fixture
def own():
    """Register a cell and a problem."""
    rv.cells.CELLS.add("leaky", Leaky("leaky", "Leaky", "", gates=("h",)))
    rv.problems.PROBLEMS.add(
        "echo",
        rv.problems.Problem(
            "echo", "Echo", "", "squared error", echo,
            sizes=lambda config: (3, 3), chance=lambda config: 1.0, defaults=rv.problems.Defaults(seq_len=7),
            loss_steps=lambda steps: np.arange(0, steps, 2),
            is_right=lambda y, targets: np.abs(y - targets).max(axis=-1) < 0.1,
        ),
    )  # fmt: skip


def loss_of(training, row):
    """Return the loss of the first batch with other weights."""
    training.rewind()
    training.stack.weights[0] = row
    return training.advance().loss


@pytest.mark.parametrize("seq_len", [7, 8])
def test_gradients_are_those_of_differences(own, seq_len):
    config = rv.Config(cell="leaky", hidden_size=4, layers=2, seq_len=seq_len, batch_size=3)
    training = rv.Training(config, "echo", clip_norm=0)
    start = training.stack.weights[0].copy()
    training.advance()
    gradient = training.stack.gradient[0].copy()
    for k in range(0, len(start), 3):
        bump = np.zeros_like(start)
        bump[k] = 1e-5
        difference = (loss_of(training, start + bump) - loss_of(training, start - bump)) / 2e-5
        assert gradient[k] == pytest.approx(difference, abs=1e-9)
    assert np.abs(gradient).min() > 0
