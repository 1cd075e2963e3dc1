"""Every figure of the note's claims by another way: closed forms, autograd, float32, and products in logarithms."""

from __future__ import annotations

import re

import numpy as np
import pytest
from conftest import NOTEBOOKS
from numpy.linalg import norm
from replay import mean_field, replay
from scipy.optimize import brentq

import rnnviz as rv
from rnnviz.dashboard.link import from_query
from rnnviz.dashboard.settings import Settings
from rnnviz.network.sampling import draw_inputs
from rnnviz.story.claims import CLAIMS
from rnnviz.story.note import Note

USUAL = {"hidden_size": 256, "seq_len": 60, "batch_size": 4}


def median_factor(skip=0, **settings):
    """Return the gradient's factor per step by autograd."""
    found = replay(**USUAL | settings)
    end = found.config.seq_len - skip
    return 10 ** (np.median(found.norms[0] - found.norms[end]) / end)


def median_left(**settings):
    found = replay(**USUAL | settings)
    return 10 ** np.median(found.norms[0] - found.norms[-1])


def size(t=-1, **settings):
    return np.median(np.square(replay(**USUAL | settings).h[t]).mean(axis=(1, 2)))


PHI = {"tanh": np.tanh, "linear": lambda a: a, "relu": lambda a: np.maximum(a, 0)}
SLOPE = {
    "tanh": lambda a: 4 * np.exp(-2 * abs(a)) / (1 + np.exp(-2 * abs(a))) ** 2,
    "linear": np.ones_like,
    "relu": lambda a: (a > 0) * 1.0,
}


def by_hand(**settings):
    """Return log10 of what eight networks leave of the gradient, whose norm is carried apart, and their losses."""
    logs, losses = [], []
    for seed in range(8):
        config = rv.Config(seed=seed, **USUAL | settings)
        p, (x, targets) = rv.init_params(config), draw_inputs(config)
        h, pre = np.zeros((config.batch_size, config.hidden_size)), []
        for each in x:
            pre.append(each @ p["W_xh"] + h @ p["W_hh"] + p["b_h"])
            h = PHI[config.activation](pre[-1])
        y = h @ p["W_hy"] + p["b_y"]
        y -= y.max(axis=1, keepdims=True)
        d_y = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True) - np.eye(y.shape[1])[targets[-1]]
        losses.append(np.mean(np.log(np.exp(y).sum(axis=1)) - y[np.arange(len(y)), targets[-1]]))
        d, log = d_y @ p["W_hy"].T, 0.0
        d /= norm(d)
        for a in reversed(pre):
            d = (d * SLOPE[config.activation](a)) @ p["W_hh"].T
            log, d = log + np.log10(norm(d)), d / norm(d)
        logs.append(log)
    return np.array(logs), np.median(losses)


def factor_by_hand(**settings):
    return 10 ** (np.median(by_hand(**settings)[0]) / {**USUAL, **settings}["seq_len"])


def perron(units):
    """Return the median of ||M^64||^(1/64) over draws of U[0, 1], which has its largest eigenvalue as its limit."""
    M = np.random.default_rng(1).random((4000, units, units))
    powers, log = M, 0.0
    for _doubling in range(6):
        powers = powers @ powers
        scale = powers.max(axis=(1, 2), keepdims=True)
        powers, log = powers / scale, 2 * log + np.log(scale[:, 0, 0])
    return np.median(np.exp(log / 64))


def float32_overflow():
    """Return the median of the first step at which ReLU states of float32 are infinite."""
    steps = []
    for seed in range(8):
        config = rv.Config(scheme="uniform01", activation="relu", seed=seed, **USUAL)
        p = {name: value.astype(np.float32) for name, value in rv.init_params(config).items()}
        x, h, step = draw_inputs(config)[0].astype(np.float32), np.zeros((4, 256), np.float32), 0
        with np.errstate(over="ignore", invalid="ignore"):
            while np.isfinite(h).all():
                h = np.maximum(x[step] @ p["W_xh"] + h @ p["W_hh"], 0)
                step += 1
        steps.append(step)
    return np.median(steps)


def critical_sigmoid(noise):
    return brentq(lambda gain: mean_field("sigmoid", gain, noise)[1] - 1, 5, 15)


def drawn_sigma(units):
    """Return sqrt(n Var W) of weights drawn from U[-1, 1]."""
    return np.sqrt(units * np.random.default_rng(0).uniform(-1, 1, (units, units)).var())


UNIFORM, CENTRED = {"scheme": "uniform01"}, {"scheme": "uniform_centered"}
ORTHOGONAL, KICK = {"scheme": "orthogonal"}, {"inputs": "none"}
LINEAR = {"activation": "linear", "seq_len": 10}
XAVIER_INPUT = {"input_scheme": "xavier"}
HE = {"scheme": "he", "activation": "relu", "hidden_size": 128, "seq_len": 100}
READ = {"activation": "linear", "seq_len": 1, "batch_size": 32}
LSTM = {"cell": "lstm", "hidden_size": 64, "skip": 1}
SIGMOID = {"activation": "sigmoid"}
CLOSED = {  # claim -> figure -> value and tolerance
    1: {
        "square": (1 / 256, 0.02),
        "square_glorot": (1 / 256, 0.02),
        "input": (1 / 32, 0.04),
        "input_glorot": (1 / 144, 0.04),
    },
    5: {"outlier": (128, 0.01), "bulk": ((256 / 12) ** 0.5, 0.08)},
    8: {"small": (8, 0.1), "middle": (32, 0.02), "large": (128, 0.01)},
    17: {
        "small": (0.1 * drawn_sigma(200), 0.01),
        "medium": (0.05 * drawn_sigma(650), 0.01),
        "large": (0.04 * drawn_sigma(1500), 0.01),
    },
}
REPLAYED = {
    2: {
        "below": lambda: factor_by_hand(gain=0.9, **LINEAR),
        "above": lambda: factor_by_hand(gain=1.1, **LINEAR),
        "twelfth": lambda: factor_by_hand(**CENTRED, **LINEAR),
    },
    3: {
        "noise": size,
        "text": lambda: size(inputs="text"),
        "kick": lambda: size(**KICK, seq_len=200),
    },
    4: {"factor": lambda: median_factor(seq_len=100), "left": lambda: median_left(seq_len=100)},
    6: {
        "times": lambda: pytest.approx(256 / 12, rel=0.02),
        "size": lambda: size(3, **UNIFORM, **XAVIER_INPUT, seq_len=3),
        "saturated": lambda: factor_by_hand(**UNIFORM, **XAVIER_INPUT),
        "centred": lambda: median_factor(**CENTRED, **XAVIER_INPUT),
    },
    7: {
        "noise": lambda: size(**READ),
        "text": lambda: size(inputs="text", **READ),
        "characters": lambda: len(set(rv.Config().text)),
    },
    9: {
        "one": lambda: pytest.approx(0.5, abs=0.03),
        "two": lambda: pytest.approx(perron(2), abs=0.03),
        "three": lambda: pytest.approx(perron(3), abs=0.03),
        "four": lambda: pytest.approx(perron(4), abs=0.03),
    },
    10: {
        "plain": lambda: median_factor(hidden_size=64),
        **{f"bias_{bias}": lambda bias=bias: median_factor(forget_bias=float(bias), **LSTM) for bias in (0, 1, 2, 4)},
    },
    11: {},
    12: {
        "toy": lambda: median_left(**UNIFORM | {"hidden_size": 4, "seq_len": 5}),
        "usual": lambda: 10 ** np.median(by_hand(**UNIFORM, hidden_size=64, seq_len=5)[0]),
    },
    13: {
        "loss": lambda: by_hand(**UNIFORM, inputs="text")[1],
        "guess": lambda: -np.log(1 / len(set(rv.Config().text))),
        "step": float32_overflow,
    },
    14: {
        "theory": lambda: 1.0,
        "least": lambda: 10 ** by_hand(**HE)[0].min(),
        "most": lambda: 10 ** by_hand(**HE)[0].max(),
    },
    15: {
        "linear": lambda: 1.0,
        "kick": lambda: median_left(**ORTHOGONAL, **KICK),
        "noise": lambda: median_factor(**ORTHOGONAL, **XAVIER_INPUT),
        "xavier": median_factor,
    },
    16: {
        "kick": lambda: median_factor(**SIGMOID, **KICK),
        "noise": lambda: median_factor(**SIGMOID),
        "critical_kick": lambda: critical_sigmoid(0.0),
        "critical_noise": lambda: critical_sigmoid(1.0),
    },
}  # fmt: skip


def test_every_claim_is_tested():
    assert sorted(CLAIMS) == sorted([*CLOSED, *REPLAYED]) == list(range(1, 18))


@pytest.mark.parametrize("number", CLOSED)
def test_figures_with_a_closed_form(number):
    figures = CLAIMS[number].figures()
    assert figures == {name: pytest.approx(value, rel=rel) for name, (value, rel) in CLOSED[number].items()}


@pytest.mark.slow
@pytest.mark.parametrize("number", REPLAYED)
def test_figures_by_another_way(number):
    figures = CLAIMS[number].figures()
    assert figures.keys() == REPLAYED[number].keys()
    for name, expected in REPLAYED[number].items():
        value = expected()
        assert figures[name] == (value if hasattr(value, "expected") else pytest.approx(value, rel=1e-4)), name


@pytest.mark.slow
def test_verdicts_follow_from_the_figures():
    """Each line is what the sentences of a claim that fails, or holds in part, say of its figures."""
    by = {number: claim.figures() for number, claim in CLAIMS.items()}
    assert by[2]["below"] < 1 < by[2]["above"] < by[2]["twelfth"]
    assert max(by[3].values()) < 0.5
    assert by[4]["left"] < 1e-15
    assert by[6]["size"] > 0.95
    assert by[6]["saturated"] < 1e-50 < 1 < by[6]["centred"]
    assert by[7]["text"] * by[7]["characters"] == pytest.approx(1, rel=0.05)
    assert by[9]["one"] < 0.9 < 0.98 < by[9]["two"] < 1.2 < by[9]["three"]
    assert abs(by[10]["bias_0"] - by[10]["plain"]) < 0.03 < by[10]["bias_1"] - by[10]["bias_0"]
    assert by[12]["usual"] < 1e-50 < 0.001 < by[12]["toy"]
    assert 2 < by[13]["loss"] / by[13]["guess"] < np.inf
    assert by[14]["least"] < 0.1 < 1000 < by[14]["most"]
    assert abs(by[15]["noise"] - by[15]["xavier"]) < 0.02
    assert max(by[16]["kick"], by[16]["noise"]) < 0.25


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=lambda claim: str(claim.number))
def test_links_open_a_notebook_with_valid_settings(claim):
    name, _, query = claim.link.partition("?")
    assert (NOTEBOOKS / name).is_file()
    state = from_query(query, Settings())
    assert state.notice == ""
    assert from_query("", Settings()).settings != state.settings or not query


def test_a_claim_is_shown_with_its_verdict_figures_and_link():
    words = Note().claims(8, 17)._repr_html_()
    assert re.search(r"8\. U\[0, 1\] overwhelms large layers\.</strong><br><em>holds</em>", words)
    assert "31.8 at 64, 128 at 256" in words
    assert 'href="02_spectrum.ipynb?scheme=uniform01&amp;hidden_size=128"' in words
    assert "σ_w = 0.816, 0.736 and 0.894" in words
    assert Note()._repr_html_().count("<li") == 17
    assert "holds" not in Note()._repr_html_(), "verdicts come after the bet"


@pytest.mark.parametrize("received", [0, 18, "1", None])
def test_an_unknown_number_is_refused(received):
    with pytest.raises(ValueError, match=f"from 1 to 17; got {received!r}"):
        Note().claims(received)
