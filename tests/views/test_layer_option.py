"""Spectrum, singular values and Jacobian are of the layer shown, against products of that layer's own matrices."""

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.views import VIEWS


@pytest.mark.parametrize("layer", [0, 1, 2, 3])
def test_matrices_and_jacobians_are_those_of_the_layer_shown(layer):
    trace = rv.compare(rv.Config(layers=3, hidden_size=12, seq_len=5, batch_size=2), ("xavier", "orthogonal"), (0, 1))
    suffix, params = {1: "", 2: "_2"}.get(layer, "_3"), trace.parameters(1)
    W, h, J = params[f"W_hh{suffix}"], np.zeros(12), np.eye(12)
    for x in trace.layer_inputs(layer or 3, 1)[:, 0]:
        h = np.tanh(x @ params[f"W_xh{suffix}"] + h @ W + params[f"b_h{suffix}"])
        J = J @ (W * (1 - h * h))
    along, eigenvalues, singular = (
        VIEWS[name].data(trace, layer=layer) for name in ("jacobian", "spectrum", "singular")
    )
    np.testing.assert_allclose(along.curves[1].high[-1], np.log10(np.linalg.svd(J)[1][0]), atol=1e-6)
    np.testing.assert_allclose(abs(eigenvalues.values[1]), np.sort(abs(np.linalg.eigvals(W)))[::-1], atol=1e-12)
    np.testing.assert_allclose(singular.values[1], np.linalg.svd(W)[1], atol=1e-12)
    for title in (along.title, eigenvalues.title, singular.title):
        assert title.endswith(f", layer {layer or 3} of 3")
