"""Small dashboards without a browser, and what they show."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import is_dataclass, replace

from conftest import PATIENCE, SMALL

import rnnviz as rv

TEXT = "abracadabra, abracadabra"


def make(*views, **settings):
    """Return a small dashboard."""
    return rv.Dashboard(*views, **{**SMALL, **settings})


def in_loop(session, *views, **settings):
    """Run a coroutine function on a dashboard in an event loop, close the dashboard, and return the result."""

    async def play():
        dashboard = make(*views, **settings)
        try:
            async with asyncio.timeout(PATIENCE):
                return await session(dashboard)
        finally:
            dashboard.close()

    return asyncio.run(play())


def shown(dashboard):
    """Return name -> (PNG, alt text) of the pictures on the stage."""
    return {view["name"]: (view["png"], view["alt"]) for view in dashboard.stage.frame["views"]}


def everything_in(widget):
    """Return a widget and all widgets inside it."""
    return [widget, *(each for child in getattr(widget, "children", ()) for each in everything_in(child))]


def is_one_sentence(text):
    return text.endswith((".", "?")) and "\n" not in text and "Traceback" not in text


async def reach(stage, condition):
    """Wait until a frame has come with which ``condition()`` holds."""
    come = asyncio.Event()
    watch = lambda change: come.set() if condition() else None  # noqa: E731
    stage.observe(watch, "frame")
    watch(None)
    await asyncio.wait_for(come.wait(), PATIENCE)
    stage.unobserve(watch, "frame")


async def until(condition):
    """Wait for a condition that no frame announces, in a running loop."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.001)


class Like:
    """An entry that is like another but for some attributes."""

    def __init__(self, entry, **changes):
        vars(self).update(changes, entry=entry)

    def __getattr__(self, name):
        return getattr(vars(self)["entry"], name)


@contextmanager
def made_up(registry, like, **changes):
    """Register the entry "made_up", which is like another but for some fields, for as long as a block lasts."""
    changes |= {"name": "made_up", "label": "Made up"}
    entry = registry[like]
    made = replace(entry, **changes) if is_dataclass(entry) else Like(entry, **changes)
    try:
        yield registry.add("made_up", made)
    finally:
        del registry["made_up"]
