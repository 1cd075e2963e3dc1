"""Gradients of every cell against other ways to get them."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
import reference
from autograd import grad
from autograd import numpy as anp

import rnnviz as rv
from rnnviz.engine.layers import backward, forward
from rnnviz.engine.passes import cross_entropy
from rnnviz.network.arithmetic import EXACT, PLAIN

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS
TOLERANCE = 1e-10
a_cell = pytest.mark.parametrize("cell", CELLS)


def cases(cell):
    """Yield every (cell, activation, loss_at) of a cell."""
    return itertools.product([cell], ACTIVATIONS, ("last", "every"))


def assert_close(ours, other, *what, tolerance=TOLERANCE):
    """Hold the largest difference below ``tolerance`` times the largest number; ``what`` names it."""
    assert ours.shape == other.shape, what
    assert np.abs(ours - other).max() <= tolerance * np.abs(other).max(), what


@a_cell
def test_gradients_agree_with_autograd(cell):
    params, x, targets = reference.network(cell)
    zeros = np.zeros((len(x) + 1, x.shape[1], params["W_hh"].shape[0]))
    for case in cases(cell):
        g = rv.bptt(params, x, targets, *case)
        loss = partial(reference_loss, x, targets, case)
        assert g.loss == pytest.approx(loss(params, None), rel=1e-13), case
        for name, value in grad(loss)(params, None).items():
            assert_close(g.d_params[name], value, case, name)
        if case[:2] == ("lstm", "relu"):  # where ReLU switches c off, h / phi(c) in the reference is 0 / 0
            continue
        d_h, d_c = grad(loss, 1)(params, (zeros, zeros))
        assert_close(g.d_h, d_h, case)
        if cell == "lstm":
            assert_close(g.d_c, d_c, case)


def reference_loss(x, targets, case, params, bumps):
    return reference.loss(params, x, targets, *case, anp, bumps)


def complex_loss(params, x, targets, cell, activation, loss_at, state=None):
    """Return the package's own loss, also of complex numbers."""
    steps = list(forward(params, x, CELLS[cell], ACTIVATIONS[activation], PLAIN, state))
    with_loss = zip(steps, targets, strict=True) if loss_at == "every" else [(steps[-1], targets[-1])]
    return sum(cross_entropy(params, step.state["h"], target)[0] for step, target in with_loss)


def complex_gradient(loss, value):
    """Return the derivatives of ``loss(value)`` by the complex step."""
    numeric = np.empty_like(value)
    for index in np.ndindex(value.shape):
        shifted = value.astype(complex)
        shifted[index] += 1e-150j
        numeric[index] = loss(shifted).imag / 1e-150
    return numeric


@a_cell
def test_parameter_gradients_agree_with_the_complex_step(cell):
    params, x, targets = reference.network(cell, steps=4, batch=2, inputs=2, hidden=3)
    for case in cases(cell):
        g = rv.bptt(params, x, targets, *case)
        for name, value in params.items():

            def loss(shifted, name=name, case=case):
                return complex_loss(params | {name: shifted}, x, targets, *case)

            assert_close(g.d_params[name], complex_gradient(loss, value), case, name)


@a_cell
def test_state_gradients_agree_with_the_complex_step(cell):
    params, x, targets = reference.network(cell, steps=4, batch=2, inputs=2, hidden=3)
    for case in cases(cell):
        g = rv.bptt(params, x, targets, *case)
        states = {each: getattr(g, each) for each in CELLS[cell].states}
        for name, t in itertools.product(states, range(len(x))):
            if name == "c" and t:  # c_t acts through h_t = o phi(c_t) as well, which a restart from c_t leaves out
                continue
            state = {each: value[t].astype(complex) for each, value in states.items()}

            def loss(shifted, name=name, t=t, state=state, case=case):
                return complex_loss(params, x[t:], targets[t:], *case, state | {name: shifted})

            own = direct(params, g.h[t], targets[t - 1]) if case[2] == "every" and t else 0.0
            numeric = complex_gradient(loss, states[name][t])
            assert_close(getattr(g, f"d_{name}")[t], numeric + own, case, name, t)


def direct(params, h, targets):
    """Return what the loss of h's own step adds to dL/dh, B = the number of rows."""
    powers = np.exp(h @ params["W_hy"] + params["b_y"])
    p = powers / powers.sum(axis=-1, keepdims=True)
    return (p - np.eye(p.shape[-1])[targets]) / len(h) @ params["W_hy"].T


@a_cell
def test_gradients_agree_with_central_differences(cell):
    params, x, targets = reference.network(cell, seed=3)
    rng, h = np.random.default_rng(0), 1e-5
    way = {name: rng.normal(size=value.shape) for name, value in params.items()}
    for case in cases(cell):
        g = rv.bptt(params, x, targets, *case)
        ends = [{name: value + sign * h * way[name] for name, value in params.items()} for sign in (1, -1)]
        above, below = (rv.bptt(end, x, targets, *case).loss for end in ends)
        along = sum(np.sum(g.d_params[name] * way[name]) for name in params)
        assert (above - below) / (2 * h) == pytest.approx(along, rel=1e-6), case


def test_one_unit_solved_by_hand():
    """h_1 = tanh(w_x x_1), h_2 = tanh(w_x x_2 + w h_1), two classes with y = (h, -h): L = log(1 + exp(-2 h_2))."""
    w_x, w, x1, x2 = 0.7, -1.3, 0.5, -0.2
    h1 = np.tanh(w_x * x1)
    h2 = np.tanh(w_x * x2 + w * h1)
    d2 = -2 / (1 + np.exp(2 * h2))
    a2 = d2 * (1 - h2**2)
    a1 = a2 * w * (1 - h1**2)
    params = {"W_xh": [[w_x]], "W_hh": [[w]], "b_h": [0.0], "W_hy": [[1.0, -1.0]], "b_y": [0.0, 0.0]}
    g = rv.bptt(params, np.reshape([x1, x2], (2, 1, 1)), np.array([0]))
    assert g.loss == pytest.approx(np.log(1 + np.exp(-2 * h2)), rel=1e-14)
    np.testing.assert_allclose(g.h.ravel(), [0, h1, h2], rtol=1e-14)
    np.testing.assert_allclose(g.d_h.ravel(), [a1 * w, a2 * w, d2], rtol=1e-14)
    assert g.d_params["W_hh"].item() == pytest.approx(a2 * h1, rel=1e-14)
    assert g.d_params["W_xh"].item() == pytest.approx(a1 * x1 + a2 * x2, rel=1e-14)
    assert g.d_params["b_h"].item() == pytest.approx(a1 + a2, rel=1e-14)
    assert g.d_params["W_hy"].ravel()[0] == pytest.approx(h2 * d2 / 2, rel=1e-14)
    np.testing.assert_allclose(g.log10_grad_norm, np.log10(np.abs([a1 * w, a2 * w, d2])), rtol=1e-14)


TORCH = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


def torch_network(params, cell, activation="tanh"):
    """Return torch's layers with our parameters."""
    torch = pytest.importorskip("torch")
    inputs, hidden = params["W_xh"].shape[0], params["W_hh"].shape[0]
    more = {"nonlinearity": activation} if cell == "rnn" else {}
    net = getattr(torch.nn, TORCH[cell])(inputs, hidden, dtype=torch.float64, **more)
    out = torch.nn.Linear(hidden, params["b_y"].size, dtype=torch.float64)
    b_hh = np.zeros_like(params["b_h"])
    if cell == "gru":
        b_hh[-hidden:] = params["b_hn"]
    weights = {"weight_ih_l0": params["W_xh"].T, "weight_hh_l0": params["W_hh"].T, "bias_ih_l0": params["b_h"]}
    net.load_state_dict({key: torch.tensor(value) for key, value in (weights | {"bias_hh_l0": b_hh}).items()})
    out.load_state_dict({"weight": torch.tensor(params["W_hy"].T), "bias": torch.tensor(params["b_y"])})
    return net, out


def d_parameters(net, out, cell):
    """Return torch's gradients of the parameters in our layout."""
    d = {"W_xh": net.weight_ih_l0.grad.T, "W_hh": net.weight_hh_l0.grad.T, "b_h": net.bias_ih_l0.grad}
    d |= {"W_hy": out.weight.grad.T, "b_y": out.bias.grad}
    if cell == "gru":
        d["b_hn"] = net.bias_hh_l0.grad[-net.hidden_size :]
    return {key: value.numpy() for key, value in d.items()}


def torch_gradients(params, x, targets, cell, activation, loss_at):
    """Return torch's loss, dL/dh_t (and dL/dc_t) step by step, and the parameters' gradients in our layout."""
    torch = pytest.importorskip("torch")
    net, out = torch_network(params, cell, activation)
    zero = torch.zeros(1, x.shape[1], net.hidden_size, dtype=torch.float64, requires_grad=True)
    state = (zero, zero.detach().clone().requires_grad_()) if cell == "lstm" else zero
    states, loss = [state], 0.0
    for t, x_t in enumerate(torch.tensor(x)):
        _, state = net(x_t[None], state)
        states.append(state)
        for each in state if cell == "lstm" else (state,):
            each.retain_grad()
        h = state[0][0] if cell == "lstm" else state[0]
        if loss_at == "every" or t == len(x) - 1:
            loss = loss + torch.nn.functional.cross_entropy(out(h), torch.tensor(targets[t]))
    loss.backward()
    pairs = states if cell == "lstm" else [(each,) for each in states]
    nothing = torch.zeros_like(zero)
    grads = [[nothing if each.grad is None else each.grad for each in pair] for pair in pairs]
    d_states = [np.stack([step[k][0].detach().numpy() for step in grads]) for k in range(len(grads[0]))]
    return loss.item(), d_states, d_parameters(net, out, cell)


def test_gradients_agree_with_torch_step_by_step():
    kinds = [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")]
    for case in ((*kind, loss_at) for kind in kinds for loss_at in ("last", "every")):
        params, x, targets = reference.network(case[0], steps=12, hidden=8)
        g = rv.bptt(params, x, targets, *case)
        loss, d_states, d_params = torch_gradients(params, x, targets, *case)
        assert g.loss == pytest.approx(loss, rel=1e-13), case
        for t, d in enumerate(d_states[0]):
            assert_close(g.d_h[t], d, case, t)
        if case[0] == "lstm":
            # torch returns h_t and c_t as separate results: its dL/dc_t leaves out the path through h_t = o tanh(c_t).
            through_h = g.d_h[1:] * g.h[1:] / np.tanh(g.c[1:]) * (1 - np.tanh(g.c[1:]) ** 2)
            assert_close(g.d_c[0], d_states[1][0], case)
            assert_close(g.d_c[1:] - through_h, d_states[1][1:], case)
        for name, value in d_params.items():
            assert_close(g.d_params[name], value, case, name)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_the_loss_over_steps_is_torchs_cross_entropy_loss(reduction):
    """Torch reduces over steps and sequences alike; here the batch always counts as a mean."""
    torch = pytest.importorskip("torch")
    for cell in rv.cells.CELLS:
        params, x, targets = reference.network(cell, steps=12, hidden=8)
        net, out = torch_network(params, cell)
        scores = out(net(torch.tensor(x))[0]).flatten(0, 1)
        loss = torch.nn.CrossEntropyLoss(reduction=reduction)(scores, torch.tensor(targets).flatten())
        loss = loss / {"sum": x.shape[1], "mean": 1}[reduction]
        loss.backward()
        g = rv.bptt(params, x, targets, cell, loss_at="every", loss_reduction=reduction)
        assert g.loss == pytest.approx(loss.item(), rel=1e-13), cell
        for name, value in d_parameters(net, out, cell).items():
            assert_close(g.d_params[name], value, cell, name)


def test_a_mean_over_steps_divides_loss_and_gradients_by_their_number():
    for cell, steps in itertools.product(rv.cells.CELLS, (1, 9)):
        data = reference.network(cell, steps=steps)
        for loss_at, count in (("last", 1), ("every", steps)):
            total, mean = (rv.bptt(*data, cell, "tanh", loss_at, reduction) for reduction in ("sum", "mean"))
            assert mean.loss == pytest.approx(total.loss / count, rel=1e-14), cell
            np.testing.assert_allclose(mean.log10_grad_norm, total.log10_grad_norm - np.log10(count), atol=1e-12)
            for name in total.d_params:
                assert_close(mean.d_params[name], total.d_params[name] / count, cell, name)


@pytest.mark.parametrize("loss_at", ["last", "every"])
@a_cell
def test_a_stack_of_networks_gives_each_ones_own_gradients(cell, loss_at):
    nets = [reference.network(cell, seed=seed) for seed in range(3)]
    stacked = {
        name: np.stack([np.atleast_2d(params[name]) if params[name].ndim == 1 else params[name] for params, *_ in nets])
        for name in nets[0][0]
    }
    x, targets = np.stack([net[1] for net in nets]), np.stack([net[2] for net in nets])
    steps = list(forward(stacked, x, CELLS[cell], ACTIVATIONS["tanh"]))
    errors = [cross_entropy(stacked, step.state["h"], targets[:, t])[1] for t, step in enumerate(steps)]
    errors = errors if loss_at == "every" else [None] * (len(steps) - 1) + errors[-1:]
    backs = list(backward(stacked, [step.tape for step in steps], errors, CELLS[cell], EXACT))[::-1]
    for k, net in enumerate(nets):
        alone = rv.bptt(*net, cell, "tanh", loss_at)
        np.testing.assert_allclose([back.total["h"].to_float()[k] for back in backs], alone.d_h, rtol=1e-12)


@a_cell
def test_sizes_of_one_work(cell):
    params, x, targets = reference.network(cell, steps=1, batch=1, inputs=1, hidden=1, classes=2)
    g = rv.bptt(params, x, targets, cell)
    assert g.h.shape == g.d_h.shape == (2, 1, 1)
    numeric = grad(lambda p: reference.loss(p, x, targets, cell, "tanh", "last", anp))(params)
    for name, value in numeric.items():
        np.testing.assert_allclose(g.d_params[name], value, rtol=1e-12)


def test_a_loss_of_nearly_zero_keeps_its_digits():
    """With y = (400, -400) the gradient is exp(-800), far below what 1 - p can show."""
    params = {"W_xh": [[1.0]], "W_hh": [[1.0]], "b_h": [0.0], "W_hy": [[400.0, -400.0]], "b_y": [0.0, 0.0]}
    g = rv.bptt(params, np.ones((1, 1, 1)), np.array([0]), activation="linear")
    assert g.log10_grad_norm[-1] == pytest.approx(np.log10(800.0) - 800 / np.log(10), abs=1e-9)
    assert g.loss == pytest.approx(np.exp(-800.0))


def test_a_state_that_overflows_is_an_error_that_names_its_step():
    params = {"W_xh": [[1.0]], "W_hh": [[1e200]], "b_h": [0.0], "W_hy": [[1.0, -1.0]], "b_y": [0.0, 0.0]}
    with pytest.raises(FloatingPointError, match="from step 3 on"):
        rv.bptt(params, np.ones((5, 1, 1)), np.array([0]), activation="linear")


def test_a_loss_that_overflows_is_an_error():
    params = {"W_xh": [[1e300]], "W_hh": [[1.0]], "b_h": [0.0], "W_hy": [[1e300, -1e300]], "b_y": [0.0, 0.0]}
    with pytest.raises(FloatingPointError, match="loss"):
        rv.bptt(params, np.ones((1, 1, 1)), np.array([1]), activation="linear")


def change(**changes):
    params, x, targets = reference.network("rnn")
    arguments = {"params": params, "x": x, "targets": targets}
    return arguments | {key: make(arguments) for key, make in changes.items()}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (change(x=lambda a: a["x"][0]), "x must have the shape"),
        (change(x=lambda a: a["x"][:0]), "no empty axis"),
        (change(params=lambda a: a["params"] | {"W_hh": np.ones(3)}), "W_hh"),
        (change(params=lambda a: a["params"] | {"b_h": np.ones(3)}), r"b_h must have the shape \(5,\); got \(3,\)"),
        (change(params=lambda a: a["params"] | {"extra": np.ones(3)}), "extra"),
        (change(params=lambda a: a["params"] | {"W_hy": np.ones((5, 1)), "b_y": np.ones(1)}), "at least 2 classes"),
        (change(targets=lambda a: a["targets"][0, :2]), "targets must have the shape"),
        (change(targets=lambda a: a["targets"] + 1), "from 0 to 2"),
        (change(targets=lambda a: a["targets"] * 1.0), "whole numbers"),
        (change(loss_at=lambda a: "evry"), "Did you mean 'every'"),
        (change(loss_reduction=lambda a: "avg"), "loss_reduction must be one of sum, mean; got 'avg'"),
        (change(cell=lambda a: "ltsm"), "Did you mean 'lstm'"),
        (change(activation=lambda a: "tahn"), "Did you mean 'tanh'"),
    ],
)
def test_what_does_not_fit_is_a_value_error_that_names_it(arguments, words):
    with pytest.raises(ValueError, match=words):
        rv.bptt(**arguments)
