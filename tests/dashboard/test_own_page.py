"""A page about the reader's own network shows that network, and only the controls that mean something for it."""

from __future__ import annotations

import numpy as np
import pytest
from pages import everything_in, in_loop, until

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs

CONFIG = rv.Config(cell="gru", hidden_size=9, input_size=4, output_size=3, seq_len=8, batch_size=6)
OWN = {"params": rv.init_params(CONFIG.replace(scheme="pytorch", seed=5)), "cell": "gru", "seq_len": 8, "batch_size": 6}


def put(dashboard, **values):
    for name, value in values.items():
        dashboard.controls.widgets[name].value = value


def expected(config, gain=1.0):
    params = OWN["params"] | {"W_hh": gain * OWN["params"]["W_hh"]}
    return rv.trace(
        params, *draw_inputs(config), config.cell, config.activation, config.loss_at, None, config.loss_reduction
    )


def page(query="", **more):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUERY_STRING", query)
        return rv.Dashboard("state", "gradient", **{**OWN, "name": "mine", **more})


def check(dashboard, trace):
    np.testing.assert_array_equal(dashboard.trace.log10_grad_norm[0, 0], trace.log10_grad_norm)
    np.testing.assert_array_equal(dashboard.trace.second_moment[0, 0], trace.second_moment)
    assert dashboard.stage.message == ""
    assert dashboard.stage.frame["words"][0]["text"].startswith("mine: ")
    assert all("mine" in view["alt"] for view in dashboard.stage.frame["views"])


@pytest.mark.usefixtures("no_loop")
def test_the_page_shows_what_trace_computes():
    dashboard = page()
    check(dashboard, expected(CONFIG))
    for changes in (
        {"gain": 2.5},
        {"inputs": "none"},
        {"loss_at": "every", "loss_reduction": "mean"},
        {"seq_len": 5},
        {"seed": 3},
    ):
        put(dashboard, **changes)
        check(dashboard, expected(CONFIG.replace(**changes), changes.get("gain", 1.0)))
        dashboard.controls.show(dashboard.state.home)
        dashboard.controls.changed()
    put(dashboard, gain=0.5)
    again = page(dashboard.link)
    np.testing.assert_array_equal(again.trace.log10_grad_norm, dashboard.trace.log10_grad_norm)


@pytest.mark.usefixtures("no_loop")
def test_controls_that_mean_nothing_are_absent():
    dashboard = page("theory=1")
    absent = {name for name, widget in dashboard.controls.named.items() if "rnnviz-hidden" in widget._dom_classes}
    assert absent == {
        "scheme", "input_scheme", "cell", "activation", "hidden_size", "input_size", "output_size", "forget_bias",
        "layers", "spectral_radius", "beside", "seeds", "theory",
    }  # fmt: skip
    assert not dashboard.strip.scenes
    assert dashboard.check not in everything_in(dashboard)
    assert not any("heory" in item["text"] for item in dashboard.stage.frame["words"])


@pytest.mark.usefixtures("no_loop")
def test_what_the_network_cannot_read_is_refused_in_a_sentence():
    dashboard = page()
    put(dashboard, inputs="text")
    assert dashboard.stage.message.startswith("The network has D = 4 and O = 3; this input has D = ")
    put(dashboard, inputs="gaussian")
    check(dashboard, expected(CONFIG))
    linked = page("hidden_size=5&gain=2")
    assert linked.stage.notice == "In this link hidden_size must be 9, as the network has it; got 5."
    assert linked.config.gain == 2.0
    for more, words in (
        ({"hidden_size": 64}, "hidden_size must be 9, as the network has it; got 64"),
        ({"cell": "lstm"}, "params of a cell 'lstm' are"),
        ({"params": {**OWN["params"], "b_h": np.zeros(3)}}, "b_h must have the shape"),
        ({"params": {**OWN["params"], "W_hh": np.nan * OWN["params"]["W_hh"]}}, "W_hh must hold finite numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            page(**more)


@pytest.mark.usefixtures("no_loop")
def test_own_numbers_reach_an_own_network():
    rows = np.random.default_rng(0).standard_normal((20, 4))
    text = "\n".join(" ".join(map(str, row)) for row in rows)
    dashboard = page(inputs="numbers", numbers=text)
    check(dashboard, expected(CONFIG.replace(inputs="numbers", numbers=text)))


@pytest.mark.usefixtures("no_loop")
def test_pins_bets_and_code_know_the_network(tmp_path, monkeypatch):
    dashboard = page("predict=1")
    assert "mine's gradient" in dashboard.bet.question.value
    dashboard = page()
    dashboard.actions.pin.click()
    put(dashboard, gain=1.5)
    assert "pinned: mine" in dashboard.stage.frame["views"][1]["alt"]
    sent = []
    dashboard.stage.send = lambda content, buffers=None: sent.append((content, buffers))
    for kind in ("npz", "code", "csv", "slide"):
        dashboard.receive({"kind": kind})
    assert dashboard.stage.message == ""
    (tmp_path / sent[0][0]["name"]).write_bytes(sent[0][1][0])
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(sent[1][0]["text"].replace("rv.Dashboard(", "page = rv.Dashboard("), space)
    for trace in (space["trace"], space["page"].trace.one()):
        np.testing.assert_array_equal(trace.log10_grad_norm, dashboard.trace.log10_grad_norm[0, 0])
        assert trace.names == ("mine",)


def test_drafts_lead_to_the_whole():
    async def move(dashboard):
        put(dashboard, gain=1.3)
        await until(lambda: dashboard.frame.is_complete and dashboard.frame.is_current)
        return dashboard.trace

    trace = in_loop(move, "gradient", **OWN, seeds=1, hidden_size=9)
    np.testing.assert_array_equal(trace.log10_grad_norm[0, 0], expected(CONFIG, 1.3).log10_grad_norm)
