"""What is said about how weights are drawn, against the weights and against networks."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.network.schemes import SCHEMES
from rnnviz.story import weights


def test_the_table_has_the_variances_that_matrices_have():
    for settings in ({}, {"gain": 1.7}, {"spectral_radius": 0.8}):
        config = rv.Config(hidden_size=256, **settings)
        for name, row in zip(SCHEMES, weights.table(config, tuple(SCHEMES)), strict=True):
            entry, W = SCHEMES[name], rv.init_params(config.replace(scheme=name))["W_hh"]
            assert row[1] == entry.formula
            assert row[4] == entry.source
            if not entry.random:
                assert row[2:4] == ("–", "–")
                continue
            variance, *mean = re.findall(r"\d\S*\d|\d", row[2])
            assert float(variance) == pytest.approx(W.var(), rel=0.03), (name, settings)
            assert float(row[3]) == pytest.approx(np.sqrt(256 * W.var()), rel=0.015), (name, settings)
            assert bool(mean) == (entry.mean(256, 256) != 0)
            assert not mean or float(mean[0]) == pytest.approx(W.mean(), rel=0.01)


def test_the_settings_of_the_table_are_said():
    assert weights.conditions(rv.Config(gain=1.5)) == "At H = 64 and gain 1.5; σ_w² = H · Var(W_hh)."
    by_radius = weights.conditions(rv.Config(gain=1.5, spectral_radius=0.9))
    assert by_radius == "At H = 64, with W_hh scaled to spectral radius 0.9; σ_w² = H · Var(W_hh)."
    as_gated = weights.conditions(rv.Config(cell="lstm", spectral_radius=0.9))
    assert "gain 1;" in as_gated
    assert list(weights.scales(rv.Config(cell="lstm"))) == []


def test_the_scales_of_tanh_and_sigmoid_are_those_of_the_literature():
    tanh, sigmoid = (" ".join(weights.scales(rv.Config(activation=name))) for name in ("tanh", "sigmoid"))
    assert "critical σ_w: 1 without input, 1.86 with unit noise" in tanh
    assert "E h² settles at 0.464 and the gradient changes by ×0.632 per step" in tanh
    assert "calculate_gain, 1.67, after one kick, E h² settles at 0.424" in tanh
    assert "×1.10 per step" in tanh
    assert "critical σ_w: 10.1 without input, 10.3 with unit noise" in sigmoid
    assert "×0.205" in sigmoid
    assert "×0.236" in sigmoid


def measured(name, gain):
    """Return E h^2 and the gradient's factor per step of wide networks, both in the long run.

    Where outputs have a large mean (ReLU and its like), networks leave theory; the page says so at the curve.
    """
    config = rv.Config(activation=name, gain=gain, hidden_size=400, seq_len=60, batch_size=4)
    runs = rv.compare(config, ("xavier",), range(3))
    norms = np.median(runs.log10_relative_norm[0], axis=0)
    return np.median(runs.second_moment[0, :, -1]), 10 ** ((norms[30] - norms[-1]) / 30)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softsign", "hard_tanh", "gelu"])
def test_wide_networks_settle_where_the_sentences_say(name):
    noise = list(weights.scales(rv.Config(activation=name)))[1]
    moment, factor = measured(name, 1.0)
    said = [float(value) for value in re.findall(r"(?:settles at|×)\s?([\d.]+\d)", noise)]
    assert [moment, factor] == pytest.approx(said, rel=0.06)


def test_powers_keep_their_size_at_the_gain_that_torch_recommends():
    for name, phi in ACTIVATIONS.items():
        said = list(weights.scales(rv.Config(activation=name)))[2:]
        assert len(said) == (phi.torch_gain is not None)
        assert not phi.homogeneous or "state and gradient keep their size" in said[0]
