"""PNG for pictures that change only in a band of rows: what stays above and below it is compressed once."""

from __future__ import annotations

import struct
import zlib

import numpy as np

Array = np.ndarray
LEVEL = 1  # and rows without filters: several times as fast as Pillow, and no larger
SIGNATURE, ZLIB = b"\x89PNG\r\n\x1a\n", b"\x78\x01"


class Encoder:
    """Writes pictures of one size as PNG without their alpha.

    Parameters
    ----------
    still : uint8 (height, width, 4), what most pictures look like outside of their ``moving`` rows.
    moving : (first row, row after the last).
    """

    def __init__(self, still: Array, moving: tuple[int, int]):
        self.top, self.bottom = moving
        self.still = tuple(part.copy() for part in self.outside(still))
        above, below = map(scanlines, self.still)
        self.above, self.below = deflated(above, zlib.Z_FULL_FLUSH), deflated(below, zlib.Z_FINISH)

    def encode(self, rgba: Array) -> bytes:
        """Return one picture, uint8 (height, width, 4), as PNG."""
        lines = scanlines(rgba)
        parts = lines[: self.top], lines[self.top : self.bottom], lines[self.bottom :]
        middle = deflated(parts[1], zlib.Z_FULL_FLUSH)
        above, below = self.above, self.below
        if not self.is_still(rgba):
            above, below = deflated(parts[0], zlib.Z_FULL_FLUSH), deflated(parts[2], zlib.Z_FINISH)
        content = ZLIB + above + middle + below + struct.pack(">I", zlib.adler32(lines))
        height, width = rgba.shape[:2]
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
        return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")

    def is_still(self, rgba: Array) -> bool:
        """Tell whether a picture looks as usual outside of the moving rows."""
        return all(map(np.array_equal, self.outside(rgba), self.still))

    def outside(self, rgba: Array) -> tuple[Array, Array]:
        """Return what lies above and below the moving rows."""
        return rgba[: self.top], rgba[self.bottom :]


def scanlines(rgba: Array) -> Array:
    """Return a picture's rows as PNG has them: a 0 for "no filter", then red, green, blue, pixel after pixel."""
    height, width = rgba.shape[:2]
    lines = np.zeros((height, 1 + 3 * width), np.uint8)
    for k in range(3):
        lines[:, 1 + k :: 3] = rgba[..., k]
    return lines


def deflated(lines: Array, end: int) -> bytes:
    """Return rows compressed as a part of a stream, which ``end`` leaves open or finishes."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return stream.compress(lines.tobytes()) + stream.flush(end)


def chunk(name: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
