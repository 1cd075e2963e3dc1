"""A slider keeps what was set although a browser sends it back in whole steps; a move is followed, in round numbers."""

from hypothesis import given
from hypothesis import strategies as st

from rnnviz.dashboard.slider import Slider

STEPS = st.sampled_from([0.01, 0.05, 0.1])
NUMBERS = st.floats(0.0, 12.0)


def as_a_browser(slider):
    """Return what a browser makes of a slider's value: a multiple of its step, as JavaScript multiplies."""
    return round(slider.value / slider.step) * slider.step


@given(NUMBERS, NUMBERS, STEPS)
def test_what_was_set_outlives_the_browsers_rounding(first, second, step):
    slider = Slider(first, min=0.0, max=12.1, step=step)
    slider.value = as_a_browser(slider)
    assert slider.exact == first
    slider.put(second)
    slider.value = as_a_browser(slider)
    assert slider.exact == second


@given(st.integers(0, 119), STEPS)
def test_a_move_of_a_step_is_followed_without_a_floats_error(steps, step):
    slider = Slider(steps * step, min=0.0, max=12.1, step=step)
    slider.value = (steps + 1) * step
    assert slider.exact == round((steps + 1) * step, 2)


@given(st.integers(1, 118), STEPS, st.floats(0.01, 0.5), st.sampled_from([-1, 1]))
def test_a_key_moves_a_number_between_the_steps_wherever_it_lies(steps, step, part, by):
    slider = Slider(0.0, min=0.0, max=12.1, step=step)
    slider.put((steps + part) * step)
    slider.value = as_a_browser(slider)
    shown = round(slider.value / step)
    slider.value = (shown + by) * step
    assert slider.exact == round((shown + by) * step, 2)
