"""The walk: what it says of a step back is what the arrays of that step give."""

import re

import numpy as np

from rnnviz.story.walkthrough import Walk


def last_words(walk, t):
    return re.findall(r"<p>(.*?)</p>", walk.backward(t).body)[-1]


def test_a_step_back_tells_both_norms_and_their_ratio():
    walk = Walk()
    for t in (4, 1):
        after, before = (np.linalg.norm(walk.gradients.d_h[k]) for k in (t - 1, t))
        told = [float(value) for value in re.findall(r"\d+(?:\.\d+)?", last_words(walk, t))]
        np.testing.assert_allclose(told, [before, after, after / before], rtol=0.06)


def test_a_gradient_that_ends_is_told_and_so_is_one_that_has_ended():
    walk = Walk(gain=0.0)  # W_hh = 0: only the last step has a gradient
    assert re.fullmatch(r"The norm went from 0\.\d+ to 0: a factor 0\.", last_words(walk, 4))
    for t in (3, 1):
        assert last_words(walk, t) == f"∂L/∂h_{t} is exactly 0: there is nothing to hand back."


def test_a_factor_is_told_where_floats_hold_no_norm():
    """Linear units and W_hh = gain I: every step back multiplies the norm by the gain."""
    walk = Walk(scheme="identity", activation="linear", gain=1e-3, seq_len=200)
    assert not walk.gradients.d_h[1].any()
    assert re.fullmatch(r"The norm went from \de-598 to \de-601: a factor 0\.001\.", last_words(walk, 1))
