"""The race as a picture: its curves are medians of the losses, its sentences count the runs."""

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.views import VIEWS, Canvas
from rnnviz.views.race import Curves, outcomes

VIEW = VIEWS["race"]
TRACE = rv.compare(rv.Config(hidden_size=8, seq_len=5), ("xavier", "he"), range(2))


def curves(losses, reached, diverged=None, step=100, steps=100, levels=None):
    """Return curves of made-up losses (K, S, R), at the steps 10, 20, ..."""
    losses, reached = np.array(losses, dtype=float), np.array(reached)
    diverged = np.zeros_like(reached) if diverged is None else np.array(diverged)
    overflow = np.where(diverged > 0, "the loss", "")
    at, names = 10 * np.arange(1, len(losses) + 1), ("Xavier", "He")
    levels = levels or {"chance": 2.0, "target": 0.2}
    return Curves(None, "Recall", names, step, steps, at, losses, levels, diverged, overflow, reached, (0,))


LOSSES = [[[2.0, 2.0, 2.0], [2.0, 4.0, 3.0]], [[1.0, 0.5, 0.1], [2.0, 2.0, 2.0]], [[0.01, 0.5, 0.1], [2.0, 2.0, 1.0]]]


def test_a_curve_is_the_median_over_the_seeds_within_their_range():
    data = VIEW.data(TRACE, curves(LOSSES, np.zeros((2, 3), dtype=int)))
    np.testing.assert_allclose(10 ** data.curves[0].median, [2.0, 0.5, 0.1])
    np.testing.assert_allclose(10 ** data.curves[1].low, [2.0, 2.0, 1.0])
    assert list(data.curves[0].steps) == [10, 20, 30]
    assert data.y_limits[0] <= np.log10(0.01) and data.y_limits[1] >= np.log10(4.0)  # noqa: PT018


def test_a_run_that_diverged_counts_as_the_worst():
    losses = np.array(LOSSES)
    losses[1:, 0, 0] = np.nan
    data = VIEW.data(TRACE, curves(losses, np.zeros((2, 3), dtype=int)))
    np.testing.assert_allclose(10 ** data.curves[0].median, [2.0, 0.5, 0.5])
    losses[1:, 0, :2] = np.nan
    data = VIEW.data(TRACE, curves(losses, np.zeros((2, 3), dtype=int)))
    assert np.isnan(data.curves[0].median[1:]).all()


@pytest.mark.parametrize(
    ("reached", "diverged", "step", "said"),
    [
        ([30, 40, 50], [0, 0, 0], 100, "Target reached after 30 to 50 steps (median 40)."),
        ([30, 0, 50], [0, 0, 0], 100, "Target reached after 30 to 50 steps, not by 1 of 3 runs."),
        ([0, 0, 0], [0, 0, 0], 100, "Target not reached by any of 3 runs."),
        ([0, 0, 0], [0, 0, 0], 50, ""),
        ([0, 0, 0], [0, 7, 9], 50, "2 of 3 diverged, first at training step 7: the loss overflowed."),
        ([0, 0, 0], [5, 7, 9], 100, "Target not reached by any of 3 runs; 3 of 3 diverged, first at training step 5"),
    ],
)
def test_the_outcome_counts_the_runs(reached, diverged, step, said):
    found = curves(LOSSES, [reached, [1, 1, 1]], [diverged, [0, 0, 0]], step)
    first = outcomes(found)[0]
    assert first.startswith(said)
    assert bool(first) == bool(said)


def test_the_picture_has_the_levels_and_the_alt_text_their_numbers():
    data = VIEW.data(TRACE, curves(LOSSES, np.zeros((2, 3), dtype=int)))
    text = VIEW.describe(data)
    assert "chance level 2, target 0.2" in text
    assert "Xavier: loss 2 at first, 0.1 at step 30" in text
    kept = Canvas(VIEW)
    assert kept.png(data) != kept.png(VIEW.data(TRACE, curves(LOSSES[:2], np.zeros((2, 3), dtype=int))))
    assert {"chance level", "target"} <= set(VIEW.uses(data))


def test_before_the_training_it_asks_for_it():
    data = VIEW.data(TRACE)
    assert "press Train" in VIEW.describe(data)
    assert Canvas(VIEW).png(data)
    none_yet = VIEW.data(TRACE, curves(np.zeros((0, 2, 3)), np.zeros((2, 3), dtype=int), step=0))
    assert VIEW.describe(none_yet).endswith(".")
