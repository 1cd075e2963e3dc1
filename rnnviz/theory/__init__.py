"""What mean-field theory and random matrix theory expect of a network, and how far they are valid."""

from .mean_field import Curves, FixedPoint, critical_gain, curves, fixed_point
from .validity import trusted_until

__all__ = ["Curves", "FixedPoint", "critical_gain", "curves", "fixed_point", "trusted_until"]
