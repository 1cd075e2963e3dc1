"""A diagnosis asks cells and inputs for their capabilities, so that new ones need no change here."""

import re
from dataclasses import dataclass

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.arithmetic import SIGMOID
from rnnviz.network.cells import Cell, StepBack
from rnnviz.network.inputs import Input, random_targets
from rnnviz.story import step_readout, suggestions, verdict
from rnnviz.story.causes import cause
from rnnviz.story.diagnosis import diagnose

SMALL = rv.Config(hidden_size=16, seq_len=20, batch_size=4)


@dataclass(frozen=True, eq=False)
class Leaky(Cell):
    """``n = phi(x W_xn + h W_hn + b_n)``, ``h_t = (1 - z) * n + z * h_{t-1}``: a GRU without a reset gate."""

    def step(self, params, x, state, phi, num):
        h = state["h"]
        a_z, a_n = self.split(x + h @ params["W_hh"])
        (z, by_a_z), (renew, by_minus_a_z), (n, by_a_n) = (
            num.activate(kind, a) for kind, a in ((SIGMOID, a_z), (SIGMOID, -a_z), (phi, a_n))
        )
        kept = (z, by_a_z), (n, by_a_n), (renew, by_minus_a_z), h
        return {"h": renew * n + z * h}, kept, {"z": z, "n": n}

    def tape(self, kept, phi, num):
        (z, by_a_z), (n, by_a_n), (renew, by_minus_a_z), h = kept
        return (
            num.product(num.gate(by_minus_a_z, renew), num.slope(phi, by_a_n)),
            num.product(h - n, num.slope(SIGMOID, by_a_z)),
            num.gate(by_a_z, z),
        )

    def step_back(self, W_back, tape, d, num):
        n_by_h, by_z, z = tape
        parts = [d["h"] * by_z, d["h"] * n_by_h]
        return StepBack(d, {"h": d["h"] * z + num.through(parts, W_back)}, parts, parts)


@pytest.fixture
def leaky():
    """Register a gated cell."""
    cell = Leaky("leaky", "Leaky", "", ("z", "n"), step_factor=("z", 2), candidate="n", factors=3)
    rv.cells.CELLS.add("leaky", cell)
    return "leaky"


@pytest.fixture
def pulse():
    """Register an input that reads at the first step only."""

    def signs(rng, sizes, text):
        x = np.zeros((sizes.seq_len, sizes.batch_size, sizes.input_size))
        x[0] = rng.choice([-1.0, 1.0], size=x.shape[1:])
        return x, random_targets(rng, sizes)

    rv.inputs.INPUTS.add("pulse", Input("pulse", "Pulse", "", signs, steady=False))
    return "pulse"


def test_a_new_gated_cell_gets_a_diagnosis_a_verdict_and_a_suggestion(leaky):
    trace = rv.compare(SMALL.replace(cell=leaky), ("xavier", "small_normal"), range(3))
    diagnosis = diagnose(trace, 1)
    # With such small weights, z = sigmoid(small), near 1/2, is all that a step passes on.
    assert 10**diagnosis.path == pytest.approx(0.5, abs=0.005)
    assert (diagnosis.backward, cause(diagnosis)) == ("fades", "path alone")
    words = r"then ×0.50\d per step.* – z passes on ×0.50\d per step, and the paths through W_hh add next to nothing\.$"
    assert re.search(words, verdict.sentences(trace)[1])
    assert "gate z alone ×0.499" in step_readout.sentences(trace, 5)[1]
    found = suggestions.suggest(trace, 1)
    assert found.changes.keys() <= {"scheme", "gain"}


def test_a_new_input_is_judged_by_whether_it_is_steady(pulse):
    config = SMALL.replace(inputs=pulse, activation="linear", scheme="orthogonal", gain=0.9)
    trace = rv.compare(config, ("orthogonal",), range(3))
    diagnosis = diagnose(trace, 0)
    # From step 1 on, E h^2 shrinks by 0.81 a step: by 1.74 decades; from the middle on by less.
    assert (diagnosis.input, diagnosis.forward, diagnosis.backward) == ("impulse", "shrinks", "fades")
    assert not diagnosis.by_input
    ended = rv.compare(config.replace(gain=0.0, scheme="xavier"), ("xavier",), range(3))
    assert "the state is exactly 0, as W_hh is 0 and passes nothing on" in verdict.sentences(ended)[0]
