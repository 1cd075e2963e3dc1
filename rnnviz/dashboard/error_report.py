"""What goes wrong: a reader's wish that cannot be is refused in words; all else is a fault, with a report of it."""

from __future__ import annotations

import platform
import traceback

import numpy as np

from .. import __version__
from ..text.language import _

LONGEST = 20_000  # characters of a report; the last ones tell most


class Refusal(ValueError):
    """The reader asks for what cannot be; the message says why, in the reader's language."""


def sentence(error: Exception) -> str:
    """Say in one sentence what went wrong."""
    if isinstance(error, Refusal):
        return str(error)
    if isinstance(error, MemoryError):
        return _("There is not enough memory for these settings: make the network or the sequences smaller.")
    inside = _("Something went wrong inside rnnviz ({kind}: {error}).")
    return inside.format(kind=type(error).__name__, error=error)


def error_report(error: Exception, query: str) -> str:
    """Return what somebody who mends a fault has to know; "" for what was only refused, or too large."""
    if isinstance(error, (Refusal, MemoryError)):
        return ""
    versions = f"rnnviz {__version__}, Python {platform.python_version()}, NumPy {np.__version__}, {platform.system()}"
    told = "".join(traceback.format_exception(error))
    return f"{versions}\nsettings: ?{query}\n\n{told[-LONGEST:]}"
