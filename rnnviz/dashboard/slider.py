"""A slider that keeps numbers which lie between its steps."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

DIGITS = 10  # beyond them lies the error of a float: a browser makes 50 steps of 0.05 into 2.5000000000000004


class Slider(widgets.FloatSlider):
    """A slider with its exact number beside the value, which every browser that shows it sends back in whole steps.

    Attributes
    ----------
    exact : what was set, until somebody moves the slider by a step or more.
    """

    def __init__(self, value: float, **options: Any):
        super().__init__(value=value, **options)
        self.exact = float(value)
        self.observe(self._follow, "value")

    def put(self, value: float) -> None:
        """Set the exact number."""
        self.exact = float(value)
        self.value = value

    def step_to(self, by: int) -> float:
        """Return the number to which a key brings the slider: the next one that a whole number of steps leads to."""
        steps = round((self.value - self.min) / self.step) + by
        return float(f"{self.min + steps * self.step:.{DIGITS}g}")

    def _follow(self, change) -> None:
        if abs(change["new"] - self.exact) > 0.5 * self.step * (1 + 1e-6):
            self.exact = float(f"{change['new']:.{DIGITS}g}")
