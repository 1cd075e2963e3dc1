"""The dashboard in a kernel, where an event loop runs: drafts, rest, long work, late views, and what waits for them."""

import asyncio
import threading

import numpy as np
import pytest
from pages import TEXT, is_one_sentence, make, reach, refuse, shown, until

import rnnviz as rv
from rnnviz.dashboard import app, budget, late, painter, runner, task
from rnnviz.engine import precision
from rnnviz.theory import prediction
from rnnviz.views import VIEWS

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture
def impatient(monkeypatch):
    """Let no computing be bearable while a slider moves, and rest come soon."""
    monkeypatch.setattr(budget, "AT_ONCE", 0.0)
    monkeypatch.setattr(runner, "REST", 0.02)


def test_a_heavy_setting_shows_a_draft_at_once_and_all_seeds_at_rest(impatient):
    async def session():
        dashboard = make(seeds=5)
        await reach(dashboard.stage, lambda: len(dashboard.trace.seeds) == 5)
        seen = []
        dashboard.stage.observe(lambda change: seen.append(len(dashboard.trace.seeds)), "frame")
        dashboard.controls.widgets["hidden_size"].value = 20
        await reach(dashboard.stage, lambda: seen[-1:] == [5])
        assert seen == [1, 5]
        return dashboard

    dashboard = asyncio.run(session())
    expected = rv.compare(dashboard.config, ("xavier", "uniform01"), range(5))
    np.testing.assert_array_equal(dashboard.trace.log10_grad_norm, expected.log10_grad_norm)


def test_theory_is_told_of_all_sequences_beside_a_draft_too(impatient):
    """A draft reads few sequences, whose mean is another: of them theory would say other things."""

    async def session():
        dashboard = make(scheme=("orthogonal", "xavier"), batch_size=16, seed=3, options={"theory": True})
        told = []
        dashboard.stage.observe(lambda change: told.append([each["text"] for each in change["new"]["words"]]), "frame")
        await reach(dashboard.stage, lambda: dashboard.stage.frame["whole"])
        told.clear()
        dashboard.controls.widgets["gain"].value = 1.01
        await reach(dashboard.stage, lambda: dashboard.stage.frame["whole"] and dashboard.trace.config.gain == 1.01)
        return dashboard, told

    dashboard, told = asyncio.run(session())
    config, schemes = dashboard.config, dashboard.trace.schemes
    draft = prediction.sentences(config.replace(batch_size=1), schemes)
    expected = prediction.sentences(config, schemes)
    assert draft != expected, "nothing is tested"
    assert len(told) >= 2
    assert {words[-1] for words in told} == {" ".join(expected)}


def test_the_last_of_many_settings_wins_and_rest_comes_once(impatient, monkeypatch):
    async def session():
        dashboard = make(seeds=5)
        await reach(dashboard.stage, lambda: len(dashboard.trace.seeds) == 5)
        monkeypatch.setattr(runner, "REST", 0.5)
        seen = []
        note = lambda change: seen.append((dashboard.trace.config.hidden_size, len(dashboard.trace.seeds)))  # noqa: E731
        dashboard.stage.observe(note, "frame")
        for size in (13, 14, 15):
            dashboard.controls.widgets["hidden_size"].value = size
            await reach(dashboard.stage, lambda size=size: seen[-1:] == [(size, 1)])
        await reach(dashboard.stage, lambda: len(dashboard.trace.seeds) == 5)
        return seen

    assert asyncio.run(session()) == [(13, 1), (14, 1), (15, 1), (15, 5)]


def test_where_time_allows_all_seeds_come_at_once(monkeypatch):
    monkeypatch.setattr(budget, "AT_ONCE", 1e9)

    async def session():
        dashboard = make(seeds=5)
        dashboard.controls.widgets["hidden_size"].value = 20
        await reach(dashboard.stage, lambda: dashboard.trace.config.hidden_size == 20)
        return len(dashboard.trace.seeds), dashboard.stage.frame["revision"]

    assert asyncio.run(session()) == (5, 2)


def test_a_draft_of_a_bad_setting_leaves_a_living_page(impatient):
    async def session():
        dashboard = make(seeds=3, inputs="text")
        await reach(dashboard.stage, lambda: len(dashboard.trace.seeds) == 3)
        dashboard.controls.widgets["hidden_size"].value = 20  # all seeds are due soon
        dashboard.controls.widgets["text"].value = "aaaa"
        assert "'aaaa'" in dashboard.stage.message
        dashboard.controls.widgets["text"].value = TEXT
        await reach(dashboard.stage, lambda: dashboard.trace.config == dashboard.config)
        return dashboard

    dashboard = asyncio.run(session())
    assert dashboard.stage.message == ""
    assert dashboard.trace.config == dashboard.config


def slow(dashboard):
    """Let a page believe that its machine is very slow: nothing is computed at once."""
    dashboard.runner.budget.pace = 1.0


def test_long_work_says_how_far_it_is_and_a_file_waits_for_its_end(impatient):
    async def session():
        dashboard = make(seeds=3)
        await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole"))
        slow(dashboard)
        sent, told = [], []
        dashboard.stage.send = lambda content, buffers=None: sent.append((content, buffers))
        dashboard.stage.observe(lambda change: told.append((change["new"], dashboard.stage.busy)), "progress")
        dashboard.controls.widgets["hidden_size"].value = 20
        assert told == [({"share": 0.0, "text": "Computing 3 draws: 0%"}, True)]
        dashboard.give({"kind": "csv"})
        assert sent == []
        await until(lambda: sent and told[-1] == ({}, False))
        return dashboard, told, sent

    dashboard, told, sent = asyncio.run(session())
    assert told[-1] == ({}, False)
    ((content, buffers),) = sent
    assert content["name"].endswith("H20-T12.csv")
    assert b"hidden_size: 20" in buffers[0]


def test_long_work_can_be_stopped_and_the_older_pictures_stay_dimmed(impatient):
    async def session():
        dashboard = make(seeds=3)
        await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole"))
        slow(dashboard)
        dashboard.controls.widgets["hidden_size"].value = 20
        dashboard.give({"kind": "stop"})
        await asyncio.sleep(0.1)
        return dashboard

    dashboard = asyncio.run(session())
    assert dashboard.stage.progress == {}
    assert dashboard.trace.config.hidden_size == 12
    assert dashboard.stage.notice == "Stopped: the pictures still show the previous settings."
    assert dashboard.stage.busy


def test_a_draft_that_is_all_there_will_be_is_told_as_such(impatient, monkeypatch):
    monkeypatch.setattr(runner, "REST", 20)

    async def session():
        dashboard = make(seeds=3)
        await reach(dashboard.stage, lambda: dashboard.trace)
        dashboard.controls.widgets["gain"].value = 1.5
        await reach(dashboard.stage, lambda: dashboard.trace.config.gain == 1.5)
        dashboard.give({"kind": "stop"})
        assert "H = 12, T = 12, 1 of 3 draws and" in dashboard.stage.notice
        assert not dashboard.stage.busy
        return dashboard

    dashboard = asyncio.run(session())
    assert len(dashboard.trace.seeds) == 1


def test_a_bad_setting_ends_long_work_and_its_progress(impatient):
    async def session():
        dashboard = make(seeds=3, inputs="text")
        await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole"))
        slow(dashboard)
        dashboard.controls.widgets["hidden_size"].value = 20
        assert dashboard.stage.progress
        dashboard.controls.widgets["text"].value = "aaaa"
        assert dashboard.stage.progress == {}
        assert "'aaaa'" in dashboard.stage.message
        assert not dashboard.runner.active

    asyncio.run(session())


@pytest.mark.parametrize("change", [("hidden_size", 20), ("he", True)])
def test_pictures_of_other_settings_stay_dimmed_when_the_page_turns(impatient, change):
    async def session():
        dashboard = make(seeds=3)
        await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole"))
        slow(dashboard)
        name, value = change
        {**dashboard.controls.widgets, **dashboard.controls.compare}[name].value = value
        assert dashboard.stage.busy
        dashboard.stage.viewport = {"width": 400, "ratio": 1}
        assert dashboard.stage.busy
        assert not dashboard.stage.frame["whole"]
        order = []
        for trait in ("frame", "busy"):
            dashboard.stage.observe(lambda change: order.append(change["name"]), trait)
        await reach(dashboard.stage, lambda: dashboard.stage.frame["whole"])
        assert "busy" not in order[: order.index("frame")], "undimmed before the new picture was there"
        return dashboard

    assert not asyncio.run(session()).stage.busy


def test_a_failure_of_the_whole_leaves_a_draft_that_says_so(impatient, monkeypatch):
    real = task.compare

    def compare(config, schemes, seeds, **named):
        if len(seeds) == 3 and config.hidden_size == 20:
            raise MemoryError("too large")
        return real(config, schemes, seeds, **named)

    monkeypatch.setattr(task, "compare", compare)

    async def session():
        dashboard = make(seeds=3)
        await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole"))
        failed = asyncio.Event()
        dashboard.stage.observe(lambda change: failed.set(), "message")
        dashboard.controls.widgets["hidden_size"].value = 20
        dashboard.give({"kind": "csv"})
        await asyncio.wait_for(failed.wait(), 20)
        return dashboard

    dashboard = asyncio.run(session())
    assert "MemoryError: too large" in dashboard.stage.message
    assert "H = 20, T = 12, 1 of 3 draws" in dashboard.stage.notice
    assert dashboard.stage.progress == dashboard._wanted == {}


def test_a_late_picture_that_is_asked_for_early_is_sent_when_it_is_there(impatient):
    async def session():
        dashboard = make("state", "spectrum")
        sent = asyncio.Queue()
        dashboard.stage.send = lambda content, buffers=None: sent.put_nowait(content["name"])
        dashboard.controls.widgets["hidden_size"].value = 9
        dashboard.give({"kind": "png", "view": "spectrum"})
        return dashboard, [await asyncio.wait_for(sent.get(), 20)]

    dashboard, sent = asyncio.run(session())
    assert sent == ["rnnviz-spectrum-rnn-tanh-xavier-vs-uniform01-H9-T12.png"]
    assert dashboard.stage.message == ""


def test_a_pin_waits_for_the_whole_and_no_bet_is_judged_by_a_draft(impatient, monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "predict=1")

    async def session():
        dashboard = make(seeds=3)
        assert all(button.disabled for button in dashboard.bet.buttons.values())
        dashboard.pins.buttons[0].click()
        assert dashboard.pins.traces == []
        await reach(dashboard.stage, lambda: dashboard.stage.frame["whole"])
        assert not any(button.disabled for button in dashboard.bet.buttons.values())
        assert [len(trace.seeds) for _name, trace in dashboard.pins.traces] == [3]
        assert dashboard.stage.message == ""

    asyncio.run(session())


def test_a_page_that_begins_with_long_work_can_be_stopped_too(impatient, monkeypatch):
    monkeypatch.setattr(runner, "Budget", lambda: budget.Budget(pace=1.0))

    async def session():
        dashboard = make()
        dashboard.stage.viewport = {"width": 400, "ratio": 1}
        dashboard.give({"kind": "stop"})
        return dashboard

    dashboard = asyncio.run(session())
    assert dashboard.trace is None
    assert "nothing is computed yet" in dashboard.stage.notice
    with pytest.raises(ValueError, match="Nothing is computed yet"):
        dashboard.give({"kind": "csv"})


@pytest.mark.parametrize("name", [name for name, view in VIEWS.items() if view.late])
def test_a_late_view_comes_after_the_others_and_only_for_the_last_setting(monkeypatch, name):
    monkeypatch.setattr(budget, "AT_ONCE", 1e9)

    async def session():
        dashboard = make("state", name)
        awaited = dashboard.stage.frame["views"][1]
        assert (awaited["name"], awaited["png"], awaited["stale"]) == (name, None, True)
        assert awaited["alt"] == f"{VIEWS[name].label}: still being computed"
        assert awaited["width"] == dashboard.stage.frame["views"][0]["width"]
        for size in (6, 7, 8):
            dashboard.controls.widgets["hidden_size"].value = size
        await reach(dashboard.stage, lambda: dashboard.trace.config.hidden_size == 8)
        await reach(dashboard.stage, lambda: not any(view["stale"] for view in dashboard.stage.frame["views"]))
        first = shown(dashboard)[name]
        frames = []
        dashboard.stage.observe(lambda change: frames.append((change["new"], shown(dashboard)[name])), "frame")
        dashboard.controls.widgets["gain"].value = 2.0
        await reach(dashboard.stage, lambda: frames)
        assert [view["stale"] for view in frames[0][0]["views"]] == [False, True]
        assert frames[0][1] == first, "the old picture stays, dimmed"
        await reach(dashboard.stage, lambda: not any(view["stale"] for view in dashboard.stage.frame["views"]))
        return dashboard

    dashboard = asyncio.run(session())
    config = rv.Config(hidden_size=8, seq_len=12, batch_size=4, gain=2.0)
    at_once = make("state", name, hidden_size=8, gain=2.0)
    assert dashboard.config == config
    assert shown(dashboard)[name][1] == shown(at_once)[name][1]


def test_a_late_views_error_is_one_sentence(monkeypatch):
    monkeypatch.setattr(budget, "AT_ONCE", 1e9)
    broken = app.Dashboard.job

    def job(self, view):
        made = broken(self, view)
        return app.Job(lambda trace, tick: 1 / 0, made.trace, {}) if view.late else made

    monkeypatch.setattr(app.Dashboard, "job", job)

    async def session():
        dashboard = make("state", "spectrum")
        said = asyncio.Event()
        dashboard.stage.observe(lambda change: said.set(), "message")
        await asyncio.wait_for(said.wait(), 20)
        return dashboard

    dashboard = asyncio.run(session())
    assert is_one_sentence(dashboard.stage.message)
    assert "ZeroDivisionError" in dashboard.stage.message


def test_a_late_view_that_fails_leaves_no_progress_and_the_others_hide_no_fault(monkeypatch):
    monkeypatch.setattr(budget, "AT_ONCE", 1e9)
    go_on, broken = threading.Event(), app.Dashboard.job

    def fail(trace, tick):
        assert go_on.wait(20)
        return 1 / 0

    def job(self, view):
        made = broken(self, view)
        return app.Job(fail, made.trace, {}) if view.name == "spectrum" else made

    monkeypatch.setattr(app.Dashboard, "job", job)

    async def session():
        dashboard = make("state", "spectrum", "singular")
        sent = []
        dashboard.stage.send = lambda content, buffers=None: sent.append(content)
        await until(lambda: dashboard.stage.progress)
        assert dashboard.stage.progress["text"] == "Eigenvalues, still being computed: 0%", "one item has no shares"
        dashboard.give({"kind": "png", "view": "spectrum"})
        go_on.set()
        await reach(dashboard.stage, lambda: not dashboard.stage.frame["views"][2]["stale"])
        return dashboard, sent

    dashboard, sent = asyncio.run(session())
    assert "ZeroDivisionError" in dashboard.stage.message
    assert "1 / 0" in dashboard.stage.report
    assert dashboard.stage.progress == {}
    assert not dashboard._wanted
    assert not sent


def test_a_first_comparison_that_fails_says_that_there_is_none(impatient, monkeypatch):
    monkeypatch.setattr(runner, "Budget", lambda: budget.Budget(pace=1.0))
    refuse(monkeypatch, lambda config: True)

    async def session():
        dashboard = make(gain=1.25)
        dashboard.stage.viewport = {"width": 400, "ratio": 1}
        await until(lambda: dashboard.stage.message)
        return dashboard

    dashboard = asyncio.run(session())
    assert "nothing is computed yet" in dashboard.stage.notice
    assert "MemoryError" in dashboard.stage.message


def test_pictures_that_could_not_be_drawn_stay_dimmed_and_the_report_has_the_settings(impatient, monkeypatch):
    async def session():
        dashboard = make(seeds=3)
        await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole"))
        monkeypatch.setattr(painter.Painter, "pictures", lambda *arguments, **named: 1 / 0)
        dashboard.controls.widgets["gain"].value = 1.5
        await until(lambda: dashboard.stage.message and not dashboard.runner.active)
        return dashboard

    dashboard = asyncio.run(session())
    assert dashboard.stage.busy
    assert "settings: ?gain=1.5\n" in dashboard.stage.report


def test_late_work_is_told_and_can_be_stopped(monkeypatch):
    monkeypatch.setattr(budget, "AT_ONCE", 1e9)
    monkeypatch.setattr(late, "TOLD", 0.0)
    go_on, broken, ended = threading.Event(), app.Dashboard.job, []

    def data(trace, tick):
        tick(0.25)
        assert go_on.wait(20)
        try:
            tick(0.5)
        except task.Stopped:
            ended.append(trace)
            raise
        return VIEWS["spectrum"].data(trace)

    def job(self, view):
        made = broken(self, view)
        return app.Job(data, made.trace, {}) if view.late else made

    monkeypatch.setattr(app.Dashboard, "job", job)

    async def session():
        dashboard = make("state", "spectrum")
        told = []
        dashboard.stage.observe(lambda change: told.append(change["new"].get("text")), "progress")
        await until(lambda: "Eigenvalues, still being computed: 25%" in told)
        dashboard.give({"kind": "stop"})
        assert dashboard.stage.progress == {}
        assert dashboard.stage.notice == "Stopped: what is dimmed was not computed."
        go_on.set()
        await asyncio.to_thread(dashboard.late.executor.shutdown)
        await asyncio.sleep(0)
        assert dashboard.stage.frame["views"][1]["png"] is None
        assert ended == [dashboard.trace]
        assert dashboard.stage.message == ""
        dashboard.stage.viewport = {"width": 500, "ratio": 1}
        assert not dashboard.late.pending, "also after the page has turned"
        assert dashboard.stage.frame["views"][1]["width"] == 500
        dashboard.attempt(lambda: dashboard.give({"kind": "png", "view": "spectrum"}))
        assert dashboard.stage.message == dashboard.stage.notice

    asyncio.run(session())


def test_narrow_floats_of_a_large_network_keep_no_other_picture_waiting(impatient, monkeypatch):
    monkeypatch.setattr(app, "NARROW", 0)
    in_loop, held = [], precision.held

    def watched(*arguments):
        in_loop.append(threading.current_thread() is threading.main_thread())
        return held(*arguments)

    monkeypatch.setattr(precision, "held", watched)

    async def session():
        dashboard = make(options={"precision": "float16"}, seeds=3)
        await reach(dashboard.stage, lambda: not any(view["stale"] for view in dashboard.stage.frame["views"]))
        dashboard.controls.widgets["gain"].value = 1.3
        await reach(dashboard.stage, lambda: dashboard.trace.config.gain == 1.3)
        assert [view["stale"] for view in dashboard.stage.frame["views"]] == [False, True]
        await reach(dashboard.stage, lambda: not any(view["stale"] for view in dashboard.stage.frame["views"]))
        return dashboard

    dashboard = asyncio.run(session())
    assert "in float16" in shown(dashboard)["gradient"][1]
    assert in_loop
    assert not any(in_loop)


def test_stopped_before_anything_of_these_settings_is_there_says_so_and_advises_nothing(impatient):
    async def session():
        dashboard = make(seeds=3)
        await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole"))
        slow(dashboard)
        dashboard.controls.widgets["cell"].value = "lstm"
        dashboard.give({"kind": "stop"})
        assert dashboard.trace.config.cell == "rnn"
        assert dashboard.stage.notice == "Stopped: the pictures still show the previous settings."
        assert dashboard.stage.busy
        dashboard.stage.viewport = {"width": 500, "ratio": 1}
        assert dashboard.stage.busy, "also after the page has turned"
        assert dashboard.subject() is None
        dashboard.controls.widgets["cell"].value = "rnn"
        await reach(dashboard.stage, lambda: dashboard.stage.frame["whole"] and not dashboard.stage.busy)
        assert dashboard.subject() is dashboard.trace

    asyncio.run(session())


def test_a_bet_waits_when_more_is_drawn_of_the_same_settings(impatient, monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "predict=1")

    async def session():
        dashboard = make(seeds=3)
        buttons = dashboard.bet.buttons.values()
        await reach(dashboard.stage, lambda: not any(button.disabled for button in buttons))
        drafts = []
        watch = lambda change: drafts.append([button.disabled for button in buttons])  # noqa: E731
        dashboard.stage.observe(watch, "frame")
        dashboard.controls.compare["he"].value = True
        await reach(dashboard.stage, lambda: "he" in dashboard.trace.schemes and dashboard.stage.frame["whole"])
        assert all(drafts[0])
        assert not any(drafts[-1])
        assert len(dashboard.bet.trace.seeds) == 3

    asyncio.run(session())


def test_a_late_view_whose_settings_came_back_is_given_though_others_were_begun(monkeypatch):
    monkeypatch.setattr(budget, "AT_ONCE", 1e9)

    async def session():
        dashboard = make("state", "spectrum")
        gain, late = dashboard.controls.widgets["gain"], dashboard.late
        await reach(dashboard.stage, lambda: shown(dashboard)["spectrum"][0])
        gain.value = 1.5
        await until(lambda: late.pending or late.done["spectrum"][0].trace is dashboard.trace)
        gain.value = 1.0
        await reach(dashboard.stage, lambda: dashboard.trace.config.gain == 1.0)
        sent = asyncio.Queue()
        dashboard.stage.send = lambda content, buffers=None: sent.put_nowait(content["name"])
        await asyncio.sleep(0.05)
        dashboard.give({"kind": "png", "view": "spectrum"})
        assert await asyncio.wait_for(sent.get(), 20)

    asyncio.run(session())


def test_of_large_comparisons_only_the_last_is_kept_with_its_pictures(monkeypatch):
    monkeypatch.setattr(painter, "BYTES", 0)
    dashboard = make()
    for size in (6, 7, 8):
        dashboard.controls.widgets["hidden_size"].value = size
    kept = {id(job.trace) for pictures in dashboard.painter.kept.values() for job, *_rest in pictures}
    assert kept == {id(dashboard.trace)}
