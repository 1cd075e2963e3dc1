"""Pillow reads back every pixel."""

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from rnnviz.views.png import encode

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 9), st.just(4))


@given(arrays.arrays(np.uint8, SHAPES))
def test_any_picture_is_read_back(picture):
    image = Image.open(io.BytesIO(encode(picture)))
    image.load()  # checks the sums of every chunk and of the stream
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), picture[..., :3])
