"""How a class finds the server: links and QR codes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TextIO

import segno

from .classroom import Classroom


@lru_cache(maxsize=4)
def svg_code(link: str) -> str:
    """Return a QR code of a link as an SVG element, black on white in every theme."""
    return segno.make(link, error="m", micro=False).svg_inline(omitsize=True, light="#fff", border=3)


def print_code(link: str, out: TextIO | None = None) -> None:
    """Print a QR code of a link, two of its rows in a line, unless the terminal has no such characters."""
    out, drawn = out or sys.stdout, io.StringIO()
    segno.make(link, error="l", micro=False).terminal(drawn, border=2, compact=True)
    text = drawn.getvalue()
    if out.isatty() and sys.platform != "win32":
        # Its light squares are the characters: white on black also where the terminal is dark on light.
        text = "".join(f"\033[97;40m{line}\033[0m\n" for line in text.splitlines())
    try:
        text.encode(out.encoding or "utf-8")
    except UnicodeEncodeError:
        return
    print(text, file=out, end="", flush=True)


def invite(room: Classroom, show: Callable[[str], object]) -> None:
    """Print the links of a class, and show the teacher's page."""
    print(f"rnnviz runs at {room.link} (Ctrl-C stops it)")
    print_code(room.link)
    if room.is_private:
        print("Only this computer can open this link: --host 0.0.0.0 lets the class in.")
    print(f"The teacher's page, for you alone: {room.entrance}", flush=True)
    show(room.entrance)
