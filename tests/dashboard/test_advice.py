"""The suggestion below the pictures: found at rest, applied by a click, and never one for other settings."""

import asyncio
import threading

import pytest
from pages import make, reach, until

from rnnviz.dashboard import advice, loop, task
from rnnviz.story import suggestions

pytestmark = pytest.mark.usefixtures("no_loop")
HIDDEN = "rnnviz-silent"


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(advice, "REST", 0.01)
    monkeypatch.setattr(loop, "SENT", 0.0)


async def advised(dashboard):
    """Wait until a suggestion is shown."""
    await until(lambda: HIDDEN not in dashboard.advice._dom_classes)
    return dashboard.advice.words.value


async def whole(dashboard):
    await reach(dashboard.stage, lambda: dashboard.stage.frame["whole"])


def test_a_suggestion_comes_at_rest_and_a_click_does_what_it_says(soon):
    async def session():
        dashboard = make(scheme="uniform01", activation="tanh")
        assert HIDDEN in dashboard.advice._dom_classes
        await advised(dashboard)
        before, changes = dashboard.config, dict(dashboard.advice.changes)
        dashboard.advice.button.click()
        await until(lambda: HIDDEN in dashboard.advice._dom_classes)
        return before, changes, dashboard.config

    before, changes, after = asyncio.run(session())
    assert changes
    assert after == before.replace(**changes) != before


def test_a_search_ends_when_the_page_shows_something_else(soon, monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    def endless(trace, k, tick):
        if begun.is_set():
            return
        begun.set()
        try:
            while True:
                tick()
        finally:
            ended.set()

    monkeypatch.setattr(advice, "suggest", endless)

    async def session():
        dashboard = make()
        await until(begun.is_set)
        dashboard.controls.widgets["gain"].value = 1.3
        await until(ended.is_set)
        await whole(dashboard)
        return dashboard

    dashboard = asyncio.run(session())
    assert dashboard.stage.message == ""
    assert HIDDEN in dashboard.advice._dom_classes


def test_a_search_ends_within_a_run(monkeypatch):
    """The next key would have to wait for it."""
    trace, ticks = make().trace, []
    monkeypatch.setattr(suggestions, "MEASURED", {})

    def tick():
        ticks.append(1)
        if len(ticks) == 10:
            raise task.Stopped

    with pytest.raises(task.Stopped):
        suggestions.suggest(trace, 0, tick)
    assert not suggestions.MEASURED


def test_settings_that_come_back_are_advised_on_though_the_search_for_them_was_broken_off(soon, monkeypatch):
    begun, go_on, suggest = threading.Event(), threading.Event(), advice.suggest

    def slow(trace, k, tick):
        begun.set()
        assert go_on.wait(20)
        tick()
        return suggest(trace, k, tick)

    monkeypatch.setattr(advice, "suggest", slow)

    async def session():
        dashboard = make()
        gain = dashboard.controls.widgets["gain"]
        await asyncio.to_thread(begun.wait, 20)
        monkeypatch.setattr(advice, "REST", 20)
        gain.value = 1.3
        go_on.set()
        await until(lambda: not dashboard.adviser.late.pending)
        await whole(dashboard)
        assert HIDDEN in dashboard.advice._dom_classes
        monkeypatch.setattr(advice, "REST", 0.01)
        gain.value = 1.0
        return dashboard, await advised(dashboard)

    dashboard, words = asyncio.run(session())
    assert words == suggest(dashboard.trace, 0).text


def test_after_a_bet_something_is_suggested(soon, monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "?predict=1")

    async def session():
        dashboard = make(scheme="uniform01", activation="tanh")
        await whole(dashboard)
        dashboard.bet.buttons["shrinks"].click()
        return await advised(dashboard)

    assert "Try" in asyncio.run(session())


@pytest.mark.parametrize("query", ["?predict=1", "?lock=gain"])
def test_nothing_is_suggested_where_it_would_tell_or_could_not_be_done(soon, monkeypatch, query):
    monkeypatch.setenv("QUERY_STRING", query)
    asked = []
    monkeypatch.setattr(advice, "suggest", lambda *arguments: asked.append(arguments))

    async def session():
        dashboard = make()
        await whole(dashboard)
        dashboard.adviser.advise()
        return dashboard

    dashboard = asyncio.run(session())
    assert HIDDEN in dashboard.advice._dom_classes
    assert not asked
