"""Pins that a link brings: computed beside a page that is there already, told, stopped, and waited for."""

import asyncio
import threading

import numpy as np
import pytest
from pages import refuse, until

import rnnviz as rv
from rnnviz.dashboard import task

pytestmark = pytest.mark.usefixtures("no_loop")
LINK = "pin=gain%3D1.5&pin=gain%3D0.5%26seed%3D3"


@pytest.fixture
def held(monkeypatch):
    """Hold the curves of pins until they are let go; ``held.begun`` tells that the first has begun."""
    real, go_on = task.compare, threading.Event()
    go_on.begun, go_on.ticks = threading.Event(), []

    def compare(config, schemes, seeds, tick):
        if config.gain == 1.0:
            return real(config, schemes, seeds, tick=tick)
        go_on.begun.set()
        go_on.wait(20)

        def counted(share):
            tick(share)
            go_on.ticks.append(share)

        return real(config, schemes, seeds, tick=counted)

    monkeypatch.setattr(task, "compare", compare)
    monkeypatch.setattr(task, "TOLD", 0.0)
    return go_on


def greys(dashboard):
    """Return the names of the pins in the gradient's picture."""
    view = dashboard.views["gradient"]
    return [each.name for each in dashboard.job(view)().overlays if each.kind.startswith("pinned")]


def test_the_page_is_there_before_the_curves_that_its_link_has_pinned(opened, held):
    sent = []

    async def session():
        dashboard = opened(LINK)
        dashboard.stage.send = lambda content, buffers=None: sent.append(content)
        await until(lambda: not dashboard.runner.active and held.begun.is_set())
        assert len(dashboard.trace.seeds) == 2, "the whole of the page's own curves"
        assert not dashboard.stage.frame["whole"]
        assert greys(dashboard) == []
        dashboard.give({"kind": "csv", "view": "gradient"})
        assert sent == []
        assert dashboard.stage.query.count("pin=") == 2
        held.set()
        await until(lambda: dashboard.stage.frame["whole"])
        return dashboard

    dashboard = asyncio.run(session())
    assert [content["kind"] for content in sent] == ["file"]
    assert dashboard.stage.progress == {}
    assert greys(dashboard) == ["pinned: Xavier, Gain 1.5, Seed 0", "pinned: Xavier, Gain 0.5, Seed 3"]
    config = dashboard.config.replace(gain=0.5, seed=3)
    expected = rv.compare(config, ("xavier",), (3, 4))
    np.testing.assert_array_equal(dashboard.pins.traces[1][1].log10_grad_norm, expected.log10_grad_norm)
    assert dashboard.stage.message == ""


def test_it_is_told_how_far_a_pin_is(opened, held):
    told = []

    async def session():
        dashboard = opened(LINK)
        dashboard.stage.observe(lambda change: told.append(change["new"]), "progress")
        held.set()
        await until(lambda: dashboard.stage.frame.get("whole"))

    asyncio.run(session())
    assert any(each.get("text", "").startswith("Computing what is pinned: ") for each in told)
    assert told[-1] == {}


def test_nothing_is_told_any_more_where_the_last_pin_comes_just_after_a_change(opened, held):
    async def session():
        dashboard = opened(LINK)
        dashboard.runner.budget.pace = 1e-12  # the whole is computed at once
        await until(lambda: not dashboard.runner.active and held.begun.is_set())
        dashboard.controls.widgets["hidden_size"].value = 13
        assert dashboard.runner.active
        dashboard.stage.progress = {"share": 0.9, "text": "Computing what is pinned: 90%"}
        dashboard.pins.give_up()
        await until(lambda: dashboard.stage.frame["whole"] and dashboard.trace.config.hidden_size == 13)
        held.set()
        return dashboard

    assert asyncio.run(session()).stage.progress == {}


def test_pins_that_take_too_long_can_be_stopped(opened, held):
    async def session():
        dashboard = opened(LINK)
        await until(lambda: not dashboard.runner.active and held.begun.is_set())
        dashboard.give({"kind": "stop"})
        assert dashboard.stage.frame["whole"]
        held.set()
        await asyncio.to_thread(dashboard.pins.executor.shutdown)
        await asyncio.sleep(0)
        return dashboard

    dashboard = asyncio.run(session())
    assert dashboard.pins.pins == ()
    assert "pin=" not in dashboard.stage.query
    assert dashboard.stage.progress == {}
    assert held.ticks == []


def test_what_goes_wrong_with_a_pin_is_said_and_the_page_goes_on(opened, monkeypatch):
    refuse(monkeypatch, lambda config: config.gain == 0.5)

    async def session():
        dashboard = opened(LINK)
        await until(lambda: dashboard.stage.message)
        return dashboard

    dashboard = asyncio.run(session())
    assert "MemoryError: too large" in dashboard.stage.message
    assert greys(dashboard) == ["pinned: Xavier, Gain 1.5"]
    assert dashboard.stage.frame["whole"]


def test_a_pin_whose_scene_the_page_shows_meanwhile_is_computed_once(opened, held):
    async def session():
        dashboard = opened("pin=gain%3D1.5")
        await until(lambda: not dashboard.runner.active and held.begun.is_set())
        pin = dashboard.pins.task
        trace = rv.compare(dashboard.config.replace(gain=1.5), ("xavier",), (0, 1))
        dashboard.pins.known = lambda scene: trace
        dashboard.pins.go_on()
        assert pin.stopped
        assert dashboard.pins.task is None
        assert dashboard.stage.frame["whole"]
        assert dashboard.stage.progress == {}
        held.set()
        return dashboard

    dashboard = asyncio.run(session())
    assert greys(dashboard) == ["pinned: Xavier, Gain 1.5"]


def test_one_more_pin_does_not_end_those_that_are_still_computed(opened, held):
    async def session():
        dashboard = opened(LINK)
        await until(lambda: not dashboard.runner.active and held.begun.is_set())
        dashboard.pins.buttons[0].click()
        held.set()
        await until(lambda: dashboard.stage.frame["whole"])
        return dashboard

    assert greys(asyncio.run(session())) == [
        "pinned: Xavier, Gain 1.5, Seed 0",
        "pinned: Xavier, Gain 0.5, Seed 3",
        "pinned: Xavier, Gain 1, Seed 0",
    ]
