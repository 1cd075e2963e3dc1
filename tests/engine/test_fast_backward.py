"""Stretches of steps back in plain floats, against the same equations in fractions, which never round."""

from __future__ import annotations

from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.engine.bptt import backward
from rnnviz.engine.fast_backward import take_stretch
from rnnviz.network.arithmetic import PLAIN
from rnnviz.numerics.scaled import Scaled, Weights

CELLS = rv.cells.CELLS
STEPS, BATCH, HIDDEN, CLASSES = 30, 2, 3, 2
as_fractions = np.vectorize(lambda number: Fraction(float(number)), otypes=[object])


def drawn(cell, rng, decades, zeros):
    """Return W_hh and W_hy, and tapes of positive factors that shrink rows by up to ``decades`` a step."""
    blocks = len(cell.gates)
    W = {"W_hh": rng.uniform(0.1, 2.0, (HIDDEN, blocks * HIDDEN)), "W_hy": rng.uniform(0.1, 1.0, (HIDDEN, CLASSES))}
    if zeros:
        W["W_hh"][rng.random(W["W_hh"].shape) < 0.4] = 0.0
    shape = (STEPS, cell.factors, BATCH, HIDDEN)
    sizes = 10.0 ** -(rng.uniform(0, decades, (STEPS, 1, BATCH, 1)) + rng.uniform(0, 3, shape))
    if zeros:
        sizes[rng.random(shape) < 0.1] = 0.0
    return W, [tuple(factors) for factors in sizes]


def in_fractions(W, tapes, error, cell):
    """Return the total derivatives of all steps, the last step first."""
    W_out, W_back = (as_fractions(W[name].T) for name in ("W_hy", "W_hh"))
    d = {name: as_fractions(np.zeros((BATCH, HIDDEN))) for name in cell.states}
    d["h"] = as_fractions(error) @ W_out
    totals = []
    for tape in reversed(tapes):
        step = cell.step_back(W_back, tuple(map(as_fractions, tape)), d, PLAIN)
        totals.append(step.total)
        d = step.previous
    return [*totals, d]


def assert_equals(ours: Scaled, exact, relative=1e-12):
    """Compare number by number, each to its own digits."""
    powers = np.broadcast_to(ours.e, ours.m.shape)
    for m, e, theirs in zip(ours.m.flat, powers.flat, exact.flat, strict=True):
        if m == 0:
            assert theirs == 0
        else:
            assert abs(Fraction(m) * Fraction(2) ** int(e) - theirs) <= Fraction(relative) * theirs


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from([0.3, 3.0, 40.0, 130.0, 280.0]), st.booleans())
def test_every_number_is_that_of_fractions(cell, seed, decades, zeros):
    rng, entry = np.random.default_rng(seed), CELLS[cell]
    W, tapes = drawn(entry, rng, decades, zeros)
    error = rng.uniform(0.1, 1.0, (BATCH, CLASSES))
    backs = backward(W, tapes, [*[None] * (STEPS - 1), Scaled(error)], entry)
    for back, exact in zip(backs, in_fractions(W, tapes, error, entry), strict=True):
        for name, total in back.total.items():
            assert_equals(total, exact[name])


def test_states_too_far_apart_for_one_exponent_are_left_to_exact_arithmetic():
    entry, rng = CELLS["lstm"], np.random.default_rng(0)
    W, tapes = drawn(entry, rng, 0.3, zeros=False)
    one = np.ones((BATCH, HIDDEN))
    d = {"h": Scaled(one, np.full((BATCH, 1), -2000.0)), "c": Scaled(one, np.zeros((BATCH, 1)))}
    assert take_stretch(Weights(W["W_hh"].T), tapes, d, entry) == []
    near = d | {"h": Scaled(one, np.full((BATCH, 1), -20.0))}
    assert len(take_stretch(Weights(W["W_hh"].T), tapes, near, entry)) == STEPS


@pytest.mark.parametrize("scheme", ["xavier", "uniform01", "small_normal", "identity"])
@pytest.mark.parametrize("cell", CELLS)
def test_what_a_moving_slider_computes_goes_back_in_stretches(cell, scheme):
    config = rv.Config(cell=cell, scheme=scheme, batch_size=1)
    entry, exact_steps = CELLS[cell], []
    step_back = type(entry).step_back

    def spy(self, W_back, tape, d, num):
        exact_steps.append(num is not PLAIN)
        return step_back(self, W_back, tape, d, num)

    with patch.object(type(entry), "step_back", spy):
        rv.run(config)
    assert len(exact_steps) >= config.seq_len
    assert sum(exact_steps) <= 4
