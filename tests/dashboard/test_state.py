"""`reduce` as a function: what each event does to the page's state, and what no sequence of events can do."""

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import Config
from rnnviz.dashboard import scenes
from rnnviz.dashboard.scenes import SCENES
from rnnviz.dashboard.settings import MOST_SCHEMES, Settings
from rnnviz.dashboard.state import (
    MOST_PINS,
    Answer,
    Ask,
    Bet,
    Change,
    Choose,
    DrawAgain,
    KeepPins,
    PageState,
    PinFirst,
    PlaceBet,
    Point,
    Refuse,
    Reset,
    StartCheck,
    Stop,
    reduce,
)
from rnnviz.network.schemes import SCHEMES

START = Settings(Config(hidden_size=12), ("he",), seeds=4)
OTHER = START.replace(gain=1.5)
PAGE = PageState(START, START, START)
CSV, CODE = ("csv", ""), ("code", "")


def after(*events, page=PAGE):
    """Return the state after some events."""
    for event in events:
        page = reduce(page, event)
    return page


# Settings


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"beside": ("nosuch",)}, "scheme must be one of"),
        ({"options": {"nosuch": 1}}, "option must be one of"),
        ({"options": {"theory": 1}}, "theory must be one of"),
        ({"seeds": 0}, "seeds must be a whole number from 1 to 100; got 0"),
        ({"seeds": True}, "seeds must be"),
        ({"seeds": 2.5}, "seeds must be"),
        ({"gain": -1}, "gain must be"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        START.replace(**changes)


def test_schemes_beside_are_kept_in_order_without_the_first_and_not_too_many():
    found = Settings(Config(scheme="he"), tuple(sorted(SCHEMES, reverse=True)))
    assert "he" not in found.beside
    assert len(found.comparison.schemes) == MOST_SCHEMES
    assert list(found.beside) == [name for name in SCHEMES if name in found.beside]


def test_options_that_are_the_default_are_the_same_as_none():
    assert START.replace(options={"theory": False}) == START
    assert START.replace(options={"theory": True}).option("theory") is True


def test_the_last_seeds_are_counted_from_lower_down():
    comparison = START.replace(seed=2**32 - 1).comparison
    assert comparison.drawn(4) == range(2**32 - 4, 2**32)


# Events


def test_a_change_of_numbers_ends_what_was_meant_for_the_others():
    page = replace(after(StartCheck(), Stop("views"), Ask(*CSV), Ask(*CODE)), notice="link", message="no")
    page = after(Change(OTHER), page=page)
    assert page.settings == OTHER
    assert (page.check, page.stopped, page.notice, page.message) == (False, frozenset(), "", "")
    assert page.requests == (CODE,), "code is of whatever the page shows, a file of what it was asked for"


def test_a_change_of_what_is_shown_leaves_the_work_alone():
    page = replace(after(StartCheck(), Stop("views"), Ask(*CSV)), notice="link")
    changed = after(Change(START.replace(options={"theory": True})), page=page)
    assert changed == replace(page, settings=START.replace(options={"theory": True}))


def test_a_refusal_keeps_the_last_settings_until_they_change():
    page = after(StartCheck(), Ask(*CSV), Refuse("text must be longer."))
    assert (page.settings, page.refusal) == (START, "text must be longer.")
    assert (page.check, page.requests) == (False, ())
    assert after(Change(START), page=page).refusal == ""
    assert after(Reset(), page=page).refusal == ""


def test_a_scene_brings_its_settings_and_reset_goes_back_to_where_the_page_started():
    page = after(Change(START.replace(options={"theory": True})), Choose("surprise"))
    scene = SCENES["surprise"]
    assert (page.settings.config, page.settings.beside) == (scene.config, scene.beside)
    assert page.settings.option("theory"), "the page's own choices stay"
    assert page.start == START, "links stay relative to where the page started"
    assert after(Change(OTHER), Choose(scenes.START), page=page).settings.comparison == START.comparison
    back = after(Change(OTHER), Reset(), page=page)
    assert (back.settings, back.scene) == (START, scenes.START)


def test_new_seeds_have_not_been_drawn_before():
    page = after(DrawAgain())
    assert set(page.settings.comparison.drawn(4)).isdisjoint(START.comparison.drawn(4))
    assert after(Change(START.replace(seed=2**31 - 2)), DrawAgain()).settings.config.seed < 2**31


def test_pins_keep_the_first_scheme_and_the_oldest_goes():
    page = after(PinFirst(), PinFirst())
    assert page.pins == (START.alone,)
    assert START.alone.comparison == START.comparison.first_scheme
    for seed in range(1, MOST_PINS + 1):
        page = after(Change(START.replace(seed=seed)), PinFirst(), page=page)
    assert [pin.config.seed for pin in page.pins] == [1, 2, 3]
    again = after(Change(START.replace(seed=1)), PinFirst(), page=page)
    assert [pin.config.seed for pin in again.pins] == [2, 3, 1]
    assert after(KeepPins(page.pins[:1]), page=page).pins == page.pins[:1]


def test_a_bet_uncovers_the_gradient_of_its_own_settings():
    page = replace(PAGE, predict=True)
    assert page.covers
    assert not PAGE.covers
    page = after(PlaceBet("fades", True), page=page)
    assert not page.covers
    assert not after(Change(START.replace(beside=())), page=page).covers
    assert after(Change(OTHER), page=page).covers
    assert page.bets == (Bet(START.config, "fades", True),)


def test_what_is_stopped_stays_stopped_for_these_settings():
    page = after(Stop("comparison"), Stop("check"))
    assert page.stopped == {"comparison", "check"}
    assert after(Point(3), Change(START), page=page).stopped == page.stopped
    assert after(StartCheck(), page=page).stopped == {"comparison"}
    assert after(Change(OTHER), Change(START), page=page).stopped == frozenset()


def test_requests_are_answered_once():
    page = after(Ask(*CSV), Ask(*CODE), Ask(*CSV))
    assert page.requests == (CODE, CSV)
    page = after(Answer(CODE, "not now"), page=page)
    assert (page.requests, page.message) == ((CSV,), "not now")


def test_pointing_at_a_step_changes_nothing_else():
    assert after(Point(7)) == replace(PAGE, step=7)


# Any events

few_settings = st.builds(
    Settings,
    st.builds(Config, gain=st.sampled_from([1.0, 1.5]), seed=st.sampled_from([0, 1, 2**32 - 1])),
    st.sampled_from([(), ("he",)]),
    st.sampled_from([{}, {"theory": True}]),
    st.sampled_from([1, 4]),
)
events = st.one_of(
    st.builds(Change, few_settings),
    st.builds(Choose, st.sampled_from(list(SCENES))),
    st.sampled_from([Refuse("no."), Reset(), DrawAgain(), PinFirst(), KeepPins(()), StartCheck()]),
    st.builds(Point, st.integers(-1, 60)),
    st.builds(PlaceBet, st.sampled_from(["fades", "grows"]), st.booleans()),
    st.builds(Stop, st.sampled_from(["comparison", "views", "check"])),
    st.builds(Ask, st.sampled_from(["png", "csv", "code"]), st.sampled_from(["", "gradient"])),
    st.builds(Answer, st.sampled_from([CSV, CODE]), st.sampled_from(["", "no."])),
)


@given(st.lists(events, max_size=12), st.booleans())
@settings(max_examples=60)
def test_no_events_break_a_page(happened, predict):
    page = replace(PAGE, predict=predict, lock=("gain",))
    for event in happened:
        before, copy = page, deepcopy(page)
        page = reduce(page, event)
        assert before == copy, "the state before is another's"
        hold_invariants(before, event, page)


def hold_invariants(before, event, page):
    """Hold what is true of a state and the one that follows it, whatever happened."""
    assert page.bets[: len(before.bets)] == before.bets, "a bet cannot be taken back"
    assert len({pin.comparison for pin in page.pins}) == len(page.pins) <= MOST_PINS
    assert all(pin == pin.alone for pin in page.pins)
    assert len(set(page.requests)) == len(page.requests)
    assert (page.start, page.lock, page.predict) == (before.start, before.lock, before.predict)
    if page.settings.comparison != before.settings.comparison:
        assert page.stopped == frozenset()
        assert not page.check
        assert all(kind == "code" for kind, _ in page.requests)
    if isinstance(event, Refuse):
        assert page.settings == before.settings
    if page.settings != before.settings:
        assert page.refusal == "", "settings that are there are possible ones"
    assert reduce(before, event) == page, "the same event does the same"
