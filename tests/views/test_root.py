"""A line marks sqrt(H) steps, from where one W_hh makes a network differ from theory, and only where that is so."""

import numpy as np
import pytest
from drawn import figure

import rnnviz as rv
from rnnviz.views import VIEWS

REPEATING = {
    "linear units": {"activation": "linear"},
    "ReLU": {"activation": "relu", "scheme": "he"},
    "an output with a mean": {"activation": "sigmoid"},
    "an impulse": {"inputs": "none"},
}
CHANGING = {
    "fresh input": {},
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


def test_no_mark_stands_where_it_would_mean_nothing():
    for name, settings in CHANGING.items():
        assert marked_steps(settings) == [None, None], name


@pytest.mark.parametrize("size", [16, 64, pytest.param(256, marks=pytest.mark.slow)])
def test_networks_part_from_theory_beyond_the_root_and_not_before(size):
    root = int(size**0.5)
    config = rv.Config(activation="linear", inputs="none", hidden_size=size, seq_len=4 * root, batch_size=8)
    moments = rv.compare(config, ("xavier",), range(60)).second_moment[0]
    decades = np.log10(np.median(moments[:, 1:] / moments[:, 1:2], axis=0))  # theory says 0 at every step
    assert np.abs(decades[:root]).max() < 0.1
    assert decades[-1] > 0.4
