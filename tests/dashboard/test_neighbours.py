"""What is computed and painted before anybody asks for it: the settings one key away."""

from dataclasses import replace

import pytest
from pages import in_loop, shown, until
from test_plan import known, names, page

import rnnviz as rv
from rnnviz.dashboard.neighbours import neighbours
from rnnviz.dashboard.plan import plan
from rnnviz.dashboard.results import BUSY, PACE
from rnnviz.dashboard.settings import Settings
from rnnviz.dashboard.work import Advice
from rnnviz.network.config import FIELDS

pytestmark = pytest.mark.usefixtures("no_loop")


def test_one_key_leads_to_values_within_the_slider():
    for name, spec in FIELDS.items():
        for settings in (Settings(), Settings().replace(hidden_size=1, gain=0.0, seq_len=200)):
            near = [getattr(each.config, name) for each in neighbours(settings, name)]
            assert getattr(settings.config, name) not in near
            assert len(near) == len(set(near)) <= 4
            if "slider" in spec.metadata:
                low, high = spec.metadata["slider"]
                assert all(low <= value <= high for value in near), name
    assert [*neighbours(Settings(), ""), *neighbours(Settings(), "text")] == []
    assert [each.config.gain for each in neighbours(Settings(), "gain")] == [1.01, 0.99, 1.05, 0.95]
    assert [each.config.loss_at for each in neighbours(Settings(), "loss_at")] == ["every"]


def test_drafts_are_planned_for_the_control_moved_last_and_only_where_there_is_time():
    state = page()
    moved = state.change(state.settings.replace(hidden_size=9))
    results = known(moved)
    results.put(Advice(results[moved.settings.comparison].value), value=(None,))
    ahead = plan(moved, results, ("state",))
    assert [job.key.of.config.hidden_size for job in ahead] == [10, 8, 14, 4]
    assert {job.kind for job in ahead} == {"ahead"}
    assert plan(moved, results, ("state",), in_steps=False) == []
    assert plan(replace(moved, predict=True), results, ("state",)) == [], "a bet is on these settings"
    results.waited = 2 * BUSY
    assert plan(moved, results, ("state",)) == [], "other kernels need the machine"
    assert "ahead" not in [job.kind for job in plan(moved, known(moved, pace=1.0), ("state",))]
    chosen = moved.choose("flat")
    assert chosen.moved == ""
    assert names(plan(chosen, known(chosen), ("state",))) == ["advice"]


def test_the_next_key_finds_its_draft_painted_and_the_whole_follows():
    async def session(dashboard):
        size = dashboard.controls.widgets["hidden_size"]
        size.value = 13
        await until(lambda: dashboard.stage.frame["whole"] and dashboard.trace.config.hidden_size == 13)
        dashboard.results.pace = PACE  # a busy machine leaves no time for what nobody has asked for
        dashboard.update()
        next_one = dashboard.state.settings.replace(hidden_size=14).comparison
        await until(lambda: dashboard.results.known.get(next_one))
        await until(lambda: any(trace.config.hidden_size == 14 for trace in dashboard.pictures.kept))
        assert "hidden_size=13" in dashboard.stage.query
        for _ in range(2):  # long work says how far it is, which needs no draft and must not cost one
            dashboard.worker.on_progress()
        size.value = 14
        assert dashboard.trace.config.hidden_size == 14, "shown before the handler returns"
        await until(lambda: dashboard.stage.frame["whole"] and len(dashboard.trace.seeds) == 2)
        return dashboard.trace, shown(dashboard)["gradient"][1]

    trace, alt = in_loop(session, seeds=2)
    expected = rv.compare(trace.config, ("xavier", "uniform01"), range(2))
    assert (trace.log10_grad_norm == expected.log10_grad_norm).all()
    assert alt == shown(rv.Dashboard(hidden_size=14, seq_len=12, batch_size=4, seeds=2))["gradient"][1]
