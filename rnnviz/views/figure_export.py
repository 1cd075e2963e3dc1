"""Figure export: views as PNG or SVG files with a caption, whose metadata describe what they show."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .canvas import DPI, STYLE, blank, place
from .styles import STYLES, Style
from .view import View

FILES: Style = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "rnnviz",  # makes the ids inside reproducible
    "savefig.bbox": "standard",  # the user's own style must not change the size
    "savefig.transparent": False,
}
CAPTION: Style = {"fontsize": 7.5, "color": "#555555"}
LETTER, LINE = 5.5, 14  # px of the caption
MOST_LINES = 3
MARGIN = 16  # px
SIZE = {"width": 760, "height": 520}  # CSS pixels of a picture that stands alone, its caption included
SCALE = {"png": 2.0, "svg": 3.0}  # dots per CSS pixel; of images inside an SVG
WIDTH, HEIGHT, DOTS = 1280, 720, 1.5  # CSS pixels of a slide, and dots of each
ROW, SLIDE_LETTER, SAMPLE = 24, 8.6, 50  # px of a slide: a line of text, a letter of it, a sample of a curve's line


def picture(view: View, data: Any, ending: str, caption: str, words: Mapping[str, str]) -> bytes:
    """Return a view's picture as "png" or "svg", with ``words`` (Title, Description, ...) as its metadata.

    The same SVG has the same bytes: it holds no date.
    """
    width, height = SIZE.values()
    with rc_context(STYLE | FILES):
        figure = blank(width, height, SCALE[ending])
        foot = write_caption(figure, caption)
        place(figure, view, data, (0, foot, width, height - foot))
        drawn = saved(figure, ending, ({"Date": None} if ending == "svg" else {}) | dict(words))
    if ending == "png":
        return drawn
    # Matplotlib writes the size in points of 1/72 inch, which are no CSS pixels.
    return re.sub(
        rb'\b(width|height)="[^"]*"', lambda side: b'%s="%d"' % (side[1], SIZE[side[1].decode()]), drawn, count=2
    )


def slide(
    pictures: Sequence[tuple[View, Any]], sentences: Sequence[str], caption: str, words: Mapping[str, str]
) -> bytes:
    """Return several views' pictures side by side, and sentences below them, as one PNG of 1920 x 1080 dots.

    Sentence k has a sample of the k-th curve's line before it. Long sentences, or many, leave the pictures less height.
    """
    wrapped = [textwrap.wrap(sentence, int((WIDTH - 2 * MARGIN - SAMPLE) / SLIDE_LETTER)) for sentence in sentences]
    text = min(ROW * sum(map(len, wrapped)), 0.4 * HEIGHT)
    with rc_context(STYLE | FILES):
        figure = blank(WIDTH, HEIGHT, DOTS)
        foot = write_caption(figure, caption) + MARGIN
        for (view, data), box in zip(pictures, boxes(len(pictures), foot + text + MARGIN), strict=True):
            place(figure, view, data, box)
        write_sentences(figure, wrapped, foot + text)
        return saved(figure, "png", words)


def saved(figure: Figure, ending: str, words: Mapping[str, str | None]) -> bytes:
    """Return a figure as a file with ``words`` as its metadata."""
    out = io.BytesIO()
    figure.savefig(out, dpi="figure", format=ending, metadata=dict(words))
    return out.getvalue()


def write_caption(figure: Figure, caption: str) -> int:
    """Write the caption at the foot, without reading dollar signs as formulas; return the pixels that it takes."""
    width, height = figure.get_size_inches() * DPI
    letters = int((width - 2 * MARGIN) / LETTER)
    lines = textwrap.wrap(caption, letters, max_lines=MOST_LINES, placeholder=" …", break_on_hyphens=False)
    for k, line in enumerate(reversed(lines)):
        figure.text(MARGIN / width, (5 + LINE * k) / height, line, parse_math=False, **CAPTION)
    return LINE * len(lines)


def boxes(count: int, foot: float) -> list[tuple[float, float, float, float]]:
    """Return a box for each of some pictures: side by side, above ``foot`` pixels, in rows of two.

    >>> boxes(2, 120)
    [(0.0, 120.0, 640.0, 600.0), (640.0, 120.0, 640.0, 600.0)]
    """
    columns = min(count, 2)
    rows = -(-count // columns)
    wide, high = WIDTH / columns, (HEIGHT - foot) / rows
    return [(k % columns * wide, foot + (rows - 1 - k // columns) * high, wide, high) for k in range(count)]


def write_sentences(figure: Figure, sentences: Sequence[Sequence[str]], top: float) -> None:
    """Write wrapped sentences from ``top`` downwards, with samples of their curves; what has no room is left out."""
    for k, lines in enumerate(sentences):
        if top < ROW * len(lines):
            return
        x, y = MARGIN / WIDTH, (top - ROW / 2) / HEIGHT
        look = {name: STYLES[k % len(STYLES)][name] for name in ("color", "linestyle")}
        figure.add_artist(Line2D([x, x + (SAMPLE - MARGIN) / WIDTH], [y, y], linewidth=2.5, **look))
        for line in lines:
            top -= ROW
            figure.text((MARGIN + SAMPLE) / WIDTH, (top + 6) / HEIGHT, line, fontsize=12, parse_math=False)
