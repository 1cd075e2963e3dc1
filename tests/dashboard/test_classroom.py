"""A page of a class: what its kernel tells the server, and what it hears."""

import asyncio

import pytest
from conftest import PATIENCE
from pages import make, shown, until
from parts import text_of

from rnnviz.dashboard.classroom import ADDRESS, STUDENT
from rnnviz.serving.reports import Reports

QUESTION = "predict=1&lock=all&bet=ab12"
pytestmark = [
    pytest.mark.usefixtures("no_loop"),
    pytest.mark.skipif(not hasattr(asyncio, "start_unix_server"), reason="no Unix sockets here"),
]


@pytest.fixture
def in_class(tmp_path, monkeypatch):
    """Return a function that runs a session on a dashboard in a class, with the reports that it has sent."""
    monkeypatch.setenv(ADDRESS, str(tmp_path / "class"))
    monkeypatch.setenv(STUDENT, "somebody")

    async def lesson(session, answer):
        heard = []
        reports = Reports(lambda report: heard.append(report) or answer)
        server = await reports.listen(tmp_path / "class")
        dashboard = make("state", "gradient")
        try:
            async with asyncio.timeout(PATIENCE):
                await until(lambda: dashboard.frame.is_complete)
                await session(dashboard, heard, reports)
        finally:
            dashboard.close()
            await until(lambda: not reports.kernels)
            server.close()

    def run(session, query=QUESTION, answer=None):
        monkeypatch.setenv("QUERY_STRING", query)
        asyncio.run(lesson(session, answer or {}))

    return run


def alt(dashboard):
    return shown(dashboard)["gradient"][1]


def is_covered(dashboard):
    return "covered" in alt(dashboard)


def test_a_bet_is_reported_can_be_changed_and_is_judged_when_the_teacher_shows_the_answer(in_class):
    async def session(dashboard, heard, reports):
        await until(lambda: heard == [{"student": "somebody", "question": "ab12"}])
        assert alt(dashboard) == "The gradient is covered until you have placed your bet."
        buttons = dashboard.bet.buttons
        buttons["grows"].click()
        buttons["fades"].click()
        bets = lambda: [each["bet"] for each in heard if "bet" in each]  # noqa: E731
        await until(lambda: len(bets()) == 2)
        assert [bet["answer"] for bet in bets()] == ["grows", "fades"]
        assert {bet["truth"] for bet in bets()} == {"fades"}, "Xavier's gradient fades"
        assert {bet["scheme"] for bet in bets()} == {"xavier"}
        assert alt(dashboard) == "The gradient is covered until your teacher shows the answer."
        dashboard.attempt(lambda: dashboard.receive({"kind": "csv"}))
        assert dashboard.stage.message == "Your teacher shows the answer first: a file would give it away."
        assert "right" not in text_of(dashboard.bet.result).lower()
        reports.tell({"reveal": "another"})
        reports.tell({"reveal": "ab12"})
        await until(lambda: not is_covered(dashboard))
        assert text_of(dashboard.bet.result) == "Right. 1 of 1 bets right so far."

    in_class(session)


@pytest.mark.parametrize("answer", [{"reveal": "ab12"}, None])
def test_nobody_waits_for_an_old_question_or_a_server_that_is_gone(in_class, answer):
    async def session(dashboard, heard, reports):
        await until(lambda: reports.kernels)
        if answer is None:
            for kernel in reports.kernels:
                kernel.close()
        await until(lambda: dashboard.state.revealed)
        dashboard.bet.buttons["fades"].click()
        await until(lambda: not is_covered(dashboard))

    in_class(session, answer=answer)


def test_the_time_from_a_change_to_its_first_picture_is_reported(in_class):
    async def session(dashboard, heard, reports):
        before = dashboard.worker.clock()
        dashboard.controls.widgets["gain"].value = 1.5
        await until(lambda: heard)
        assert 0 < heard[0]["waited"] <= dashboard.worker.clock() - before
        await until(lambda: dashboard.frame.is_complete)
        assert len(heard) == 1, "drafts and wholes are one answer"

    in_class(session, query="")


def test_outside_of_a_class_a_bet_is_judged_at_once(opened, monkeypatch):
    monkeypatch.delenv(ADDRESS, raising=False)
    dashboard = opened(QUESTION)
    dashboard.bet.buttons["fades"].click()
    assert not is_covered(dashboard)


def test_a_hostile_report_is_no_fault(tmp_path):
    async def session():
        heard = []
        reports = Reports(lambda report: heard.append(report) or {})
        server = await reports.listen(tmp_path / "class")
        for line in (b"nonsense\n", b"[1]\n", b"x" * 100_000, b'{"fine": 1}\n'):
            _, writer = await asyncio.open_unix_connection(str(tmp_path / "class"))
            writer.write(line)
            writer.close()
        await until(lambda: heard == [{"fine": 1}] and not reports.kernels)
        server.close()

    asyncio.run(session())
