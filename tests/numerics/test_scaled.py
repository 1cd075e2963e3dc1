"""Scaled arrays against fractions and mpmath, at exponents far outside the range of float64."""

from __future__ import annotations

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnnviz.numerics.scaled import ZERO, Scaled, Weights, as_scaled, concatenate, product, stack, where

SETTINGS = settings(max_examples=60)
B, N = 3, 4
numbers = st.one_of(st.just(0.0), st.floats(0.5, 1.0), st.floats(-1.0, -0.5))
mantissas = hnp.arrays(float, (B, N), elements=numbers)
whole = st.integers(-20_000, 20_000).map(float)
by_row = hnp.arrays(float, (B, 1), elements=whole)
by_number = hnp.arrays(float, (B, N), elements=whole)
scaled = st.builds(Scaled, mantissas, st.one_of(by_row, by_number))
# The mantissas of a row may themselves reach down to 1e-300.
uneven = st.builds(
    lambda m, shift, e: Scaled(np.ldexp(m, shift), e),
    mantissas,
    hnp.arrays(int, (B, N), elements=st.integers(-990, 300)),
    by_row,
)
any_scaled = st.one_of(scaled, uneven)


def power(e) -> Fraction:
    return Fraction(2) ** int(e) if e > ZERO / 2 else Fraction(0)  # the exponent of an exact zero


def exact(s: Scaled) -> list[list[Fraction]]:
    """Return the numbers as fractions: no rounding, no limit."""
    e = np.broadcast_to(s.e, s.m.shape)
    return [[Fraction(float(m)) * power(k) for m, k in zip(*row, strict=True)] for row in zip(s.m, e, strict=True)]


def assert_equals(s: Scaled, expected, relative=0.0, beside=None):
    """Compare number by number; ``beside`` gives the sizes that the errors are relative to."""
    beside = beside or expected
    for ours, theirs, scales in zip(exact(s), expected, beside, strict=True):
        for a, b, scale in zip(ours, theirs, scales, strict=True):
            assert abs(a - b) <= Fraction(relative) * abs(scale)


@SETTINGS
@given(any_scaled)
def test_spread_and_back_change_no_number(s):
    assert_equals(s.spread(), exact(s))
    assert_equals(s.rowwise(), exact(s))


@SETTINGS
@given(any_scaled)
def test_balanced_changes_no_number_and_brings_rows_near_1(s):
    balanced = s.balanced()
    assert_equals(balanced, exact(s))
    if balanced.is_rowwise:
        sizes = np.abs(balanced.m).max(axis=-1)
        assert np.all((sizes == 0) | ((sizes > 2.0**-401) & (sizes < 2.0**401)))
        assert np.all(balanced.e[sizes == 0] == ZERO) or balanced is s


@SETTINGS
@given(any_scaled, any_scaled)
def test_products(a, b):
    expected = [[x * y for x, y in zip(*rows, strict=True)] for rows in zip(exact(a), exact(b), strict=True)]
    assert_equals(a * b, expected, 1e-15)


@SETTINGS
@given(any_scaled, hnp.arrays(float, (B, N), elements=st.one_of(st.just(0.0), st.floats(1e-300, 1e3))))
def test_products_with_plain_factors(a, factor):
    factors = [[Fraction(float(v)) for v in row] for row in factor]
    expected = [[x * y for x, y in zip(*rows, strict=True)] for rows in zip(exact(a), factors, strict=True)]
    assert_equals(a * factor, expected, 1e-15)
    assert_equals(factor * a, expected, 1e-15)


@SETTINGS
@given(any_scaled, any_scaled)
def test_sums(a, b):
    pairs = list(zip(exact(a), exact(b), strict=True))
    expected = [[x + y for x, y in zip(*rows, strict=True)] for rows in pairs]
    sizes = [[max(abs(x), abs(y)) for x, y in zip(*rows, strict=True)] for rows in pairs]
    assert_equals(a + b, expected, 1e-15, sizes)


def matrix_product(rows, W):
    """Return the exact product, and the sums of absolute terms that its rounding errors are relative to."""
    columns = [[Fraction(float(v)) for v in column] for column in W.T]
    terms = [[[x * w for x, w in zip(row, column, strict=True)] for column in columns] for row in rows]
    return [[sum(t) for t in row] for row in terms], [[sum(map(abs, t)) for t in row] for row in terms]


def row_sizes(rows, W):
    """Return for every result the row's largest number times W's largest: the scale of dense sums."""
    top = Fraction(float(np.abs(W).max()))
    return [[max(map(abs, row)) * top] * W.shape[1] for row in rows]


@SETTINGS
@given(any_scaled, hnp.arrays(float, (N, 2), elements=st.one_of(st.floats(0.01, 2.0), st.floats(-2.0, -0.01))))
def test_matrix_products_with_dense_weights(a, W):
    assert_equals(a @ Weights(W), matrix_product(exact(a), W)[0], 1e-14, row_sizes(exact(a), W))


@SETTINGS
@given(any_scaled, hnp.arrays(float, (N, 3), elements=st.sampled_from([0.0, 0.0, 1.0, -0.75, 1e-20])))
def test_matrix_products_with_sparse_weights_lose_no_small_number(a, W):
    expected, sizes = matrix_product(exact(a), W)
    assert_equals(a @ Weights(W), expected, 1e-15, sizes)


def test_weights_far_from_1_change_the_exponent_alone():
    a, W = Scaled(np.array([[2.0**-390, 2.0**-395]])), np.array([[1.0, 2.0], [3.0, -4.0]])
    for factor in (1e-300, 1e-200, 1e-40, 1.0, 1e40, 1e200, 1e300):
        assert_equals(a @ Weights(W * factor), matrix_product(exact(a), W * factor)[0], 1e-15)


def test_weights_of_zeros_give_zeros():
    assert_equals(Scaled(np.ones((2, 3))) @ Weights(np.zeros((3, 3))), [[0] * 3] * 2)


@SETTINGS
@given(st.lists(any_scaled, min_size=1, max_size=3))
def test_concatenate(parts):
    assert_equals(concatenate(parts), [sum(rows, []) for rows in zip(*map(exact, parts), strict=True)])


@SETTINGS
@given(st.lists(any_scaled, min_size=2, max_size=3), st.randoms(use_true_random=False), st.booleans())
def test_product_is_that_of_the_joined_parts(parts, random, sparse):
    values = [random.choice([0.0, 1.0, -2.0]) if sparse else random.uniform(0.5, 2) for _ in range(N * len(parts) * 2)]
    W = np.reshape(values, (-1, 2))
    rows = [sum(each, []) for each in zip(*map(exact, parts), strict=True)]
    expected, sizes = matrix_product(rows, W)
    assert_equals(product(parts, Weights(W)), expected, 1e-14, sizes if sparse else row_sizes(rows, W))


@SETTINGS
@given(any_scaled)
def test_log10_norm(s):
    with mp.workdps(40):
        total = mp.fsum((mp.mpf(v.numerator) / v.denominator) ** 2 for row in exact(s) for v in row)
        expected = float(mp.log10(mp.sqrt(total))) if total else -np.inf
    assert s.log10_norm() == pytest.approx(expected, rel=1e-14, abs=1e-12)


def test_log10_norm_of_a_stack_has_a_number_for_each():
    s = Scaled(np.ones((2, B, N)), np.array([[[5000.0]] * B, [[ZERO]] * B]))
    s.m[1] = 0.0
    np.testing.assert_allclose(s.log10_norm(), [5000 * np.log10(2) + np.log10(12) / 2, -np.inf])


@SETTINGS
@given(hnp.arrays(float, (2, 3), elements=st.one_of(st.floats(-1e6, 1e6), st.just(-np.inf))))
def test_exp_of_logs_of_any_size(logs):
    s = Scaled.exp(logs).spread()
    ours = np.where(s.m == 0, -np.inf, np.log(np.where(s.m == 0, 1.0, s.m)) + s.e * np.log(2.0))
    np.testing.assert_allclose(ours, logs, rtol=1e-14, atol=1e-14)


@SETTINGS
@given(any_scaled)
def test_to_float_is_the_nearest_float(s):
    def nearest(v):
        try:
            return float(v)
        except OverflowError:
            return np.inf if v > 0 else -np.inf

    np.testing.assert_allclose(s.to_float(), [[nearest(v) for v in row] for row in exact(s)], rtol=1e-15, atol=5e-324)


def test_a_number_lost_from_sight_comes_back_through_a_sparse_matrix():
    """Two independent units: the first falls to 1e-5000 of the second, then the second falls by 1e-9000."""
    d, W = Scaled(np.ones((1, 2))), Weights(np.eye(2))
    for _ in range(50):
        d = ((d * np.array([[1e-100, 1.0]])) @ W).balanced()
    for _ in range(90):
        d = ((d * np.array([[1.0, 1e-100]])) @ W).balanced()
    assert d.log10_norm() == pytest.approx(-5000.0, abs=1e-9)
    np.testing.assert_array_equal(d.to_float(), 0.0)


def test_rows_of_zeros_stay_zeros_for_thousands_of_steps():
    d, factor = Scaled(np.array([[0.0, 0.0], [1.0, 1.0]])), Scaled.exp(np.full((2, 2), -2000.0))
    for _ in range(3000):
        d = (d * factor).balanced()
    np.testing.assert_array_equal(d.m[0], 0.0)
    assert d.log10_norm() == pytest.approx(-6e6 / np.log(10) + np.log10(2) / 2, rel=1e-12)


@SETTINGS
@given(any_scaled, any_scaled, hnp.arrays(bool, (B, N)))
def test_where_and_stack_change_no_number(a, b, chosen):
    rows = zip(exact(a), exact(b), chosen, strict=True)
    mixed = [[x if is_a else y for x, y, is_a in zip(*row, strict=True)] for row in rows]
    assert_equals(as_scaled(where(chosen, a, b)), mixed)
    both = stack([a, b])
    assert_equals(both[0], exact(a))
    assert_equals(both[1], exact(b))


@SETTINGS
@given(any_scaled)
def test_narrowed_gives_floats_where_they_hold_every_number(s):
    narrow = s.narrowed()
    assert_equals(as_scaled(narrow), exact(s))
    sizes = [abs(number) for row in exact(s) for number in row if number]
    fits = all(Fraction(2) ** -1022 <= size < Fraction(2) ** 1024 for size in sizes)
    assert isinstance(narrow, np.ndarray) == fits


def test_plain_arrays_stay_plain():
    a, b = np.ones((B, N)), np.zeros((B, N))
    assert isinstance(stack([a, b]), np.ndarray)
    assert isinstance(where(a > 0, a, b), np.ndarray)
    assert isinstance(stack([a, Scaled(b)]), Scaled)
