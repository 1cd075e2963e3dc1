"""`plan` as a function: what is computed when, and what is not computed at all."""

from dataclasses import replace

import pytest

import rnnviz as rv
from rnnviz.dashboard.cost import amount
from rnnviz.dashboard.plan import AT_ONCE, BAND, FEW, IDLE, REST, SOON, fitting, plan
from rnnviz.dashboard.results import BUSY, Results
from rnnviz.dashboard.settings import Settings
from rnnviz.dashboard.state import PageState
from rnnviz.dashboard.work import Advice, Check, Part, Pin, drawing

SMALL = Settings(rv.Config(hidden_size=8, seq_len=6, batch_size=6), ("he",), seeds=4)
LARGE = SMALL.replace(hidden_size=512, seq_len=200, batch_size=32, seeds=8)
CLASS = LARGE.replace(hidden_size=256, seq_len=50)
TRACE = rv.compare(SMALL.config, ("xavier", "he"), range(4))
SLOW = 1.0  # a pace at which nothing is quick
VIEWS = ("state", "spectrum")


def page(settings=SMALL, **changes):
    """Return the state of a page that has just been opened."""
    return replace(PageState(settings, settings, settings), **changes)


def known(state, seeds=None, sequences=None, pace=3e-10):
    """Return results that hold a page's comparison, or so many of its seeds and sequences; the numbers are made up."""
    comparison = state.settings.comparison
    config = comparison.config.replace(batch_size=sequences or comparison.config.batch_size)
    seeds = seeds or comparison.seeds
    results = Results(pace)
    made = replace(TRACE, config=config, schemes=comparison.schemes, seeds=tuple(range(seeds)))
    results.put(comparison, value=made)
    return results


def names(jobs):
    """Return what jobs do, as "seeds x sequences" for parts of a comparison."""
    return [f"{job.key.seeds}x{job.key.sequences}" if isinstance(job.key, Part) else job.kind for job in jobs]


def crowd(results=None, waited=3.0):
    """Return what is known on a machine where others compute too: the last turn was waited for."""
    results = results or Results()
    results.waited = waited
    return results


def planned(state, results=None, views=("state", "gradient"), **options):
    return names(plan(state, Results() if results is None else results, views, **options))


# The comparison


def test_a_large_comparison_comes_as_a_draft_a_band_over_all_seeds_and_the_whole():
    state = page(LARGE)
    jobs = plan(state, Results(), ("state",))
    assert names(jobs) == ["1x1", "8x1", "8x32"]
    assert [job.is_draft for job in jobs] == [True, False, False]
    assert [job.after for job in jobs] == [SOON, REST, REST]
    assert [job.takes_turns for job in jobs] == [False, True, True]
    assert [job.recorded for job in jobs] == [LARGE.comparison] * 3
    assert jobs[0].seconds < jobs[1].seconds < jobs[2].seconds
    assert jobs[2].text == "Computing 8 draws: {share}"
    assert planned(state, known(state, 1, 1)) == ["8x1", "8x32"]
    assert planned(state, known(state, 8, 1)) == ["8x32"]
    assert planned(state, known(state))[:1] != ["8x32"]


def test_a_small_comparison_comes_whole_at_once():
    jobs = plan(page(), Results(), ("state",))
    assert names(jobs) == ["4x6"]
    assert (jobs[0].is_draft, jobs[0].takes_turns, jobs[0].after) == (True, False, SOON)


def test_the_pace_decides_what_is_small():
    whole = amount(SMALL.comparison)
    assert planned(page(), Results(pace=0.9 * AT_ONCE / whole)) == ["4x6"]
    assert planned(page(), Results(pace=2 * AT_ONCE / whole))[0].startswith("1x")


def test_where_a_draft_would_come_late_there_is_none():
    jobs = plan(page(), Results(pace=SLOW), ("state",))
    assert not any(job.is_draft for job in jobs)
    assert all(job.takes_turns for job in jobs)
    assert names(jobs)[-1] == "4x6"


def test_where_others_wait_all_seeds_come_with_eight_sequences_before_the_whole():
    state = page(CLASS)
    jobs = plan(state, crowd(), ("state",))
    assert names(jobs)[1:] == [f"8x{FEW}", "8x32"]
    assert jobs[1].within < jobs[2].within, "all seeds are worth more than their last sequences"
    assert [job.lanes for job in jobs[1:]] == [1, 1], "each page computes on one core"
    assert planned(state, crowd(known(state, 8, FEW))) == ["8x32"]
    assert planned(state, crowd(known(state, 8, 1))) == ["8x32"], "no second stage where others have come meanwhile"
    assert planned(state, crowd(Results(pace=SLOW))) == ["8x1", "8x32"], "but only as many as do not take long"


def test_a_single_visitor_gets_no_stage_more():
    for settings in (SMALL, LARGE, CLASS):
        alone = plan(page(settings), Results(), ("state",))
        assert alone == plan(page(settings), crowd(waited=0.9 * BUSY), ("state",))
        assert all(job.lanes is None for job in alone)
    quick = Results(pace=0.8 * BAND / amount(CLASS.comparison))
    assert planned(page(CLASS), quick)[1:] == ["8x32"], "where the whole comes within a moment"


def test_a_quick_whole_of_all_seeds_waits_no_longer_than_a_part_of_them_would():
    part, whole = plan(page(CLASS), crowd(), ("state",))[1:]
    settings = SMALL.replace(batch_size=2)
    pace = 0.03 / amount(settings.comparison)
    jobs = plan(page(settings), crowd(Results(pace)), ("state",))
    assert names(jobs)[-1] == "4x2"
    assert "4x1" not in names(jobs)
    assert jobs[-1].within == part.within < whole.within


def test_what_the_page_says_of_the_time_that_a_part_takes_counts_the_wait_for_a_turn():
    alone, among = (plan(page(LARGE), results, ("state",)) for results in (Results(), crowd(waited=1.0)))
    assert among[0].seconds == alone[0].seconds, "drafts do not wait"
    assert among[-1].seconds == pytest.approx(alone[-1].seconds + 1.0)


def test_where_nobody_sees_drafts_there_are_none():
    state = page(LARGE)
    jobs = plan(state, Results(pace=SLOW), ("state",), in_steps=False)
    assert names(jobs) == ["8x32"]
    assert not jobs[0].is_draft
    assert planned(state, known(state), in_steps=False) == [], "nor advice, which nobody waits for"


@pytest.mark.parametrize("sequences", [1, 2, 3, 6, 32, 100])
def test_fewer_sequences_are_powers_of_two_and_never_none(sequences):
    everything = Part(SMALL.replace(batch_size=sequences).comparison, 4, sequences)
    assert fitting(everything, BAND, Results(pace=1e9)).sequences == 1
    assert fitting(everything, BAND, Results(pace=1e-30)) == everything
    found = fitting(everything, BAND, Results(pace=1.001 * BAND / amount(everything.comparison))).sequences
    assert found & (found - 1) == 0
    assert 1 <= found < max(sequences, 2)


def test_what_has_failed_is_not_tried_again():
    results = Results()
    results.put(SMALL.comparison, error=MemoryError())
    assert planned(page(), results) == []
    draft = known(page(LARGE), 1, 1)
    draft.put(LARGE.comparison, error=MemoryError())
    assert not any("x" in name for name in planned(page(LARGE), draft))


# What ends work


def test_nothing_is_computed_while_the_controls_say_what_cannot_be():
    state = page().pin_first().start_check().refuse("no.")
    assert planned(replace(state, check=True), views=VIEWS) == []


def test_what_is_stopped_stays_stopped_for_these_settings_only():
    state = page(LARGE).stop("comparison")
    assert planned(state) == []
    assert planned(state.change(LARGE.replace(options={"theory": True}))) == []
    other = state.change(LARGE.replace(gain=1.5))
    assert planned(other) == ["1x1", "8x1", "8x32"]
    assert planned(other.change(LARGE)) == ["1x1", "8x1", "8x32"]


# Views


def slow_view(state, results):
    """Return the key of the slow view of a page."""
    return drawing(state, "spectrum", results[state.settings.comparison].value, ())


def test_a_slow_view_comes_after_the_whole():
    state = page(LARGE)
    assert "views" not in planned(state, known(state, 8, 1), VIEWS)
    results = known(state)
    jobs = plan(state, results, VIEWS)
    assert names(jobs) == ["views"]
    assert jobs[0].key == slow_view(state, results)
    assert jobs[0].takes_turns
    assert jobs[0].text == "Eigenvalues, still being computed: {share}"
    results.put(slow_view(state, results), value="data")
    assert "views" not in planned(state, results, VIEWS)


def test_where_others_wait_only_views_that_are_seen_are_computed():
    views = ("state", "gradient", "spectrum", "jacobian")
    state = page()
    assert planned(state, known(state), views) == ["views", "views"], "alone, for whoever wants to see them next"
    assert "views" not in planned(state, crowd(known(state)), views)
    assert planned(replace(state, shown=("state", "jacobian")), crowd(known(state)), views)[:2].count("views") == 1
    asked = state.ask("csv", "spectrum")
    assert planned(asked, crowd(known(state)), views) == ["views", "views"], "files need them"


def test_a_view_that_a_bet_covers_is_not_computed():
    state = page(predict=True)
    views = ("jacobian", "spectrum")
    jobs = plan(state, known(state), views)
    assert [job.key.view for job in jobs] == ["spectrum"]
    jobs = plan(state.place_bet("fades", True), known(state), views)
    assert [job.key.view for job in jobs] == ["jacobian", "spectrum"]


def test_a_slow_view_is_of_the_last_settings_only():
    state = page().change(SMALL.replace(gain=1.5))
    results = known(page())
    assert planned(state, results, VIEWS) == ["4x6"]


@pytest.mark.parametrize("error", [True, False], ids=["failed", "stopped"])
def test_a_slow_view_that_was_stopped_or_has_failed_is_left(error):
    state = page() if error else page().stop("views")
    results = known(state)
    if error:
        results.put(slow_view(state, results), error=ZeroDivisionError())
    assert "views" not in planned(state, results, VIEWS)


# Pins


def test_pins_come_after_the_comparison_and_its_views():
    pins = tuple(SMALL.replace(gain=gain).alone for gain in (1.5, 0.5))
    state = page(pins=pins)
    assert planned(state, views=VIEWS) == ["4x6", "pins", "pins"]
    results = known(state)
    jobs = plan(state, results, VIEWS)
    assert names(jobs) == ["views", "pins", "pins"]
    assert [job.key for job in jobs[1:]] == [Pin(pin.comparison) for pin in pins]
    assert all(job.takes_turns and job.text == "Computing the pinned curves: {share}" for job in jobs[1:])
    results.put(jobs[1].key, value=TRACE.only(0))
    results.put(jobs[2].key, error=MemoryError())
    assert "pins" not in planned(state, results, VIEWS)


def test_a_pin_that_the_page_shows_is_not_computed_again_nor_taken_from_a_draft():
    state = page(LARGE).pin_first()
    assert "pins" not in planned(state, known(state))
    assert "pins" in planned(state, known(state, 1, 1))
    assert "pins" in planned(state, known(state, 8, 1))
    state = page().pin_first()
    results = known(state)
    plan(state, results, ())
    assert results[Pin(SMALL.comparison.first_scheme)].value.schemes == ("xavier",)
    state = state.change(SMALL.replace(beside=("keras",)))
    assert "pins" not in planned(state, results)


# The check and the advice


def test_a_check_comes_between_the_comparison_and_its_views():
    state = page().start_check()
    assert planned(state, views=VIEWS) == ["4x6", "check"]
    results = known(state)
    assert planned(state, results, VIEWS) == ["check", "views"]
    assert planned(page().start_check().stop("check"), results) == ["advice"]
    assert planned(page().start_check().stop("check").start_check(), results) == ["check"]
    assert planned(page(LARGE).stop("comparison").start_check()) == ["check"]
    results.put(Check(SMALL.config), error=FloatingPointError())
    assert planned(state, results) == ["advice"], "which is said, and not tried again"


def test_a_suggestion_is_looked_for_when_all_else_is_done():
    state = page()
    results = known(state)
    jobs = plan(state, results, ("state",))
    assert names(jobs) == ["advice"]
    assert (jobs[0].after, jobs[0].takes_turns) == (IDLE, True)
    results.put(Advice(results[SMALL.comparison].value), value=(None,))
    assert planned(state, results) == [], "also where there is nothing to suggest"


@pytest.mark.parametrize("flags", [{"lock": ("gain",)}, {"predict": True}])
def test_nothing_is_suggested_where_it_would_tell_or_could_not_be_done(flags):
    state = page(**flags)
    assert planned(state, known(state)) == []
    assert planned(page(), known(page())) == ["advice"]


def test_a_training_waits_for_slow_views_that_are_seen_and_for_no_others():
    state = page(SMALL.replace(options={"problem": "recall"})).train()
    results = Results()
    results.put(state.comparison, value=TRACE)
    views = ("race", "gradient", "map")
    assert names(plan(state, results, views)) == ["training"]
    assert names(plan(replace(state, shown=("race", "map")), results, views)) == ["views", "training"]


def test_a_training_takes_short_turns():
    state = page(SMALL.replace(options={"problem": "recall"})).train()
    results = Results()
    results.put(state.comparison, value=TRACE)
    (training,) = plan(state, results, ("race", "gradient"))
    whole = plan(page(LARGE), Results(), ("state",))[-1]
    assert training.takes_turns
    assert training.lasts < 1
    assert training.within > whole.within


# A page that nobody sees


def test_nothing_is_computed_for_a_hidden_page_until_it_is_seen_again():
    training = page(SMALL.replace(options={"problem": "recall"})).train()
    for state in (page(LARGE), page().pin_first().start_check(), training):
        for results in (Results(), known(state)):
            results.put(state.comparison, value=results[state.settings.comparison].value)
            seen = planned(state, results, VIEWS)
            assert seen
            assert planned(replace(state, hidden=True), results, VIEWS) == []
            assert planned(replace(state, hidden=False), results, VIEWS) == seen
    assert not replace(page(), hidden=True).change(LARGE).hidden, "who moves a slider sees it"


def test_a_file_that_was_asked_for_is_still_made_once_the_page_is_hidden():
    state = replace(page(LARGE).ask("csv"), hidden=True)
    assert planned(state) == planned(page(LARGE))
    assert planned(state, known(state)) == [], "but nothing is looked for beyond it"
