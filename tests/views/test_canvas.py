"""Pictures have the size of their place, to the pixel."""

import struct

import pytest

import rnnviz as rv
from rnnviz.views import VIEWS, Canvas


@pytest.mark.parametrize("width", [243, 402, 452, 580])  # 4.52 inches at 100 dots each are a little less than 452
def test_a_picture_is_as_wide_as_its_place(width):
    view = VIEWS["state"]
    data = view.data(rv.run(rv.Config(hidden_size=2, seq_len=2, batch_size=1)))
    for ratio in (1, 2):
        png = Canvas(view).png(data, width, 300, ratio)
        assert struct.unpack(">II", png[16:24]) == (ratio * width, ratio * 300)
