"""What is said about settings, against numbers computed another way."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.schemes import SCHEMES
from rnnviz.story.notes import notes


def said(schemes=("xavier",), **settings):
    return notes(rv.Config(**settings), schemes)


def test_nothing_is_said_where_nothing_is_unusual():
    for settings in ({}, {"inputs": "digits"}, {"cell": "gru"}, {"cell": "lstm"}, {"inputs": "none"}):
        assert said(("xavier", "keras"), **settings) == [], settings
    assert said(("pytorch", "keras"), forget_bias=3.0) == [], "an RNN has no forget bias"


def test_a_framework_is_not_at_its_default_with_another_forget_bias():
    words = "Keras starts with forget bias 1: at {} it is no longer the default."
    for bias, shown in ((0.0, "0"), (2.5, "2.5"), (-20.0, "-20"), (1.0000001, "1.0000001")):
        assert said(("xavier", "keras"), cell="lstm", forget_bias=bias) == [words.format(shown)]


def test_pytorch_draws_biases_that_the_forget_bias_leaves_alone():
    one, other = (said(("pytorch", "keras"), cell="lstm", forget_bias=bias) for bias in (1.0, 4.0))
    assert len(one) == 1
    assert other[0] == one[0]
    assert re.findall(r"0\.\d+", one[0]) == ["0.50", "0.73", "0.87"]


def test_a_one_hot_input_is_compared_with_noise():
    assert "a single 1 among 47 numbers, has E x² = 1/47" in said(inputs="text")[0]
    assert "has E x² = 0.085 at input scale 2" in said(inputs="text", input_scale=2.0)[0]
    assert said(inputs="text", input_scale=np.sqrt(47), cell="gru") == said(inputs="text", input_scale=np.sqrt(47))
    assert "6.86 = √47 is as large as noise" in said(inputs="text", input_scale=np.sqrt(47))[0]
    assert len(said(inputs="text", input_scale=100.0)) == 1
    assert "E x² = 5000" in said(inputs="text", text="ab", input_scale=100.0)[0]


def per_step(**settings):
    """Return the median factor per step on the way back of a wide network, after the first 10 steps."""
    config = rv.Config(hidden_size=256, seq_len=60, **settings)
    norms = np.median(rv.compare(config, ("xavier",), range(4)).log10_relative_norm[0], axis=0)
    return 10 ** ((norms[10] - norms[-1]) / 50)


def test_the_factors_of_text_and_noise_are_those_that_wide_networks_have():
    words = said(("uniform01", "xavier"), inputs="text", gain=1.2)[1]
    ours, noise = map(float, re.findall(r"×([\d.]+\d)", words))
    assert "with Xavier" in words
    assert per_step(inputs="text", gain=1.2) == pytest.approx(ours, rel=0.04)
    assert per_step(input_size=47, gain=1.2) == pytest.approx(noise, rel=0.04)
    assert per_step(inputs="text", gain=1.2, input_scale=np.sqrt(47)) == pytest.approx(noise, rel=0.04)


def test_no_steeper_slopes_where_there_are_none():
    for settings in ({"activation": "linear"}, {"activation": "relu"}, {"gain": 0.0}, {"gain": 20.0}, {"cell": "lstm"}):
        assert len(said(inputs="text", **settings)) == 1, settings
    for scheme in ("uniform01", "identity"):
        assert len(said((scheme,), inputs="text")) == 1, scheme
    assert len(said(inputs="text", input_scheme="uniform01")) == 1
    assert len(said(inputs="text", input_scale=10.0)) == 1


@pytest.mark.parametrize(("reduction", "loss"), [("sum", "125"), ("mean", "2.5")])
def test_the_loss_over_steps_is_said_with_its_size(reduction, loss):
    config = rv.Config(loss_at="every", loss_reduction=reduction)
    (words,) = notes(config, ("xavier",), rv.run(config))
    assert words.startswith(f"The loss is the {reduction} of 50 losses, one for each step: {loss} with Xavier")
    assert (reduction == "mean") == ("1/50" in words)


def test_no_loss_over_steps_where_there_is_one_step_or_no_loss():
    for settings in ({}, {"loss_at": "every", "seq_len": 1}, {"loss_at": "every", "activation": "relu", "gain": 20.0}):
        config = rv.Config(scheme="uniform01", seq_len=300).replace(**settings)
        assert notes(config, ("uniform01",), rv.run(config)) == []


def test_every_scheme_can_be_said_of():
    for cell in rv.cells.CELLS:
        for sentence in said(tuple(SCHEMES), cell=cell, inputs="text", forget_bias=0.5):
            assert sentence.endswith(".")
            assert "{" not in sentence


def test_a_spectral_radius_is_said_as_a_gain():
    config = rv.Config(spectral_radius=1.0, hidden_size=16, seq_len=4, batch_size=2)
    trace = rv.compare(config, ("uniform01", "identity"), range(5))
    drawn = [config.replace(scheme="uniform01", spectral_radius=0.0, seed=seed) for seed in range(5)]
    radii = sorted(np.abs(np.linalg.eigvals(rv.init_params(each)["W_hh"])).max() for each in drawn)
    gain, low, high = (f"{1 / radii[k]:.3g}" for k in (2, 4, 0))
    first, second, *_rest = notes(config, trace.schemes, trace)
    assert first == f"For U[0, 1], spectral radius 1 means gain {gain} ({low} to {high} by draw)."
    assert second == "For Identity, spectral radius 1 means gain 1."
    assert not notes(config.replace(spectral_radius=0.0), trace.schemes, rv.run(config.replace(spectral_radius=0.0)))
