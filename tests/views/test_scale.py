"""Axis limits snap to round numbers, hold what is drawn, and are written as they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.views import scale

distances = st.lists(st.floats(0, 1e6), min_size=1, max_size=6)


@given(st.floats(0, 1e300))
def test_snap_goes_up_to_the_next_rung(value):
    rung = scale.snap(value)
    assert rung >= value or value < 0.03
    mantissa = rung / 10 ** np.floor(np.log10(rung)) if rung else 0.0
    assert np.isclose(mantissa, [0, 1, 1.5, 2, 3, 4, 5, 6, 8, 10]).any()
    assert rung <= max(1.0, 1.51 * value)
    assert scale.snap(rung) == rung


@given(distances, distances, st.floats(0, 5), st.floats(0, 5))
def test_limits_hold_every_curve_or_leave_it_out_for_the_others_sake(lows, highs, down, up):
    bottom, top = scale.decades([-value for value in lows], highs, down, up)
    assert bottom <= -(down if down >= 0.03 else 0)
    assert top >= (up if up >= 0.03 else 0)
    for limit, values, least in ((-bottom, lows, down), (top, highs, up)):
        inside = [value for value in values if value <= limit]
        outside = [value for value in values if value > limit]
        # The axis is no longer than its longest curve needs, and no curve is left out that would not squash the rest.
        assert limit <= 1.51 * max([1.0, least, *inside])
        assert all(value > scale.SQUASH * max([5.0, least, *inside]) or value < 0.03 for value in outside)


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=5), st.lists(st.sampled_from([np.nan, np.inf, -np.inf])))
def test_limits_pass_over_what_is_not_finite(values, unknown):
    assert scale.decades([], values + unknown, 1.0, 1.0) == scale.decades([], values, 1.0, 1.0)


@given(st.integers(1, 10_000))
def test_the_time_axis_holds_all_steps(seq_len):
    assert seq_len <= scale.steps_limit(seq_len) <= max(2.0, 1.51 * seq_len)


@given(st.floats(0, 2000), st.floats(0, 2000))
def test_decade_ticks_are_true_to_their_labels(down, up):
    bottom, top = -scale.snap(down), max(scale.snap(up), 1.0)
    ticks, labels = scale.decade_ticks(bottom, top)
    assert 2 <= len(ticks) == len(labels) <= 10
    assert all(bottom - 1e-9 <= tick <= top + 1e-9 for tick in ticks)
    assert np.all(np.diff(ticks) > 0)
    for tick, label in zip(ticks, labels, strict=True):
        assert read_power(label) == pytest.approx(tick, abs=1e-9)


def read_power(label):
    """Return log10 of a tick's label, read as a person does."""
    plain = label.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    if plain != label:
        assert plain.startswith("10")
        return float(plain[2:])
    return np.log10(float(label))
