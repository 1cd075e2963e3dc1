"""Recurrent cells: one step forward and one step back, side by side.

A cell takes the projected input ``x_t @ W_xh + b_h`` and its state, a dict of arrays (..., B, H). ``step`` returns the
new state; ``tape`` turns what ``step`` kept into local factors, for one step or for a stack of steps; ``step_back``
multiplies the incoming gradient by these factors and by ``W_back``, the transpose of ``W_hh``. The `Arithmetic` passed
to all three decides what a factor is: exact at any magnitude, or what floats of one type hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..numerics.scaled import Scaled
from ..text.language import N_
from ..text.registry import Registry
from .activations import Activation
from .arithmetic import SIGMOID, Arithmetic, Factor, Gradient
from .cell_check import check_cell
from .margins import Margins, is_near_an_end, margins_of_output, margins_of_state

Array = np.ndarray
Params = dict[str, Array]
State = dict[str, Array]
MARGINS = ("above low", "below high")


class Step(NamedTuple):
    """One step forward: the new state, the factors that `step_back` needs, the gates by name."""

    state: dict[str, Array]
    tape: tuple[Factor, ...]
    gates: dict[str, Array]


class StepBack(NamedTuple):
    """One step back.

    ``total`` holds the total derivative of each state *after* the step, ``previous`` the gradient that reaches the
    state before it, ``d_in`` and ``d_rec`` the gradients of ``x_t @ W_xh + b_h`` and of ``h_{t-1} @ W_hh`` by gate.
    """

    total: dict[str, Gradient]
    previous: dict[str, Gradient]
    d_in: list[Gradient]
    d_rec: list[Gradient]


@dataclass(frozen=True, eq=False)
class Cell:
    """What all cells share; a subclass defines ``step``, ``tape`` and ``step_back``.

    Attributes
    ----------
    name, label, formula : its name in code, in menus and in formulas.
    gates : a letter for each block of H columns of W_xh and W_hh, in order.
    gate_labels : letter -> label, for those gates that have one.
    states : the arrays passed on from step to step; the first, ``h``, is the output.
    recurrent_bias : the block of W_hh that has a bias ``b_h<letter>`` of its own, or None.
    step_factor : (name, place in the tape) of the factor that each step applies to the gradient apart from W_hh.
    candidate : the gate that goes through phi, not through a sigmoid, or None.
    factors : number of arrays in the tape of a step.
    path : the path that the gate of ``step_factor`` keeps open for the gradient, in words; "" without gates.
    has_matrix_jacobian : whether a step back is one matrix, ``diag(phi') W_hh^T``.
    forget_gate : the gate that keeps the memory where it is open, whose bias ``Config.forget_bias`` sets, or None.
    """

    name: str
    label: str
    formula: str
    gates: tuple[str, ...]
    gate_labels: Mapping[str, str] = field(default_factory=dict)
    states: tuple[str, ...] = ("h",)
    recurrent_bias: str | None = None
    step_factor: tuple[str, int] = ("φ′", 0)
    candidate: str | None = None
    factors: int = 1
    path: str = ""
    has_matrix_jacobian: bool = False
    forget_gate: str | None = None

    @property
    def has_forget_bias(self) -> bool:
        """Whether ``Config.forget_bias`` applies."""
        return self.forget_gate is not None

    def shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the cell's parameters: ``W_xh (D, kH)``, ``W_hh (H, kH)``, ``b_h (kH,)``, ..."""
        wide = len(self.gates) * hidden_size
        shapes = {"W_xh": (input_size, wide), "W_hh": (hidden_size, wide), "b_h": (wide,)}
        if self.recurrent_bias:
            shapes[f"b_h{self.recurrent_bias}"] = (hidden_size,)
        return shapes

    def block(self, gate: str, hidden_size: int) -> slice:
        """Return the columns that belong to ``gate``."""
        start = self.gates.index(gate) * hidden_size
        return slice(start, start + hidden_size)

    def split(self, a: Array) -> list[Array]:
        """Cut (..., kH) into the k gates' (..., H)."""
        size = a.shape[-1] // len(self.gates)
        return [a[..., k * size : (k + 1) * size] for k in range(len(self.gates))]

    def step(self, params: Any, x: Array, state: State, phi: Activation, num: Arithmetic) -> tuple[State, tuple, State]:
        """Return the new state, what `tape` needs, and the gates by name."""
        raise NotImplementedError

    def tape(self, kept: Any, phi: Activation, num: Arithmetic) -> tuple[Factor, ...]:
        """Return the local factors of a step, or of a stack of steps."""
        raise NotImplementedError

    def step_back(self, W_back: Any, tape: tuple, d: dict[str, Gradient], num: Arithmetic) -> StepBack:
        """Return the gradients before the step from those after it."""
        raise NotImplementedError


class RNN(Cell):
    """The vanilla RNN: ``h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h)`` (Elman 1990)."""

    def step(self, params: Params, x: Array, state: State, phi: Activation, num: Arithmetic):
        h, kept = num.activate(phi, x + state["h"] @ params["W_hh"])
        return {"h": h}, (kept,), {}

    def tape(self, kept: tuple, phi: Activation, num: Arithmetic) -> tuple[Factor, ...]:
        return (num.slope(phi, kept[0]),)

    def step_back(self, W_back: Any, tape: tuple, d: dict[str, Gradient], num: Arithmetic) -> StepBack:
        (slope,) = tape
        d_a = [d["h"] * slope]
        return StepBack(d, {"h": d_a[0] @ W_back}, d_a, d_a)


class LSTM(Cell):
    """The LSTM with a forget gate and without peepholes (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    ``c_t = f * c_{t-1} + i * g``, ``h_t = o * phi(c_t)``; i, f, o are sigmoids and ``g = phi`` of
    ``x_t W_xh + h_{t-1} W_hh + b_h``, in the order i, f, g, o.
    """

    def step(self, params: Params, x: Array, state: State, phi: Activation, num: Arithmetic):
        a_i, a_f, a_g, a_o = self.split(x + state["h"] @ params["W_hh"])
        (i, by_a_i), (f, by_a_f), (o, by_a_o) = (num.activate(SIGMOID, a) for a in (a_i, a_f, a_o))
        g, by_a_g = num.activate(phi, a_g)
        keep, write, new = num.gate(by_a_f, f), num.gate(by_a_i, i), num.output(phi, by_a_g, g)
        before = state.get("wide c", state["c"])
        c = num.sum(num.product(keep, before), num.product(write, new))
        out, read, by_c = num.memory(phi, c)
        kept = by_a_i, by_a_f, by_a_g, (o, by_a_o), by_c, (keep, write, new, before, read)
        wide = {"c": c.to_float(), "wide c": c} if isinstance(c, Scaled) else {"c": c}
        return {"h": o * out, **wide}, kept, {"i": i, "f": f, "g": g, "o": o}

    def tape(self, kept: tuple, phi: Activation, num: Arithmetic) -> tuple[Factor, ...]:
        by_a_i, by_a_f, by_a_g, (o, by_a_o), by_c, (keep, write, new, before, read) = kept
        return (
            num.product(num.gate(by_a_o, o), num.slope(phi, by_c)),
            num.product(new, num.slope(SIGMOID, by_a_i)),
            num.product(before, num.slope(SIGMOID, by_a_f)),
            num.product(write, num.slope(phi, by_a_g)),
            num.product(read, num.slope(SIGMOID, by_a_o)),
            keep,
        )

    def step_back(self, W_back: Any, tape: tuple, d: dict[str, Gradient], num: Arithmetic) -> StepBack:
        c_by_h, by_i, by_f, by_g, by_o, f = tape
        d_h, d_c = d["h"], d["c"] + d["h"] * c_by_h
        d_a = [d_c * by_i, d_c * by_f, d_c * by_g, d_h * by_o]
        previous = {"h": num.through(d_a, W_back), "c": d_c * f}
        return StepBack({"h": d_h, "c": d_c}, previous, d_a, d_a)


class GRU(Cell):
    """The GRU as PyTorch and cuDNN compute it, the reset gate after the product (Cho et al. 2014).

    ``n = phi(x W_xn + b_n + r * (h W_hn + b_hn))``, ``h_t = (1 - z) * n + z * h_{t-1}``; r and z are sigmoids; order
    r, z, n. The factor ``h_{t-1} - n`` comes from the `Margins` of both where floats round them onto the same number.
    """

    def step(self, params: Params, x: Array, state: State, phi: Activation, num: Arithmetic):
        h = state["h"]
        (x_r, x_z, x_n), (h_r, h_z, h_n) = self.split(x), self.split(h @ params["W_hh"])
        h_n = h_n + params["b_hn"]
        (r, by_a_r), (z, by_a_z) = num.activate(SIGMOID, x_r + h_r), num.activate(SIGMOID, x_z + h_z)
        renew, by_minus_a_z = num.activate(SIGMOID, -(x_z + h_z))
        n, by_a_n = num.activate(phi, x_n + r * h_n)
        new = renew * n + z * h
        shares = (renew, by_minus_a_z), (z, by_a_z)
        gap, margins = self.gap(state, new, (n, by_a_n), shares, phi, num)
        kept = (r, by_a_r), (z, by_a_z), by_a_n, (renew, by_minus_a_z), gap, h_n
        return {"h": new, **margins}, kept, {"r": r, "z": z, "n": n}

    def gap(self, state: State, new: Array, candidate, shares, phi: Activation, num: Arithmetic) -> tuple[Factor, dict]:
        """Return ``h_{t-1} - n``, and the margins of ``h_t`` by name where floats round it onto an end."""
        n, by_a_n = candidate
        is_near = num.keeps_margins and (MARGINS[0] in state or is_near_an_end(phi, n))
        if not is_near:
            return state["h"] - n, {}
        known = [state[name] for name in MARGINS if name in state]
        of_h = Margins(*known) if known else margins_of_state(phi, state["h"])
        of_n, side = margins_of_output(phi, by_a_n, n, num)
        gap = of_h.minus(of_n, side, state["h"] - n, num)
        if not is_near_an_end(phi, new):
            return gap, {}
        renew, z = (num.gate(kept, value) for value, kept in shares)
        return gap, dict(zip(MARGINS, of_n.mixed(renew, of_h, z, num), strict=True))

    def tape(self, kept: tuple, phi: Activation, num: Arithmetic) -> tuple[Factor, ...]:
        (r, by_a_r), (z, by_a_z), by_a_n, (renew, by_minus_a_z), gap, h_n = kept
        return (
            num.product(num.gate(by_minus_a_z, renew), num.slope(phi, by_a_n)),
            num.product(h_n, num.slope(SIGMOID, by_a_r)),
            num.product(gap, num.slope(SIGMOID, by_a_z)),
            num.gate(by_a_r, r),
            num.gate(by_a_z, z),
        )

    def step_back(self, W_back: Any, tape: tuple, d: dict[str, Gradient], num: Arithmetic) -> StepBack:
        n_by_h, by_r, by_z, r, z = tape
        d_h = d["h"]
        d_n = d_h * n_by_h
        d_r, d_z = d_n * by_r, d_h * by_z
        d_rec = [d_r, d_z, d_n * r]
        previous = {"h": d_h * z + num.through(d_rec, W_back)}
        return StepBack(d, previous, [d_r, d_z, d_n], d_rec)


CELLS: Registry[Cell] = Registry("cell", check_cell)
CELLS.add("rnn", RNN("rnn", "RNN", "h = φ(x W_xh + h W_hh + b_h)", ("h",), has_matrix_jacobian=True))
CELLS.add(
    "lstm",
    LSTM(
        name="lstm",
        label="LSTM",
        formula="c = f·c + i·g,  h = o·φ(c)",
        gates=("i", "f", "g", "o"),
        gate_labels={
            "i": N_("input i"),
            "f": N_("forget f"),
            "g": N_("candidate g"),
            "o": N_("output o"),
        },
        states=("h", "c"),
        step_factor=("f", 5),
        forget_gate="f",
        candidate="g",
        factors=6,
        path=N_("the path through c (gate f)"),
    ),
)
CELLS.add(
    "gru",
    GRU(
        name="gru",
        label="GRU",
        formula="h = (1 − z)·n + z·h",
        gates=("r", "z", "n"),
        gate_labels={"r": N_("reset r"), "z": N_("update z"), "n": N_("candidate n")},
        recurrent_bias="n",
        step_factor=("z", 4),
        candidate="n",
        factors=5,
        path=N_("the path past n (gate z)"),
    ),
)
