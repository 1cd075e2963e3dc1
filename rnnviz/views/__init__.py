"""Views: from a Trace to a picture and its alt text. Only this folder knows matplotlib."""

from . import (  # noqa: F401  (each registers its view)
    gates,
    gradient,
    jacobian,
    layers,
    race,
    spectrum,
    state,
    survival_map,
    units,
    weight_gradients,
)
from .canvas import Canvas
from .plot import plot
from .view import OPTIONS, VIEWS, Option, Partial, View, of_layer, register

__all__ = ["OPTIONS", "VIEWS", "Canvas", "Option", "Partial", "View", "of_layer", "plot", "register"]
