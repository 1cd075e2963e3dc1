"""The walkthrough's sentence on a step back agrees with the arrays of that step."""

import re

import numpy as np

from rnnviz.story.walkthrough import Walk


def last_words(walk, t):
    return re.findall(r"<p>(.*?)</p>", walk.backward(t).body)[-1]


def test_a_step_back_gives_both_norms_and_their_ratio():
    walk = Walk()
    for t in (4, 1):
        after, before = (np.linalg.norm(walk.gradients.d_h[k]) for k in (t - 1, t))
        given = [float(value) for value in re.findall(r"\d+(?:\.\d+)?", last_words(walk, t))]
        np.testing.assert_allclose(given, [before, after, after / before], rtol=0.06)


def test_a_gradient_that_becomes_or_stays_zero_is_reported():
    walk = Walk(gain=0.0)  # W_hh = 0: only the last step has a gradient
    assert re.fullmatch(r"The norm went from 0\.\d+ to 0: a factor of 0\.", last_words(walk, 4))
    for t in (3, 1):
        assert last_words(walk, t) == f"∂L/∂h_{t} is exactly 0: there is nothing to pass back."


def test_the_factor_is_given_where_floats_hold_no_norm():
    """Linear units and W_hh = gain I: every step back multiplies the norm by the gain."""
    walk = Walk(scheme="identity", activation="linear", gain=1e-3, seq_len=200)
    assert not walk.gradients.d_h[1].any()
    assert re.fullmatch(r"The norm went from \de-598 to \de-601: a factor of 0\.001\.", last_words(walk, 1))
