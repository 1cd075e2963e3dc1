"""Computations that are watched, moved between contexts, and abandoned."""

import contextvars

import numpy as np
import pytest

from rnnviz.numerics.progress import finish, mapped, rescaled, unwarned


def counting(steps, ended):
    try:
        for k in range(1, steps + 1):
            np.exp(1000.0 * k)
            yield k / steps
        return steps
    finally:
        ended.append(True)


def test_finish_returns_the_result_and_passes_errors_on():
    assert finish(rescaled(unwarned(counting(3, []), over="ignore"), 0.0, 1.0)) == 3
    with np.errstate(over="raise"), pytest.raises(FloatingPointError, match="overflow"):
        finish(counting(3, []))


def test_a_part_has_its_own_range_of_shares():
    shares = []
    quiet = unwarned(counting(4, []), over="ignore")
    assert finish(mapped(rescaled(quiet, 0.5, 0.25), shares.append)) == 4
    assert shares == [0.5625, 0.625, 0.6875, 0.75]


def test_ignored_warnings_are_the_computations_own_in_every_context():
    """A callback of an event loop has a context of its own, where np.errstate cannot be undone by another."""
    before, progress = np.geterr(), unwarned(counting(3, []), over="ignore")
    for _ in range(2):
        contextvars.copy_context().run(next, progress)
        assert np.geterr() == before
    contextvars.copy_context().run(progress.close)
    assert np.geterr() == before


@pytest.mark.parametrize("wrap", [lambda p: unwarned(p, over="ignore"), lambda p: rescaled(p, 0.0, 1.0)])
def test_closing_abandons_what_is_inside(wrap):
    ended = []
    with np.errstate(over="ignore"):
        progress = wrap(counting(3, ended))
        next(progress)
        progress.close()
    assert ended == [True]
