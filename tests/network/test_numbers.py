"""Own numbers: read as they were written, scaled, in order, and refused in one sentence each."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import rnnviz as rv
from rnnviz.network.numbers import table
from rnnviz.network.sampling import draw_inputs

THREE = np.array([[1.5, 2.0], [-3.0, 0.25], [1e3, 7.0]])


@pytest.mark.parametrize(
    "text",
    [
        "1.5,2\n-3,0.25\n1e3,7",
        "1.5 2\n-3   0.25\n\n 1000 7 \n",
        "1,5;2\n-3;0,25\n1000;7",
        "1,5\t2\r\n-3,0\t0,25\r\n1000\t7",
        "time, value\n1.5, 2\n-3, 0.25\n+1e3, 7.0",
        "# from a file\n1.5;2\n-3;.25\n1000;7.",
    ],
)
def test_a_table_is_read_and_scaled(text):
    np.testing.assert_allclose(table(text), stats.zscore(THREE, axis=0), atol=1e-14)


def test_a_sine_is_one_period():
    for text, steps in (("sine 25", 25), ("Sinus 3", 3), ("sin 10000", 10_000)):
        expected = np.sqrt(2) * np.sin(2 * np.pi * np.arange(steps) / steps)
        np.testing.assert_allclose(table(text)[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\ntwo", "numbers, line 2: 'two' is not a finite number"),
        ("1\n2\nnan", "line 3: 'nan' is not a finite number"),
        ("1\n1e999", "line 2: '1e999' is not"),
        ("1\n1_0", "line 2: '1_0' is not"),
        ("1;2;\n3;4;", "line 1: '' is not"),
        ("1 2 3\n\n4 5", "line 3: 2 columns, but 3 in the lines above"),
        ("0,5\n0,75\n1", "is '0,5' one number or two[?] Write '0.5' for one, '0; 5' for two columns"),
        ("0,5 0,7\n0,6 0,8", "is '0,5' one number or two"),
        ("1 2\n3 2", "column 2 is constant"),
        ("1e300 5\n1e300 4", "column 1 is constant"),
        ("123", "at least 2 rows, or be a sine such as: sine 25"),
        ("value\n123", "at least 2 rows"),
        ("# 1\n\n", "at least 2 rows"),
        ("sine 2", "period must be a whole number from 3 to 10000; got '2'"),
        ("sine 2.5", "got '2.5'"),
        ("sine 10001", "got '10001'"),
        ("1", "numbers must be a text of 2 to 20000 characters"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        rv.Config(numbers=text)
    assert "\n" not in str(caught.value)


def is_table(text):
    try:
        return len(table(text)) > 1
    except ValueError:
        return False


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("0123456789.,;-+e \t\nasin#_"), min_size=2, max_size=40))
def test_any_text_is_a_table_or_a_sentence(text):
    with pytest.raises(ValueError, match="numbers") if not is_table(text) else nullcontext():
        rows = table(text)
        np.testing.assert_allclose(rows.mean(axis=0), 0.0, atol=1e-7)
        np.testing.assert_allclose(rows.std(axis=0), 1.0, atol=1e-7)
        config = rv.Config(inputs="numbers", numbers=text)
        assert rv.Config.from_query(config.to_query()) == config
        assert config.sizes == (rows.shape[1], 10)


def test_rows_are_read_in_order_round_and_round():
    config = rv.Config(inputs="numbers", numbers="3;1\n1;2\n4;7\n1;5\n5;9", seq_len=12, batch_size=40, output_size=5)
    x, targets = draw_inputs(config)
    rows, ranks = table(config.numbers), np.array([2, 0, 3, 0, 4])  # of 3 1 4 1 5: both ones are below a quarter
    first = [int(np.argmin(np.abs(rows - each).sum(axis=1))) for each in x[0]]
    assert set(first) == set(range(5))
    for k, start in enumerate(first):
        at = (start + np.arange(13)) % 5
        np.testing.assert_array_equal(x[:, k], rows[at[:-1]])
        assert (np.argsort(np.argsort(targets[:, k], kind="stable"), kind="stable") >= 0).all()
        same = {(int(ranks[row]), int(target)) for row, target in zip(at[1:], targets[:, k], strict=True)}
        assert len({rank for rank, _ in same}) == len({target for _, target in same}) == len(same)
        assert [target for _, target in sorted(same)] == sorted(target for _, target in same)


def test_classes_have_equally_many_rows():
    rng = np.random.default_rng(3)
    text = "\n".join(map(str, rng.lognormal(size=200)))
    config = rv.Config(inputs="numbers", numbers=text, seq_len=200, batch_size=1, output_size=8)
    assert np.bincount(draw_inputs(config)[1][:, 0]).tolist() == [25] * 8


def test_a_network_reads_them():
    trace = rv.run(rv.Config(inputs="numbers", numbers="sine 20", hidden_size=30, seq_len=40, batch_size=5))
    assert np.isfinite(trace.log10_grad_norm).all()
    assert trace.config.sizes == (1, 10)
