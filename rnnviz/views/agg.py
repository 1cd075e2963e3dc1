"""Agg with text drawn by Pillow, ten times as fast as matplotlib, which renders each letter anew."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import FontProperties, findfont
from PIL import Image, ImageDraw, ImageFont

UPRIGHT, UPWARDS = 0, 90  # degrees at which text is drawn here


class QuickCanvas(FigureCanvasAgg):
    """A canvas for pictures that are redrawn often; canvases of the same size draw into the same pixels."""

    def get_renderer(self) -> RendererAgg:
        self.renderer = renderer(*self.figure.bbox.size, self.figure.dpi)
        return self.renderer


class QuickRenderer(RendererAgg):
    """Draws horizontal and vertical text by Pillow, formulas and other angles as matplotlib does."""

    def font(self, prop: FontProperties) -> ImageFont.FreeTypeFont:
        return font(findfont(prop), round(self.points_to_pixels(prop.get_size_in_points()), 2))

    def get_text_width_height_descent(self, s, prop, ismath):
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        letters = self.font(prop)
        _, top, _, bottom = letters.getbbox(s, anchor="ls")
        return letters.getlength(s), bottom - top, bottom

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        if ismath or angle not in (UPRIGHT, UPWARDS):
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        mask, left, below = stamp(s, self.font(prop))
        across, down = left, below
        if angle == UPWARDS:
            mask, across, down = np.rot90(mask), below - mask.shape[0], -left
        image = np.empty((*mask.shape, 4), np.uint8)
        red, green, blue, alpha = gc.get_rgb()
        image[..., :3] = np.round(255 * np.array((red, green, blue)))
        image[..., 3] = mask if alpha == 1 else np.round(alpha * mask)
        # Text is placed from the top, pictures from the bottom.
        self.draw_image(gc, round(x) + across, int(self.height) - (round(y) + down), image[::-1])


@lru_cache(maxsize=2)
def renderer(width: float, height: float, dpi: float) -> QuickRenderer:
    """Return the renderer of a size; its pixels take as much memory as the rest of a figure."""
    return QuickRenderer(width, height, dpi)


@lru_cache(maxsize=512)
def stamp(text: str, letters: ImageFont.FreeTypeFont) -> tuple[np.ndarray, int, int]:
    """Return the ink in each pixel of a line of text, and its left and lower edges relative to the text's origin."""
    left, top, right, bottom = (int(edge) for edge in letters.getbbox(text, anchor="ls"))
    mask = Image.new("L", (max(right - left, 1), max(bottom - top, 1)))
    ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=letters, anchor="ls")
    return np.asarray(mask), left, bottom


@lru_cache(maxsize=32)
def font(path: str, size: float) -> ImageFont.FreeTypeFont:
    """Return a font file at a size in pixels."""
    return ImageFont.truetype(path, size)
