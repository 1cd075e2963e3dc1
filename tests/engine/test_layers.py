"""Stacked layers against torch's num_layers, autograd and mpmath, and the statistics of every layer."""

from __future__ import annotations

import itertools
from functools import partial
from math import comb

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


@a_cell
def test_a_comparison_has_the_numbers_of_every_layer(cell):
    for activation, loss_at, k in (
        ("tanh", "last", 0),
        ("relu", "every", 0),
        ("tanh", "last", 3),
        ("tanh", "every", 3),
    ):
        config = SMALL.replace(cell=cell, activation=activation, loss_at=loss_at, truncate=k)
        runs = rv.compare(config, ("xavier", "pytorch"), range(2))
        assert runs.second_moment_by_layer.shape == runs.log10_grad_norm_by_layer.shape == (2, 2, 3, 8)
        drawn, data = runs.drawn(1, 1), runs.inputs(1, 1)
        g = rv.bptt(rv.init_params(drawn), *data, cell, activation, loss_at, truncate=k)
        own = rv.trace(rv.init_params(drawn), *data, cell, activation, loss_at, truncate=k)
        for trace in (runs.one(1, 1), own):
            np.testing.assert_allclose(trace.log10_grad_norm_by_layer, g.log10_grad_norm_by_layer, atol=1e-10)
            h = g.h_by_layer.reshape(3, 8, -1)
            np.testing.assert_allclose(trace.second_moment_by_layer, np.mean(h * h, axis=-1), atol=1e-12)
            np.testing.assert_allclose(trace.mean_by_layer, np.mean(h, axis=-1), atol=1e-12)
            np.testing.assert_allclose(trace.variance_by_layer, np.var(h, axis=-1), atol=1e-12)
            saturated = ACTIVATIONS[activation].saturated(h[:, 1:]).mean(axis=-1)
            np.testing.assert_allclose(trace.saturation_by_layer[:, 1:], saturated, atol=1e-12)
        for layer in (1, 2, 3):
            one = runs.one(1, 1).of_layer(layer)
            read = data[0] if layer == 1 else g.h_by_layer[layer - 2, 1:]
            np.testing.assert_allclose(runs.layer_inputs(layer, 1, 1), read, atol=1e-12)
            np.testing.assert_allclose(one.units, g.h_by_layer[layer - 1, :, 0], atol=1e-12)
            ends = g.log10_grad_norm_by_layer[layer - 1] - g.log10_grad_norm[-1]
            np.testing.assert_allclose(one.log10_relative_norm, ends, atol=1e-10)
            back = one.as_comparison().of_layer(layer).one()
            np.testing.assert_array_equal(back.log10_grad_norm, one.log10_grad_norm)
            np.testing.assert_array_equal(runs.of_layer(layer).one(1, 1).units, one.units)
            np.testing.assert_array_equal(runs.only(1).of_layer(layer).units[0, 1], one.units)
    with pytest.raises(ValueError, match="layer must be a whole number from 1 to 3; got 4"):
        runs.of_layer(4)


def test_one_step_through_many_layers_is_a_feed_forward_network():
    """h^l = tanh(h^{l-1} W_xh_l): states and gradients by layer, written out (Glorot & Bengio 2010)."""
    config = SMALL.replace(layers=5, seq_len=1)
    params, (x, targets) = rv.init_params(config), draw_inputs(config)
    g = rv.bptt(params, x, targets)
    W = [params["W_xh"], *(params[f"W_xh_{layer}"] for layer in range(2, 6))]
    h = [x[0]]
    for each in W:
        h.append(np.tanh(h[-1] @ each))
    y = np.exp(h[-1] @ params["W_hy"])
    d = (y / y.sum(axis=-1, keepdims=True) - np.eye(3)[targets[0]]) / 3 @ params["W_hy"].T
    for layer in range(5, 0, -1):
        close(g.h_by_layer[layer - 1, 1], h[layer])
        close(g.d_h_by_layer[layer - 1, 1], d)
        d = d * (1 - h[layer] ** 2) @ W[layer - 1].T


def test_further_layers_leave_the_other_draws_unchanged():
    for cell, scheme in itertools.product(CELLS, ("xavier", "orthogonal", "pytorch", "keras")):
        deep = rv.init_params(SMALL.replace(cell=cell, scheme=scheme, gain=2.0))
        flat = rv.init_params(SMALL.replace(cell=cell, scheme=scheme, gain=2.0, layers=1, input_scheme="he"))
        for name, value in flat.items():
            assert name == "W_xh" or np.array_equal(deep[name], value), "layers draw from streams of their own"
        single = rv.init_params(SMALL.replace(cell=cell, scheme=scheme, input_scheme="he"))
        for layer in (2, 3):
            for name in ("W_xh", "W_hh"):
                np.testing.assert_allclose(deep[f"{name}_{layer}"], 2.0 * single[f"{name}_{layer}"], rtol=1e-14)
        assert not np.array_equal(deep["W_hh_2"], deep["W_hh_3"])


def test_an_overflow_is_marked_in_its_layer_and_in_those_above():
    config = rv.Config(
        layers=3, activation="linear", scheme="uniform01", gain=20.0, seq_len=300, hidden_size=8, batch_size=2
    )
    runs = rv.compare(config, ("uniform01", "small_normal"), (0, 1))
    steps = np.array([runs.of_layer(layer).first_nonfinite for layer in (1, 2, 3)])
    assert np.all(steps[:, 0] > 0)
    assert np.all(np.diff(steps[:, 0], axis=0) <= 0), "what a layer reads is no longer finite either"
    assert np.all(steps[:, 1] == -1)
    for layer, step in enumerate(steps[:, 0, 0], 1):
        one = runs.one(0, 0).of_layer(layer)
        before = rv.run(one.config.replace(seq_len=int(steps[-1, 0, 0]) - 1)).of_layer(layer)
        np.testing.assert_allclose(one.second_moment[: len(before.mean)], before.second_moment, rtol=1e-10)
        assert np.isfinite(one.mean[: step - 1]).all()
        assert np.isposinf(one.second_moment[step:]).all()
        assert np.isnan(one.log10_grad_norm).all()


def test_layers_far_outside_float64_agree_with_mpmath():
    """Identity, linear: dL/dh^l_t = C(T - t + L - l, L - l) g**(T - t + L - l) dL/dh^L_T, number by number."""
    steps, layers, gain = 60, 4, 1e-30
    config = rv.Config(scheme="identity", activation="linear", gain=gain, hidden_size=4, layers=layers, seq_len=steps)
    norms = rv.run(config.replace(input_scale=0.0)).log10_grad_norm_by_layer
    for layer, t in itertools.product(range(1, layers + 1), range(1, steps + 1)):
        below, back = layers - layer, steps - t
        expected = np.log10(float(comb(back + below, below))) + (back + below) * np.log10(gain)
        assert norms[layer - 1, t] - norms[-1, -1] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("words", ["3 layers of the cell 'rnn' are W_xh, W_hh, b_h, W_xh_2", "got W_xh"])
def test_a_layer_without_its_bias_is_refused_by_the_names_it_should_have(words):
    params = rv.init_params(SMALL)
    del params["b_h_2"]
    with pytest.raises(ValueError, match=words):
        rv.bptt(params, *draw_inputs(SMALL))
