"""`render` as a function: what the page shows of a state and of what is known, while some jobs are still to be done."""

from dataclasses import replace

import numpy as np
import pytest
from pages import is_one_sentence
from rendered import (
    BEFORE,
    DRAFT,
    NEW,
    NEW_DRAFT,
    NEW_TRACE,
    OLD,
    OLD_TRACE,
    SLOW,
    STOPPED,
    WHOLE,
    WIDE,
    known,
    page,
    traced,
)

import rnnviz as rv
from rnnviz.dashboard.error_report import Refusal
from rnnviz.dashboard.pictures import Pictures
from rnnviz.dashboard.plan import plan
from rnnviz.dashboard.render import render
from rnnviz.dashboard.state import Bet
from rnnviz.dashboard.work import Advice, Check, Pin, drawing
from rnnviz.story.suggestions import Suggestion
from rnnviz.theory import prediction


@pytest.fixture(scope="module")
def pictures():
    """Keep the figures from test to test, as a page does from frame to frame."""
    return Pictures(("state", "gradient"))


@pytest.fixture(scope="module")
def shown(pictures):
    """Return a function that shows a state and results while the rest of the plan is still to be done."""

    def shown(state, results, viewport=WIDE, views=pictures):
        return render(state, results, plan(state, results, tuple(views.canvases)), viewport, views)

    return shown


# The comparison


def test_before_anything_is_computed_there_is_nothing_to_dim(shown):
    frame = shown(page(), known(pace=SLOW))
    assert (frame.stage, frame.trace) == ({}, None)
    assert frame.traits["busy"] is False
    assert frame.traits["progress"]["text"] == "Computing 3 draws: 0%"


def test_the_old_picture_stays_dimmed_while_a_long_job_is_on_its_way(shown):
    frame = shown(page(), known(BEFORE, pace=SLOW))
    assert frame.trace is OLD_TRACE
    assert frame.traits["busy"]
    assert not frame.is_current
    assert not frame.is_complete
    assert frame.stage["whole"] is False
    assert frame.stage["drawn"] == "3 x 6"


def test_the_old_picture_is_not_dimmed_where_a_draft_comes_at_once(shown):
    frame = shown(page(), known(BEFORE))
    assert frame.trace is OLD_TRACE
    assert not frame.traits["busy"]
    assert frame.traits["progress"] == {}


def test_a_draft_is_shown_until_the_whole_is_there(shown):
    draft, whole = (shown(page(), known(BEFORE, each)) for each in (DRAFT, WHOLE))
    assert (draft.trace, draft.is_current, draft.is_complete) == (NEW_DRAFT, True, False)
    assert (whole.trace, whole.is_current, whole.is_complete) == (NEW_TRACE, True, True)
    assert (draft.stage["drawn"], whole.stage["drawn"]) == ("1 x 2", "3 x 6")
    assert not draft.traits["busy"]
    assert whole.stage["whole"]


def test_what_a_hidden_page_has_left_undone_is_no_whole(shown):
    for results in (known(BEFORE), known(BEFORE, DRAFT)):
        frame = shown(page(hidden=True), results)
        assert not frame.is_complete
        assert frame.stage["whole"] is False
    assert shown(page(hidden=True), known(BEFORE, WHOLE)).is_complete


def test_where_others_wait_only_pictures_that_are_seen_are_painted(shown):
    def painted(state, waited):
        results = known(WHOLE)
        results.waited = waited
        views = Pictures(("state", "gradient", "units"))
        return [each["name"] for each in shown(state, results, views=views).stage["views"] if each["png"]]

    assert painted(page(), waited=0.0) == ["state", "gradient", "units"]
    assert painted(page(), waited=3.0) == ["state", "gradient"]
    assert painted(page(shown=("gradient", "units")), waited=3.0) == ["gradient", "units"]


def test_a_reader_who_waits_for_a_turn_is_told_so(shown):
    results = known(BEFORE, DRAFT)
    results.waited = 3.0
    said = "Waiting for a turn: other pages compute on this machine too."
    assert shown(page(), results).traits["progress"] == {"share": 0.0, "text": said}
    results.put(NEW.comparison, progress=0.25)
    assert shown(page(), results).traits["progress"]["text"] == "Computing 3 draws: 25%"
    results.waited = 0.0
    results.put(NEW.comparison, progress=None)
    assert shown(page(), results).traits["progress"] == {}


def test_the_same_state_and_results_bring_the_same_pictures(shown):
    first, again = (shown(page(), known(WHOLE)) for _ in range(2))
    assert first.stage == again.stage, "and so nothing is sent twice"


def test_what_takes_long_says_how_far_it_is(shown):
    results = known(BEFORE, pace=SLOW)
    results.put(NEW.comparison, progress=0.42)
    assert shown(page(), results).traits["progress"] == {"share": 0.42, "text": "Computing 3 draws: 42%"}
    pinned = page(pins=(OLD.replace(gain=0.5).alone,))
    results = known(WHOLE)
    assert shown(pinned, results).traits["progress"] == {}, "before anybody knows how long it takes"
    results.put(Pin(pinned.pins[0].comparison), progress=0.5)
    assert shown(pinned, results).traits["progress"]["text"] == "Computing the pinned curves: 50%"


# What is stopped, refused or wrong


def test_what_was_stopped_says_what_is_shown_instead(shown):
    told = {
        (): "Stopped before anything was computed. Choose smaller sizes.",
        (BEFORE,): "Stopped: the pictures still show the previous settings.",
        (DRAFT,): "Stopped: the pictures show H = 8, T = 6, 1 of 3 draws and 2 of 6 sequences.",
        (WHOLE,): "",
    }
    for pairs, words in told.items():
        frame = shown(page(stopped=STOPPED), known(*pairs, pace=SLOW))
        assert frame.traits["notice"] == words
        assert frame.traits["progress"] == {}
        assert frame.traits["busy"] == (pairs == (BEFORE,)), words
    views = shown(page(stopped=frozenset({"views"}), notice="About the link."), known(WHOLE))
    assert views.traits["notice"] == "About the link. Stopped: the dimmed pictures were not computed."


def test_a_refusal_is_a_sentence_and_a_fault_has_a_report(shown):
    refused = shown(page(OLD, refusal="text must be longer."), known(BEFORE)).traits
    assert (refused["message"], refused["report"]) == ("text must be longer.", "")
    results = known(BEFORE)
    results.put(NEW.comparison, error=ArithmeticError("too large"))
    wrong = shown(page(), results).traits
    assert is_one_sentence(wrong["message"])
    assert "inside rnnviz (ArithmeticError: too large)" in wrong["message"]
    assert wrong["report"].startswith(f"rnnviz {rv.__version__}, Python ")
    assert "settings: ?gain=1.5\n" in wrong["report"]
    assert wrong["notice"] == "The pictures still show the previous settings."
    assert wrong["busy"]
    results.put(NEW.comparison, error=Refusal("This cannot be."))
    assert (shown(page(), results).traits["message"], shown(page(), results).traits["report"]) == (
        "This cannot be.",
        "",
    )


def test_while_the_controls_are_refused_the_picture_is_dimmed_and_nothing_is_complete(shown):
    frame = shown(page(refusal="text must be longer."), known(DRAFT))
    assert frame.traits["busy"], "the picture is of other settings than the controls say"
    assert not frame.is_complete, "a draft, on which no bet can be placed"


def test_the_whole_that_fails_leaves_a_draft_that_says_so(shown):
    results = known(DRAFT)
    results.put(NEW.comparison, error=ArithmeticError("too large"))
    frame = shown(page(), results)
    assert "ArithmeticError" in frame.traits["message"]
    assert "1 of 3 draws" in frame.traits["notice"]
    assert frame.trace is NEW_DRAFT


def test_what_goes_wrong_with_a_view_a_pin_or_the_advice_is_said_too(shown):
    pin = OLD.replace(gain=0.5).alone
    state = page(pins=(pin,))
    for key in (Pin(pin.comparison), Advice(NEW_TRACE), drawing(state, "state", NEW_TRACE, ())):
        results = known(WHOLE)
        results.put(key, error=ZeroDivisionError("no"))
        assert "ZeroDivisionError" in shown(state, results).traits["message"], key
    assert shown(state, known(WHOLE)).traits["message"] == ""


def test_a_request_that_is_refused_is_said(shown):
    assert shown(page(message="Nothing is computed yet."), known(WHOLE)).traits["message"] == "Nothing is computed yet."


# Bets


def test_a_covered_picture_gives_nothing_away(shown, pictures):
    covered = page(predict=True, step=3)
    frame = shown(covered, known(WHOLE))
    state, gradient = frame.stage["views"]
    assert gradient["alt"] == "The gradient is covered until you have placed your bet."
    assert frame.stage["words"] == []
    assert frame.traits["moment"] == ["The numbers of a step are covered until you have placed your bet."]
    other = replace(NEW_TRACE, log10_grad_norm=NEW_TRACE.log10_grad_norm[..., ::-1] * 2 + 1)
    again = shown(covered, known((NEW.comparison, other))).stage["views"][1]
    assert gradient["png"] == again["png"], "another gradient, the same picture"
    open_ = shown(replace(covered, bets=(Bet(NEW.config, "fades", True),)), known(WHOLE))
    assert open_.stage["views"][0]["png"] == state["png"], "only the gradient is covered"
    assert open_.stage["views"][1]["png"] != gradient["png"]
    assert "covered" not in open_.stage["views"][1]["alt"]
    assert len(open_.stage["words"]) == 2


# Views


def test_a_slow_view_keeps_its_old_picture_or_its_place(shown):
    views = Pictures(("state", "spectrum"))
    first = shown(page(), known(WHOLE), views=views).stage["views"]
    assert [view["stale"] for view in first] == [False, True]
    assert (first[1]["png"], first[1]["alt"]) == (None, "Eigenvalues: still being computed")
    assert [first[0][side] for side in ("width", "height")] == [first[1][side] for side in ("width", "height")]
    old = drawing(page(OLD), "spectrum", OLD_TRACE, ())
    there = shown(page(OLD), known(BEFORE, (old, old.data())), views=views).stage["views"][1]
    assert not there["stale"]
    kept = shown(page(), known((old, old.data()), WHOLE), views=views).stage["views"][1]
    assert kept == there | {"stale": True}


def test_pins_are_drawn_in_the_pictures_and_named(shown):
    pin = OLD.replace(gain=0.5).alone
    results = known(WHOLE)
    plain = shown(page(), results).stage["views"][1]
    awaited = shown(page(pins=(pin,)), results)
    assert awaited.stage["views"][1]["png"] == plain["png"], "the page does not wait for a pin"
    assert not awaited.is_complete
    results.put(Pin(pin.comparison), value=traced(pin))
    pinned = shown(page(pins=(pin,)), results)
    assert pinned.is_complete
    assert pinned.stage["views"][1]["png"] != plain["png"]
    assert "pinned: Xavier, Gain 0.5" in pinned.stage["views"][1]["alt"]


def test_pins_are_named_by_what_tells_them_apart(shown):
    pins = tuple(OLD.replace(gain=1.2, hidden_size=10, seq_len=9, seed=seed).alone for seed in (1, 2))
    results = known(WHOLE, *((Pin(pin.comparison), traced(pin)) for pin in pins))
    alt = shown(page(pins=pins), results).stage["views"][1]["alt"]
    for seed in (1, 2):
        assert f"pinned: Xavier, Seed {seed}, Gain 1.2, Hidden size 10" in alt


def test_pictures_fit_the_page(shown, pictures):
    for (width, height), columns in {(920, 720): 2, (1560, 1080): 2, (608, 360): 2, (358, 844): 1}.items():
        views = shown(page(), known(WHOLE), {"width": width, "height": height, "ratio": 1}).stage
        tall = sum(view["height"] for view in views["views"][: 3 - columns])
        assert tall <= 0.6 * height, "the screen shows more than pictures"
        assert (views["columns"], views["page"]) == (columns, width)
        assert sum(view["width"] for view in views["views"][:columns]) <= width
        assert all(view["width"] > 0.9 * (width / columns - 20) for view in views["views"])
    single = Pictures(("gradient",))
    assert shown(page(), known(WHOLE), views=single).stage["columns"] == 1
    large = shown(page(present=True), known(WHOLE)).stage["views"][0]
    assert large["png"] != shown(page(), known(WHOLE)).stage["views"][0]["png"]


# Sentences


def test_theory_speaks_of_all_sequences_beside_a_draft_too(shown):
    """The mean over the few sequences of a draft differs, and so would theory's sentence."""
    settings = OLD.replace(scheme="orthogonal", beside=("xavier",), batch_size=16, seed=3, options={"theory": True})
    draft = prediction.sentences(settings.config.replace(batch_size=1), settings.comparison.schemes)
    expected = prediction.sentences(settings.config, settings.comparison.schemes)
    assert draft != expected, "nothing is tested"
    results = known((settings.comparison, traced(settings, 1, 1)))
    words = [word["text"] for word in shown(page(settings), results).stage["words"]]
    assert words[-1] == " ".join(expected)
    assert len(words) == 3


def test_a_step_is_read_out(shown):
    results = known(WHOLE)
    assert shown(page(), results).traits["moment"] == []
    title, *told = shown(page(step=4), results).traits["moment"]
    assert title == "Step 4"
    assert len(told) == len(NEW_TRACE.schemes) + 1 == shown(page(), results).stage["told"]
    assert shown(page(step=99), results).traits["moment"][0] == "Step 6"
    assert shown(page(step=4), known()).traits["moment"] == []


# Advice and check


def test_a_suggestion_is_shown_once_nothing_else_is_to_come(shown):
    advice = Suggestion("Try gain 2: it helps.", {"gain": 2.0})
    results = known(WHOLE, (Advice(NEW_TRACE), (advice,)))
    assert shown(page(), results).advice is advice
    silent = [{"predict": True}, {"lock": ("gain",)}, {"refusal": "no."}, {"pins": (OLD.replace(gain=0.5).alone,)}]
    for changes in silent:
        assert shown(page(**changes), results).advice is None, changes
    assert shown(page(OLD), results).advice is None, "it is for other settings"
    assert shown(page(), known(WHOLE, (Advice(NEW_TRACE), (None,)))).advice is None


def test_a_check_is_known_by_its_network(shown):
    checked = page(check=True)
    results = known(WHOLE)
    result, is_running = shown(checked, results).check
    assert (result.is_settled, is_running) == (False, True)
    results.put(Check(NEW.config), value="checked")
    result, is_running = shown(checked, results).check
    assert (result.value, is_running) == ("checked", False)
    assert not shown(page(OLD, check=True), results).check[0].is_settled


def test_rendering_does_not_change_what_is_known(shown):
    results = known(BEFORE, DRAFT)
    before = {key: result.value for key, result in results.known.items()}
    shown(page(), results)
    assert {key: result.value for key, result in results.known.items()} == before
    assert np.isfinite(results.pace)
