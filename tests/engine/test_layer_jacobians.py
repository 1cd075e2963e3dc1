"""Jacobians through layers, against finite differences of a stack that is run here."""

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.engine.layer_jacobians import layer_jacobians


@pytest.mark.parametrize("steps", [1, 3])
def test_jacobians_through_layers_are_finite_differences(steps):
    params = rv.init_params(rv.Config(layers=3, hidden_size=5, input_size=2, gain=1.5, scheme="pytorch"))
    x, states = np.random.default_rng(0).standard_normal((steps, 1, 2)), []
    read = list(x[:, 0])
    for suffix in ("", "_2", "_3"):
        W_xh, W_hh, b = (params[f"{name}{suffix}"] for name in ("W_xh", "W_hh", "b_h"))
        h, outputs = np.zeros(5), []
        for each in read:
            before = h
            h = np.tanh(each @ W_xh + h @ W_hh + b)
            outputs.append(h)
        states.append((W_xh, before @ W_hh + b, read[-1]))
        read = outputs
    found = layer_jacobians(params, x, "tanh")
    assert len(found) == 2
    for J, (W_xh, rest, below) in zip(found, states[1:], strict=True):
        for i, nudge in enumerate(1e-6 * np.eye(5)):
            change = np.tanh((below + nudge) @ W_xh + rest) - np.tanh((below - nudge) @ W_xh + rest)
            np.testing.assert_allclose(J[i], change / 2e-6, atol=1e-9)
