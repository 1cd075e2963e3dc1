"""Stacked layers against torch's num_layers, autograd and mpmath, and the statistics of every layer."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
import reference
from autograd import grad
from autograd import numpy as anp

import rnnviz as rv
from rnnviz.network.layers import layer_params
from rnnviz.network.sampling import draw_inputs

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS
MODULES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
SMALL = rv.Config(hidden_size=6, input_size=4, output_size=3, seq_len=7, batch_size=3, layers=3)
a_cell = pytest.mark.parametrize("cell", CELLS)


def close(ours, other, tolerance=1e-10):
    np.testing.assert_allclose(ours, other, rtol=0, atol=tolerance * np.abs(other).max())


def torch_network(params, cell, activation, layers, rng):
    """Return torch's layers with our parameters, each bias split at random into the two that torch adds."""
    torch = pytest.importorskip("torch")
    inputs, hidden = params["W_xh"].shape[0], params["W_hh"].shape[0]
    more = {"nonlinearity": activation} if cell == "rnn" else {}
    net = getattr(torch.nn, MODULES[cell])(inputs, hidden, num_layers=layers, dtype=torch.float64, **more)
    out = torch.nn.Linear(hidden, params["b_y"].size, dtype=torch.float64)
    values = {}
    for k in range(layers):
        own = layer_params(params, k + 1)
        b_hh = rng.normal(size=own["b_h"].shape)
        if cell == "gru":
            b_hh[-hidden:] = own["b_hn"]
        b_ih = own["b_h"] - b_hh
        if cell == "gru":
            b_ih[-hidden:] = own["b_h"][-hidden:]
        weights = {"weight_ih": own["W_xh"].T, "weight_hh": own["W_hh"].T, "bias_ih": b_ih, "bias_hh": b_hh}
        values |= {f"{name}_l{k}": torch.tensor(value) for name, value in weights.items()}
    net.load_state_dict(values)
    out.load_state_dict({"weight": torch.tensor(params["W_hy"].T), "bias": torch.tensor(params["b_y"])})
    return net, out


def torch_gradients(net, out, x, targets, loss_at):
    """Return torch's loss, and by layer the states and dL/dh of the steps 0..T that torch hands out.

    A module called step by step hands out h_t of every layer as the state; a lower layer's h_t acts within the step on
    the layer above, which torch's gradient of that state leaves out: of those, only what reaches step 0 is total.
    """
    import torch

    shape = (net.num_layers, x.shape[1], net.hidden_size)
    start = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    state = (start, torch.zeros_like(start)) if net.mode == "LSTM" else start
    h, tops, loss = [start], [], 0.0
    for t, x_t in enumerate(torch.tensor(x)):
        top, state = net(x_t[None], state)
        h.append(state[0] if net.mode == "LSTM" else state)
        tops.append(top)
        top.retain_grad()
        if loss_at == "every" or t == len(x) - 1:
            loss = loss + torch.nn.functional.cross_entropy(out(top[0]), torch.tensor(targets[t]))
    loss.backward()
    return loss.item(), torch.stack(h, dim=1).detach().numpy(), start.grad.numpy()


def torch_d_params(net, out, cell, layers):
    d = {"W_hy": out.weight.grad.T, "b_y": out.bias.grad}
    for k in range(layers):
        suffix = f"_{k + 1}" if k else ""
        found = {name: getattr(net, f"{name}_l{k}").grad for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        d |= {f"W_xh{suffix}": found["weight_ih"].T, f"W_hh{suffix}": found["weight_hh"].T}
        d[f"b_h{suffix}"] = found["bias_ih"]
        if cell == "gru":
            d[f"b_hn{suffix}"] = found["bias_hh"][-net.hidden_size :]
    return {name: value.numpy() for name, value in d.items()}


@pytest.mark.parametrize(("cell", "activation"), [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")])
def test_states_and_gradients_are_those_of_torchs_num_layers(cell, activation):
    for layers, loss_at in itertools.product((2, 4), ("last", "every")):
        config = SMALL.replace(cell=cell, activation=activation, layers=layers, scheme="pytorch", gain=2.0)
        params, (x, targets) = rv.init_params(config), draw_inputs(config)
        net, out = torch_network(params, cell, activation, layers, np.random.default_rng(1))
        loss, h, d_start = torch_gradients(net, out, x, targets, loss_at)
        g = rv.bptt(params, x, targets, cell, activation, loss_at)
        assert g.loss == pytest.approx(loss, rel=1e-13)
        close(g.h_by_layer, h)
        close(g.d_h_by_layer[:, 0], d_start)
        assert set(g.d_params) == set(params)
        for name, value in torch_d_params(net, out, cell, layers).items():
            close(g.d_params[name], value)
        assert g.h is not None
        np.testing.assert_array_equal(g.h, g.h_by_layer[-1])
        np.testing.assert_array_equal(g.log10_grad_norm, g.log10_grad_norm_by_layer[-1])


@a_cell
def test_gradients_of_every_layer_and_step_agree_with_autograd(cell):
    """Each layer's h_t, total: also what acts through the layers above at the same step."""
    for activation, loss_at in itertools.product(("tanh", "sigmoid", "relu"), ("last", "every")):
        config = SMALL.replace(cell=cell, activation=activation, layers=3, scheme="pytorch", gain=2.0, seq_len=5)
        params, (x, targets) = rv.init_params(config), draw_inputs(config)
        g = rv.bptt(params, x, targets, cell, activation, loss_at)
        bumps = np.zeros((3, 6, 3, 6))
        loss = partial(reference.layered_loss, x=x, targets=targets, cell=cell, activation=activation, loss_at=loss_at)
        d_params, d_h = (grad(partial(loss, xp=anp), k)(params, bumps) for k in (0, 1))
        close(g.d_h_by_layer, d_h)
        for name, value in d_params.items():
            close(g.d_params[name], value)
        norms = np.log10(np.linalg.norm(d_h.reshape(3, 6, -1), axis=-1))
        np.testing.assert_allclose(g.log10_grad_norm_by_layer, norms, atol=1e-10)


def whole_and_cut(config, truncate):
    """Return the gradients of a network, all the way back and truncated."""
    data = rv.init_params(config), *draw_inputs(config), config.cell, config.activation, config.loss_at
    return rv.bptt(*data), rv.bptt(*data, truncate=truncate)


@a_cell
def test_a_truncated_last_loss_gives_the_whole_gradient_for_k_steps_and_then_exactly_0(cell):
    for layers, k in itertools.product((1, 3), (1, 4, 7, 9)):
        whole, cut = whole_and_cut(SMALL.replace(cell=cell, layers=layers, scheme="pytorch"), k)
        first = max(7 - k, 0)
        np.testing.assert_array_equal(cut.d_h_by_layer[:, first:], whole.d_h_by_layer[:, first:])
        assert not cut.d_h_by_layer[:, :first].any()
        assert np.isneginf(cut.log10_grad_norm_by_layer[:, :first]).all()
        if cell == "lstm":
            np.testing.assert_array_equal(cut.d_c_by_layer[:, first:], whole.d_c_by_layer[:, first:])
            assert not cut.d_c_by_layer[:, :first].any()


@a_cell
def test_truncated_losses_at_every_step_are_the_sum_of_each_ones_truncated_gradients(cell):
    """Each loss alone, at the end of the sequence that ends with it; weights against autograd with detached states."""
    for layers, k in itertools.product((1, 3), (1, 3, 6)):
        config = SMALL.replace(cell=cell, layers=layers, loss_at="every", scheme="pytorch")
        params, (x, targets) = rv.init_params(config), draw_inputs(config)
        cut = rv.bptt(params, x, targets, cell, loss_at="every", truncate=k)
        ends = [rv.bptt(params, x[:t], targets[:t], cell, truncate=k) for t in range(1, 8)]
        d_h = sum(np.pad(g.d_h_by_layer, [(0, 0), (0, 8 - g.d_h_by_layer.shape[1]), (0, 0), (0, 0)]) for g in ends)
        close(cut.d_h_by_layer, d_h)
        norms = np.log10(np.linalg.norm(d_h.reshape(layers, 8, -1), axis=-1))
        np.testing.assert_allclose(cut.log10_grad_norm_by_layer, norms, atol=1e-10)
        for name, value in cut.d_params.items():
            close(value, sum(g.d_params[name] for g in ends))
