"""Views: from a Trace to a picture and its alt text. Only this folder knows matplotlib."""

from . import gates, gradient, jacobian, race, singular, spectrum, state, survival_map, units  # noqa: F401  (each registers its view)
from .canvas import Canvas
from .plot import plot
from .view import OPTIONS, VIEWS, Option, Partial, View, register

__all__ = ["OPTIONS", "VIEWS", "Canvas", "Option", "Partial", "View", "plot", "register"]
