"""What a key will probably ask for next is computed and painted at rest; what comes back is there at once."""

import asyncio
import threading

import numpy as np
import pytest
from pages import refuse, until

import rnnviz as rv
from rnnviz.dashboard import budget, foresight, memory, runner, task
from rnnviz.dashboard.controls import Controls
from rnnviz.dashboard.memory import Memory
from rnnviz.dashboard.runner import Runner
from rnnviz.dashboard.scene import Scene
from rnnviz.dashboard.task import Part
from rnnviz.network.config import Config

pytestmark = pytest.mark.usefixtures("no_loop")
SCENE = Scene(Config(hidden_size=9, seq_len=8, batch_size=3), ("he",), seeds=2)
SETTINGS = {"hidden_size": 9, "seq_len": 8, "batch_size": 3, "seeds": 2}


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(foresight, "PAUSE", 0.0)
    monkeypatch.setattr(runner, "SOON", 0.0)
    monkeypatch.setattr(runner, "REST", 0.0)


@pytest.fixture
def computed(monkeypatch):
    """Collect the hidden size, seeds and sequences of all that is computed."""
    real, seen = task.compare, []

    def compare(config, schemes, seeds, **named):
        seen.append((config.hidden_size, len(seeds), config.batch_size))
        return real(config, schemes, seeds, **named)

    monkeypatch.setattr(task, "compare", compare)
    return seen


class Page:
    """A page that notes what it is handed."""

    def __init__(self):
        self.shown, self.told, self.errors, self.ready = [], [], [], asyncio.Queue()
        note = lambda trace, whole: self.shown.append((trace, whole))  # noqa: E731
        self.runner = Runner(note, self.told.append, self.errors.append, self.ready.put_nowait)
        self.runner.budget.pace = 1e-12  # a very fast machine, as far as it knows, whatever it does beside
        self.runner.budget.learn = lambda seconds, amount: None


def with_page(session):
    async def all_of_it():
        page = Page()
        await asyncio.wait_for(session(page), 20)
        return page

    return asyncio.run(all_of_it())


# The runner


async def shown(page, scene):
    """Run a scene and wait until it is shown as a whole."""
    page.runner.run(scene)
    await until(lambda: page.shown and page.shown[-1] == (page.runner.wholes.find(scene), True))


def test_a_foreseen_scene_is_shown_at_once_without_computing_and_bit_for_bit(computed):
    after = SCENE.replace(hidden_size=10)

    async def session(page):
        await shown(page, SCENE)
        page.runner.foresee(after)
        assert not page.runner.active, "what nobody asked for keeps nobody waiting"
        await page.ready.get()
        assert computed == [(9, 2, 3), (10, 2, 3)]
        page.runner.budget.pace = 1.0
        page.runner.run(after)
        assert not page.runner.active

    page = with_page(session)
    assert computed == [(9, 2, 3), (10, 2, 3)]
    trace, whole = page.shown[-1]
    assert whole
    expected = rv.compare(after.config, after.schemes, range(2))
    np.testing.assert_array_equal(trace.log10_grad_norm, expected.log10_grad_norm)
    assert page.told == []


def test_a_foreseen_draft_is_shown_at_once_and_the_whole_at_rest(computed):
    other = SCENE.replace(hidden_size=10)

    async def session(page):
        await shown(page, SCENE)
        page.runner.budget.pace = 0.999 * budget.AT_ONCE / budget.amount(other, Part(1, 3))
        assert page.runner.budget.first(other) == Part(1, 3), "fast enough for a draft, but not for the whole at once"
        page.runner.foresee(None, [other])
        await page.ready.get()
        page.runner.run(other)
        assert [(len(trace.seeds), whole) for trace, whole in page.shown[1:]] == [(1, False)]
        assert page.runner.active
        await until(lambda: page.shown[-1][1])

    page = with_page(session)
    assert computed[:2] == [(9, 2, 3), (10, 1, 3)]
    assert computed[-1] == (10, 2, 3)
    assert page.shown[-1][0].config == other.config


def test_scenes_are_computed_ahead_one_after_the_other(computed):
    scenes = [SCENE.replace(hidden_size=size) for size in (10, 11, 12)]

    async def session(page):
        await shown(page, SCENE)
        page.runner.foresee(scenes[0], scenes[1:])
        seen = [await page.ready.get() for _ in scenes]
        assert [trace.config.hidden_size for trace in seen] == [10, 11, 12]
        page.runner.foresee(scenes[0], scenes[1:])
        assert [await page.ready.get() for _ in scenes] == seen, "what is known is only prepared again"
        assert not page.runner.foresight.active

    with_page(session)
    assert computed == [(9, 2, 3), (10, 2, 3), (11, 2, 3), (12, 2, 3)]


def test_a_scene_of_which_a_draft_is_known_is_still_foreseen_as_a_whole(computed):
    other = SCENE.replace(hidden_size=10)

    async def session(page):
        await shown(page, SCENE)
        page.runner.drafts.keep(other, rv.compare(other.config, other.schemes, range(1)))
        page.runner.foresee(other)
        assert len((await page.ready.get()).seeds) == 2

    with_page(session)
    assert computed == [(9, 2, 3), (10, 2, 3)]


def test_what_was_shown_before_is_not_computed_again(computed):
    async def session(page):
        for size in (9, 10, 9):
            await shown(page, SCENE.replace(hidden_size=size))

    page = with_page(session)
    assert computed == [(9, 2, 3), (10, 2, 3)]
    assert page.shown[0][0] is page.shown[2][0]


def test_a_newer_scene_ends_what_is_computed_ahead(monkeypatch):
    begun, go_on, ticks = threading.Event(), threading.Event(), []
    real = task.compare

    def compare(config, schemes, seeds, tick):
        def slow(share):
            ticks.append(share)
            begun.set()
            go_on.wait(20)
            tick(share)

        return real(config, schemes, seeds, tick=slow if config.hidden_size == 10 else tick)

    monkeypatch.setattr(task, "compare", compare)

    async def session(page):
        await shown(page, SCENE)
        page.runner.foresee(SCENE.replace(hidden_size=10), [SCENE.replace(hidden_size=11)])
        await until(begun.is_set)
        await shown(page, SCENE.replace(hidden_size=20))
        go_on.set()
        await asyncio.to_thread(page.runner.executor.shutdown)
        await asyncio.sleep(0.001)

    page = with_page(session)
    assert len(ticks) == 1
    assert [trace.config.hidden_size for trace, _ in page.shown] == [9, 20]
    assert page.ready.empty()


def test_what_takes_long_is_not_computed_ahead(computed):
    async def session(page):
        await shown(page, SCENE)
        page.runner.budget.pace = 1.0
        page.runner.foresight.waiting.append((SCENE.replace(hidden_size=10), True))
        page.runner.foresight.waiting.append((SCENE.replace(hidden_size=11), False))
        page.runner.foresight.go_on()
        assert not page.runner.foresight.active

    with_page(session)
    assert computed == [(9, 2, 3)]


def test_what_goes_wrong_ahead_is_told_only_when_it_is_asked_for(monkeypatch):
    refuse(monkeypatch, lambda config: config.hidden_size == 10)

    async def session(page):
        await shown(page, SCENE)
        page.runner.foresee(SCENE.replace(hidden_size=10), [SCENE.replace(hidden_size=11)])
        assert (await page.ready.get()).config.hidden_size == 11
        assert page.errors == []
        page.runner.run(SCENE.replace(hidden_size=10))
        await until(lambda: page.errors)

    assert [str(error) for error in with_page(session).errors] == ["too large"]


def test_the_oldest_comparison_is_forgotten_and_a_large_one_never_kept(monkeypatch):
    traces = {size: rv.compare(SCENE.config.replace(hidden_size=size), ("he",), range(1)) for size in (2, 3, 4)}
    scenes = {size: SCENE.replace(hidden_size=size) for size in traces}
    monkeypatch.setattr(memory, "MOST", 2)
    kept = Memory()
    kept.keep(scenes[2], traces[2])
    kept.keep(scenes[3], traces[3])
    assert kept.find(scenes[2]) is traces[2]  # looked for: 3 is the oldest now
    kept.keep(scenes[4], traces[4])
    assert [kept.find(scenes[size]) for size in traces] == [traces[2], None, traces[4]]
    monkeypatch.setattr(memory, "BYTES", traces[3].units.nbytes - 1)
    kept.keep(scenes[3], traces[3])
    assert kept.find(scenes[3]) is None


def test_only_what_changes_numbers_tells_scenes_apart():
    trace = rv.compare(SCENE.config, SCENE.schemes, range(2))
    kept = Memory()
    kept.keep(SCENE, trace)
    assert kept.find(SCENE.replace(options={"theory": True})) is trace
    for change in ({"seed": 1}, {"seeds": 3}, {"beside": ()}, {"gain": 1.01}):
        assert kept.find(SCENE.replace(**change)) is None


# What comes next


@pytest.mark.parametrize(
    ("name", "moves", "expected"),  # where the control is a menu: its next entry
    [
        ("hidden_size", [70], 71),
        ("hidden_size", [40, 38], 37),
        ("gain", [1.5], 1.51),
        ("gain", [1.5, 1.49], 1.48),
        ("gain", [1.234], 1.24),
        ("scheme", ["he"], None),
        ("cell", ["lstm"], None),
        ("input_scheme", ["xavier"], None),
    ],
)
def test_the_next_scene_is_one_step_further(name, moves, expected):
    controls = Controls(Scene(), (), lambda: None, lambda: None)
    for value in moves:
        controls.widgets[name].value = value
    options = [value for _label, value in getattr(controls.widgets[name], "options", ())]
    if expected is None:
        expected = options[options.index(moves[-1]) + 1]
    assert controls.next == controls.scene.replace(**{name: expected})


@pytest.mark.parametrize(
    ("name", "moves", "after", "others"),
    [
        ("hidden_size", [70], 71, {69, 75, 65}),
        ("hidden_size", [69], 74, {70, 68, 64}),  # as by the key Page Up
        ("hidden_size", [66, 61], 56, {62, 60, 66}),
        ("gain", [1.01], 1.02, {1.0, 1.06, 0.96}),
        ("gain", [1.05], 1.1, {1.06, 1.04, 1.0}),
        ("hidden_size", [512], None, {511, 507}),
    ],
)
def test_other_keys_lead_elsewhere(name, moves, after, others):
    controls = Controls(Scene(), (), lambda: None, lambda: None)
    for value in moves:
        controls.widgets[name].value = value
    value_of = lambda scene: getattr(scene.config, name)  # noqa: E731
    assert (controls.next and value_of(controls.next)) == after
    assert set(map(value_of, controls.others)) == others


def test_a_control_in_focus_has_its_keys_foreseen():
    controls = Controls(Scene(), (), lambda: None, lambda: None)
    assert controls.others == []
    controls.attend(controls.widgets["seq_len"].description)
    assert controls.next is None
    assert {scene.config.seq_len for scene in controls.others} == {45, 49, 51, 55}
    controls.attend(controls.widgets["cell"].description)
    assert {scene.config.cell for scene in controls.others} == {"lstm"}
    controls.attend("no such label")
    assert {scene.config.cell for scene in controls.others} == {"lstm"}
    controls.widgets["hidden_size"].value = 65
    controls.attend(controls.widgets["hidden_size"].description)
    assert controls.next.config.hidden_size == 66


def test_no_scene_is_next_at_an_end_without_steps_or_after_a_preset():
    controls = Controls(Scene(), (), lambda: None, lambda: None)
    assert controls.next is None
    controls.widgets["hidden_size"].value = 512
    assert controls.next is None
    controls.widgets["cell"].value = "gru"
    assert controls.next is None
    controls.seeds.value = 3
    assert controls.next is None
    controls.widgets["text"].value = "abracadabra"
    assert controls.next is None
    controls.widgets["hidden_size"].value = 20
    assert controls.next.config.hidden_size == 19
    controls.assign(Scene())
    assert controls.next is None


# The page


def pictures(dashboard):
    return {view["name"]: view["png"] for view in dashboard.stage.frame["views"]}


def test_one_more_step_brings_pictures_that_were_painted_ahead(computed):
    async def session():
        dashboard = rv.Dashboard(**SETTINGS)
        dashboard.runner.budget.pace = 1e-12
        dashboard.controls.widgets["hidden_size"].value = 10
        sizes = lambda: [job.trace.config.hidden_size for job, *_ in dashboard.painter.kept["gradient"]]  # noqa: E731
        await until(lambda: {9, 10, 11, 15, 5} <= set(sizes()))
        assert sizes()[:3] == [9, 10, 11]
        paint = dashboard.painter.paint
        dashboard.painter.paint = lambda *arguments: pytest.fail("painted again")
        dashboard.controls.widgets["hidden_size"].value = 11
        assert dashboard.stage.frame["whole"]
        assert dashboard.stage.message == ""
        dashboard.painter.paint = paint
        return dashboard

    dashboard = asyncio.run(session())
    assert computed.count((11, 2, 3)) == 1
    other = rv.Dashboard(**SETTINGS | {"hidden_size": 11})
    assert pictures(dashboard) == pictures(other)
    assert dashboard.stage.frame["words"] == other.stage.frame["words"]
    assert dashboard.trace.config.hidden_size == 11


def test_pictures_that_come_back_are_not_painted_again_unless_the_page_has_changed():
    dashboard = rv.Dashboard(**SETTINGS)
    first = {view["name"]: view["revision"] for view in dashboard.stage.frame["views"]}
    dashboard.controls.widgets["gain"].value = 1.5
    dashboard.controls.widgets["gain"].value = 1.0
    assert {view["name"]: view["revision"] for view in dashboard.stage.frame["views"]} == first
    dashboard.stage.viewport = {"width": 390, "ratio": 2}
    assert {view["name"]: view["revision"] for view in dashboard.stage.frame["views"]}.items().isdisjoint(first.items())
    dashboard.controls.choices["theory"].value = True
    assert "Theory expects" in dashboard.stage.frame["views"][0]["alt"]


def test_a_page_that_asks_for_bets_computes_nothing_ahead(computed, monkeypatch):
    monkeypatch.setenv("QUERY_STRING", "predict=1")

    async def session():
        dashboard = rv.Dashboard(**SETTINGS)
        dashboard.runner.budget.pace = 1e-12
        dashboard.controls.widgets["hidden_size"].value = 10
        await until(lambda: dashboard.trace.config.hidden_size == 10)
        assert not dashboard.runner.foresight.active

    asyncio.run(session())
    assert computed == [(9, 2, 3), (10, 2, 3)]


def test_the_stage_tells_which_control_has_the_focus(computed):
    async def session():
        dashboard = rv.Dashboard(**SETTINGS)
        dashboard.runner.budget.pace = 1e-12
        await until(lambda: dashboard.trace)
        dashboard.give({"kind": "focus", "label": "Gain"})
        await until(lambda: not dashboard.runner.foresight.active)
        return dashboard

    dashboard = asyncio.run(session())
    gains = {job.trace.config.gain for job, *_ in dashboard.painter.kept["state"]}
    assert gains == {1.0, 0.95, 0.99, 1.01, 1.05}
    assert len(computed) == 5
    assert dashboard.trace.config.gain == 1.0


def test_pins_are_named_by_what_tells_them_apart():
    dashboard = rv.Dashboard(**SETTINGS)
    changes = {"hidden_size": 10, "seq_len": 9, "gain": 1.2}  # a name tells three settings
    for seed in (1, 2):
        dashboard.controls.assign(dashboard.controls.scene.replace(**changes, seed=seed))
        dashboard.pins.buttons[0].click()
        assert dashboard.stage.message == ""
    names = [name for name, _trace in dashboard.pins.traces]
    assert names == [f"pinned: Xavier, Seed {seed}, Gain 1.2, Hidden size 10" for seed in (1, 2)]
