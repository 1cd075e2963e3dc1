"""Cells: shapes, order of gates, states and gates as the equations give them, fields that others read."""

from __future__ import annotations

import dataclasses
import re
from itertools import product

import numpy as np
import pytest
import reference

import rnnviz as rv
from rnnviz.engine.layers import forward
from rnnviz.network.arithmetic import EXACT, PLAIN

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS


def walk(cell, activation, num=EXACT):
    params, x, _ = reference.network(cell)
    return params, x, list(forward(params, x, CELLS[cell], ACTIVATIONS[activation], num))


def test_states_follow_the_equations():
    for cell, activation in product(CELLS, ACTIVATIONS):
        params, x, steps = walk(cell, activation)
        h = c = np.zeros((x.shape[1], 5))
        for x_t, step in zip(x, steps, strict=True):
            h, c = reference.CELLS[cell](
                params, x_t, h, c, lambda a, by=activation: reference.ACTIVATIONS[by](a, np), np
            )
            for name, expected in zip(step.state, (h, c), strict=False):
                message = f"{name} of {cell}, {activation}"
                np.testing.assert_allclose(step.state[name], expected, rtol=1e-12, atol=1e-15, err_msg=message)


def test_states_do_not_depend_on_the_arithmetic_but_for_the_last_digits():
    for cell in CELLS:
        for exact, plain in zip(walk(cell, "tanh")[2], walk(cell, "tanh", PLAIN)[2], strict=True):
            np.testing.assert_allclose(exact.state["h"], plain.state["h"], rtol=1e-13, err_msg=cell)


def test_a_cell_names_its_parameters_states_and_gates():
    for cell, entry in CELLS.items():
        _, _, steps = walk(cell, "tanh")
        assert entry.name == cell
        assert entry.states[0] == "h", cell
        assert set(steps[0].state) == set(entry.states), cell
        assert set(steps[0].gates) == (set(entry.gates) if len(entry.gates) > 1 else set()), cell
        assert set(entry.gate_labels) == set(steps[0].gates), cell
        shapes = entry.shapes(4, 5)
        assert shapes["W_xh"] == (4, 5 * len(entry.gates)), cell
        assert shapes["W_hh"] == (5, 5 * len(entry.gates)), cell
        assert entry.step_factor[1] < len(steps[0].tape) == entry.factors, cell
        assert entry.candidate is None or entry.candidate in entry.gates, cell


def test_gates_lie_between_their_ends():
    for cell, entry in CELLS.items():
        for step in walk(cell, "tanh")[2]:
            for name, value in step.gates.items():
                low = -1 if name == entry.candidate else 0
                assert low <= value.min() <= value.max() <= 1, (cell, name)


def test_a_matrix_jacobian_is_the_whole_step_back():
    """Where a cell has it, ``dh_t/dh_{t-1} = diag(phi') W_hh^T`` is the numerical derivative; elsewhere it is not."""
    for cell, entry in CELLS.items():
        params, x, steps = walk(cell, "tanh")
        name, place = entry.step_factor
        factor, size, eps = np.asarray(steps[1].tape[place])[0], 5, 1e-6
        numeric = np.empty((size, size))
        for k in range(size):
            ends = []
            for sign in (1, -1):
                state = {key: value[:1].copy() for key, value in steps[0].state.items()}
                state["h"][0, k] += sign * eps
                ends.append(next(forward(params, x[1:, :1], entry, ACTIVATIONS["tanh"], EXACT, state)).state["h"][0])
            numeric[k] = (ends[0] - ends[1]) / (2 * eps)
        assert entry.has_matrix_jacobian == np.allclose(numeric, params["W_hh"][:, :size] * factor, atol=1e-8), cell
        assert entry.has_matrix_jacobian == (entry.path == ""), cell
        assert name == "φ′" or f"(gate {name})" in entry.path, cell


def test_a_forget_bias_acts_where_a_cell_says_so():
    for cell, entry in CELLS.items():
        biases = [rv.init_params(rv.Config(cell=cell, forget_bias=bias))["b_h"] for bias in (0.0, 2.0)]
        assert entry.has_forget_bias == (not np.array_equal(*biases)), cell


def test_the_step_factor_of_each_cell_is_the_one_that_it_names():
    _, _, steps = walk("lstm", "tanh")
    np.testing.assert_allclose(steps[2].tape[CELLS["lstm"].step_factor[1]], steps[2].gates["f"])
    _, _, steps = walk("gru", "tanh")
    np.testing.assert_allclose(steps[2].tape[CELLS["gru"].step_factor[1]], steps[2].gates["z"])
    _, _, steps = walk("rnn", "tanh")
    np.testing.assert_allclose(steps[2].tape[CELLS["rnn"].step_factor[1]], 1 - steps[2].state["h"] ** 2)


@pytest.mark.parametrize(
    ("cell", "changes", "words"),
    [
        ("lstm", {"factors": 5}, "factors of cell 'mine' must be 6, the length of its tape; got 5"),
        ("gru", {"candidate": "x"}, "candidate of cell 'mine' must be one of its gates"),
        ("gru", {"forget_gate": "f"}, "forget_gate of cell 'mine' must be one of its gates"),
        ("rnn", {"recurrent_bias": "n"}, "recurrent_bias of cell 'mine' must be one of its gates"),
        ("gru", {"step_factor": ("z", 5)}, "step_factor of cell 'mine' must be a place 0..4"),
        ("gru", {"step_factor": ("z", 3)}, "step_factor of cell 'mine' says that gate 'z' is factor 3"),
        ("rnn", {"gate_labels": {"q": "query"}}, "gate_labels of cell 'mine' must label its gates"),
        ("lstm", {"states": ("c", "h")}, "states of cell 'mine' must begin with 'h'"),
        ("rnn", {"states": ("h", "c")}, "states of cell 'mine' must be those that its step returns"),
        ("lstm", {"gates": ("i", "f", "g"), "gate_labels": {}}, "cell 'mine' cannot take a step"),
    ],
)
def test_a_cell_that_contradicts_itself_is_not_registered(cell, changes, words):
    known = dict(CELLS)
    mine = dataclasses.replace(CELLS[cell], **({"name": "mine", "candidate": None} | changes))
    with pytest.raises(ValueError, match=re.escape(words)):
        CELLS.add("mine", mine)
    assert dict(CELLS) == known


def test_a_right_cell_can_be_registered_again():
    for name, cell in list(CELLS.items()):
        assert CELLS.add(name, cell) is cell


def test_states_are_those_of_torch():
    torch = pytest.importorskip("torch")
    for cell, name in (("rnn", "RNN"), ("lstm", "LSTM"), ("gru", "GRU")):
        params, x, steps = walk(cell, "tanh")
        net = getattr(torch.nn, name)(4, 5, dtype=torch.float64)
        b_hh = np.zeros_like(params["b_h"])
        if cell == "gru":
            b_hh[-5:] = params["b_hn"]
        weights = {"weight_ih_l0": params["W_xh"].T, "weight_hh_l0": params["W_hh"].T}
        weights |= {"bias_ih_l0": params["b_h"], "bias_hh_l0": b_hh}
        net.load_state_dict({key: torch.tensor(value) for key, value in weights.items()})
        theirs = net(torch.tensor(x))[0].detach().numpy()
        np.testing.assert_allclose([step.state["h"] for step in steps], theirs, rtol=1e-12, atol=1e-15, err_msg=cell)
