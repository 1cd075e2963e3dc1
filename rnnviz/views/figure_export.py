"""Figure export: a view as a PNG or SVG file with a caption, whose metadata describe what it shows."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from ..text.language import _
from ..text.number_format import plain
from ..text.registry import shorten
from .canvas import BOTTOM, DPI, LEFT, RIGHT, STYLE, compose
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
SHARPER = 3.0  # dots per CSS pixel of images inside an SVG
LEAST_AXES = 20  # px of height
WIDTHS, HEIGHTS, SCALES = (240, 4000), (200, 4000), (0.5, 4.0)


def png(view: View, data: Any, width: int, height: int, scale: float, caption: str, words: Mapping[str, str]) -> bytes:
    """Return a picture of ``width`` x ``height`` CSS pixels, ``scale`` dots each, as PNG with ``words`` as metadata.

    Raises
    ------
    ValueError : for a size that is out of bounds, or too small for this view.
    """
    check_size("scale", scale, SCALES)
    return save(view, data, width, height, scale, caption, format="png", metadata=dict(words))


def svg(view: View, data: Any, width: int, height: int, caption: str, words: Mapping[str, str]) -> bytes:
    """Return the same picture as SVG, with ``words`` (Title, Description, Creator) as its metadata, without a date.

    Raises
    ------
    ValueError : for a size that is out of bounds, or too small for this view.
    """
    metadata = {"Date": None, **words}
    drawn = save(view, data, width, height, SHARPER, caption, format="svg", metadata=metadata)
    # Matplotlib writes the size in points of 1/72 inch, which are no CSS pixels.
    return re.sub(rb"<svg [^>]*>", lambda tag: in_pixels(tag[0], width, height), drawn, count=1)


def save(view: View, data: Any, width: int, height: int, scale: float, caption: str, **how: Any) -> bytes:
    """Compose the figure with its caption and write it."""
    check_size("width", width, WIDTHS)
    check_size("height", height, HEIGHTS)
    lines = wrap(caption, width)
    foot = LINE * len(lines)
    if height - foot - BOTTOM - view.head(data, width - LEFT - RIGHT) < LEAST_AXES:
        text = _("A picture of {width} x {height} pixels leaves no room below the legend: make it higher.")
        raise ValueError(text.format(width=width, height=height))
    out = io.BytesIO()
    with rc_context(STYLE | FILES):
        figure = compose(view, data, width, height, scale, foot)[0]
        write_caption(figure, lines, width, height)
        figure.savefig(out, dpi=DPI * scale, **how)
    return out.getvalue()


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


def check_size(name: str, value: float, bounds: tuple[float, float]) -> None:
    """Raise a ValueError unless a size is a number within its bounds."""
    low, high = bounds
    if not isinstance(value, int | float) or not low <= value <= high:
        text = _("{name} must be a number from {low} to {high}; got {received}.")
        raise ValueError(text.format(name=name, low=plain(low), high=plain(high), received=shorten(value)))
