"""Memory that is free, but not given back to the system yet: garbage of Python, and what the C library holds."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from functools import cache

from .turns import ADDRESS


@cache
def trimmer():
    """Return glibc's malloc_trim, or None for another C library."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


@cache
def keep_what_is_there() -> None:
    """Let the garbage collector skip all present objects, most of them imported code: a visit takes 0.1 s."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Give free memory back, 60 MB after 50 moves: large comparisons leave holes, and old figures are cycles.

    The garbage collector belongs to the whole process, so that this uses it only in kernels that `rnnviz demo` starts.
    """
    if ADDRESS in os.environ:
        keep_what_is_there()
        gc.collect()
    if trim := trimmer():
        trim(0)
