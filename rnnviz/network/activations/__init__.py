r"""Activation functions ``phi`` with their slopes, also outside the range of floats.

The slope comes in three forms: from the pre-activation, as an autograd engine computes it, and as a logarithm,
accurate beyond float64. Where value and slope share an exponential, another function computes both at once.
"""

from . import bounded, unbounded  # noqa: F401  (they register their activations)
from .bounded import log_sigmoid
from .entry import ACTIVATIONS, Activation

__all__ = ["ACTIVATIONS", "Activation", "log_sigmoid"]
