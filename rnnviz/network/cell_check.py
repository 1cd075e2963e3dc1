"""Whether what a cell says about itself is what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .activations import ACTIVATIONS
from .arithmetic import PLAIN

if TYPE_CHECKING:
    from .cells import Cell

SIZE = 3


def check_cell(cell: Cell) -> None:
    """Take one step forward and back in a small network.

    Raises
    ------
    ValueError : where a field of the cell contradicts itself or the step; the message names the field.
    """
    check_gates(cell)
    rng = np.random.default_rng(0)
    shapes = cell.shapes(SIZE, SIZE)
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    state = {name: rng.uniform(-0.5, 0.5, (1, SIZE)) for name in cell.states}
    x = rng.normal(size=(1, SIZE)) @ params["W_xh"] + params["b_h"]
    phi = ACTIVATIONS["tanh"]
    try:
        new, kept, gates = cell.step(params, x, state, phi, PLAIN)
        tape = cell.tape(kept, phi, PLAIN)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"cell {cell.name!r} cannot take a step: {error!r}") from error
    if not set(cell.states) <= set(new):
        raise ValueError(
            f"states of cell {cell.name!r} must be those that its step returns, {list(new)}; got {cell.states}"
        )
    if len(tape) != cell.factors:
        raise ValueError(
            f"factors of cell {cell.name!r} must be {len(tape)}, the length of its tape; got {cell.factors}"
        )
    check_step_factor(cell, tape, gates)
    check_step_back(cell, params["W_hh"].T, tape, state)


def check_gates(cell: Cell) -> None:
    """Raise a ValueError where a field names a gate that the cell does not have."""
    if cell.states[:1] != ("h",):
        raise ValueError(f"states of cell {cell.name!r} must begin with 'h'; got {cell.states}")
    for name in ("candidate", "forget_gate", "recurrent_bias"):
        gate = getattr(cell, name)
        if gate is not None and gate not in cell.gates:
            raise ValueError(
                f"{name} of cell {cell.name!r} must be one of its gates {cell.gates} or None; got {gate!r}"
            )
    if not set(cell.gate_labels) <= set(cell.gates):
        raise ValueError(
            f"gate_labels of cell {cell.name!r} must label its gates {cell.gates}; got {list(cell.gate_labels)}"
        )


def check_step_factor(cell: Cell, tape: tuple, gates: dict) -> None:
    """Raise a ValueError where ``step_factor`` is not a place in the tape, or names a gate that stands elsewhere."""
    name, place = cell.step_factor
    if not 0 <= place < len(tape):
        raise ValueError(
            f"step_factor of cell {cell.name!r} must be a place 0..{len(tape) - 1} in its tape; got {place}"
        )
    if name in cell.gates and name in gates and not np.allclose(tape[place], gates[name]):
        raise ValueError(
            f"step_factor of cell {cell.name!r} says that gate {name!r} is factor {place} of its tape: it is not"
        )


def check_step_back(cell: Cell, W_back: np.ndarray, tape: tuple, state: dict) -> None:
    """Raise a ValueError where a step back does not return a gradient for every state and gate."""
    d = {name: np.ones((1, SIZE)) for name in cell.states}
    try:
        back = cell.step_back(W_back, tape, d, PLAIN)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"cell {cell.name!r} cannot take a step back: {error!r}") from error
    for name, before in state.items():
        if name not in back.previous or back.previous[name].shape != before.shape:
            raise ValueError(f"step_back of cell {cell.name!r} must return the gradient of {name}_{{t-1}} in previous")
    if not len(back.d_in) == len(back.d_rec) == len(cell.gates):
        raise ValueError(
            f"step_back of cell {cell.name!r} must return d_in and d_rec for each of its gates {cell.gates}"
        )
