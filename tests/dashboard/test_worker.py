"""The one worker, with made-up jobs: the newest plan wins, in a thread as in slices of the event loop."""

import asyncio
import time

import pytest
from pages import until
from working import MODES, Page, Work, player

import rnnviz as rv
from rnnviz.dashboard.results import Results
from rnnviz.dashboard.settings import Comparison
from rnnviz.dashboard.work import Job, Part
from rnnviz.dashboard.worker import PATIENCE, WORTH, Worker

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture(params=MODES)
def play(request):
    return player(request.param)


def test_jobs_are_done_in_order_and_what_they_return_or_raise_is_recorded(play):
    async def session(page):
        error = ZeroDivisionError("no")
        works = [Work("a", is_ready=True), Work("b", error=error, is_ready=True), Work("c", is_ready=True)]
        page.ask(*(work.job() for work in works))
        assert not any(page.results[work].is_settled for work in works), "the page is answered first"
        await until(lambda: not page.left)
        assert [page.results[work].value for work in works] == ["a", None, "c"]
        assert page.results[works[1]].error is error
        assert page.done == ["a", "b", "c"]
        assert page.worker.running is None

    play(session)


def test_the_newest_plan_wins(play):
    async def session(page):
        old, never, new = Work("old"), Work("never"), Work("new", is_ready=True)
        page.ask(old.job(), never.job())
        await until(lambda: old.begun)
        page.ask(never.job())
        page.ask(new.job())
        await until(lambda: not page.left)
        await until(lambda: old.is_closed)
        assert (page.results[new].value, page.results[old].value) == ("new", None)
        assert never.steps == 0
        assert page.done == ["new"]

    play(session)


def test_nothing_is_done_any_more_once_the_plan_is_empty(play):
    async def session(page):
        draft = Work("draft", share=0.9)
        page.ask(draft.job(is_draft=True))
        await until(lambda: draft.begun)
        page.ask()
        await until(lambda: draft.is_closed)
        assert page.done == []
        assert page.worker.running is None

    play(session)


@pytest.mark.parametrize(
    ("share", "waited", "is_draft", "finished"),
    [
        (WORTH + 0.1, 0.0, True, True),
        (0.1, 2 * PATIENCE, True, True),
        (0.1, 0.0, True, False),
        (WORTH + 0.1, 0.0, False, False),
    ],
    ids=["a draft nearly done", "a draft long awaited", "a draft just begun", "no draft"],
)
def test_a_draft_is_finished_where_that_brings_a_picture_sooner(play, share, waited, is_draft, finished):
    async def session(page):
        old, newer, newest = Work("old", share), Work("newer"), Work("newest", is_ready=True)
        page.ask(old.job(is_draft=is_draft))
        await until(lambda: old.steps > 1)
        page.clock.now += waited
        page.ask(newer.job(is_draft=True))
        page.ask(newest.job(is_draft=True))
        await until(lambda: not page.left if not finished else page.worker.running)
        old.go_on.set()
        await until(lambda: not page.left)
        await until(lambda: finished or old.is_closed)
        assert page.done == (["old", "newest"] if finished else ["newest"])
        assert newer.steps == 0

    play(session)


def test_a_draft_that_fails_after_it_was_kept_keeps_nobody_waiting(play):
    async def session(page):
        old, new = Work("old", 0.9, error=MemoryError()), Work("new", is_ready=True)
        page.ask(old.job(is_draft=True))
        await until(lambda: old.steps > 1)
        page.ask(new.job(is_draft=True))
        old.go_on.set()
        await until(lambda: not page.left)
        assert page.results[new].value == "new"

    play(session)


def test_delays_count_from_the_last_change(play):
    async def session(page):
        job = Work("late", is_ready=True).job(after=0.01)
        page.ask(job)
        for _ in range(3):
            await asyncio.sleep(0.02)
            assert page.worker.running is None
            assert not page.done
            page.clock.now += 0.006
            page.ask(job)
        page.clock.now += 0.006
        page.ask(job, changed=False)
        await asyncio.sleep(0.02)
        assert not page.done
        page.clock.now += 0.006
        await until(lambda: page.done == ["late"])

    play(session)


def test_a_lower_job_is_paused_and_goes_on_where_it_was(play):
    async def session(page):
        low, high = Work("low"), Work("high", is_ready=True)
        page.ask(low.job())
        await until(lambda: low.steps > 2)
        page.ask(high.job(), low.job())
        await until(lambda: page.done == ["high"])
        low.go_on.set()
        await until(lambda: page.done == ["high", "low"])
        assert (low.begun, low.is_closed) == (1, False)
        assert page.worker.paused == {}

    play(session)


def test_a_job_that_is_wanted_again_before_it_has_paused_goes_on(play):
    async def session(page):
        low, high = Work("low"), Work("high")
        page.ask(low.job())
        await until(lambda: low.steps > 2)
        page.ask(high.job(), low.job())
        page.ask(low.job())
        low.go_on.set()
        await until(lambda: page.done == ["low"])
        assert low.begun == 1

    play(session)


def test_a_paused_job_that_is_not_wanted_any_more_is_closed(play):
    async def session(page):
        low, high = Work("low"), Work("high")
        page.ask(low.job())
        await until(lambda: low.steps > 2)
        page.ask(high.job(), low.job())
        await until(lambda: high.steps)
        page.ask(high.job())
        await until(lambda: low.is_closed)
        assert high.begun == 1, "what is wanted goes on"

    play(session)


def test_progress_is_noted_now_and_then(play):
    async def session(page):
        work = Work("long", share=0.4)
        page.ask(work.job())
        await until(lambda: page.noted)
        assert page.noted[0] == page.results[work].share == 0.4
        work.go_on.set()
        await until(lambda: not page.left)
        assert page.results[work].progress is None
        assert len(page.noted) < work.steps / 10

    play(session)


def test_a_closed_worker_does_nothing_more(play):
    async def session(page):
        running, waiting = Work("running"), Work("waiting")
        page.ask(running.job(), waiting.job(), Work("timed").job(after=0.01))
        await until(lambda: running.begun)
        threads = set(page.worker.executor._threads) if page.worker.executor else set()
        page.worker.close()
        await until(lambda: running.is_closed and not any(thread.is_alive() for thread in threads))
        steps = running.steps
        await asyncio.sleep(0.02)
        assert (running.steps, waiting.steps, page.done) == (steps, 0, [])
        assert page.worker.timer is None

    play(session)


@pytest.mark.parametrize("mode", MODES)
def test_without_a_loop_everything_is_done_at_once(mode):
    page = Page(mode)
    error = ValueError("no")
    works = [Work("a", is_ready=True), Work("b", error=error, is_ready=True), Work("c", is_ready=True)]
    page.ask(*(work.job(after=60.0, takes_turns=True) for work in works))
    assert page.done == ["a", "b", "c"]
    assert page.results[works[1]].error is error
    page.worker.close()


def test_the_loop_answers_while_something_is_computed(play):
    """The time is this thread's own: what other processes do meanwhile is no gap."""

    class Busy(Work):
        def compute(self):
            end = time.perf_counter() + 0.4
            while time.perf_counter() < end:
                pause = time.perf_counter() + 0.001
                while time.perf_counter() < pause:
                    pass
                yield 0.5
            return self.name

    async def session(page):
        page.ask(Busy("busy").job())
        gaps, last = [], time.thread_time()
        while page.left:
            await asyncio.sleep(0)
            gaps.append(time.thread_time() - last)
            last = time.thread_time()
        assert max(gaps) < 0.05
        assert len(gaps) > 5

    play(session)


def test_the_pace_is_learnt_from_comparisons():
    results = Results(pace=1.0)
    worker = Worker(results, lambda: None, mode="slices")
    whole = Comparison(rv.Config(hidden_size=4, seq_len=3, batch_size=2), ("xavier",), 2)
    worker.do(Job(Part(whole, 2, 2), "comparison"))
    assert len(results[whole].value.seeds) == 2
    assert 0 < results.pace < 0.1
