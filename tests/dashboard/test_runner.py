"""What is computed when: drafts at once, the rest in a thread; the newest setting wins, and waiting can be ended."""

import asyncio
import itertools
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from pages import refuse, until

import rnnviz as rv
from rnnviz.dashboard import budget, runner, task
from rnnviz.dashboard.runner import Runner
from rnnviz.dashboard.scene import Scene
from rnnviz.dashboard.task import Part
from rnnviz.engine import runs
from rnnviz.network.config import Config

pytestmark = pytest.mark.usefixtures("no_loop")
SCENE = Scene(Config(hidden_size=12, seq_len=12, batch_size=6), ("he",), seeds=4)
WHOLE = Part(4, 6)


class Page:
    """A page that only notes what it is handed."""

    def __init__(self):
        self.shown, self.told, self.errors = [], [], []
        self.changed = asyncio.Event()
        self.runner = Runner(self.show, self.tell, self.explain)
        self.runner.budget.pace = 1.0  # a very slow machine, as far as it knows

    def show(self, trace, whole):
        self.shown.append((trace, whole))
        self.changed.set()

    def tell(self, share):
        self.told.append(share)
        self.changed.set()

    def explain(self, error):
        self.errors.append(error)
        self.changed.set()

    async def until(self, condition):
        """Wait for a state."""

        async def wait():
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()

        await asyncio.wait_for(wait(), 20)


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(runner, "REST", 0.01)
    monkeypatch.setattr(task, "TOLD", 0.0)


def with_page(session):
    """Run a coroutine function on a page within a loop; return what it returns."""

    async def all_of_it():
        page = Page()
        try:
            return await session(page)
        finally:  # no thread goes on into the next test
            page.runner.leave()
            await asyncio.to_thread(page.runner.executor.shutdown)

    return asyncio.run(all_of_it())


def sizes(page):
    """Return how much of which scene was shown: hidden size, seeds, sequences, whole."""
    return [(t.config.hidden_size, len(t.seeds), t.config.batch_size, whole) for t, whole in page.shown]


def test_without_a_loop_everything_is_computed_at_once():
    shown = []
    Runner(lambda trace, whole: shown.append((trace, whole)), None, None).run(SCENE)
    (trace, whole), expected = shown[0], rv.compare(SCENE.config, ("xavier", "he"), range(4))
    assert whole
    np.testing.assert_array_equal(trace.second_moment, expected.second_moment)


def test_a_draft_comes_at_once_and_the_whole_at_rest_bit_for_bit(monkeypatch):
    monkeypatch.setattr(runner, "BEARABLE", 1e9)

    async def session(page):
        page.runner.run(SCENE)
        assert page.shown == []
        assert page.runner.active
        await page.until(lambda page: page.shown)
        assert sizes(page) == [(12, 1, 1, False)]
        assert page.runner.active
        await page.until(lambda page: page.shown and page.shown[-1][1])
        assert not page.runner.active
        return page

    page = with_page(session)
    assert sizes(page)[-1] == (12, 4, 6, True)
    expected = rv.compare(SCENE.config, ("xavier", "he"), range(4))
    np.testing.assert_array_equal(page.shown[-1][0].log10_grad_norm, expected.log10_grad_norm)
    assert page.told[-1] is None


def test_a_part_is_shown_before_the_next_is_begun(monkeypatch):
    monkeypatch.setattr(runner, "BEARABLE", 1e9)
    monkeypatch.setattr(budget, "BAND", 1e9)
    monkeypatch.setattr(task, "SEEN", 20)
    happened, compare, real = [], task.compare_part, Runner.display

    def note(scene, part, tick):
        happened.append(("computed", part.sequences))
        return compare(scene, part, tick)

    monkeypatch.setattr(task, "compare_part", note)
    monkeypatch.setattr(
        Runner, "display", lambda self, t, w: (real(self, t, w), happened.append(("shown", t.config.batch_size)))
    )

    async def session(page):
        page.runner.begin(SCENE, [Part(4, 2), Part(4, 4), WHOLE])
        await page.until(lambda page: page.shown and page.shown[-1][1])

    with_page(session)
    assert happened == [(what, n) for n in (2, 4, 6) for what in ("computed", "shown")]


def test_long_work_begins_with_a_draft_and_says_how_far_it_is():
    async def session(page):
        page.runner.run(SCENE)
        assert page.shown == []
        assert page.told == [0.0]
        await page.until(lambda page: page.shown and page.shown[-1][1])
        return page

    page = with_page(session)
    assert sizes(page)[0] == (12, 1, 1, False)
    shares = [share for share in page.told if share is not None]
    assert shares == sorted(shares)
    assert 0.0 < shares[-1] <= 1.0
    assert page.told[-1] is None
    assert page.told.count(None) == 1


def test_a_band_over_all_seeds_comes_before_a_long_whole(monkeypatch):
    monkeypatch.setattr(runner, "BEARABLE", 1e9)
    for overhead in ("A_START", "A_RUN", "A_STEP"):
        monkeypatch.setattr(budget, overhead, 0.0)

    async def session(page):
        page.runner.run(SCENE)
        await page.until(lambda page: page.shown and page.shown[-1][1])
        return page

    assert sizes(with_page(session)) == [(12, 1, 1, False), (12, 4, 1, False), (12, 4, 6, True)]


def test_the_newest_scene_wins_over_what_is_still_computed(monkeypatch):
    monkeypatch.setattr(runner, "BEARABLE", 1e9)
    begun, go_on = threading.Event(), threading.Event()
    real = task.compare

    def compare(config, schemes, seeds, tick):
        if config.hidden_size == 12 and len(seeds) == 4:
            begun.set()
            go_on.wait(20)
        return real(config, schemes, seeds, tick=tick)

    monkeypatch.setattr(task, "compare", compare)

    async def session(page):
        page.runner.run(SCENE)
        await until(begun.is_set)
        page.runner.run(SCENE.replace(hidden_size=9))
        go_on.set()
        await page.until(lambda page: page.shown and page.shown[-1][1])
        return page

    seen = sizes(with_page(session))
    assert seen[:2] == [(12, 1, 1, False), (9, 1, 1, False)]
    assert {size for size, *_ in seen[1:]} == {9}


@pytest.fixture
def held(monkeypatch):
    """Hold each draft in the thread at some share of its work until it is let go; return (begun, go on, share)."""
    begun, go_on, at = threading.Event(), threading.Event(), [0.1]
    real = task.compare

    def compare(config, schemes, seeds, tick):
        if len(seeds) == 1 and config.hidden_size == 12:
            tick(at[0])
            begun.set()
            go_on.wait(20)
        return real(config, schemes, seeds, tick=tick)

    monkeypatch.setattr(task, "compare", compare)
    monkeypatch.setattr(runner, "BEARABLE", 1e9)
    return begun, go_on, at


async def change_while_held(page, held, scene=SCENE):
    """Ask for other sizes while a scene's draft is held; let that go on, and wait for the whole."""
    begun, go_on, _share = held
    page.runner.run(scene)
    await until(begun.is_set)
    for size in (5, 9):
        page.runner.run(scene.replace(hidden_size=size))
        assert page.runner.active
    go_on.set()
    await page.until(lambda page: page.shown and page.shown[-1][1])
    return page


def test_a_draft_that_has_only_begun_is_dropped_for_a_newer_one(held, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 1e9)
    page = with_page(lambda page: change_while_held(page, held))
    assert [size for size, *_ in sizes(page)] == [9, 9]
    assert page.runner.waiting is None


@pytest.mark.parametrize(
    ("share", "patience"),
    [(0.8, 1e9), (0.6, 0.0), (0.1, 0.0)],
    ids=["soon done", "half done, long no picture", "long no picture"],
)
def test_a_draft_is_finished_before_a_newer_one_begins(held, monkeypatch, share, patience):
    monkeypatch.setattr(runner, "PATIENCE", patience)
    held[2][0] = share
    page = with_page(lambda page: change_while_held(page, held))
    assert [size for size, *_ in sizes(page)] == [12, 9, 9]
    assert not page.runner.active


def test_what_waits_for_a_draft_runs_though_that_fails_and_nobody_hears_of_it(held, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 0.0)
    inner = task.compare

    def compare(config, schemes, seeds, tick):
        trace = inner(config, schemes, seeds, tick)
        if config.hidden_size == 12:
            raise MemoryError("too large")
        return trace

    monkeypatch.setattr(task, "compare", compare)
    page = with_page(lambda page: change_while_held(page, held))
    assert page.errors == []
    assert [size for size, *_ in sizes(page)] == [9, 9]


def test_a_first_part_that_is_the_whole_is_finished_too(held, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 0.0)
    page = with_page(lambda page: change_while_held(page, held, SCENE.replace(batch_size=1, seeds=1)))
    assert sizes(page) == [(12, 1, 1, False), (9, 1, 1, True)]


def test_stopping_forgets_what_waits_for_a_draft(held, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 0.0)
    begun, go_on, _share = held

    async def session(page):
        page.runner.run(SCENE)
        await until(begun.is_set)
        page.runner.run(SCENE.replace(hidden_size=9))
        page.runner.stop()
        go_on.set()
        await asyncio.to_thread(page.runner.executor.shutdown)
        await asyncio.sleep(0)
        return page

    page = with_page(session)
    assert page.shown == []
    assert not page.runner.active


def test_many_changes_are_drafts_and_the_last_one_alone_is_completed(monkeypatch):
    monkeypatch.setattr(runner, "BEARABLE", 1e9)

    async def session(page):
        for size in (7, 8, 9):
            page.runner.run(SCENE.replace(hidden_size=size))
            await page.until(lambda page, size=size: page.shown and page.shown[-1][0].config.hidden_size == size)
        await page.until(lambda page: page.shown and page.shown[-1][1])
        return page

    seen = sizes(with_page(session))
    assert [size for size, *_, whole in seen if whole] == [9]
    assert [size for size, *_ in seen[:3]] == [7, 8, 9]


def test_of_changes_that_wait_together_only_the_last_becomes_a_draft(monkeypatch):
    monkeypatch.setattr(runner, "BEARABLE", 1e9)

    async def session(page):
        for size in (7, 8, 9):
            page.runner.run(SCENE.replace(hidden_size=size))
        await page.until(lambda page: page.shown and page.shown[-1][1])
        return page

    assert sizes(with_page(session)) == [(9, 1, 1, False), (9, 4, 6, True)]


def test_a_draft_that_fails_is_explained(monkeypatch):
    monkeypatch.setattr(runner, "BEARABLE", 1e9)
    monkeypatch.setattr(task, "compare", lambda *arguments, **named: 1 / 0)

    async def session(page):
        page.runner.run(SCENE)
        await page.until(lambda page: page.errors)
        return page

    page = with_page(session)
    assert isinstance(page.errors[0], ZeroDivisionError)
    assert not page.runner.active
    assert page.shown == []


def test_stopping_ends_the_thread_within_a_step(monkeypatch):
    ticks, enough = [], threading.Event()
    real = task.compare

    def compare(config, schemes, seeds, tick):
        def counted(share):
            ticks.append(share)
            if len(ticks) == 3:
                enough.set()
                stopped.wait(20)
            tick(share)

        return real(config, schemes, seeds, tick=counted)

    monkeypatch.setattr(task, "compare", compare)
    stopped = threading.Event()

    async def session(page):
        page.runner.run(SCENE)
        await until(enough.is_set)
        page.runner.stop()
        stopped.set()
        await asyncio.to_thread(page.runner.executor.shutdown)
        await asyncio.sleep(0)
        return page

    page = with_page(session)
    assert len(ticks) == 3
    assert page.shown == page.errors == []
    assert page.told[-1] is None
    assert not page.runner.active


def test_what_goes_wrong_in_the_thread_is_explained_and_the_next_scene_runs(monkeypatch):
    refuse(monkeypatch, lambda config: config.hidden_size == 12)

    async def session(page):
        page.runner.run(SCENE)
        await page.until(lambda page: page.errors)
        assert not page.runner.active
        page.runner.run(SCENE.replace(hidden_size=5))
        await page.until(lambda page: page.shown and page.shown[-1][1])
        return page

    page = with_page(session)
    assert [str(error) for error in page.errors] == ["too large"]
    assert sizes(page)[-1] == (5, 4, 6, True)


@pytest.mark.parametrize("sequences", [1, 2, 3, 6, 32, 100])
def test_fewer_sequences_are_powers_of_two_and_never_none(sequences):
    scene = SCENE.replace(batch_size=sequences)
    assert budget.Budget(pace=1e9).fitting(scene, 1, 0.01) == Part(1, 1)
    assert budget.Budget(pace=1e-30).fitting(scene, 4, 0.01) == Part(4, sequences)
    pace = 0.01 / budget.amount(scene, Part(4, sequences)) * 1.01 if sequences > 1 else 1.0
    found = budget.Budget(pace).fitting(scene, 4, 0.01).sequences
    assert found & (found - 1) == 0
    assert found < max(sequences, 2)


def test_the_pace_is_learnt_in_the_thread_too_so_that_drafts_come_back(monkeypatch):
    looks = itertools.count()  # at the clock, each a microsecond: this machine is fast
    monkeypatch.setattr(task, "time", SimpleNamespace(perf_counter=lambda: 1e-6 * next(looks)))

    async def session(page):
        for seed in range(12):
            page.shown.clear()
            page.runner.run(SCENE.replace(seed=10 * seed))
            await page.until(lambda page: page.shown and page.shown[-1][1])
        page.shown.clear()
        page.runner.run(SCENE.replace(seed=1000))
        await page.until(lambda page: page.shown or page.told[-1] == 0.0)
        assert page.shown, "no draft although the machine is fast"
        return page

    assert 1e-12 < with_page(session).runner.budget.pace < 1e-3


def test_a_job_that_waits_behind_another_never_begins(monkeypatch):
    begun, go_on = [], threading.Event()
    real = task.compare

    def compare(config, schemes, seeds, tick):
        begun.append(config.hidden_size)
        go_on.wait(20)
        return real(config, schemes, seeds, tick=tick)

    monkeypatch.setattr(task, "compare", compare)

    async def session(page):
        for size in (12, 9, 7):
            page.runner.begin(SCENE.replace(hidden_size=size), [WHOLE])
            if size == 12:
                await until(lambda: begun)
            if size != 7:
                page.runner.stop()
        go_on.set()
        await page.until(lambda page: page.shown)
        return page

    assert sizes(with_page(session)) == [(7, 4, 6, True)]
    assert begun == [12, 7]


def test_a_run_can_be_ended_before_its_weights_are_drawn(monkeypatch):
    drawn = []
    monkeypatch.setattr(runs, "init_params", lambda config: drawn.append(config))

    def tick(share):
        raise task.Stopped

    with pytest.raises(task.Stopped):
        rv.compare(SCENE.config, ("xavier",), range(2), tick=tick)
    assert drawn == []
