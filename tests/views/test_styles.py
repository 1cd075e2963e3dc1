"""Line styles are told apart on white, by colour-blind eyes, and without any colour."""

import itertools

import numpy as np
from matplotlib.colors import to_rgb

from rnnviz.views.styles import STYLES

# Machado, Oliveira & Fernandes 2009, table 1, severity 1, on linear RGB.
EYES = {
    "typical": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return CIE L*a*b* of a linear RGB colour."""
    x, y, z = np.cbrt(SRGB_TO_XYZ @ np.clip(rgb, 0.0, 1.0) / WHITE)  # dark colours' linear part changes little here
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_lines_stand_out_from_white():
    for style in STYLES:
        luminance = float(linear(style["color"]) @ SRGB_TO_XYZ[1])
        assert 1.05 / (luminance + 0.05) >= 4.5, style  # WCAG 2.2: 3 for a line, 4.5 for the words in its colour


def test_any_two_lines_differ_for_all_eyes():
    for name, eyes in EYES.items():
        for pair in itertools.combinations(STYLES, 2):
            seen = [lab(np.array(eyes) @ linear(style["color"])) for style in pair]
            assert np.linalg.norm(seen[0] - seen[1]) >= 15, (name, pair)  # 2.3 is just noticeable


def test_dash_and_marker_tell_lines_apart_without_any_colour():
    for look in ("linestyle", "marker"):
        assert len({str(style[look]) for style in STYLES}) == len(STYLES), look
