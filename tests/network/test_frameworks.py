"""Networks of PyTorch and Keras are the same networks here: states, loss and gradients agree with their own."""

from __future__ import annotations

import os

import numpy as np
import pytest

import rnnviz as rv

torch = pytest.importorskip("torch")
T, B, D, H, CLASSES = 6, 3, 4, 5, 3
TORCH = {
    "tanh": lambda **more: torch.nn.RNN(D, H, **more),
    "relu": lambda **more: torch.nn.RNN(D, H, nonlinearity="relu", **more),
    "lstm": lambda **more: torch.nn.LSTM(D, H, **more),
    "gru": lambda **more: torch.nn.GRU(D, H, **more),
}


def batch(seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((T, B, D)), rng.integers(CLASSES, size=(T, B))


def torch_gradients(module, readout, x, targets, loss_at):
    """Return loss, states (T, B, H) and total derivatives dL/dh_t (T, B, H) by PyTorch's autograd."""
    state, states = None, []
    for x_t in torch.tensor(x):
        inputs = x_t[:, None] if module.batch_first else x_t[None]
        _, state = module(inputs, state)
        states.append(state[0] if isinstance(state, tuple) else state)
        states[-1].retain_grad()
    pairs = zip(states, torch.tensor(targets), strict=True)
    losses = [torch.nn.functional.cross_entropy(readout(h.view(B, H)), y) for h, y in pairs]
    loss = losses[-1] if loss_at == "last" else sum(losses)
    loss.backward()
    return loss.item(), *(np.stack([each[0].detach().numpy() for each in found])
                          for found in (states, [h.grad for h in states]))  # fmt: skip


@pytest.mark.parametrize("loss_at", ["last", "every"])
@pytest.mark.parametrize("more", [{}, {"bias": False, "batch_first": True}])
@pytest.mark.parametrize("name", TORCH)
def test_torch_gives_the_same_states_and_gradients(name, more, loss_at):
    torch.manual_seed(1)
    module, readout = TORCH[name](**more).double(), torch.nn.Linear(H, CLASSES, bias="bias" not in more).double()
    with torch.no_grad():
        for each in module.parameters():
            each.mul_(2.0)  # gates away from 1/2, and biases that matter
    x, targets = batch()
    loss, h, d_h = torch_gradients(module, readout, x, targets, loss_at)
    own = rv.from_torch(module, readout)
    found = rv.bptt(x=x, targets=targets, loss_at=loss_at, **own)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(found.h[1:], h, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.d_h[1:], d_h, rtol=1e-10, atol=1e-14)
    norms = np.log10(np.linalg.norm(d_h.reshape(T, -1)[np.abs(d_h).max(axis=(1, 2)) > 0], axis=1))
    trace = rv.trace(x=x, targets=targets, loss_at=loss_at, **own)
    np.testing.assert_allclose(trace.log10_grad_norm[1:], norms, atol=1e-10)


@pytest.mark.parametrize("name", TORCH)
def test_torch_layers_give_the_same_states_and_gradients(name):
    torch.manual_seed(1)
    module, readout = TORCH[name](num_layers=3).double(), torch.nn.Linear(H, CLASSES).double()
    x, targets = batch()
    h, _ = module(torch.tensor(x))
    loss = torch.nn.functional.cross_entropy(readout(h[-1]), torch.tensor(targets[-1]))
    loss.backward()
    own = rv.from_torch(module, readout)
    found = rv.bptt(x=x, targets=targets, **own)
    np.testing.assert_allclose(found.h[1:], h.detach(), rtol=0, atol=1e-12)
    assert found.loss == pytest.approx(loss.item(), rel=1e-12)
    for k in range(3):
        suffix = f"_{k + 1}" if k else ""
        for ours, theirs in (("W_xh", "weight_ih"), ("W_hh", "weight_hh"), ("b_h", "bias_ih")):
            d = getattr(module, f"{theirs}_l{k}").grad.numpy().T
            np.testing.assert_allclose(found.d_params[ours + suffix], d, rtol=1e-10, atol=1e-14)
    trace = rv.trace(x=x, targets=targets, **own)
    assert trace.config.layers == 3
    np.testing.assert_allclose(trace.log10_grad_norm_by_layer, found.log10_grad_norm_by_layer, atol=1e-10)


def test_torch_weights_are_copies_in_float64():
    module, readout = torch.nn.GRU(D, H), torch.nn.Linear(H, CLASSES)
    params = rv.from_torch(module, readout)["params"]
    before = {name: value.copy() for name, value in params.items()}
    with torch.no_grad():
        for each in (*module.parameters(), *readout.parameters()):
            each.zero_()
    for name, value in params.items():
        assert value.dtype == np.float64
        np.testing.assert_array_equal(value, before[name])
    assert (rv.from_torch(module.bfloat16(), readout)["params"]["W_hh"] == 0).all()


def test_torch_modules_that_are_something_else_are_named():
    readout = torch.nn.Linear(H, CLASSES)
    for module, head, words in (
        (torch.nn.LSTM(D, H, 2, dropout=0.5), readout, "dropout must be 0.0; got 0.5"),
        (torch.nn.GRU(D, H, bidirectional=True), readout, "bidirectional must be False; got True"),
        (torch.nn.LSTM(D, H, proj_size=2), readout, "proj_size must be 0; got 2"),
        (torch.nn.RNN(D, H), None, r"from_torch also needs the torch.nn.Linear .*: from_torch\(module, readout\)"),
        (torch.nn.RNN(D, H), torch.nn.ReLU(), "from_torch also needs the torch.nn.Linear"),
        (torch.nn.RNN(D, H), torch.nn.Linear(H + 1, CLASSES), "takes 6 numbers, but the state has 5"),
        (torch.nn.Linear(D, H), readout, "takes a torch.nn.RNN, LSTM or GRU; got Linear"),
        (None, readout, "got NoneType"),
    ):
        with pytest.raises(ValueError, match=words):
            rv.from_torch(module, head)


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras runs on another backend")
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield keras
    keras.config.set_floatx(before)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras with NumPy 2
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_keras_gives_the_same_states_and_gradients(name, use_bias, keras):
    keras.utils.set_random_seed(2)
    x, targets = batch()
    layer = getattr(keras.layers, name)(H, use_bias=use_bias, return_sequences=True)
    readout = keras.layers.Dense(CLASSES, use_bias=use_bias)
    layer.build((B, T, D))
    readout.build((B, H))
    rng = np.random.default_rng(4)
    for each in (layer, readout):
        each.set_weights([rng.standard_normal(W.shape) for W in each.get_weights()])
    h = layer(torch.tensor(x.transpose(1, 0, 2), requires_grad=True))
    loss = torch.nn.functional.cross_entropy(readout(h[:, -1]), torch.tensor(targets[-1]))
    loss.backward()
    own = rv.from_keras(layer, readout)
    found = rv.bptt(x=x, targets=targets, **own)
    np.testing.assert_allclose(
        found.h[1:].transpose(1, 0, 2), h.detach(), atol=1e-6
    )  # Keras 3.15 multiplies in float32
    assert found.loss == pytest.approx(loss.item(), rel=1e-6)
    blocks = (1, 0, 2) if name == "GRU" else range(found.d_params["W_hh"].shape[1] // H)
    for parameter, key in zip(layer.trainable_variables[:2], ("W_xh", "W_hh"), strict=True):
        d = parameter.value.grad.numpy()
        expected = np.hstack([d[:, k * H : (k + 1) * H] for k in blocks])
        np.testing.assert_allclose(found.d_params[key], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_keras_layers_that_are_something_else_are_named(keras):
    readout = keras.layers.Dense(CLASSES)
    readout.build((B, H))
    for layer, head, words in (
        (keras.layers.GRU(H, reset_after=False), readout, "reset_after must be True; got False"),
        (keras.layers.LSTM(H, go_backwards=True), readout, "go_backwards must be False; got True"),
        (keras.layers.LSTM(H, activation="silu"), readout, "activation must be one of tanh, .*; got 'silu'"),
        (keras.layers.GRU(H, recurrent_activation="relu"), readout, "recurrent_activation must be one of sigmoid"),
        (keras.layers.SimpleRNN(H), readout, "SimpleRNN has no weights yet"),
        (
            keras.layers.SimpleRNN(H),
            None,
            "from_keras also needs the built Dense layer",
        ),
        (keras.layers.Dense(H), readout, "takes a SimpleRNN, LSTM or GRU; got Dense"),
    ):
        with pytest.raises(ValueError, match=words):
            rv.from_keras(layer, head)


def test_nothing_is_imported_for_it():
    import subprocess
    import sys

    code = "import sys, rnnviz as rv; rv.from_torch, rv.from_keras; print({'torch', 'keras'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
