"""Text by Pillow stands where matplotlib's own stands, upright and upwards, whatever its alignment."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rnnviz.views.agg import QuickCanvas

TEXTS = ("Gradient", "10⁻¹²", "‖∂L/∂hₜ‖", "↓ 2e-1015 at t = 0", "W_hh g", "two\nlines of gy")


def ink(canvas_class, dpi=200, **style):
    """Return the picture's darkness, 0..1, of one text in the middle of a figure."""
    figure = Figure(figsize=(4, 4), dpi=dpi)
    canvas = canvas_class(figure)
    figure.text(0.5, 0.5, **style)
    canvas.draw()
    return 1.0 - np.asarray(canvas.buffer_rgba())[..., :3].mean(axis=-1) / 255.0


def edges(picture):
    """Return the first and last row and column with ink."""
    rows, columns = (np.flatnonzero(picture.max(axis=axis) > 0.2) for axis in (1, 0))
    return np.array([rows[0], rows[-1], columns[0], columns[-1]])


@pytest.mark.parametrize("rotation", [0, 90])
@pytest.mark.parametrize(
    ("ha", "va"), [("left", "bottom"), ("center", "center"), ("right", "top"), ("left", "baseline")]
)
@pytest.mark.parametrize("text", TEXTS)
def test_text_stands_where_matplotlib_puts_it(text, ha, va, rotation):
    style = {"s": text, "ha": ha, "va": va, "rotation": rotation, "fontsize": 12}
    ours, theirs = ink(QuickCanvas, **style), ink(FigureCanvasAgg, **style)
    wide = 4 + 0.02 * np.ptp(edges(theirs)[2:] if rotation == 0 else edges(theirs)[:2])  # hinting, letter by letter
    assert np.abs(edges(ours) - edges(theirs)).max() <= wide
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.25)


def test_colour_and_transparency_are_kept():
    full = ink(QuickCanvas, s="█", fontsize=40, color="#000000")
    half = ink(QuickCanvas, s="█", fontsize=40, color="#000000", alpha=0.5)
    assert full.max() == pytest.approx(1.0, abs=0.01)
    assert half.max() == pytest.approx(0.5, abs=0.01)


def test_formulas_and_slanted_text_are_left_to_matplotlib(monkeypatch):
    for style in ({"s": "$x^2$"}, {"s": "slanted", "rotation": 30}):
        np.testing.assert_array_equal(ink(QuickCanvas, **style), ink(FigureCanvasAgg, **style))


def test_a_change_of_size_makes_a_new_picture():
    figure = Figure(figsize=(2, 1), dpi=100)
    canvas = QuickCanvas(figure)
    canvas.draw()
    assert np.asarray(canvas.buffer_rgba()).shape[:2] == (100, 200)
    figure.set_size_inches(3, 2)
    canvas.draw()
    assert np.asarray(canvas.buffer_rgba()).shape[:2] == (200, 300)
