"""A made-up cell, input, activation, scheme and view: one registered definition each, and the page can do it all.

What other rooms know of an entry is a field of it; the made-up ones have names that no room can know.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from pages import make, shown

import rnnviz as rv
from rnnviz.network.activations import ACTIVATIONS, Activation
from rnnviz.network.arithmetic import SIGMOID
from rnnviz.network.cells import CELLS, Cell, StepBack
from rnnviz.network.inputs import INPUTS, Input
from rnnviz.network.schemes import SCHEMES
from rnnviz.views import VIEWS, View

pytestmark = pytest.mark.usefixtures("no_loop")


class UGRNN(Cell):
    """The update-gate RNN: ``n = phi(a_n)``, ``h_t = u * h_{t-1} + (1 - u) * n`` (Collins et al. 2017)."""

    def step(self, params, x, state, phi, num):
        h = state["h"]
        a_u, a_n = self.split(x + h @ params["W_hh"])
        (u, by_a_u), (renew, by_minus_a_u) = num.activate(SIGMOID, a_u), num.activate(SIGMOID, -a_u)
        n, by_a_n = num.activate(phi, a_n)
        kept = (u, by_a_u), (renew, by_minus_a_u), (n, by_a_n), h
        return {"h": u * h + renew * n}, kept, dict(zip(self.gates, (u, n), strict=True))

    def tape(self, kept, phi, num):
        (u, by_a_u), (renew, by_minus_a_u), (n, by_a_n), h = kept
        return (
            num.product(h - n, num.slope(SIGMOID, by_a_u)),
            num.product(num.gate(by_minus_a_u, renew), num.slope(phi, by_a_n)),
            num.gate(by_a_u, u),
        )

    def step_back(self, W_back, tape, d, num):
        by_u, by_n, u = tape
        d_a = [d["h"] * by_u, d["h"] * by_n]
        return StepBack(d, {"h": d["h"] * u + num.through(d_a, W_back)}, d_a, d_a)


CELL = UGRNN(
    name="ugrnn",
    label="UGRNN",
    formula="h = u·h + (1 − u)·n",
    gates=("u", "n"),
    gate_labels={"u": "leak u", "n": "proposal n"},
    step_factor=("u", 2),
    candidate="n",
    factors=3,
    path="the shortcut past n (gate u)",
)
FORGETFUL = replace(
    CELL, name="forgetful", label="Forgetful", gates=("f", "n"), gate_labels={}, step_factor=("f", 2), forget_gate="f"
)


def letters(rng, sizes, text):
    """Read the text as waves: x = sin(code of the character)."""
    codes = np.array([ord(text[t % len(text)]) for t in range(sizes.seq_len)], float)
    x = np.sin(codes)[:, None, None] + np.zeros((1, sizes.batch_size, sizes.input_size))
    return x, rng.integers(sizes.output_size, size=(sizes.seq_len, sizes.batch_size))


INPUT = Input("waves", "Waves of letters", "the characters of a text as waves", letters, reads="text")
ACTIVATION = Activation(
    name="arctan",
    label="arctan",
    formula="arctan(a)",
    f=np.arctan,
    slope_of_output=lambda h: np.cos(h) ** 2,
    slope=lambda a: 1.0 / (1.0 + a * a),
    log_slope=lambda a: -np.log1p(a * a),
    saturated=lambda h: np.abs(h) > 1.4,
    saturation_label="share of units beyond 1.4",
)
SCHEME = replace(SCHEMES["xavier"], name="mine", label="My own scheme", short="Mine")


@dataclass(frozen=True)
class Norm:
    """What the made-up view shows."""

    frame: int
    value: float


class NormView(View):
    """The gradient's log10 at step 0 as one bar, which answers a bet."""

    name = "norm"
    label = "Norm at the start"
    help = "one number"
    reveals_gradient = True

    def data(self, trace):
        return Norm(trace.config.seq_len, float(np.median(trace.log10_grad_norm[0, :, 0])))

    def head(self, data, width):
        return 20.0

    def draw(self, ax, data):
        (line,) = ax.plot([0, 1], [data.value] * 2)
        return {"line": [line]}

    def update(self, artists, data):
        artists["line"][0].set_ydata([data.value] * 2)

    def describe(self, data):
        return f"The norm at the start is 1e{data.value:.1f}."


class CurvesAgain(type(VIEWS["gradient"])):
    """The gradient's view under another name."""

    name = "curves_again"


@pytest.fixture(autouse=True)
def everything():
    """Register all that is made up here."""
    entries = [(CELLS, CELL), (CELLS, FORGETFUL), (INPUTS, INPUT), (ACTIVATIONS, ACTIVATION), (SCHEMES, SCHEME)]
    for registry, entry in [*entries, (VIEWS, NormView()), (VIEWS, CurvesAgain())]:
        registry.add(entry.name, entry)


MADE_UP = {"cell": "ugrnn", "inputs": "waves", "activation": "arctan"}


def test_the_controls_offer_what_is_registered():
    dashboard = make("state")
    controls = dashboard.controls
    for name, value in (MADE_UP | {"scheme": "mine", "input_scheme": "mine"}).items():
        assert value in [entry for _, entry in controls.widgets[name].options], name
    assert controls.compare["mine"].description == "Mine"
    layout = {name: controls.widgets[name].layout for name in ("forget_bias", "text")}
    controls.widgets["inputs"].value = "waves"
    controls.widgets["cell"].value = "forgetful"
    assert [each.display for each in layout.values()] == [None, None]
    controls.widgets["cell"].value = "ugrnn"
    assert layout["forget_bias"].display == "none"
    assert "cell=ugrnn" in dashboard.stage.query
    assert dashboard.stage.message == ""


def test_pictures_words_and_numbers_are_those_of_the_made_up_network():
    views = ("state", "gradient", "gates", "norm")
    dashboard = make(*views, scheme=["mine", "uniform01"], options={"theory": True, "precision": "float16"}, **MADE_UP)
    assert dashboard.stage.message == ""
    pictures = shown(dashboard)
    assert all(png for png, _ in pictures.values())
    assert pictures["norm"][1].startswith("The norm at the start is 1e")
    assert all("Mine" in alt for name, (_, alt) in pictures.items() if name != "norm")
    texts = [word["text"] for word in dashboard.stage.frame["words"]]
    assert texts[0].startswith("Mine:")
    dashboard.stage.step = 5
    assert 1 < len(dashboard.stage.moment) <= 1 + dashboard.stage.frame["told"]
    assert any("gate u alone" in sentence for sentence in dashboard.stage.moment), "the gate has its name"
    expected = rv.compare(dashboard.config, ("mine", "uniform01"), range(2))
    np.testing.assert_array_equal(dashboard.trace.log10_grad_norm, expected.log10_grad_norm)


def test_the_made_up_cell_s_gradients_agree_with_the_complex_step():
    dashboard = make("state", scheme="mine", hidden_size=5, seq_len=6, **MADE_UP)
    dashboard.check.button.click()
    assert "entries checked without backpropagation" in dashboard.check.words.value


def test_a_cell_without_a_matrix_says_so():
    dashboard = make("jacobian", **MADE_UP)
    assert "UGRNN" in shown(dashboard)["jacobian"][1]
    assert "no single matrix" in shown(dashboard)["jacobian"][1]


def test_the_gates_are_called_what_the_cell_calls_them():
    alt = shown(make("gates", **MADE_UP))["gates"][1]
    assert "leak u" in alt
    assert "proposal n" in alt


def test_the_verdict_names_the_cell_s_own_path():
    dashboard = make("gradient", scheme="mine", gain=0.1, seq_len=40, **MADE_UP)
    told = " ".join(word["why"] for word in dashboard.stage.frame["words"])
    assert "shortcut past n (gate u)" in told


def test_the_text_is_in_a_file_where_the_input_reads_it():
    dashboard, sent = make("state", **MADE_UP, text="abracadabra"), []
    dashboard.stage.send = lambda content, buffers=None: sent.append(buffers[0].decode())
    dashboard.receive({"kind": "csv"})
    assert '# text: "abracadabra"' in sent[0]


@pytest.mark.parametrize("view", ["curves_again", "norm"])
def test_a_bet_covers_whatever_reveals_the_gradient(opened, view):
    pictures = []
    for gain in (0.1, 3.0):
        dashboard = opened("predict=1", "state", view, gain=gain)
        assert dashboard.stage.message == ""
        picture, alt = shown(dashboard)[view]
        assert alt == "The gradient is covered until you have placed your bet."
        pictures.append(picture)
    assert pictures[0] == pictures[1]
    dashboard.bet.buttons["fades"].click()
    assert shown(dashboard)[view][0] != pictures[1]
    assert "covered" not in shown(dashboard)[view][1]


def test_a_name_that_is_registered_again_means_the_new_entry():
    first = make("state", scheme="mine").trace
    SCHEMES.add("mine", replace(SCHEMES["orthogonal"], name="mine", short="Mine, again"))
    dashboard = make("state", scheme="mine")
    expected = rv.compare(dashboard.config, ("orthogonal",), range(2))
    np.testing.assert_array_equal(dashboard.trace.log10_grad_norm[0], expected.log10_grad_norm[0])
    assert not np.array_equal(dashboard.trace.log10_grad_norm, first.log10_grad_norm)
    assert "Mine, again" in shown(dashboard)["state"][1]
