"""What the network reads."""

from __future__ import annotations

import re

import digits_file
import numpy as np
import pytest
from scipy import stats

import rnnviz as rv
from rnnviz.network.inputs import INPUTS, TEXT, Input, alphabet, scans
from rnnviz.network.sampling import draw_inputs


def read(**changes):
    config = rv.Config(seq_len=20, batch_size=7, input_size=6, output_size=5).replace(**changes)
    return config, *draw_inputs(config)


def test_shapes_are_those_that_config_says():
    for name in INPUTS:
        config, x, targets = read(inputs=name)
        inputs, classes = config.sizes
        assert x.shape == (20, 7, inputs), name
        assert targets.shape == (20, 7), name
        assert np.issubdtype(targets.dtype, np.integer), name
        assert 0 <= targets.min() <= targets.max() < classes, name


@pytest.mark.parametrize(
    ("x", "targets", "words"),
    [
        (np.zeros((7, 20, 6)), np.zeros((20, 7), int), "x of inputs 'mine' must have the shape"),
        (np.zeros((20, 7, 6)), np.zeros(7, int), "targets must have the shape (T, B) = (20, 7); got (7,)"),
        (np.zeros((20, 7, 6)), np.full((20, 7), 5), "targets must be whole numbers from 0 to 4; got 5..5"),
        (np.zeros((20, 7, 6)), np.zeros((20, 7)), "targets must be whole numbers from 0 to 4"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(x, targets, words):
    INPUTS.add("mine", Input("mine", "Mine", "", lambda rng, sizes, text: (x, targets)))
    try:
        with pytest.raises(ValueError, match=re.escape(words)):
            read(inputs="mine")
    finally:
        del INPUTS["mine"]


def test_the_seed_decides_and_the_weights_do_not():
    for name in INPUTS:
        one, same, other = (read(inputs=name, seed=seed)[1:] for seed in (3, 3, 4))
        beside = read(inputs=name, seed=3, scheme="pytorch", gain=2.0, cell="gru")[1:]
        for each in (same, beside):
            np.testing.assert_array_equal(one[0], each[0], err_msg=name)
            np.testing.assert_array_equal(one[1], each[1], err_msg=name)
        assert not np.array_equal(one[0], other[0]), name


def test_input_scale_multiplies_the_input_alone():
    for name in INPUTS:
        _, x, targets = read(inputs=name)
        _, scaled, same = read(inputs=name, input_scale=2.5)
        np.testing.assert_allclose(scaled, 2.5 * x, err_msg=name)
        np.testing.assert_array_equal(same, targets, err_msg=name)
        assert not read(inputs=name, input_scale=0.0)[1].any(), name


def test_an_input_says_whether_it_is_steady_and_what_it_reads():
    for name, entry in INPUTS.items():
        x = read(inputs=name)[1]
        assert entry.steady == x.any(axis=(1, 2)).all(), name
        for field, value in (("text", TEXT[::-1]), ("numbers", "sine 24")):
            other = read(inputs=name, **{field: value})[1]
            assert (entry.reads == field) == (not np.array_equal(x, other)), (name, field)


def test_at_the_scale_of_noise_every_input_has_a_mean_square_of_one():
    """Issue 14: one-hot text of V characters has 1/V of it, unless its scale is sqrt(V)."""
    for name, entry in INPUTS.items():
        config, x, _ = read(inputs=name, seq_len=64, batch_size=400)
        assert config.noise_scale == (np.sqrt(config.sizes[0]) if entry.one_hot else 1.0), name
        acting = config.noise_scale * x[: None if entry.steady else 1]
        assert np.mean(acting**2) == pytest.approx(1.0, abs=1e-12 if entry.one_hot else 0.06), name


def test_one_hot_text_drives_the_units_as_noise_does_at_its_scale():
    """sigma_in^2 of Xavier's W_xh: 1 for noise, 1/V for text, 1 again at input scale sqrt(V)."""
    base = rv.Config(hidden_size=256, input_size=47)
    text = base.replace(inputs="text")
    for config, expected in ((base, 1.0), (text, 1 / 47), (text.replace(input_scale=np.sqrt(47)), 1.0)):
        a = draw_inputs(config)[0] @ rv.init_params(config)["W_xh"]
        assert np.mean(a**2) == pytest.approx(expected, rel=0.05)


def test_gaussian_is_standard_normal_at_every_step():
    _, x, targets = read(seq_len=200, batch_size=50)
    assert stats.kstest(x.ravel(), stats.norm.cdf).pvalue > 1e-6
    assert abs(np.mean(x[1:] * x[:-1])) < 5 / np.sqrt(x[1:].size)
    assert stats.chisquare(np.bincount(targets.ravel(), minlength=5)).pvalue > 1e-6


def test_none_is_an_impulse():
    _, x, _ = read(inputs="none", batch_size=400)
    assert stats.kstest(x[0].ravel(), stats.norm.cdf).pvalue > 1e-6
    assert not x[1:].any()


def test_text_is_read_in_order_and_the_target_is_the_next_character():
    for text in (TEXT, "ab", "abracadabra", "ä\0b😀 \n", "xy" * 3):
        _, x, targets = read(inputs="text", text=text, seq_len=15)
        letters = sorted(set(text))
        np.testing.assert_array_equal(np.sort(x, axis=-1)[..., :-1], 0.0, err_msg=text)
        np.testing.assert_array_equal(x.max(axis=-1), 1.0, err_msg=text)
        codes = x.argmax(axis=-1)
        np.testing.assert_array_equal(targets[:-1], codes[1:], err_msg=text)
        around = text * (2 + 15 // len(text))
        for k in range(7):
            assert "".join(letters[code] for code in [*codes[:, k], targets[-1, k]]) in around


def test_text_starts_at_many_places():
    _, x, _ = read(inputs="text", batch_size=200, seq_len=1)
    assert len(set(x[0].argmax(axis=-1).tolist())) > 15


def test_the_text_has_the_variety_that_the_help_promises():
    assert len(alphabet(TEXT)) > 40
    assert alphabet("banana") == ["a", "b", "n"]


def test_digits_are_scikit_learns_scans_and_labels():
    pytest.importorskip("sklearn")
    with np.load(digits_file.FILE) as file:
        for name, expected in digits_file.arrays().items():
            assert file[name].dtype == np.uint8
            np.testing.assert_array_equal(file[name], expected)


def test_digits_are_read_row_by_row_with_their_labels():
    images, labels = scans()
    _, x, targets = read(inputs="digits", seq_len=16, batch_size=5)
    for k in range(5):
        for start in (0, 8):
            at = np.flatnonzero(np.abs(images - x[start : start + 8, k]).max(axis=(1, 2)) < 1e-9)
            assert len(at)
            np.testing.assert_array_equal(targets[start : start + 8, k], labels[at[0]])


def test_digits_have_unit_scale():
    images, labels = scans()
    assert images.shape == (1797, 8, 8)
    assert labels.shape == (1797,)
    assert images.mean() == pytest.approx(0.0, abs=1e-12)
    assert images.std() == pytest.approx(1.0, abs=1e-12)


def test_an_unknown_input_gets_a_suggestion():
    with pytest.raises(ValueError, match="inputs must be one of gaussian.*Did you mean 'digits'"):
        INPUTS["digit"]
