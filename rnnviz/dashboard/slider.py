"""A slider that keeps numbers which lie between its steps."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

DIGITS = 10  # beyond them lies the error of a float: a browser makes 50 steps of 0.05 into 2.5000000000000004


class Slider(widgets.FloatSlider):
    """A slider with its exact number beside the value, which every browser that shows it sends back in whole steps."""

    def __init__(self, value: float, **options: Any):
        super().__init__(value=value, **options)
        self.put(value)
        self.observe(self._follow, "value")

    def put(self, value: float) -> None:
        """Set the exact number."""
        self.exact = float(value)  # until somebody moves the slider
        self.echo: float | None = None  # what browsers have made of it, once one has answered
        self.value = value

    def _follow(self, change) -> None:
        new, least = change["new"], 1e-6 * self.step
        if abs(new - self.exact) <= least:
            return
        if self.echo is None and abs(new - self.exact) <= 0.5 * self.step + least:
            self.echo = new
        elif self.echo is None or abs(new - self.echo) > least:
            self.exact, self.echo = float(f"{new:.{DIGITS}g}"), None
