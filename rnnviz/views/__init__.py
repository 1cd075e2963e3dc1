"""Views: from a Trace to a picture and its words. The only rooms that know matplotlib."""

from . import gates, gradient, jacobian, singular, spectrum, state, units  # noqa: F401  (each registers its view)
from .canvas import Canvas
from .view import OPTIONS, VIEWS, Option, View

__all__ = ["OPTIONS", "VIEWS", "Canvas", "Option", "View"]
