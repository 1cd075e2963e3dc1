"""Small dashboards without a browser, and what they show."""

from __future__ import annotations

import asyncio
import json

from conftest import SMALL

import rnnviz as rv
from rnnviz.dashboard import task

TEXT = "abracadabra, abracadabra"


def make(*views, **settings):
    return rv.Dashboard(*views, **{**SMALL, **settings})


def shown(dashboard):
    """Return name -> (PNG, alt text) of the pictures on the stage."""
    return {view["name"]: (view["png"], view["alt"]) for view in dashboard.stage.frame["views"]}


def is_one_sentence(text):
    return text.endswith((".", "?")) and "\n" not in text and "Traceback" not in text


def refuse(monkeypatch, which):
    """Let comparisons fail whose Config ``which`` picks out."""
    real = task.compare

    def compare(config, *arguments, **named):
        if which(config):
            raise MemoryError("too large")
        return real(config, *arguments, **named)

    monkeypatch.setattr(task, "compare", compare)


async def reach(stage, condition):
    """Wait until a frame has come with which ``condition()`` holds."""
    come = asyncio.Event()
    watch = lambda change: come.set() if condition() else None  # noqa: E731
    stage.observe(watch, "frame")
    watch(None)
    await asyncio.wait_for(come.wait(), 20)
    stage.unobserve(watch, "frame")


async def until(condition):
    """Wait for a state that no frame tells, in a loop that goes on meanwhile."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def assert_accessible(page):
    """Fail for what axe-core calls serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    bad = [each for each in found if each["impact"] in ("serious", "critical")]
    assert not bad, json.dumps([[each["id"], [node["html"] for node in each["nodes"]]] for each in bad], indent=1)
