"""A line marks sqrt(H) steps, from where one W_hh raises the mean square over networks, and only where that is so."""

import numpy as np
import pytest
from drawn import figure

import rnnviz as rv
from rnnviz.theory.prediction import predict
from rnnviz.views import VIEWS

REPEATING = {
    "linear units": {"activation": "linear"},
    "ReLU": {"activation": "relu", "scheme": "he"},
    "an impulse": {"inputs": "none"},
}
DRIVEN = {"an output with a mean": {"activation": "sigmoid"}, "one-hot text": {"inputs": "text"}}
CHANGING = {
    "fresh input": {},
    "large gain": {"gain": 10.0, "hidden_size": 64},
    "orthogonal weights": {"activation": "linear", "scheme": "orthogonal"},
    "one sign": {"activation": "linear", "scheme": "uniform01"},
    "gates": {"cell": "lstm", "inputs": "none"},
    "too short": {"activation": "linear", "seq_len": 4},
}


def marked_steps(settings):
    """Return where the line at sqrt(H) stands in the state and the gradient view, None where it is not seen."""
    config = rv.Config(**{"hidden_size": 25, "seq_len": 30, "batch_size": 2} | settings)
    trace = rv.compare(config, (config.scheme,), range(2))
    found = []
    for name in ("state", "gradient"):
        data = VIEWS[name].data(trace)
        line, words = figure(name, data).artists["root"]
        assert line.get_visible() == words.get_visible() == ("√H" in VIEWS[name].describe(data))
        found.append(float(line.get_xdata()[0]) if line.get_visible() else None)
    return found


def test_a_mark_stands_at_the_root_of_h_where_one_matrix_meets_the_same_slopes():
    for name, settings in REPEATING.items():
        assert marked_steps(settings) == [5.0, 25.0], name


def test_a_mark_stands_in_the_gradient_alone_where_inputs_renew_the_state():
    for name, settings in DRIVEN.items():
        assert marked_steps(settings) == [None, 25.0], name


def test_no_mark_stands_beside_statistics_that_theory_does_not_expect():
    trace = rv.compare(rv.Config(activation="linear", hidden_size=25, seq_len=30, batch_size=2), ("xavier",), range(2))
    assert VIEWS["state"].data(trace, quantity="second_moment").root == 5.0
    assert VIEWS["state"].data(trace, quantity="mean").root is None


def test_theorys_line_and_sentence_name_no_second_root():
    """The mark is sqrt(H), of the mean square; theory's line is dashed where the median leaves it, which is later."""
    config = rv.Config(activation="linear", seq_len=60, batch_size=4)
    data = VIEWS["gradient"].data(rv.compare(config, ("xavier",), range(2)), theory=True)
    solid = next(each.values for each in data.overlays if each.kind == "theory")
    assert np.flatnonzero(np.isfinite(solid))[0] < data.root - 8
    assert "√" not in predict(config).reason


def test_no_mark_stands_where_it_would_mean_nothing():
    for name, settings in CHANGING.items():
        assert marked_steps(settings) == [None, None], name


@pytest.mark.parametrize("size", [16, 64, pytest.param(256, marks=pytest.mark.slow)])
def test_the_mean_square_parts_from_theory_at_the_root_and_the_median_later(size):
    root = int(size**0.5)
    config = rv.Config(activation="linear", inputs="none", hidden_size=size, seq_len=4 * root, batch_size=8)
    moments = rv.compare(config, ("xavier",), range(60)).second_moment[0]
    ratios = moments[:, 1:] / moments[:, 1:2]  # theory says 1 at every step
    decades = np.log10(np.median(ratios, axis=0))
    assert np.abs(decades[:root]).max() < 0.1
    assert decades[-1] > 0.4
    means = ratios.mean(axis=0)
    assert means[root] < 1.3
    assert 1.5 < means[2 * root] > 10 ** decades[2 * root]
