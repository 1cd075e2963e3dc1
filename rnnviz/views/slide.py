"""One picture for a slide: all views of a page side by side, and what they show in words."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import figure_export
from .canvas import DPI, STYLE, blank, place
from .figure_export import MARGIN
from .styles import STYLES
from .view import View

WIDTH, HEIGHT, SCALE = 1280, 720, 1.5  # CSS pixels, and dots of each
ROW, LETTER, SAMPLE = 24, 8.6, 50  # px: a line of text, a letter of it, a sample of a curve's line


def slide(
    pictures: Sequence[tuple[View, Any]], sentences: Sequence[str], caption: str, words: Mapping[str, str]
) -> bytes:
    """Return several views' pictures, and sentences below them, as one PNG of 1920 x 1080 dots.

    Sentence k has a sample of the k-th curve's line before it. Long sentences, or many, leave the pictures less height.
    """
    wrapped = [textwrap.wrap(sentence, int((WIDTH - 2 * MARGIN - SAMPLE) / LETTER)) for sentence in sentences]
    small = figure_export.wrap(caption, WIDTH)
    foot = figure_export.LINE * len(small) + MARGIN
    text = min(ROW * sum(map(len, wrapped)), 0.4 * HEIGHT)
    out = io.BytesIO()
    with rc_context(STYLE | figure_export.FILES):
        figure = blank(WIDTH, HEIGHT, SCALE)
        for (view, data), box in zip(pictures, boxes(len(pictures), foot + text + MARGIN), strict=True):
            place(figure, view, data, box)
        write_sentences(figure, wrapped, foot + text)
        figure_export.write_caption(figure, small, WIDTH, HEIGHT)
        figure.savefig(out, dpi=DPI * SCALE, format="png", metadata=dict(words))
    return out.getvalue()


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
