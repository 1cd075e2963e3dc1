"""The trust panel: it checks beside the page, says how far it is, and can be stopped."""

from __future__ import annotations

import asyncio
import html
import re
import threading

import pytest
from pages import make, until

from rnnviz.dashboard import gradient_check_panel as panel_module
from rnnviz.engine import gradient_check

pytestmark = pytest.mark.usefixtures("no_loop")
FINE = re.compile(
    r"Xavier, seed 3: 30 entries agree with the complex step to a relative error of (\S+) \(worst: (.+)\)\."
)


def said(panel):
    return html.unescape(re.sub("<[^>]*>", "", panel.words.value or panel.progress.value))


@pytest.fixture
def gate(monkeypatch):
    """Let a check wait at its fourth step until the gate is opened, and count its steps."""
    opened, steps, real = threading.Event(), [], gradient_check.forward

    def forward(*arguments):
        for step in real(*arguments):
            steps.append(step)
            if len(steps) == 4:
                assert opened.wait(20)
            yield step

    opened.steps = steps
    monkeypatch.setattr(gradient_check, "forward", forward)
    yield opened
    opened.set()


async def stopped(panel, release):
    """Stop a check that stands still, then let its thread end; return what the panel says from then on."""
    panel.button.click()
    assert panel.run is None
    assert panel.button.description == "Check these gradients"
    return await after(panel, release)


async def after(panel, release):
    """Let a check's thread end that is wanted no more; return what the panel says, before as after."""
    text = said(panel)
    release.set()
    await asyncio.to_thread(panel.executor.shutdown)
    await asyncio.sleep(0)
    assert said(panel) == text
    assert panel.button.description == "Check these gradients"
    return text


def test_the_button_says_what_was_compared_and_how_well_it_agrees():
    dashboard = make(seed=3)
    dashboard.trust.button.click()
    error, worst = FINE.fullmatch(said(dashboard.trust)).groups()
    result = gradient_check.check(dashboard.config)
    assert float(error) == pytest.approx(result.error, rel=0.06)
    assert float(error) < 1e-12
    assert worst.startswith(result.worst.where)
    assert dashboard.trust.button.description == "Check these gradients"


def test_in_a_kernel_it_works_in_a_thread_while_the_loop_goes_on(gate, monkeypatch):
    monkeypatch.setattr(panel_module, "TOLD", 0.0)

    async def session():
        panel, told = make(seed=3).trust, []
        for words in (panel.words, panel.progress):
            words.observe(lambda change: told.append(said(panel)), "value")
        panel.button.click()
        assert panel.button.description == "Stop checking"
        await until(lambda: len(gate.steps) == 4)  # the loop goes on although the check stands still
        assert panel.run is not None
        gate.set()
        await until(lambda: panel.run is None)
        return panel, told

    panel, told = asyncio.run(session())
    assert FINE.fullmatch(told[-1])
    assert told[0] == "Xavier, seed 3: computing the gradients …"
    counts = [int(re.search(r"(\d+) of 30", each)[1]) for each in told[1:-1] if each]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert len(counts) > 20
    assert panel.button.description == "Check these gradients"


def test_stopped_it_shows_how_far_it_came_and_ends_within_an_entry(gate):
    async def session():
        panel = make(seed=3).trust
        panel.button.click()
        await until(lambda: len(gate.steps) == 4)
        return await stopped(panel, gate)

    assert asyncio.run(session()) == "Xavier, seed 3: stopped after 0 of 30 entries. Nothing could be compared."
    assert len(gate.steps) == 4


def test_stopped_before_it_has_begun_it_says_so(monkeypatch):
    opened, real = threading.Event(), gradient_check.bptt
    monkeypatch.setattr(gradient_check, "bptt", lambda *arguments: opened.wait(20) and real(*arguments))

    async def session():
        panel = make(seed=3).trust
        panel.button.click()
        return await stopped(panel, opened)

    assert asyncio.run(session()) == "Xavier, seed 3: stopped before anything was compared."


def test_a_result_of_older_settings_never_comes(gate):
    async def session():
        dashboard = make(seed=3)
        panel = dashboard.trust
        panel.button.click()
        await until(lambda: len(gate.steps) == 4)
        dashboard.controls.widgets["gain"].value = 1.5
        assert await after(panel, gate) == ""

    asyncio.run(session())


def test_what_cannot_be_checked_is_said_in_a_sentence():
    dashboard = make(activation="linear", scheme="uniform01", hidden_size=64, seq_len=300)
    dashboard.trust.button.click()
    refused = r"These gradients cannot be checked: the state is not finite from step \d+ on.*\."
    assert re.fullmatch(refused, said(dashboard.trust))
    assert dashboard.trust.button.description == "Check these gradients"
