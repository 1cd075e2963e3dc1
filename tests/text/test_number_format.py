"""Numbers as text: read back, they are the numbers that went in."""

import math

import mpmath as mp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.text.number_format import number

magnitudes = st.floats(-1e6, 1e6)


def exact(log10):
    return mp.mpf(10) ** mp.mpf(log10)


@given(st.floats(-3, 4, exclude_max=True))
def test_plain_numbers_keep_two_digits(log10):
    text = number(log10, log10=True)
    assert "e" not in text
    assert float(text) == pytest.approx(10**log10, rel=0.051)


@given(magnitudes.filter(lambda value: not -3 <= value < 4))
def test_powers_of_ten_keep_one_digit(log10):
    with mp.workdps(30):
        digit, _, exponent = number(log10, log10=True).partition("e")
        assert 1 <= int(digit) <= 9
        error = abs(mp.mpf(int(digit)) * mp.mpf(10) ** int(exponent) - exact(log10))
        assert error <= 0.501 * mp.mpf(10) ** math.floor(log10)


@given(magnitudes, magnitudes)
def test_order_survives(a, b):
    with mp.workdps(30):
        low, high = (mp.mpf(number(value, log10=True)) for value in sorted((a, b)))
        assert low <= high


@given(st.floats(1e-300, 1e300))
def test_a_number_and_its_logarithm_read_alike(value):
    assert number(value) == number(math.log10(value), log10=True)
    assert number(-value) == "−" + number(value)


def test_written_out():
    written = {
        0.4637: "0.46",
        1.0: "1",
        0.001: "0.001",
        999.9: "1000",
        1234.5: "1200",
        9999.0: "10000",
        12_345.0: "1e4",
        96_000.0: "1e5",
        0.00096: "1e-3",
        -0.25: "−0.25",
        0: "0",
        math.inf: "inf",
    }
    assert {value: number(value) for value in written} == written


def test_written_from_a_logarithm():
    written = {-1005.04: "9e-1006", 5000.0: "1e5000", -math.inf: "0", math.inf: "∞", math.nan: "undefined", 0.0: "1"}
    assert {value: number(value, log10=True) for value in written} == written


def test_more_digits_on_request():
    assert number(0.46371, digits=4) == "0.4637"
