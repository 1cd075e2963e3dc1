"""The map of surviving gradients: each of its points is a run of its own, and it comes from coarse to fine."""

import numpy as np
import pytest

from rnnviz import Config, run
from rnnviz.engine.survival import SEEDS, is_complete, known_map, mapping, survival_config
from rnnviz.numerics.progress import finish

CONFIG = Config(hidden_size=12, input_size=3, seq_len=40, scheme="orthogonal", activation="linear")


def test_a_linear_orthogonal_network_multiplies_the_gradient_by_its_gain_at_each_step():
    found = finish(mapping(CONFIG))
    expected = np.log10(found.gains)[:, None] * np.arange(51)
    np.testing.assert_allclose(found.medians, expected, atol=1e-9)


def test_each_point_is_what_a_run_of_its_own_gives():
    config = CONFIG.replace(activation="tanh", scheme="xavier", seed=3)
    found = finish(mapping(config))
    k, r = 17, 5
    alone = run(survival_config(config).replace(gain=float(found.gains[k]), seed=3 + r))
    np.testing.assert_allclose(found.log10_norm[k, r], alone.log10_relative_norm[::-1], atol=1e-9)


def test_every_fourth_gain_comes_first_and_what_is_left_unfinished_is_kept():
    config = CONFIG.replace(hidden_size=13)
    assert known_map(config) is None
    progress = mapping(config)
    first = next(part.value for part in progress if part.value.known.any())
    assert np.flatnonzero(first.known.any(axis=1)).tolist() == list(range(0, 24, 4))
    assert not np.isnan(first.medians).any()
    progress.close()
    assert np.array_equal(known_map(config).known, first.known)
    assert not is_complete(first)
    whole = finish(mapping(config))
    assert whole.known.shape == (24, SEEDS)
    assert whole.known.all()
    assert is_complete(known_map(config))


def test_gain_batch_and_length_of_the_page_ask_for_the_same_map():
    moved = CONFIG.replace(gain=1.7, seq_len=50, batch_size=16, loss_at="every")
    assert survival_config(moved) == survival_config(CONFIG)


@pytest.mark.parametrize(
    ("scheme", "middle"),
    [("xavier", 1.0), ("uniform01", 2 / 64), ("identity", 1.0), ("small_normal", 5.0), ("orthogonal", 1.0)],
)
def test_the_gains_lie_around_the_one_that_keeps_a_typical_length(scheme, middle):
    found = next(mapping(Config(scheme=scheme, hidden_size=64))).value
    assert np.sqrt(found.gains[0] * found.gains[-1]) == pytest.approx(middle, rel=0.02)
    assert found.gains[-1] <= 20.0
