"""The map of what is learnt: each point is a training of its own, and it comes from coarse to fine."""

import numpy as np

from rnnviz import Config
from rnnviz.learning.gain_map import filled, learning, training_at_gains
from rnnviz.learning.training import Training
from rnnviz.numerics.progress import finish

CONFIG = Config(hidden_size=12, batch_size=8, seq_len=4)


def test_networks_that_differ_in_their_gain_train_as_each_would_alone():
    for config in (CONFIG, CONFIG.replace(cell="gru", layers=2), CONFIG.replace(spectral_radius=0.3)):
        together = training_at_gains(config, "recall", np.array([0.5, 1.3]))
        alone = Training(config.replace(gain=1.3, spectral_radius=0.0), "recall")
        for _ in range(3):
            together.advance(), alone.advance()
        np.testing.assert_allclose(together.losses[:, 1, 0], alone.losses[:, 0, 0], rtol=1e-10)


def test_a_point_is_the_share_of_right_answers_after_its_training():
    gains, lengths = np.geomspace(0.5, 2.0, 5), np.array([2, 3, 5])
    parts = learning(CONFIG, "recall", gains, lengths, 40)
    first = next(part.accuracy for part in parts if np.isfinite(part.accuracy).any())
    assert np.isfinite(first[:, 0]).any()
    found = finish(learning(CONFIG, "recall", gains, lengths, 40))
    assert np.isfinite(found).all()
    alone = Training(CONFIG.replace(gain=float(gains[3]), seq_len=3), "recall")
    for _ in range(40):
        alone.advance()
    assert abs(found[1, 3] - alone.evaluate()["test"].accuracy[0, 0]) < 0.02
    assert found[0].max() > found[0].min()


def test_a_map_that_was_left_goes_on_where_it_was():
    gains, lengths = np.geomspace(0.5, 2.0, 5), np.array([2, 3])
    left = learning(CONFIG.replace(seed=1), "recall", gains, lengths, 10)
    share = next(part.share for part in left if part.share > 0.5)
    left.close()
    again = list(learning(CONFIG.replace(seed=1, gain=2.0), "recall", gains, lengths, 10))
    assert again[0].share > share - 1 / 6
    assert not list(learning(CONFIG.replace(seed=1), "recall", gains, lengths, 10))
    assert list(learning(CONFIG.replace(seed=2), "recall", gains, lengths, 10))


def test_unknown_points_are_shown_as_their_nearest_known_ones():
    known = np.array([[1.0, np.nan, np.nan], [np.nan, np.nan, np.nan]])
    assert (filled(known) == 1.0).all()
