"""Parts of the weights' gradient and gradients by unit, against autograd, closed forms and mpmath."""

from __future__ import annotations

import autograd.numpy as anp
import mpmath as mp
import numpy as np
import pytest
import reference
from autograd import grad

import rnnviz as rv
from rnnviz.engine.gradient_shares import network_of, transposed_product, unit_gradients, weight_gradients
from rnnviz.engine.trace import Network
from rnnviz.numerics.progress import finish
from rnnviz.numerics.scaled import Scaled


def loss_of_copies(copies, params, x, targets, cell, loss_at):
    """Return the loss of two layers that have a copy of each matrix for each step, (T, ...) each."""
    states = [(np.zeros((x.shape[1], params["W_hh"].shape[0])),) * 2] * 2
    total = 0.0
    for t, h in enumerate(x):
        step = params | {name: copies[name][t] for name in copies}
        for layer in (1, 2):
            own = reference.of_layer(step, layer)
            h, c = reference.CELLS[cell](own, h, *states[layer - 1], anp.tanh, anp)
            states = [*states[: layer - 1], (h, c), *states[layer:]]
        if loss_at == "every" or t == len(x) - 1:
            y = anp.dot(h, step["W_hy"]) + params["b_y"]
            logs = y - anp.log(anp.sum(anp.exp(y), axis=-1, keepdims=True))
            total = total - anp.sum(logs * np.eye(y.shape[-1])[targets[t]]) / len(h)
    return total


@pytest.mark.parametrize("loss_at", ["last", "every"])
@pytest.mark.parametrize("cell", reference.CELLS)
def test_parts_by_step_are_the_gradients_of_copies_and_their_matrices_add_up(cell, loss_at):
    params, x, targets = reference.network(cell, seed=4)
    above = reference.network(cell, seed=5, inputs=5)[0]
    params |= {f"{name}_2": value for name, value in above.items() if name not in ("W_hy", "b_y")}
    copies = {name: np.stack([params[name]] * len(x)) for name in params if name.startswith("W")}
    parts = grad(loss_of_copies)(copies, params, x, targets, cell, loss_at)
    net = Network(params, x, targets, cell, "tanh", loss_at, "mine")
    found = finish(weight_gradients(net, 2)) | finish(weight_gradients(net, 1))
    whole = rv.bptt(params, x, targets, cell, "tanh", loss_at).d_params
    for name in copies:
        np.testing.assert_allclose(parts[name].sum(axis=0), whole[name], atol=1e-13, err_msg=name)
        assert 10 ** found[name].whole == pytest.approx(np.linalg.norm(whole[name]), rel=1e-12), name
        norms = np.nan_to_num(10 ** found[name].by_step[1:])  # nan where no loss reads W_hy
        np.testing.assert_allclose(norms, np.linalg.norm(parts[name], axis=(1, 2)), rtol=1e-10, err_msg=name)
    assert found["W_hh"].by_step[1] == -np.inf  # h_0 = 0


def test_truncation_cuts_parts_off_and_they_still_add_up():
    params, x, targets = reference.network("gru", seed=4)
    full = finish(weight_gradients(Network(params, x, targets, "gru", "tanh", "last", "mine")))
    for loss_at in ("last", "every"):
        found = finish(weight_gradients(Network(params, x, targets, "gru", "tanh", loss_at, "mine", truncate=2)))
        whole = rv.bptt(params, x, targets, "gru", "tanh", loss_at, truncate=2).d_params
        for name, each in found.items():
            assert 10**each.whole == pytest.approx(np.linalg.norm(whole[name]), rel=1e-12), name
        if loss_at == "last":
            np.testing.assert_allclose(found["W_xh"].by_step[5:], full["W_xh"].by_step[5:], rtol=1e-12)
            assert (found["W_xh"].by_step[1:5] == -np.inf).all()


def test_parts_vanish_to_1e_6000_and_explode_to_1e_6000():
    """W = w [[1, -1], [-1, 1]], equal linear units: h = 1/2, and a difference of gradients grows 2 w times per step."""
    steps = 100
    x, targets = np.zeros((steps, 1, 1)), np.zeros((steps, 1), dtype=int)
    for power in (-200, 200):
        w = 2.0 ** (power - 1) * np.array([[1.0, -1.0], [-1.0, 1.0]])
        params = {"W_xh": np.zeros((1, 2)), "W_hh": w, "b_h": np.full(2, 0.5), "b_y": np.zeros(2)}
        params["W_hy"] = np.array([[1.0, -1.0], [-1.0, 1.0]])  # y = 0: dL/dy = (-1/2, 1/2), dL/dh_T = (-1, 1)
        found = finish(weight_gradients(Network(params, x, targets, "rnn", "linear", "last", "mine")))["W_hh"]
        expected = (steps - np.arange(2, steps + 1)) * power * np.log10(2.0)  # ||h|| ||d|| = 2**-0.5 * 2**0.5
        np.testing.assert_allclose(found.by_step[2:], expected, atol=1e-9)
        assert found.whole == pytest.approx(expected.max(), abs=1e-9)


def test_a_silent_sequence_with_a_huge_gradient_hides_no_small_one():
    a = np.array([[0.0, 0.0], [3e-200, 4e-200], [1e300, 0.0]])
    d = Scaled(np.array([[1.0], [1.0], [1.0]]), np.array([[9000.0], [-9000.0], [-11000.0]]))
    with mp.workdps(50):
        rows = [[mp.mpf(v) for v in row] for row in a.tolist()]
        sums = [
            mp.fsum(row[k] * mp.mpf(2) ** e for row, e in zip(rows, (9000, -9000, -11000), strict=True)) for k in (0, 1)
        ]
        exact = float(mp.log10(mp.sqrt(mp.fsum(v**2 for v in sums))))
    assert float(transposed_product(a, d).log10_norm()) == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("cell", reference.CELLS)
def test_gradients_by_unit_are_those_of_the_first_sequence_beside_its_own_at_the_end(cell):
    params, x, targets = reference.network(cell, seed=5)
    found = finish(unit_gradients(Network(params, x, targets, cell, "tanh", "every", "mine")))
    d_h = rv.bptt(params, x, targets, cell, "tanh", "every").d_h[:, 0]
    np.testing.assert_allclose(10**found, np.abs(d_h) / np.linalg.norm(d_h[-1]), rtol=1e-10)


def test_with_identity_and_relu_a_units_gradient_is_constant_back_to_where_it_was_off_then_exactly_0():
    config = rv.Config(scheme="identity", activation="relu", seed=3)
    trace = rv.compare(config, ("identity",), (3,))
    found, h = finish(unit_gradients(network_of(trace))), trace.units[0, 0]
    first = rv.bptt(trace.parameters(), *trace.inputs(), activation="relu").d_h[-1, 0]
    lengths = set()
    for unit in np.flatnonzero(first):
        off = np.flatnonzero(h[1:, unit] == 0)
        since = off[-1] + 1 if off.size else 0  # the last step at which the unit is off: its slope there is 0
        assert (found[since:, unit] == found[-1, unit]).all()
        assert (found[:since, unit] == -np.inf).all()
        assert found[-1, unit] == pytest.approx(np.log10(abs(first[unit]) / np.linalg.norm(first)))
        lengths.add(since)
    assert len(lengths) > 4, "the units are off at different steps"
    assert (found[:, first == 0] == -np.inf).all()  # W_hy reads ten units only


def test_a_state_that_is_not_finite_has_no_gradient_to_share():
    config = rv.Config(activation="relu", gain=20.0, seq_len=400, hidden_size=8, batch_size=2)
    net = network_of(rv.run(config))
    assert np.isnan(finish(unit_gradients(net))).all()
    assert all(np.isnan(each.whole) and np.isnan(each.by_step).all() for each in finish(weight_gradients(net)).values())
