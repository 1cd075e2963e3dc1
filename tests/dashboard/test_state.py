"""The page's state: what each change does to it, and what no sequence of changes can do."""

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz import Config
from rnnviz.dashboard import scenes
from rnnviz.dashboard.scenes import SCENES
from rnnviz.dashboard.settings import MOST_SCHEMES, Settings
from rnnviz.dashboard.state import MOST_PINS, Bet, PageState
from rnnviz.network.schemes import SCHEMES

START = Settings(Config(hidden_size=12), ("he",), seeds=4)
OTHER = START.replace(gain=1.5)
PAGE = PageState(START, START, START)
CSV, CODE = ("csv", ""), ("code", "")
THEORY = {"theory": True}


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


# Changes


def test_a_change_of_numbers_ends_what_was_meant_for_the_others():
    page = replace(PAGE.start_check().stop("views").ask(*CSV).ask(*CODE), notice="link", message="no").change(OTHER)
    assert page.settings == OTHER
    assert (page.check, page.stopped, page.notice, page.message) == (False, frozenset(), "", "")
    assert page.requests == (CODE,), "code is of whatever the page shows, a file of what it was asked for"


def test_a_change_of_what_is_shown_leaves_the_work_alone():
    page, with_theory = (
        replace(PAGE.start_check().stop("views").ask(*CSV), notice="link"),
        START.replace(options=THEORY),
    )
    assert page.change(with_theory) == replace(page, settings=with_theory)


def test_a_refusal_keeps_the_last_settings_until_they_change():
    page = PAGE.start_check().ask(*CSV).refuse("text must be longer.")
    assert (page.settings, page.refusal) == (START, "text must be longer.")
    assert (page.check, page.requests) == (False, ())
    assert page.change(START).refusal == page.reset().refusal == ""


def test_a_scene_brings_its_settings_and_reset_goes_back_to_where_the_page_started():
    page = PAGE.change(START.replace(options=THEORY)).choose("surprise")
    scene = SCENES["surprise"]
    assert (page.settings.config, page.settings.beside) == (scene.config, scene.schemes[1:])
    assert page.settings.option("theory"), "the page's own choices stay"
    assert page.start == START, "links stay relative to where the page started"
    assert page.change(OTHER).choose(scenes.START).settings.comparison == START.comparison
    back = page.change(OTHER).reset()
    assert (back.settings, back.scene) == (START, scenes.START)


def test_new_seeds_have_not_been_drawn_before():
    page = PAGE.draw_again()
    assert set(page.settings.comparison.drawn(4)).isdisjoint(START.comparison.drawn(4))
    assert PAGE.change(START.replace(seed=2**31 - 2)).draw_again().settings.config.seed < 2**31


def test_pins_keep_the_first_scheme_and_the_oldest_goes():
    page = PAGE.pin_first().pin_first()
    assert page.pins == (START.alone,)
    assert START.alone.comparison == START.comparison.first_scheme
    for seed in range(1, MOST_PINS + 1):
        page = page.change(START.replace(seed=seed)).pin_first()
    assert [pin.config.seed for pin in page.pins] == [1, 2, 3]
    again = page.change(START.replace(seed=1)).pin_first()
    assert [pin.config.seed for pin in again.pins] == [2, 3, 1]


def test_a_bet_uncovers_the_gradient_of_its_own_settings():
    page = replace(PAGE, predict=True)
    assert page.covers
    assert not PAGE.covers
    page = page.place_bet("fades", True)
    assert not page.covers
    assert not page.change(START.replace(beside=())).covers
    assert page.change(OTHER).covers
    assert page.place_bet("grows", False).bets == page.bets == (Bet(START.config, "fades", True),)


def test_a_bet_of_the_class_can_be_changed_until_the_teacher_shows_the_answer():
    page = replace(PAGE, predict=True, question="ab12").place_bet("fades", True)
    assert page.covers
    assert page.placed == Bet(START.config, "fades", True)
    assert page.judged == ()
    page = page.place_bet("grows", False)
    other = page.change(START.replace(scheme="he")).place_bet("grows", True)
    assert other.covers, "the class may bet on each scheme"
    assert [bet.answer for bet in other.bets] == ["grows", "grows"]
    moved = page.change(OTHER).place_bet("fades", True)
    assert not moved.covers, "no question of the class"
    assert moved.judged == moved.bets[-1:]
    shown = replace(page, revealed=True)
    assert not shown.covers
    assert shown.judged == (Bet(START.config, "grows", False),)
    assert shown.place_bet("fades", True) == shown


def test_what_is_stopped_stays_stopped_for_these_settings():
    page = PAGE.stop("comparison").stop("check")
    assert page.stopped == page.change(START).stopped == {"comparison", "check"}
    assert page.start_check().stopped == {"comparison"}
    assert page.change(OTHER).change(START).stopped == frozenset()


def test_requests_are_answered_once():
    page = PAGE.ask(*CSV).ask(*CODE).ask(*CSV)
    assert page.requests == (CODE, CSV)
    page = page.answer(CODE, "not now")
    assert (page.requests, page.message) == ((CSV,), "not now")


# Any changes

few_settings = st.builds(
    Settings,
    st.builds(Config, gain=st.sampled_from([1.0, 1.5]), seed=st.sampled_from([0, 1, 2**32 - 1])),
    st.sampled_from([(), ("he",)]),
    st.sampled_from([{}, THEORY]),
    st.sampled_from([1, 4]),
)
changes = st.one_of(
    st.tuples(st.just("change"), few_settings),
    st.tuples(st.just("choose"), st.sampled_from(list(SCENES))),
    st.tuples(st.sampled_from(["reset", "draw_again", "pin_first", "start_check"])),
    st.just(("refuse", "no.")),
    st.tuples(st.just("place_bet"), st.sampled_from(["fades", "grows"]), st.booleans()),
    st.tuples(st.just("stop"), st.sampled_from(["comparison", "views", "check"])),
    st.tuples(st.just("ask"), st.sampled_from(["png", "csv", "code"]), st.sampled_from(["", "gradient"])),
    st.tuples(st.just("answer"), st.sampled_from([CSV, CODE]), st.sampled_from(["", "no."])),
)


@given(st.lists(changes, max_size=12), st.booleans())
@settings(max_examples=60)
def test_no_changes_break_a_page(happened, predict):
    page = replace(PAGE, predict=predict, lock=("gain",))
    for name, *arguments in happened:
        before, copy = page, deepcopy(page)
        page = getattr(page, name)(*arguments)
        assert before == copy, "the state before is another's"
        hold_invariants(before, name, page)


def hold_invariants(before, change, page):
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
    if change == "refuse":
        assert page.settings == before.settings
    if page.settings != before.settings:
        assert page.refusal == "", "settings that are there are possible ones"
