"""Figure export: a view as a PNG or SVG file with a caption, whose metadata describe what it shows."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from .canvas import DPI, STYLE, compose
from .styles import Style
from .view import View

FILES: Style = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "rnnviz",  # makes the ids inside reproducible
    "savefig.bbox": "standard",  # the user's own style must not change the size
    "savefig.transparent": False,
}
CAPTION: Style = {"fontsize": 7.5, "color": "#555555"}
LETTER = 5.5  # px per letter of the caption
LINE = 14  # px
MOST_LINES = 3
MARGIN = 16  # px
WIDTH, HEIGHT = 760, 520  # CSS pixels of a picture that stands alone, its caption included
SCALE = {"png": 2.0, "svg": 3.0}  # dots per CSS pixel; of images inside an SVG


def picture(view: View, data: Any, ending: str, caption: str, words: Mapping[str, str]) -> bytes:
    """Return a view's picture as "png" or "svg", with ``words`` (Title, Description, ...) as its metadata.

    The same SVG has the same bytes: it holds no date.
    """
    lines, out = wrap(caption, WIDTH), io.BytesIO()
    undated = {"Date": None} if ending == "svg" else {}
    with rc_context(STYLE | FILES):
        figure = compose(view, data, WIDTH, HEIGHT, SCALE[ending], LINE * len(lines))[0]
        write_caption(figure, lines, WIDTH, HEIGHT)
        figure.savefig(out, dpi=DPI * SCALE[ending], format=ending, metadata={**undated, **words})
    drawn = out.getvalue()
    if ending == "png":
        return drawn
    # Matplotlib writes the size in points of 1/72 inch, which are no CSS pixels.
    return re.sub(rb"<svg [^>]*>", lambda tag: in_pixels(tag[0], WIDTH, HEIGHT), drawn, count=1)


def wrap(caption: str, width: int) -> list[str]:
    """Return the lines of the caption, cut after `MOST_LINES`."""
    letters = int((width - 2 * MARGIN) / LETTER)
    return textwrap.wrap(caption, letters, max_lines=MOST_LINES, placeholder=" …", break_on_hyphens=False)


def write_caption(figure: Figure, lines: list[str], width: int, height: int) -> None:
    """Write the lines at the foot of the figure, without reading dollar signs as formulas."""
    for k, line in enumerate(reversed(lines)):
        figure.text(MARGIN / width, (5 + LINE * k) / height, line, parse_math=False, **CAPTION)


def in_pixels(tag: bytes, width: int, height: int) -> bytes:
    """Return the opening tag of an SVG with the size in CSS pixels."""
    sized = re.sub(rb'\bwidth="[^"]*"', b'width="%d"' % width, tag, count=1)
    return re.sub(rb'\bheight="[^"]*"', b'height="%d"' % height, sized, count=1)
