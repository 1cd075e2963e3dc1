"""Medians and bands over seeds, against NumPy for finite values, and by hand for infinite or missing ones."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rnnviz.numerics.quantiles import left_out, median, over_seeds

finite = arrays(float, array_shapes(min_dims=1, max_dims=3, max_side=9), elements=st.floats(-1e9, 1e9))


def ends(known):
    """Return median and band of a list of numbers: the k-th lowest and highest, k a tenth of R + 1, at least 1."""
    k, known = max(1, (len(known) + 1) // 10), sorted(known)
    return [np.median(known), known[k - 1], known[-k]] if known else [np.nan] * 3


def test_the_band_leaves_out_the_outermost_of_many_seeds():
    rows = np.random.default_rng(0).permutation(40)
    for seeds, low, high in [(1, 0, 0), (2, 0, 1), (3, 0, 2), (8, 0, 7), (18, 0, 17), (19, 1, 17), (32, 2, 29)]:
        values = rows[rows < seeds].astype(float)
        np.testing.assert_array_equal(over_seeds(values), [(seeds - 1) / 2, low, high])
        assert left_out(seeds) == low


@pytest.mark.parametrize("seeds", [8, 9, 18, 19, 32])
def test_one_more_seed_lies_in_the_band_as_often_as_order_statistics_have_it(seeds):
    draws = np.random.default_rng(seeds).standard_cauchy((seeds + 1, 40_000))
    low, high = over_seeds(draws[:-1])[1:]
    share = np.mean((draws[-1] >= low) & (draws[-1] <= high))
    assert share == pytest.approx(1 - 2 * (left_out(seeds) + 1) / (seeds + 1), abs=0.012)  # 5 standard errors
    assert share > 0.77


@given(finite)
def test_finite_values_as_sorting_has_them(values):
    flat = values.reshape(len(values), -1)
    expected = np.transpose([ends(column.tolist()) for column in flat.T]).reshape(3, *values.shape[1:])
    np.testing.assert_allclose(over_seeds(values), expected, rtol=1e-12, atol=1e-6)


@given(finite)
def test_the_middle_one_is_the_median_of_the_statistics_module(values):
    flat = values.reshape(len(values), -1)
    for column, value in zip(flat.T, median(flat), strict=True):
        assert value == pytest.approx(statistics.median(column.tolist()), rel=1e-12, abs=1e-6)


@given(finite, st.integers(0, 2**32 - 1))
def test_missing_seeds_are_as_if_never_run(values, seed):
    missing = np.random.default_rng(seed).random(values.shape) < 0.3
    flat = np.where(missing, np.nan, values).reshape(len(values), -1)
    found = over_seeds(flat)
    for k, column in enumerate(flat.T):
        np.testing.assert_allclose(found[:, k], ends(column[~np.isnan(column)].tolist()), rtol=1e-12, atol=1e-6)


def test_infinite_values_by_hand():
    for values, middle in (
        ([1.0, 2.0, np.inf], 2.0),
        ([1.0, np.inf, np.inf], np.inf),
        ([-np.inf, -np.inf, 3.0], -np.inf),
        ([-np.inf, 2.0, 3.0, np.inf], 2.5),
        ([1.0, np.inf], np.inf),
        ([-np.inf, 1.0], -np.inf),
        ([np.inf], np.inf),
        ([np.nan, -np.inf, np.nan], -np.inf),
        ([np.nan, 7.0], 7.0),
        ([-5000.0, 5000.0], 0.0),
    ):
        assert median(np.array(values)) == middle, values
    np.testing.assert_array_equal(over_seeds(np.array([2.0, -np.inf, np.nan, np.inf]))[1:], [-np.inf, np.inf])


def test_nothing_known_is_nan():
    assert np.isnan(over_seeds(np.full((4, 2), np.nan))).all()


def test_the_values_are_left_as_they_were():
    values = np.array([[np.nan, np.inf], [1.0, -np.inf]])
    before = values.copy()
    over_seeds(values)
    np.testing.assert_array_equal(values, before)
