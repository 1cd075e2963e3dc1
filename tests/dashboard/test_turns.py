"""Turns: of the kernels of one server only two compute something large at a time."""

import asyncio

import pytest
from conftest import PATIENCE
from pages import until
from working import MODES, Page, Work, player

from rnnviz.dashboard.turns import ADDRESS
from rnnviz.serving.turns import Turns

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture(params=MODES)
def play(request):
    return player(request.param)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Return a function that runs a session on five kernels of one server, which lets two compute at a time."""

    def queue(session, mode, **options):
        address = tmp_path / "turns"
        monkeypatch.setenv(ADDRESS, str(address))

        async def all_of_it():
            server = await Turns(2).listen(address)
            pages = [Page(mode) for _ in range(5)]
            works = [Work(str(k)) for k in range(5)]
            try:
                async with asyncio.timeout(PATIENCE):
                    for page, work in zip(pages, works, strict=True):
                        page.ask(work.job(takes_turns=True, **options))
                        await asyncio.sleep(0.01)
                    await session(pages, works)
            finally:
                for page in pages:
                    page.worker.close()
                await asyncio.sleep(0.01)
                server.close()

        asyncio.run(all_of_it())

    return queue


needs_sockets = pytest.mark.skipif(not hasattr(asyncio, "open_unix_connection"), reason="no Unix sockets here")


@needs_sockets
@pytest.mark.parametrize("mode", MODES)
def test_two_kernels_compute_at_a_time_and_the_first_to_come_is_served_first(queue, mode):
    async def session(pages, works):
        begun = lambda: [bool(work.steps) for work in works]  # noqa: E731
        await until(lambda: begun() == [True, True, False, False, False])
        small = Work("small", is_ready=True)
        pages[4].ask(small.job())
        await until(lambda: pages[4].done == ["small"])
        pages[4].ask(works[4].job(takes_turns=True))
        await asyncio.sleep(0.01)
        pages[2].ask()
        works[0].go_on.set()
        await until(lambda: begun() == [True, True, False, True, False])
        pages[1].worker.close()
        await until(lambda: begun() == [True, True, False, True, True])
        assert pages[0].done == ["0"]

    queue(session, mode)


@needs_sockets
@pytest.mark.parametrize("mode", MODES)
def test_a_turn_goes_to_whoever_has_to_have_it_first_and_nobody_waits_for_ever(queue, mode):
    async def session(pages, works):
        begun = lambda: [bool(work.steps) for work in works]  # noqa: E731
        await until(lambda: begun() == [True, True, False, False, False])
        soon, later = Work("soon"), Work("later")
        for page, work, within in ((pages[3], later, 60.0), (pages[4], soon, 1.0)):
            page.ask(work.job(takes_turns=True, within=within))
            await asyncio.sleep(0.01)
        works[0].go_on.set()
        await until(lambda: soon.steps)
        assert (works[2].steps, later.steps) == (0, 0)
        soon.go_on.set()
        await until(lambda: later.steps)
        assert not works[2].steps
        works[1].go_on.set()
        await until(lambda: works[2].steps)

    queue(session, mode)


@needs_sockets
@pytest.mark.parametrize("mode", MODES)
def test_jobs_of_short_turns_let_one_another_pass_and_go_on(queue, mode):
    async def session(pages, works):
        await until(lambda: all(work.steps for work in works))
        before = [work.steps for work in works]
        await until(lambda: all(work.steps > old for work, old in zip(works, before, strict=True)))
        assert [work.begun for work in works] == [1] * 5
        for work in works:
            work.go_on.set()
        await until(lambda: [page.done for page in pages] == [["0"], ["1"], ["2"], ["3"], ["4"]])

    queue(session, mode, lasts=0.01)


@needs_sockets
def test_only_what_the_reader_waits_for_tells_how_busy_the_machine_is(queue):
    async def session(pages, works):
        await until(lambda: works[1].steps)
        advice = Work("advice")
        pages[3].ask(advice.job(takes_turns=True, kind="advice"))
        pages[4].ask()
        await asyncio.sleep(0.01)
        for page in pages:
            page.clock.now += 3.0
        for work in works[:3]:
            work.go_on.set()
        await until(lambda: pages[2].done == ["2"] and advice.steps)
        assert [page.results.waited for page in pages[:4]] == [0.0, 0.0, 3.0, 0.0]

    queue(session, "thread")


@pytest.mark.parametrize("is_stuck", [False, True])
def test_turns_wait_for_what_goes_ahead_but_not_for_ever(is_stuck):
    async def session():
        turns, ahead = Turns(1), asyncio.Event()

        async def page():
            async with turns.ahead(0.2 if is_stuck else 60):
                await ahead.wait()

        pages = [asyncio.create_task(page()) for _ in range(2)]
        await asyncio.sleep(0)
        turn = asyncio.create_task(turns.take(0))
        await asyncio.sleep(0.05)
        assert not turn.done()
        if not is_stuck:
            ahead.set()
        async with asyncio.timeout(20):
            await turn
        assert [each.done() for each in pages] == [not is_stuck] * 2
        ahead.set()
        await asyncio.gather(*pages)
        later = asyncio.create_task(turns.take(0))
        await asyncio.sleep(0.05)
        assert not later.done(), "the turns are as many as before"
        turns.give_back()
        async with asyncio.timeout(20):
            await later

    asyncio.run(session())


@needs_sockets
@pytest.mark.parametrize("address", ["", "gone"])
def test_without_a_server_nobody_waits(play, address, tmp_path, monkeypatch):
    monkeypatch.setenv(ADDRESS, address and str(tmp_path / address))

    async def session(page):
        page.ask(Work("large", is_ready=True).job(takes_turns=True))
        await until(lambda: page.done == ["large"])

    play(session)
