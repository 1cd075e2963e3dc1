"""A cell whose recurrence is linear, with the nonlinearity at its input."""

from __future__ import annotations

from typing import Any

from ..network.activations import Activation
from ..network.arithmetic import Arithmetic, Factor, Gradient
from ..network.cells import Cell, Params, State, StepBack

NAME = "linear_recurrence"


class LinearRecurrence(Cell):
    """``h_t = phi(x_t W_xh + b_h) + h_{t-1} W_hh`` (Henaff, Szlam & LeCun 2016, the LT-RNN)."""

    def step(self, params: Params, x: Any, state: State, phi: Activation, num: Arithmetic):
        value, kept = num.activate(phi, x)
        return {"h": value + state["h"] @ params["W_hh"]}, (kept,), {}

    def tape(self, kept: tuple, phi: Activation, num: Arithmetic) -> tuple[Factor, ...]:
        return (num.slope(phi, kept[0]),)

    def step_back(self, W_back: Any, tape: tuple, d: dict[str, Gradient], num: Arithmetic) -> StepBack:
        (slope,) = tape
        return StepBack(d, {"h": d["h"] @ W_back}, [d["h"] * slope], [d["h"]])


def linear_recurrence() -> LinearRecurrence:
    """Return the cell."""
    return LinearRecurrence(NAME, "linear recurrence", "h = φ(x W_xh + b_h) + h W_hh", ("h",))
