"""Views: from a Trace to a picture and its alt text. Only this folder knows matplotlib."""

from . import (  # noqa: F401  (each registers its view)
    gates,
    gradient,
    jacobian,
    layers,
    race,
    singular,
    spectrum,
    state,
    survival_map,
    unit_gradients,
    units,
    weight_gradients,
)
from .canvas import Canvas
from .plot import plot
from .view import OPTIONS, VIEWS, Option, Partial, View, register

__all__ = ["OPTIONS", "VIEWS", "Canvas", "Option", "Partial", "View", "plot", "register"]
