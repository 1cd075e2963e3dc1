"""The map as a picture: its words name gains that survive, and a point of it is a pair of settings."""

import re
from dataclasses import replace

import numpy as np

from rnnviz import Config, compare
from rnnviz.engine.survival import survival_config
from rnnviz.text.number_format import number
from rnnviz.views import VIEWS, Canvas, Partial

VIEW = VIEWS["map"]
TRACE = compare(Config(hidden_size=16, seq_len=30), ("xavier",), range(2))


def test_the_alt_text_names_the_only_gain_at_which_real_networks_keep_the_gradient():
    gain = float(re.search(r"only at gain ([\d.]+)\. The page", VIEW.describe(VIEW.data(TRACE))).group(1))
    config = survival_config(TRACE.config)
    kept = {}
    for each in (gain / 1.5, gain, gain * 1.5):
        norms = compare(config.replace(gain=each), ("xavier",), range(8)).log10_relative_norm[0, :, 0]
        kept[each] = abs(np.median(norms)) <= 1.0
    assert list(kept.values()) == [False, True, False]


def test_partial_maps_can_be_painted_and_are_followed_by_the_whole():
    trace = compare(Config(hidden_size=17, seq_len=30), ("xavier",), range(2))
    parts = VIEW.computing(trace)
    first = next(parts)
    assert isinstance(first, Partial)
    assert 0 <= first.share < 1
    canvas, maps = Canvas(VIEW), [part.data for part in parts]
    early, middle, last = (canvas.png(maps[k]) for k in (0, len(maps) // 2, -1))
    assert len({early, middle, last}) == 3
    assert not VIEW.is_slow(trace.config)
    assert canvas.png(VIEW.data(trace)) == last


def test_the_dot_follows_the_page_and_points_outside_at_the_edge():
    for gain, marker in ((1.0, "o"), (20.0, ">"), (0.01, "<")):
        assert VIEW.data(compare(TRACE.config.replace(gain=gain), ("xavier",), (0,))).marker == marker


def test_a_point_of_the_map_is_a_gain_and_a_length():
    middle = VIEW.place(TRACE.config, 0.5, 0.0)
    assert middle == {"gain": 1.0, "seq_len": 1}
    corner = VIEW.place(TRACE.config, 1.0, 1.0)
    assert 4 < corner["gain"] < 4.5
    assert 50 <= corner["seq_len"] <= 60


def test_a_boundary_beyond_the_picture_has_no_number():
    data = VIEW.data(TRACE)
    for steps, words in ((20.0, ": 20 steps."), (1e4, ", beyond the picture.")):
        shown = replace(data, boundary=np.full(len(data.gains), steps))
        assert VIEW.describe(shown).endswith(words)


def test_gains_are_a_range_only_where_there_are_several():
    data, values = VIEW.data(TRACE), np.zeros_like(VIEW.data(TRACE).values)
    for gains in ([3], [3, 4, 5]):
        values[-1, gains] = 1.0
        for shown in (replace(data, values=values, learnt=True), replace(data, values=9.0 * (values - 1.0))):
            words = VIEW.describe(shown)
            assert (f"only at gain {number(data.gains[3])}" in words) == (len(gains) == 1)
            assert (f"at gains from {number(data.gains[3])} to {number(data.gains[5])}" in words) == (len(gains) > 1)
