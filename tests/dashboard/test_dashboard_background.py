"""What a dashboard in a kernel computes after its comparison: slow views, pins, advice, checks; and its end."""

import asyncio
import html
import re
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from looping import DRAFTS, SLOW, both_modes, gated_scheme, outbox, put, whole
from pages import everything_in, in_loop, made_up, make, reach, shown, until

from rnnviz.dashboard.pins import pinned
from rnnviz.network.activations import ACTIVATIONS
from rnnviz.views import VIEWS

pytestmark = pytest.mark.usefixtures("no_loop")


# Pages that nobody sees


@both_modes
def test_a_hidden_page_computes_nothing_and_goes_on_once_it_is_seen(mode):
    async def session(dashboard):
        put(dashboard, SLOW, hidden_size=20)
        dashboard.stage.hidden = True
        assert (dashboard.worker.running, list(dashboard.worker.jobs)) == (None, [])
        assert not dashboard.frame.is_complete
        dashboard.stage.hidden = False
        await whole(dashboard)

    in_loop(session, "gradient", seeds=5, mode=mode)


@both_modes
def test_a_training_pauses_while_the_page_is_hidden(mode):
    async def session(dashboard):
        dashboard.race.start.click()
        step = lambda: dashboard.state.race.training.step  # noqa: E731
        await until(lambda: step() > 2)
        dashboard.stage.hidden = True
        await until(lambda: not dashboard.worker.running)
        assert (dashboard.worker.running, dashboard.race.start.description) == (None, "Pause")
        rested = step()
        await asyncio.sleep(0)
        assert step() == rested
        dashboard.stage.hidden = False
        await until(lambda: step() > rested)

    in_loop(session, "race", "gradient", options={"problem": "recall", "training_steps": "10000"}, mode=mode)


# Slow views


@both_modes
def test_a_slow_view_comes_after_the_others_and_only_for_the_last_setting(mode):
    async def session(dashboard):
        awaited = dashboard.stage.frame["views"][1]
        assert (awaited["png"], awaited["stale"]) == (None, True)
        for size in (6, 7, 8):
            put(dashboard, hidden_size=size)
        sent = outbox(dashboard)
        dashboard.receive({"kind": "png", "view": "spectrum"})
        await whole(dashboard)
        await reach(dashboard.stage, lambda: not dashboard.stage.frame["views"][1]["stale"])
        await until(lambda: sent)
        assert [content["name"] for content, _ in sent] == ["rnnviz-spectrum-rnn-tanh-xavier-vs-uniform01-H8-T12.png"]
        first, stale = shown(dashboard)["spectrum"], []
        note = lambda change: stale.append((change["new"]["views"][1]["stale"], shown(dashboard)["spectrum"]))  # noqa: E731
        dashboard.stage.observe(note, "frame")
        put(dashboard, 1e-30, gain=2.0)
        await reach(dashboard.stage, lambda: stale and not stale[-1][0])
        dashboard.stage.unobserve(note, "frame")
        assert stale[0] == (True, first), "the old picture stays, dimmed"
        return shown(dashboard)["spectrum"][1]

    alt = in_loop(session, "state", "spectrum", mode=mode)
    assert alt == shown(make("state", "spectrum", hidden_size=8, gain=2.0))["spectrum"][1]


def test_slow_views_can_be_stopped():
    steps = []

    def computing(trace, **options):
        while True:
            steps.append(time.sleep(0.001))
            yield 0.25

    async def session(dashboard):
        await until(lambda: dashboard.stage.progress)
        assert dashboard.stage.progress["text"] == "Made up, still being computed: 25%"
        dashboard.receive({"kind": "stop"})
        assert dashboard.stage.progress == {}
        assert dashboard.stage.notice == "Stopped: the dimmed pictures were not computed."
        dashboard.stage.viewport = {"width": 500, "ratio": 1}
        assert not any(job.kind == "views" for job in dashboard.worker.jobs), "also after the page has turned"
        assert dashboard.stage.frame["views"][1]["png"] is None
        dashboard.receive({"kind": "png", "view": "made_up"})
        assert dashboard.stage.message == dashboard.stage.notice
        await asyncio.sleep(0.02)
        many = len(steps)
        await asyncio.sleep(0.02)
        assert len(steps) == many

    with made_up(VIEWS, "spectrum", computing=computing):
        in_loop(session, "state", "made_up")


# Pins and bets

LINK = "pin=gain%3D1.5&pin=gain%3D0.5%26seed%3D3"


def test_the_page_is_there_before_the_curves_that_its_link_has_pinned(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", LINK)

    async def session(dashboard):
        sent = outbox(dashboard)
        await until(gate.begun.is_set)
        assert len(dashboard.trace.seeds) == 2, "the whole of the page's own curves"
        assert not dashboard.stage.frame["whole"]
        assert "pinned" not in shown(dashboard)["gradient"][1]
        dashboard.receive({"kind": "csv"})
        dashboard.actions.pin.click()
        assert dashboard.stage.query.count("pin=") == 3
        assert not sent
        gate.go_on.set()
        await whole(dashboard)
        names = [name.removeprefix("pinned: Made up, ") for name, _ in pinned(dashboard.state, dashboard.results)]
        assert names == ["Gain 1.5, Seed 0", "Gain 0.5, Seed 3", "Gain 1, Seed 0"]
        assert all(name in shown(dashboard)["gradient"][1] for name in names)
        assert [content["kind"] for content, _ in sent] == ["file"]
        assert dashboard.stage.progress == {}

    with gated_scheme(lambda rng, fan_in, fan_out, gain: gain == 1.5) as gate:
        in_loop(session, "gradient", scheme="made_up", mode="thread")


def test_pins_that_take_too_long_can_be_stopped(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", LINK)

    async def session(dashboard):
        await until(gate.begun.is_set)
        dashboard.receive({"kind": "stop"})
        assert dashboard.stage.frame["whole"]
        assert dashboard.state.pins == ()
        assert "pin=" not in dashboard.stage.query

    with gated_scheme(lambda rng, fan_in, fan_out, gain: gain == 1.5) as gate:
        in_loop(session, "gradient", scheme="made_up", mode="thread")


@both_modes
def test_what_goes_wrong_with_a_pin_is_said_and_the_page_goes_on(monkeypatch, mode):
    monkeypatch.setenv("QUERY_STRING", LINK)

    async def session(dashboard):
        await until(lambda: dashboard.stage.message)
        await whole(dashboard)
        assert "RuntimeError: too large" in dashboard.stage.message
        assert [trace.config.gain for _, trace in pinned(dashboard.state, dashboard.results)] == [0.5]

    with gated_scheme(lambda rng, fan_in, fan_out, gain: gain == 1.5) as gate:
        gate.error = RuntimeError("too large")
        gate.go_on.set()
        in_loop(session, "gradient", scheme="made_up", mode=mode)


def test_a_pin_waits_for_the_whole_and_no_bet_is_judged_by_a_draft(monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "predict=1")

    async def session(dashboard):
        buttons = dashboard.bet.buttons.values()
        put(dashboard, DRAFTS, hidden_size=20)
        dashboard.actions.pin.click()
        await until(lambda: dashboard.trace.config.hidden_size == 20)
        while not dashboard.stage.frame["whole"]:
            assert all(button.disabled for button in buttons)
            assert dashboard.bet.diagnosis is None
            assert not pinned(dashboard.state, dashboard.results)
            await asyncio.sleep(0)
        assert not any(button.disabled for button in buttons)
        assert [len(trace.seeds) for _, trace in pinned(dashboard.state, dashboard.results)] == [3]
        dashboard.results.pace = SLOW
        dashboard.controls.compare["he"].value = True
        assert all(button.disabled for button in buttons), "more is drawn of the same settings"
        await until(lambda: not any(button.disabled for button in buttons))
        assert "he" in dashboard.trace.schemes
        dashboard.bet.buttons["fades"].click()
        assert dashboard.bet.result.value
        assert len(dashboard.state.bets) == 1

    in_loop(session, "gradient", seeds=3)


# The advice and the check


def test_a_suggestion_comes_at_rest_and_a_click_does_what_it_says():
    hidden = lambda dashboard: "rnnviz-silent" in dashboard.advice.row._dom_classes  # noqa: E731

    async def session(dashboard):
        assert hidden(dashboard)
        await until(lambda: not hidden(dashboard))
        before, changes = dashboard.config, dict(dashboard.advice.changes)
        assert "Try" in dashboard.advice.words.value
        dashboard.advice.button.click()
        assert changes
        assert dashboard.config == before.replace(**changes) != before
        assert hidden(dashboard)
        assert dashboard.controls.settings.config == dashboard.config

    in_loop(session, "gradient", scheme="uniform01")


@both_modes
def test_a_check_says_how_far_it_is_and_can_be_stopped(mode):
    is_slow = []

    def f(a):
        if is_slow:
            time.sleep(0.001)
        return np.tanh(a)

    def said(panel):
        return html.unescape(re.sub("<[^>]*>", "", panel.words.value or panel.progress.value))

    async def session(dashboard):
        panel = dashboard.check
        is_slow.append(True)
        panel.button.click()
        assert said(panel) == "Xavier, seed 3: computing the gradients …"
        assert panel.button.description == "Stop checking"
        await until(lambda: " of 30 entries checked …" in said(panel))
        panel.button.click()
        assert re.fullmatch(r"Xavier, seed 3: stopped after \d+ of 30 entries\. .+", said(panel))
        assert panel.button.description == "Check these gradients"
        stopped = said(panel)
        await asyncio.sleep(0.03)
        assert said(panel) == stopped
        is_slow.clear()
        panel.button.click()
        await until(lambda: panel.button.description == "Check these gradients")
        assert "30 entries checked without backpropagation" in said(panel)
        is_slow.append(True)
        put(dashboard, gain=1.5)
        panel.button.click()
        put(dashboard, gain=1.6)
        assert said(panel) == "", "a result of other settings never comes"
        assert not any(job.kind == "check" for job in dashboard.worker.jobs)

    with made_up(ACTIVATIONS, "tanh", f=f, both=None):
        in_loop(session, "gradient", activation="made_up", seed=3, mode=mode)


# Closing


def test_a_closed_page_frees_its_thread_and_its_widgets():
    async def session(dashboard):
        put(dashboard, hidden_size=13)
        await whole(dashboard)
        threads = set(dashboard.worker.executor._threads)
        assert threads
        inside = everything_in(dashboard)
        put(dashboard, SLOW, hidden_size=14)
        dashboard.close()
        assert all(widget.comm is None for widget in inside)
        await until(lambda: not any(thread.is_alive() for thread in threads))
        assert dashboard.trace is None
        assert not dashboard.worker.results.known, "the comparisons go, though a notebook keeps what a cell returned"

    in_loop(session, "gradient", mode="thread")


def test_a_cell_that_is_run_again_closes_the_pages_that_it_made_before(monkeypatch):
    shell = SimpleNamespace(execution_count=1, kernel=SimpleNamespace(get_parent=lambda: shell.header))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    def run(cell, count=1):
        shell.execution_count += 1
        shell.header = {"metadata": cell, "content": {"code": "Dashboard()"}}
        return [make("state") for _ in range(count)]

    def still_open(*runs):
        return [[page.comm is not None for page in pages] for pages in runs]

    first, other, unnamed = run({"cellId": "a"}, 2), run({"cellId": "b"}), run({})
    before = still_open(first, other, unnamed)
    assert before == [[True, True], [True], [True]], "a cell may make two pages"
    again = run({"cellId": "a"})
    after = still_open(first, again, other, unnamed)
    assert after == [[False, False], [True], [True], [True]]
    run({})
    at_last = still_open(other, unnamed)
    assert at_last == [[True], [False]], "where cells have no names, their source tells them apart"
