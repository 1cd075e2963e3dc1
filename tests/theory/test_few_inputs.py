"""How few inputs change theory's slopes, against integrals over the distribution that the weights have."""

from __future__ import annotations

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.schemes import SCHEMES
from rnnviz.theory.drive import drive
from rnnviz.theory.few_inputs import mean_square_slope, slopes_changed
from rnnviz.theory.prediction import predict
from rnnviz.theory.sequences import expect

SINGLE = {
    "hidden_size": 128,
    "batch_size": 4,
    "input_size": 1,
    "input_scale": 10.0,
    "scheme": "orthogonal",
    "gain": 0.5,
}


@pytest.mark.parametrize(("name", "q", "f"), [("tanh", 2.0, 0.7), ("softsign", 10.0, 0.9), ("tanh", 30.0, 1.0)])
def test_a_uniform_entry_is_integrated(name, q, f):
    phi, entries = ACTIVATIONS[name], SCHEMES["glorot_uniform"].input_entries
    found = mean_square_slope(phi, np.array([q]), np.array([f]), entries)[0]
    e, weight = np.polynomial.legendre.leggauss(200)
    z, density = np.polynomial.hermite_e.hermegauss(100)
    a = np.sqrt(q) * (np.sqrt(3.0 * f) * e[:, None] + np.sqrt(1.0 - f) * z)
    expected = weight @ phi.slope(a) ** 2 @ density / (weight.sum() * density.sum())
    assert found == pytest.approx(expected, rel=0.03)


def test_entries_have_the_fourth_moment_of_their_distribution():
    for name, fourth in {"glorot_uniform": 9 / 5, "pytorch": 9 / 5, "xavier": 3.0, "orthogonal": 3.0}.items():
        assert np.mean(SCHEMES[name].input_entries ** 4) == pytest.approx(fourth, abs=0.1), name


def test_gaussian_weights_and_many_inputs_change_nothing():
    for changes in ({"input_scheme": "xavier"}, {"input_scheme": "pytorch", "input_size": 64}):
        config = rv.Config(**SINGLE | changes)
        driven, phi = drive(config), ACTIVATIONS["tanh"]
        assert (
            slopes_changed(phi, SCHEMES[config.input_scheme], expect(phi, 0.5, driven.variances, "last"), driven) == 0
        )


@pytest.mark.parametrize("changes", [{}, {"inputs": "text", "input_scale": 80.0}], ids=str)
def test_a_single_uniform_input_is_the_reason_given(changes):
    """At gain 0.5, tanh was 1.36 decades off after 60 steps, and solid."""
    reason = "Theory takes what a unit reads to be Gaussian"
    config = rv.Config(**SINGLE | changes)
    uniform, normal = (predict(config.replace(input_scheme=name)) for name in ("glorot_uniform", "xavier"))
    assert uniform.validity.backward < 20
    assert reason in uniform.reason
    assert reason not in normal.reason
