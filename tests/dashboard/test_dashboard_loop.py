"""The dashboard in a kernel, where an event loop runs: drafts, long work, and what goes wrong."""

import threading

import numpy as np
import pytest
from looping import DRAFTS, SLOW, both_modes, gated_scheme, outbox, put, watch, whole
from pages import TEXT, in_loop, is_one_sentence, made_up, reach, until

import rnnviz as rv
from rnnviz.views import VIEWS

pytestmark = pytest.mark.usefixtures("no_loop")


# Drafts


@both_modes
def test_a_heavy_setting_shows_a_draft_at_once_and_all_seeds_at_rest(mode):
    async def session(dashboard):
        seen = watch(dashboard)
        put(dashboard, DRAFTS, hidden_size=20)
        await whole(dashboard)
        assert seen == [(20, 1), (20, 5)]
        expected = rv.compare(dashboard.config, ("xavier", "uniform01"), range(5))
        np.testing.assert_array_equal(dashboard.trace.log10_grad_norm, expected.log10_grad_norm)
        np.testing.assert_array_equal(dashboard.trace.second_moment, expected.second_moment)

    in_loop(session, "gradient", seeds=5, mode=mode)


@both_modes
def test_the_last_of_many_settings_wins_and_rest_comes_once(mode):
    async def session(dashboard):
        seen = watch(dashboard)
        for size in (13, 14, 15):
            put(dashboard, DRAFTS, hidden_size=size)
        await whole(dashboard)
        assert seen == [(15, 1), (15, 5)]

    in_loop(session, "gradient", seeds=5, mode=mode)


def test_where_time_allows_all_seeds_come_at_once():
    async def session(dashboard):
        seen = watch(dashboard)
        put(dashboard, 1e-30, hidden_size=20)
        await whole(dashboard)
        assert seen == [(20, 5)]
        put(dashboard, hidden_size=12)
        assert seen[-1] == (12, 5), "what was shown before is there at once"

    in_loop(session, "gradient", seeds=5)


def test_a_bad_setting_ends_long_work_and_leaves_a_living_page():
    async def session(dashboard):
        put(dashboard, SLOW, hidden_size=20)
        assert dashboard.stage.progress
        put(dashboard, text="aaaa")
        assert "'aaaa'" in dashboard.stage.message
        assert dashboard.stage.progress == {}
        assert not dashboard.worker.jobs
        put(dashboard, text=TEXT)
        await whole(dashboard)
        assert dashboard.stage.message == ""

    in_loop(session, "gradient", inputs="text")


# Long work


def test_long_work_says_how_far_it_is_and_a_file_waits_for_its_end():
    async def session(dashboard):
        sent, order = outbox(dashboard), []
        put(dashboard, SLOW, hidden_size=20)
        assert dashboard.stage.progress == {"share": 0.0, "text": "Computing 3 draws: 0%"}
        assert dashboard.stage.busy
        dashboard.receive({"kind": "csv"})
        dashboard.stage.viewport = {"width": 400, "ratio": 1}
        assert dashboard.stage.busy, "the page has turned, and shows the old settings"
        assert not sent
        for trait in ("frame", "busy"):
            dashboard.stage.observe(lambda change: order.append(change["name"]), trait)
        await whole(dashboard)
        assert order[0] == "frame", "undimmed before the new picture was there"
        assert (dashboard.stage.progress, dashboard.stage.busy) == ({}, False)
        ((content, buffers),) = sent
        assert content["name"].endswith("H20-T12.csv")
        assert b"hidden_size: 20" in buffers[0]
        assert b"\nxavier,2,12," in buffers[0], "of all draws"

    in_loop(session, "gradient", seeds=3)


def test_long_work_can_be_stopped_and_stays_stopped():
    async def session(dashboard):
        put(dashboard, SLOW, cell="lstm")
        dashboard.receive({"kind": "stop"})
        dashboard.stage.viewport = {"width": 500, "ratio": 1}
        assert dashboard.stage.notice == "Stopped: the pictures still show the previous settings."
        assert dashboard.stage.progress == {}
        assert dashboard.stage.busy, "also after the page has turned"
        assert not dashboard.worker.jobs
        assert dashboard.trace.config.cell == "rnn"
        put(dashboard, cell="rnn")
        await whole(dashboard)
        assert (dashboard.stage.notice, dashboard.stage.busy) == ("", False)

    in_loop(session, "gradient")


def test_a_page_that_begins_with_long_work_can_be_stopped_too():
    async def session(dashboard):
        dashboard.stage.viewport = {"width": 400, "ratio": 1}
        dashboard.receive({"kind": "stop"})
        assert dashboard.trace is None
        assert "Stopped before anything was computed" in dashboard.stage.notice
        dashboard.receive({"kind": "csv"})
        assert dashboard.stage.message == "Nothing is computed yet."

    in_loop(session, "gradient", hidden_size=1024, seq_len=400)


# What goes wrong


@both_modes
def test_an_error_inside_is_one_sentence_and_the_page_goes_on(mode):
    with gated_scheme(lambda rng, fan_in, fan_out, gain: gain > 1) as gate:
        gate.error = RuntimeError("too large")
        gate.go_on.set()

        async def session(dashboard):
            put(dashboard, gain=1.5)
            await until(lambda: dashboard.stage.message)
            assert is_one_sentence(dashboard.stage.message)
            assert "inside rnnviz (RuntimeError: too large)" in dashboard.stage.message
            assert dashboard.stage.busy
            assert "settings: ?gain=1.5\n" in dashboard.stage.report
            gate.error = None
            put(dashboard, gain=1.6)
            await whole(dashboard)
            assert dashboard.stage.message == dashboard.stage.report == ""

        in_loop(session, "gradient", scheme="made_up", mode=mode)


def test_the_whole_that_fails_leaves_a_draft_that_says_so():
    with gated_scheme(lambda *arguments: bool(gate.error)) as gate:
        gate.go_on.set()

        async def session(dashboard):
            dashboard.stage.observe(lambda change: setattr(gate, "error", RuntimeError("too large")), "frame")
            put(dashboard, DRAFTS, hidden_size=20)
            await until(lambda: dashboard.stage.message)
            assert "RuntimeError: too large" in dashboard.stage.message
            assert "H = 20, T = 12, 1 of 3 draws" in dashboard.stage.notice
            assert dashboard.stage.progress == {}

        in_loop(session, "gradient", scheme="made_up", seeds=3)


def test_a_slow_view_that_fails_is_one_sentence_and_the_others_come():
    go_on = threading.Event()

    def computing(trace, **options):
        while not go_on.is_set():
            yield 0.0
        raise ZeroDivisionError("no")

    async def session(dashboard):
        sent = outbox(dashboard)
        dashboard.receive({"kind": "png", "view": "made_up"})
        go_on.set()
        await until(lambda: dashboard.stage.message)
        assert is_one_sentence(dashboard.stage.message)
        assert "ZeroDivisionError" in dashboard.stage.message
        assert "raise ZeroDivisionError" in dashboard.stage.report
        await reach(dashboard.stage, lambda: not dashboard.stage.frame["views"][2]["stale"])
        assert "ZeroDivisionError" in dashboard.stage.message, "the others hide no fault"
        assert dashboard.stage.progress == {}
        assert sent == []
        assert dashboard.state.requests == ()

    with made_up(VIEWS, "spectrum", computing=computing):
        in_loop(session, "state", "made_up", "singular")
