"""What mean-field theory and random matrix theory expect of a network, and how far they are valid."""

from .layers import curves_by_layer
from .mean_field import Curves, FixedPoint, critical_gain, curves, fixed_point
from .validity import Validity, valid_until

__all__ = [
    "Curves",
    "FixedPoint",
    "Validity",
    "critical_gain",
    "curves",
    "curves_by_layer",
    "fixed_point",
    "valid_until",
]
