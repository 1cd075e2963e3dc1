"""What has been computed: found by its key, the last of a kind, and forgotten when nobody has used it for long."""

from dataclasses import FrozenInstanceError
from typing import NamedTuple

import pytest

import rnnviz as rv
from rnnviz.dashboard.results import NOTHING, PACE, ROOM, Results, is_whole
from rnnviz.dashboard.settings import Comparison

CONFIG = rv.Config(hidden_size=4, seq_len=3, batch_size=2)
TRACE = rv.compare(CONFIG, ("xavier",), range(2))
WHOLE = Comparison(CONFIG, ("xavier",), 2)


class Shown(NamedTuple):
    """A made-up kind of work."""

    view: str
    number: int


class Share(NamedTuple):
    """A progress that knows its share."""

    share: float


def test_what_is_unknown_is_nothing_and_a_result_is_frozen():
    results = Results()
    assert results["a"] is NOTHING
    assert not NOTHING.is_settled
    assert NOTHING.share == 0.0
    with pytest.raises(FrozenInstanceError):
        NOTHING.value = 1


def test_a_result_is_put_together_from_what_is_learnt_of_it():
    results = Results()
    results.put("a", progress=0.25)
    before = results["a"]
    assert (before.share, before.is_settled) == (0.25, False)
    results.put("a", progress=Share(0.5))
    assert results["a"].share == 0.5
    results.put("a", value=7)
    results.put("a", error=ZeroDivisionError())
    assert (results["a"].value, results["a"].is_settled) == (7, True), "a draft stays when the whole fails"
    assert before.share == 0.25, "what somebody holds does not change"


def test_the_latest_of_a_kind_is_the_one_used_last():
    results = Results()
    for number, view in enumerate(["state", "units", "state"]):
        results.put(Shown(view, number), value=number)
    results.put(Shown("state", 9), progress=0.5)
    results.put(("state", 10), value=10)
    assert results.latest(Shown) == (Shown("state", 2), 2)
    assert results.latest(Shown, "units") == (Shown("units", 1), 1)
    assert results.latest(Shown) == (Shown("units", 1), 1), "which was looked at just now"
    results[Shown("state", 0)]
    assert results.latest(Shown, "state") == (Shown("state", 0), 0)
    assert results.latest(Shown, "nosuch") is None


def test_errors_are_forgotten_and_values_kept():
    results = Results()
    results.put("failed", error=ValueError())
    results.put("draft", value=1, error=ValueError())
    results.put("good", value=2)
    results.forgive()
    assert results["failed"] is results["draft"] is NOTHING
    assert results["good"].value == 2


def test_what_was_not_used_since_the_last_time_is_forgotten_but_for_small_comparisons():
    results = Results()
    for key in ("a", "b", WHOLE):
        results.put(key, value=TRACE)
    results.trim()
    assert set(results.known) == {"a", "b", WHOLE}
    results["a"]
    results.trim()
    assert set(results.known) == {"a", WHOLE}
    results.trim()
    assert set(results.known) == {WHOLE}, "settings that come back are there at once"


def test_of_large_comparisons_the_least_recently_used_go_first():
    large = rv.compare(CONFIG.replace(hidden_size=16, seq_len=200), ("xavier",), range(2))
    most = ROOM // large.units.nbytes
    keys = [WHOLE._replace(seeds=seeds) for seeds in range(1, most + 4)]
    results = Results()
    for key in keys:
        results.put(key, value=large)
    results.trim()
    results[keys[0]]
    results.trim()
    assert list(results.known) == [*keys[-most:], keys[0]]


def test_the_pace_is_learnt_without_believing_a_single_measurement():
    results = Results()
    assert results.pace == PACE
    results.learn(seconds=4.0, work=4.0 / (100 * PACE))
    assert results.pace == pytest.approx(10 * PACE)
    for _ in range(12):
        results.learn(seconds=1e-6, work=1e6)
    assert results.pace == pytest.approx(1e-12, rel=0.01)


def test_a_draft_is_not_the_whole():
    assert is_whole(TRACE, WHOLE)
    assert not is_whole(TRACE, WHOLE._replace(seeds=3))
    assert not is_whole(TRACE, WHOLE._replace(config=CONFIG.replace(batch_size=3)))
