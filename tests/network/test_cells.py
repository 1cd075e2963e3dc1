"""What every cell owes: shapes, order of gates, states and gates as the equations give them."""

from __future__ import annotations

import numpy as np
import pytest
import reference

import rnnviz as rv
from rnnviz.engine.bptt import forward
from rnnviz.network.arithmetic import EXACT, PLAIN

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS


def walk(cell, activation, num=EXACT):
    params, x, _ = reference.network(cell)
    return params, x, list(forward(params, x, CELLS[cell], ACTIVATIONS[activation], num))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("cell", CELLS)
def test_states_follow_the_equations(cell, activation):
    params, x, steps = walk(cell, activation)
    h = c = np.zeros((x.shape[1], 5))
    for x_t, step in zip(x, steps, strict=True):
        h, c = reference.CELLS[cell](params, x_t, h, c, lambda a: reference.ACTIVATIONS[activation](a, np), np)
        np.testing.assert_allclose(step.state["h"], h, rtol=1e-12, atol=1e-15)
        if "c" in step.state:
            np.testing.assert_allclose(step.state["c"], c, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("cell", CELLS)
def test_states_do_not_depend_on_the_arithmetic_but_for_the_last_digits(cell):
    for exact, plain in zip(walk(cell, "tanh")[2], walk(cell, "tanh", PLAIN)[2], strict=True):
        np.testing.assert_allclose(exact.state["h"], plain.state["h"], rtol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_names_its_parameters_states_and_gates(cell):
    entry = CELLS[cell]
    _, _, steps = walk(cell, "tanh")
    assert entry.name == cell
    assert entry.states[0] == "h"
    assert set(steps[0].state) == set(entry.states)
    assert set(steps[0].gates) == (set(entry.gates) if len(entry.gates) > 1 else set())
    shapes = entry.shapes(4, 5)
    assert shapes["W_xh"] == (4, 5 * len(entry.gates))
    assert shapes["W_hh"] == (5, 5 * len(entry.gates))
    assert entry.carry[1] < len(steps[0].tape) == entry.factors
    assert entry.candidate is None or entry.candidate in entry.gates


@pytest.mark.parametrize("cell", CELLS)
def test_gates_lie_between_their_ends(cell):
    for step in walk(cell, "tanh")[2]:
        for name, value in step.gates.items():
            low = -1 if name in ("g", "n") else 0
            assert low <= value.min() <= value.max() <= 1


def test_the_carry_of_each_cell_is_the_factor_that_it_names():
    _, _, steps = walk("lstm", "tanh")
    np.testing.assert_allclose(steps[2].tape[CELLS["lstm"].carry[1]], steps[2].gates["f"])
    _, _, steps = walk("gru", "tanh")
    np.testing.assert_allclose(steps[2].tape[CELLS["gru"].carry[1]], steps[2].gates["z"])
    _, _, steps = walk("rnn", "tanh")
    np.testing.assert_allclose(steps[2].tape[CELLS["rnn"].carry[1]], 1 - steps[2].state["h"] ** 2)


@pytest.mark.parametrize(("cell", "name"), [("rnn", "RNN"), ("lstm", "LSTM"), ("gru", "GRU")])
def test_states_are_those_of_torch(cell, name):
    torch = pytest.importorskip("torch")
    params, x, steps = walk(cell, "tanh")
    net = getattr(torch.nn, name)(4, 5, dtype=torch.float64)
    b_hh = np.zeros_like(params["b_h"])
    if cell == "gru":
        b_hh[-5:] = params["b_hn"]
    weights = {"weight_ih_l0": params["W_xh"].T, "weight_hh_l0": params["W_hh"].T}
    weights |= {"bias_ih_l0": params["b_h"], "bias_hh_l0": b_hh}
    net.load_state_dict({key: torch.tensor(value) for key, value in weights.items()})
    theirs = net(torch.tensor(x))[0].detach().numpy()
    np.testing.assert_allclose([step.state["h"] for step in steps], theirs, rtol=1e-12, atol=1e-15)
