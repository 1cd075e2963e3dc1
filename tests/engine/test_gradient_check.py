"""The gradient check agrees where the gradient is right, and notices where it is not."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.engine.gradient_check import check, progress
from rnnviz.network.sampling import draw_inputs

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS
SMALL = rv.Config(hidden_size=6, input_size=3, seq_len=6, batch_size=3)


@pytest.fixture
def register(monkeypatch):
    """Return a function that registers a variant of an activation for the length of a test."""

    def add(name, **changes):
        changes = {"name": name, "both": None} | changes
        monkeypatch.setitem(ACTIVATIONS, name, dataclasses.replace(ACTIVATIONS["tanh"], **changes))

    return add


LOSSES = ({}, {"loss_at": "every"}, {"loss_at": "every", "loss_reduction": "mean"})


@pytest.mark.parametrize("cell", CELLS)
def test_right_gradients_pass(cell):
    for activation, loss in itertools.product(ACTIVATIONS, LOSSES):
        config = SMALL.replace(cell=cell, activation=activation, **loss)
        result, case = check(config, entries=5), (activation, loss)
        arrays = {*rv.init_params(config), "dL/dh"}
        assert result.method == "complex step", case
        assert result.checked == result.done == result.total == 5 * len(arrays), case
        assert result.error < 1e-12, case
        assert {entry.where for entry in result.entries} == arrays, case


def test_a_wrong_slope_is_noticed(register):
    register("wrong", slope=lambda a: 1.001 * ACTIVATIONS["tanh"].slope(a))
    for cell in CELLS:
        result = check(SMALL.replace(cell=cell, activation="wrong"))
        assert result.method == "central differences"  # its complex values do not have that slope
        assert result.error > 1e-4, cell
        assert result.worst.error == result.error
        assert result.worst.where in result.words


def test_an_activation_without_complex_numbers_is_checked_by_differences(register):
    register("real", f=lambda a: np.tanh(a.real))
    result = check(SMALL.replace(activation="real"))
    assert result.method == "central differences"
    assert result.checked > 20
    assert result.error < 1e-5


def test_the_worst_entry_is_named_with_its_numbers():
    result = check(SMALL)
    worst = result.worst
    g = rv.bptt(rv.init_params(SMALL), *draw_inputs(SMALL))
    ours = g.d_h if worst.where == "dL/dh" else g.d_params[worst.where]
    assert worst.ours == ours[worst.index]
    assert worst.numeric == pytest.approx(worst.ours, rel=1e-10)
    assert worst.error == max(entry.error for entry in result.entries)


def test_gradients_that_no_step_can_show_are_reported():
    result = check(rv.Config(scheme="uniform01", hidden_size=256, batch_size=1, seq_len=8), entries=4)
    assert result.checked + sum(result.skipped.values()) == result.total
    assert sum(result.skipped.values()) == 3
    assert "below 1e-280" in result.words
    config = rv.Config(scheme="uniform01", activation="linear", input_scale=0.0, hidden_size=16, seq_len=350)
    result = check(config.replace(batch_size=1), entries=4)
    assert "above 1e+280" in result.words
    assert result.error < 1e-10


def test_true_zeros_are_confirmed():
    result = check(SMALL.replace(gain=0.0))
    zeros = [entry for entry in result.entries if entry.ours == 0]
    assert len(zeros) >= 4
    assert result.error < 1e-12


def test_progress_goes_on_within_an_entry_and_ends_with_the_whole_check():
    results = list(progress(SMALL, entries=2))
    assert sorted({(each.done, each.checked) for each in results}) == [(k, k) for k in range(13)]
    shares = [each.share for each in results]
    assert np.all(np.diff(shares) > -1e-12)
    assert (shares[0], shares[-1]) == (0.0, pytest.approx(1.0))
    assert len(results) > 12 * SMALL.seq_len / 2
    assert results[-1] == check(SMALL, entries=2)


def test_the_seed_chooses_the_entries():
    def places(seed):
        return [(entry.where, entry.index) for entry in check(SMALL, entries=2, seed=seed).entries]

    assert places(0) == places(0)
    assert places(0) != places(1)


def test_a_forward_pass_that_overflows_is_an_error():
    with pytest.raises(FloatingPointError, match="not finite"):
        check(rv.Config(scheme="uniform01", activation="linear", hidden_size=64, seq_len=300))
