"""The PyTorch and Keras code that a page shows runs, and computes the numbers that the page shows."""

from __future__ import annotations

import io

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.dashboard import framework_code
from rnnviz.dashboard.export import KINDS, Request

SMALL = rv.Config(hidden_size=7, input_size=4, output_size=3, seq_len=9, batch_size=5)
NETWORKS = {
    "tanh": {},
    "relu": {"activation": "relu", "gain": 1.5, "loss_at": "every", "truncate": 3},
    "lstm": {"cell": "lstm", "layers": 2, "forget_bias": 2.0, "loss_at": "every", "loss_reduction": "mean"},
    "gru": {"cell": "gru", "layers": 3, "truncate": 4, "inputs": "numbers", "numbers": "1;2\n2;5\n4;3"},
}


@pytest.fixture(params=NETWORKS)
def compared(request):
    """Return a comparison whose first scheme draws biases too, which the code has to load."""
    return rv.compare(SMALL.replace(**NETWORKS[request.param], scheme="pytorch", seed=3), ["pytorch", "he"], [3, 4])


def run(kind, trace, folder, monkeypatch):
    """Run the code of a page beside its weights, and return the names that it defines."""
    file, [weights] = KINDS["npz"](Request("", {}, trace, {}, ["state"]))
    (folder / file["name"]).write_bytes(weights)
    message, _ = KINDS[kind](Request("", {}, trace, {}, ["state"]))
    monkeypatch.chdir(folder)
    space: dict = {}
    exec(message["text"], space)
    return space


def test_the_file_holds_the_first_network_and_what_it_read(compared):
    saved = np.load(io.BytesIO(framework_code.npz(compared)))
    x, targets = compared.inputs(0, 0)
    params = compared.parameters(0, 0)
    assert set(saved) == {*params, "x", "targets"}
    for name, value in (params | {"x": x, "targets": targets}).items():
        np.testing.assert_array_equal(saved[name], value)
    arrays = {name: saved[name] for name in params}
    config = compared.config
    again = rv.trace(arrays, saved["x"], saved["targets"], config.cell, config.activation, config.loss_at,
                     loss_reduction=config.loss_reduction, truncate=config.truncate)  # fmt: skip
    np.testing.assert_array_equal(again.log10_grad_norm, compared.log10_grad_norm[0, 0])


def test_pytorch_code_computes_the_same_states_and_gradients(compared, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    space = run("pytorch", compared, tmp_path, monkeypatch)
    one = compared.one(0, 0)
    assert space["loss"].item() == pytest.approx(one.loss, rel=1e-12)
    np.testing.assert_allclose(space["log10_grad_norm"], one.log10_grad_norm[1:], atol=1e-10)
    h = np.stack([each[-1].detach() for each in space["h"]])
    np.testing.assert_allclose(np.square(h).mean(axis=(1, 2)), one.second_moment[1:], rtol=1e-12)
    np.testing.assert_allclose(h[:, 0], one.units[1:], atol=1e-12)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_keras_code_computes_the_same_states(compared, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("keras")
    space = run("keras", compared, tmp_path, monkeypatch)
    one = compared.one(0, 0)
    h = space["h"].detach().numpy()
    np.testing.assert_allclose(h[0], one.units[1:], atol=2e-6)  # Keras 3.15 multiplies in float32
    np.testing.assert_allclose(np.square(h).mean(axis=(0, 2)), one.second_moment[1:], rtol=1e-5)
    params = compared.parameters(0, 0)
    np.testing.assert_allclose(space["logits"].detach(), h @ params["W_hy"] + params["b_y"], atol=1e-5)


def test_what_a_library_does_not_have_is_said():
    for name, kinds in (("sigmoid", ("pytorch",)), ("linear", ("pytorch",)), ("tanh", ())):
        config = SMALL.replace(activation=name)
        for kind, code in (("pytorch", framework_code.pytorch), ("keras", framework_code.keras)):
            text = code(config, "weights.npz")
            assert text.startswith("# ") == (kind in kinds), (name, kind)
    assert framework_code.pytorch(SMALL.replace(cell="gru", activation="relu"), "w.npz") == (
        "# PyTorch has no layer that computes this GRU with this activation.\n"
    )
