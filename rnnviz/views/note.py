"""Short words inside a picture, by Pillow: matplotlib renders letter by letter, ten times as slowly."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_rgba
from matplotlib.font_manager import findfont
from matplotlib.text import Text
from PIL import Image, ImageDraw, ImageFont

ASIDE = {"left": 0.0, "center": 0.5, "right": 1.0}
UP = {"bottom": 0.0, "center": 0.5, "top": 1.0}
SPACING = 0.3  # of the font's size, between two lines


class Note(Text):
    """A text without formulas, rotation or box; on paper (SVG) an ordinary one."""

    def draw(self, renderer) -> None:
        if not isinstance(renderer, RendererAgg):
            super().draw(renderer)
            return
        self.stale = False
        if not self.get_visible() or not self.get_text():
            return
        size = round(renderer.points_to_pixels(self.get_fontsize()))
        path, align = findfont(self.get_fontproperties()), self.get_ha()
        image = stamp(self.get_text(), path, size, to_rgba(self.get_color()), align)
        x, y = self.get_transform().transform(self.get_position())
        height, width = image.shape[:2]
        gc = renderer.new_gc()
        renderer.draw_image(gc, x - ASIDE[align] * width, y - UP[self.get_va()] * height, image[::-1])
        gc.restore()


@lru_cache(maxsize=256)
def stamp(text: str, path: str, size: int, color: tuple[float, ...], align: str) -> np.ndarray:
    """Return a text as an RGBA image, the lines aligned "left", "center" or "right"."""
    letters = font(path, size)
    room = ImageDraw.Draw(Image.new("L", (1, 1)))
    how = {"font": letters, "align": align, "spacing": round(SPACING * size)}
    left, top, right, bottom = room.multiline_textbbox((0, 0), text, **how)
    mask = Image.new("L", (int(right - left) + 1, int(bottom - top) + 1))
    ImageDraw.Draw(mask).multiline_text((-left, -top), text, fill=255, **how)
    image = np.empty((*np.shape(mask), 4), np.uint8)
    image[..., :3] = np.round(255 * np.array(color[:3]))
    image[..., 3] = np.asarray(mask)
    return image


@lru_cache(maxsize=16)
def font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """Return a font file at a size in pixels."""
    return ImageFont.truetype(path, size)
