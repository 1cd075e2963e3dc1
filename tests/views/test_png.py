"""Pictures written in parts are read back by Pillow, pixel by pixel, whatever moved in them."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from rnnviz.views.png import Encoder

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 9))


def read(png):
    image = Image.open(io.BytesIO(png))
    image.load()  # checks the sums of every chunk and of the stream
    assert image.mode == "RGB"
    return np.asarray(image)


@given(st.data())
def test_any_picture_is_read_back(data):
    height, width = data.draw(SIZES)
    pictures = arrays.arrays(np.uint8, (height, width, 4))
    still, moved = data.draw(pictures), data.draw(pictures)
    top = data.draw(st.integers(0, height))
    encoder = Encoder(still, (top, data.draw(st.integers(top, height))))
    for picture in (still, moved):
        np.testing.assert_array_equal(read(encoder.encode(picture)), picture[..., :3])


@pytest.mark.parametrize("row", [0, 14, 15, 50, 84, 85, 99])
def test_what_leaves_its_rows_is_seen_all_the_same(row):
    still = np.full((100, 40, 4), 255, np.uint8)
    encoder = Encoder(still, (15, 85))
    picture = still.copy()
    picture[row, 7, 1] = 0
    assert encoder.is_still(picture) == (15 <= row < 85)
    np.testing.assert_array_equal(read(encoder.encode(picture)), picture[..., :3])
    np.testing.assert_array_equal(read(encoder.encode(still)), still[..., :3])


def test_the_still_picture_is_a_copy():
    still = np.zeros((6, 5, 4), np.uint8)
    encoder = Encoder(still, (2, 4))
    still[0] = 9
    assert encoder.is_still(np.zeros((6, 5, 4), np.uint8))
    np.testing.assert_array_equal(read(encoder.encode(still)), still[..., :3])
