"""PNG without filters and with little compression: several times as fast as Pillow, and no larger."""

from __future__ import annotations

import struct
import zlib

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LEVEL = 1


def encode(rgba: np.ndarray) -> bytes:
    """Return a picture, uint8 (height, width, 4), as PNG without its alpha."""
    height, width = rgba.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with a 0 for "no filter"
    for k in range(3):
        rows[:, 1 + k :: 3] = rgba[..., k]
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.data, LEVEL)) + chunk(b"IEND", b"")


def chunk(name: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
