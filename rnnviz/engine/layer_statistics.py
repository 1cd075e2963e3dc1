"""The statistics of one layer at every step: of its states on the way forward, of its gradients on the way back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import SIGMOID
from ..network.cells import CELLS, Cell, Step, StepBack
from ..network.config import Config
from ..numerics.scaled import Scaled, log10_norms, row_norms
from .bptt import numbers

Array = np.ndarray
TOGETHER = 2**16  # numbers whose statistics are computed in one go: more would not stay in the processor's cache


class LayerStates:
    """Computes the statistics of a layer's states in N experiments, from their steps.

    ``first_nonfinite`` (N,) are the steps at which this layer or the one ``below`` has overflowed, -1 for none.
    """

    def __init__(self, config: Config, runs: int, below: LayerStates | None):
        self.below = below
        self.cell: Cell = CELLS[config.cell]
        self.phi: Activation = ACTIVATIONS[config.activation]
        self.last = config.seq_len
        shape = (runs, config.seq_len + 1)
        self.moments = {name: np.zeros(shape) for name in ("second_moment", "variance", "mean", "saturation")}
        self.gates = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.gate_saturation = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.units = np.zeros((*shape, config.hidden_size))
        self.first_nonfinite = np.full(runs, -1)
        self.unnoted: list[Step] = []

    @property
    def gate_names(self) -> tuple[str, ...]:
        return self.cell.gates if len(self.cell.gates) > 1 else ()

    def add(self, step: Step, t: int) -> None:
        """Take step t; its numbers are set to 0 where a run has overflowed."""
        self.zero_nonfinite(step, t)
        self.unnoted.append(step)
        if t == self.last or len(self.unnoted) * step.state["h"].size >= TOGETHER:
            self.note(self.unnoted, t)
            self.unnoted = []

    def zero_nonfinite(self, step: Step, t: int) -> None:
        """Set a run to 0, in place, from the step on at which its numbers overflow: zeros disturb no other run."""
        if self.phi.bounded:
            return
        arrays = numbers(step)
        sums = sum(np.abs(array).sum(axis=(-2, -1)) for array in arrays)
        bad = ~np.isfinite(sums)
        if bad.any():
            bad &= ~np.logical_and.reduce([np.isfinite(array).all(axis=(-2, -1)) for array in arrays])
            self.first_nonfinite[bad & (self.first_nonfinite < 0)] = t
        if self.below:
            below = self.below.first_nonfinite
            spoilt = (self.first_nonfinite < 0) & (below >= 0) & (below <= t)
            self.first_nonfinite[spoilt] = below[spoilt]
        for array in arrays:
            array[self.first_nonfinite >= 0] = 0.0

    def note(self, steps: list[Step], last: int) -> None:
        """Compute the statistics of consecutive steps that end with step ``last``."""
        at = slice(last - len(steps) + 1, last + 1)
        h = np.stack([step.state["h"] for step in steps], axis=1)
        self.units[:, at] = h[:, :, 0]
        flat = h.reshape(*h.shape[:2], -1)
        size = flat.shape[-1]
        mean = flat.mean(axis=-1)
        self.moments["mean"][:, at] = mean
        self.moments["second_moment"][:, at] = np.vecdot(flat, flat) / size
        self.moments["saturation"][:, at] = self.phi.saturated(flat).sum(axis=-1) / size
        flat -= mean[..., None]
        self.moments["variance"][:, at] = np.vecdot(flat, flat) / size
        for name in steps[0].gates:
            self.note_gate(name, np.stack([step.gates[name] for step in steps], axis=1), at)

    def note_gate(self, name: str, values: Array, at: slice) -> None:
        """Compute the statistics of one gate."""
        flat = values.reshape(*values.shape[:2], -1)
        saturated = (self.phi if name == self.cell.candidate else SIGMOID).saturated(flat)
        self.gates[name][:, at] = flat.mean(axis=-1)
        self.gate_saturation[name][:, at] = saturated.mean(axis=-1)

    def result(self) -> dict:
        """Return the arrays of a Trace, marked from each run's first non-finite step on."""
        per_step = (self.moments, self.gates, self.gate_saturation)
        for run in np.flatnonzero(self.first_nonfinite >= 0):
            step = self.first_nonfinite[run]
            for values in (values for group in per_step for values in group.values()):
                values[run, step:] = np.nan
            self.moments["second_moment"][run, step:] = np.inf
            self.units[run, step:] = np.nan
        more = {"gates": self.gates, "gate_saturation": self.gate_saturation, "first_nonfinite": self.first_nonfinite}
        return {**self.moments, **more, "units": self.units}


class LayerGradients:
    """Computes the norms of a layer's gradients, and its step factors if asked for, from the steps back."""

    def __init__(self, cell: Cell, factors: bool):
        self.cell, self.factors = cell, factors
        self.rows: dict[str, list] = {name: [] for name in cell.states}
        self.passed_rows: list = []
        self.passed: Scaled | None = None

    def add(self, step: StepBack, tapes: Sequence[tuple]) -> None:
        """Take the next step back, from step T to step 0; ``tapes`` are those of the steps 1..T."""
        for name, gradient in step.total.items():
            self.rows[name].append(row_norms(gradient))
        if self.factors and step.d_in:
            self.passed = self.passed_on(step, tapes[-1 - len(self.passed_rows)])
            self.passed_rows.append(row_norms(self.passed))

    def passed_on(self, step: StepBack, tape: tuple) -> Scaled:
        """Return what the slopes pass on of the gradient, or what is left of dL/dh_T (or dL/dc_T) by the gate alone."""
        if self.cell.has_matrix_jacobian:
            return step.d_in[0]
        before = step.total[self.cell.states[-1]] if self.passed is None else self.passed
        return (before * tape[self.cell.step_factor[1]]).balanced()

    def result(self) -> dict[str, Array]:
        """Return log10 of the norms, (N, T+1) for each state, and of the step factors."""
        norms = {name: log10_norms(each[::-1]) for name, each in self.rows.items()}
        return norms | ({"step_factor": self.step_factors(norms)} if self.factors else {})

    def step_factors(self, norms: dict[str, Array]) -> Array:
        """Return log10 of the factor by which the slopes or the gate change the gradient's norm, (N, T+1)."""
        passed = log10_norms(self.passed_rows[::-1])
        start = norms["h"].shape[1] - passed.shape[1]  # the first step that the gradient goes back through
        before = norms[self.cell.states[-1]][:, start:]
        if not self.cell.has_matrix_jacobian:
            before = np.concatenate([passed[:, 1:], before[:, -1:]], axis=1)
        return np.concatenate([np.full((len(before), start), np.nan), passed - before], axis=1)
