"""Many steps back at once in plain floats, against the same equations in mpmath, which has no range to leave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.engine.fast_backward import fast_steps
from rnnviz.engine.layers import backward, forward
from rnnviz.engine.passes import cross_entropy
from rnnviz.network.arithmetic import PLAIN
from rnnviz.network.cells import Cell
from rnnviz.network.sampling import draw_inputs
from rnnviz.numerics.scaled import Scaled, Weights

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS
STEPS, BATCH, HIDDEN, CLASSES = 30, 2, 3, 2
DIGITS = 40  # of numbers that are all positive, so that their sums lose none
as_mp = np.vectorize(lambda number: mp.mpf(float(number)), otypes=[object])


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


def in_mp(W, tapes, errors, cell):
    """Return the total derivatives of all steps, the last step first."""
    W_out, W_back = (as_mp(W[name].T) for name in ("W_hy", "W_hh"))
    d = {name: as_mp(np.zeros((BATCH, HIDDEN))) for name in cell.states}
    totals = []
    for tape, error in zip(reversed(tapes), reversed(errors), strict=True):
        d = d if error is None else d | {"h": d["h"] + as_mp(error.m) @ W_out}
        step = cell.step_back(W_back, tuple(map(as_mp, tape)), d, PLAIN)
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
            assert abs(mp.ldexp(mp.mpf(float(m)), int(e)) - theirs) <= relative * theirs


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=15)
@given(st.integers(0, 2**32), st.sampled_from([0.3, 3.0, 40.0, 130.0, 280.0]), st.booleans(), st.booleans())
def test_every_number_agrees_with_mpmath(cell, seed, decades, zeros, every):
    rng, entry = np.random.default_rng(seed), CELLS[cell]
    W, tapes = drawn(entry, rng, decades, zeros)
    sizes = 10.0 ** -rng.uniform(0, decades, (STEPS, 1, 1))
    errors = [Scaled(each) for each in sizes * rng.uniform(0.1, 1.0, (STEPS, BATCH, CLASSES))]
    errors = errors if every else [*[None] * (STEPS - 1), errors[-1]]
    backs = backward(W, tapes, errors, entry)
    with mp.workdps(DIGITS):
        for back, exact in zip(backs, in_mp(W, tapes, errors, entry), strict=True):
            for name, total in back.total.items():
                assert_equals(total, exact[name])


def test_states_too_far_apart_for_one_exponent_are_left_to_exact_arithmetic():
    entry, rng = CELLS["lstm"], np.random.default_rng(0)
    W, tapes = drawn(entry, rng, 0.3, zeros=False)
    one = np.ones((BATCH, HIDDEN))
    d = {"h": Scaled(one, np.full((BATCH, 1), -2000.0)), "c": Scaled(one, np.zeros((BATCH, 1)))}
    assert fast_steps(Weights(W["W_hh"].T), tapes, d, entry) == []
    near = d | {"h": Scaled(one, np.full((BATCH, 1), -20.0))}
    assert len(fast_steps(Weights(W["W_hh"].T), tapes, near, entry)) == STEPS


@dataclass(frozen=True)
class Counting(Cell):
    """A cell that counts its steps back by their arithmetic."""

    inner: Cell | None = None
    counts: Counter = field(default_factory=Counter)

    def step(self, *arguments):
        return self.inner.step(*arguments)

    def tape(self, *arguments):
        return self.inner.tape(*arguments)

    def step_back(self, W_back, tape, d, num):
        self.counts["plain" if num is PLAIN else "exact"] += 1
        return self.inner.step_back(W_back, tape, d, num)


@pytest.mark.parametrize("cell", CELLS)
def test_ordinary_networks_go_back_many_steps_at_once(cell):
    for scheme in ("xavier", "uniform01", "small_normal", "identity"):
        config = rv.Config(cell=cell, scheme=scheme, batch_size=1)
        known = {spec.name: getattr(CELLS[cell], spec.name) for spec in fields(Cell)}
        counting, phi, params = Counting(**known, inner=CELLS[cell]), ACTIVATIONS["tanh"], rv.init_params(config)
        x, targets = draw_inputs(config)
        steps = list(forward(params, x, counting, phi))
        error = cross_entropy(params, steps[-1].state["h"], targets[-1])[1]
        last, tapes = [*[None] * (len(steps) - 1), error], [step.tape for step in steps]
        for errors, spared in ((last, 4), ([error] * len(steps), 4 if scheme == "xavier" else len(steps))):
            counting.counts.clear()
            assert len(list(backward(params, tapes, errors, counting))) == len(steps) + 1
            assert counting.counts["plain"] >= config.seq_len - spared, scheme
            assert counting.counts["exact"] <= spared, scheme
