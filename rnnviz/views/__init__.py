"""Views: from a Trace to a picture and its words. The only rooms that know matplotlib."""

from . import gradient, state  # noqa: F401  (each registers its view)
from .canvas import Canvas
from .view import VIEWS, View

__all__ = ["VIEWS", "Canvas", "View"]
