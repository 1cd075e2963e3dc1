"""What the tests of views share: traces, data and figures, each made once, and numbers read from texts.

What the artists must hold is worked out in the tests with NumPy from the trace, never with the package's own helpers.
"""

import io
import re
from functools import cache

import numpy as np
from PIL import Image

import rnnviz as rv
from rnnviz.views import VIEWS, canvas

SMALL = rv.Config(hidden_size=12, seq_len=14, batch_size=4)
IMPULSE = SMALL.replace(inputs="none", activation="relu", input_scheme="xavier")
CASES = {
    "plain": (SMALL, ("xavier", "uniform01")),
    "lstm": (SMALL.replace(cell="lstm"), ("xavier", "orthogonal", "small_normal")),
    "gru": (SMALL.replace(cell="gru", activation="sigmoid"), ("keras",)),
    "one step": (SMALL.replace(seq_len=1), ("he", "identity")),
    "one unit": (SMALL.replace(hidden_size=1, input_size=1), ("pytorch", "identity")),
    "exactly 0": (IMPULSE.replace(gain=0.0), ("xavier", "he")),
    "overflow": (IMPULSE.replace(gain=20.0, seq_len=260, hidden_size=4), ("identity", "xavier")),
    "layers": (SMALL.replace(layers=3, truncate=6), ("he", "xavier")),
    "feed-forward": (SMALL.replace(layers=5, seq_len=1), ("glorot_uniform", "pytorch")),
    "six schemes": (SMALL, ("xavier", "he", "orthogonal", "identity", "uniform_centered", "small_normal")),
}
LINES = ("state", "gradient", "gates")
ALL = [(name, case) for name, view in VIEWS.items() if not view.trains for case in CASES]


@cache
def trace_of(case):
    config, schemes = CASES[case]
    return rv.compare(config, schemes, range(4))


@cache
def data_of(name, case):
    return VIEWS[name].data(trace_of(case))


@cache
def figure_of(name, case):
    return figure(name, data_of(name, case))


def figure(name, data, width=560, height=360, scale=1.0):
    return canvas.BlittedFigure(VIEWS[name], data, width, height, scale)


def own_cell(name):
    """Return the small Config with a cell that a view has something to show for."""
    return SMALL.replace(cell="lstm" if VIEWS[name].shows_gates else "rnn")


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def log10(values):
    with np.errstate(divide="ignore"):
        return np.log10(values)


def numbers(text):
    """Return every number of a text, as far as floats go."""
    found = re.findall(r"[−-]?\d+(?:\.\d+)?(?:e-?\d+)?", text)
    return [float(each.replace("−", "-")) for each in found]


def near(text, value):
    """Tell whether a text says a number, rounded as words are."""
    return any(np.isclose(said, value, rtol=0.05 if 1e-3 <= abs(value) < 1e4 else 0.34) for said in numbers(text))


def hollow(line):
    return line.get_markerfacecolor() == "#ffffff" and line.get_marker() not in ("", "None")
