"""Quantiles over seeds, against NumPy for finite values, and by hand for infinite or missing ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rnnviz.numerics.quantiles import over_seeds

finite = arrays(float, array_shapes(min_dims=1, max_dims=3, max_side=9), elements=st.floats(-1e9, 1e9))


@given(finite)
def test_finite_values_as_numpy_has_them(values):
    expected = [np.quantile(values, q, axis=0) for q in (0.5, 0.1, 0.9)]
    np.testing.assert_allclose(over_seeds(values), expected, rtol=1e-12, atol=1e-3 * np.finfo(np.float32).eps)


@given(finite)
def test_the_middle_one_is_the_median_of_the_statistics_module(values):
    from statistics import median

    flat = values.reshape(len(values), -1)
    found = over_seeds(flat)[0]
    for column, value in zip(flat.T, found, strict=True):
        assert value == pytest.approx(median(column.tolist()), rel=1e-12, abs=1e-6)


@given(finite, st.integers(0, 2**32 - 1))
def test_missing_seeds_are_as_if_never_run(values, seed):
    missing = np.random.default_rng(seed).random(values.shape) < 0.3
    flat = np.where(missing, np.nan, values).reshape(len(values), -1)
    found = over_seeds(flat)
    for k, column in enumerate(flat.T):
        known = column[~np.isnan(column)]
        expected = np.quantile(known, (0.5, 0.1, 0.9)) if known.size else np.full(3, np.nan)
        np.testing.assert_allclose(found[:, k], expected, rtol=1e-12, atol=1e-6)


def test_infinite_values_by_hand():
    for values, median in (
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
        assert over_seeds(np.array(values), (0.5,))[0] == median, values


def test_nothing_known_is_nan():
    assert np.isnan(over_seeds(np.full((4, 2), np.nan))).all()


def test_the_values_are_left_as_they_were():
    values = np.array([[np.nan, np.inf], [1.0, -np.inf]])
    before = values.copy()
    over_seeds(values)
    np.testing.assert_array_equal(values, before)
