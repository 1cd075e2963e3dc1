"""Turns: of the kernels of one server only two compute something large at a time."""

import asyncio

import pytest
from pages import until
from working import MODES, Page, Work, player

from rnnviz.dashboard.turns import ADDRESS
from rnnviz.serving.turns import hand_out

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture(params=MODES)
def play(request):
    return player(request.param)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """Return a function that runs a session on five kernels of one server, which lets two compute at a time."""

    def queue(session, mode):
        address = tmp_path / "turns"
        monkeypatch.setenv(ADDRESS, str(address))

        async def all_of_it():
            server = await hand_out(address, 2)
            pages = [Page(mode) for _ in range(5)]
            works = [Work(str(k)) for k in range(5)]
            try:
                async with asyncio.timeout(20):
                    for page, work in zip(pages, works, strict=True):
                        page.ask(work.job(takes_turns=True))
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
@pytest.mark.parametrize("address", ["", "gone"])
def test_without_a_server_nobody_waits(play, address, tmp_path, monkeypatch):
    monkeypatch.setenv(ADDRESS, address and str(tmp_path / address))

    async def session(page):
        page.ask(Work("large", is_ready=True).job(takes_turns=True))
        await until(lambda: page.done == ["large"])

    play(session)
