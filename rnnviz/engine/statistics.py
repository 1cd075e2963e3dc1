"""One pass forward and back over a stack of experiments, and the statistics of every step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.arithmetic import SIGMOID
from ..network.cells import CELLS, Cell, Params, Step, StepBack
from ..network.config import Config
from ..network.losses import loss_weight
from ..numerics.progress import Progress, rescaled, unwarned
from ..numerics.scaled import LOG2_10, Scaled, log10_norms, row_norms
from .bptt import backward, cross_entropy, forward, numbers

Array = np.ndarray
TOGETHER = 2**16  # numbers whose statistics are computed in one go: more would not stay in the processor's cache


class Statistics:
    """Computes the statistics of every step of N experiments of the same shape, a stack."""

    def __init__(self, config: Config, runs: int):
        self.cell: Cell = CELLS[config.cell]
        self.phi: Activation = ACTIVATIONS[config.activation]
        self.config, self.runs = config, runs
        shape = (runs, config.seq_len + 1)
        self.moments = {name: np.zeros(shape) for name in ("second_moment", "variance", "mean", "saturation")}
        self.gates = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.gate_saturation = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.units = np.zeros((*shape, config.hidden_size))
        self.first_nonfinite = np.full(runs, -1)

    @property
    def gate_names(self) -> tuple[str, ...]:
        return self.cell.gates if len(self.cell.gates) > 1 else ()

    def collecting(self, params: Params, x: Array, targets: Array) -> Progress[dict[str, Array]]:
        """Go forward and back, and return every array of a Trace, with a leading axis N.

        Shapes: matrices (N, D, kH) and biases (N, 1, kH) as of `runs.stack_params`, x (N, T, B, D), targets (N, T, B).
        """
        return unwarned(self._collecting(params, x, targets), over="ignore", invalid="ignore")

    def _collecting(self, params: Params, x: Array, targets: Array) -> Progress[dict[str, Array]]:
        tapes, errors, loss = yield from rescaled(self.forward(params, x, targets), 0.0, 0.5)
        loss[self.first_nonfinite >= 0] = np.nan
        errors, decades = levelled(silenced(errors, loss))
        last_only = [None] * (len(errors) - 1) + errors[-1:]
        norms = alone = yield from rescaled(self.backward(params, tapes, last_only), 0.5, 0.25)
        if any(error is not None for error in errors[:-1]):
            norms = yield from rescaled(self.backward(params, tapes, errors, factors=False), 0.75, 0.25)
        for values in (*norms.values(), *alone.values()):
            values[~np.isfinite(loss)] = np.nan
        last = norms["h"][:, -1:]
        last = np.where(np.isneginf(last), np.nan, last)
        self.forget_nonfinite()
        return {
            **self.moments,
            "loss": loss,
            "log10_weight_size": log10_norms([row_norms(Scaled(params["W_hh"]))])[:, 0]
            - 0.5 * np.log10(self.config.hidden_size),
            "log10_grad_norm": norms["h"] + decades,
            "log10_grad_norm_c": norms["c"] + decades if "c" in norms else None,
            "log10_relative_norm": norms["h"] - last,
            "log10_relative_norm_c": norms["c"] - last if "c" in norms else None,
            "log10_relative_norm_last": None if alone is norms else alone["h"] - last,
            "log10_step_factor": alone["step_factor"],
            "gates": self.gates,
            "gate_saturation": self.gate_saturation,
            "first_nonfinite": self.first_nonfinite,
            "units": self.units,
        }

    def forward(self, params: Params, x: Array, targets: Array) -> Progress[tuple[list, list, Array]]:
        """Go forward, note the states' statistics, and return the tapes, the losses' gradients and the loss (N,)."""
        tapes, errors, loss, unnoted = [], [], np.zeros(self.runs), []
        last = x.shape[-3]
        weight = loss_weight(self.config.loss_at, self.config.loss_reduction, last)
        for t, step in enumerate(forward(params, x, self.cell, self.phi), 1):
            self.zero_nonfinite(step, t)
            unnoted.append(step)
            if t == last or len(unnoted) * step.state["h"].size >= TOGETHER:
                self.note(unnoted, t)
                unnoted = []
            tapes.append(step.tape)
            error = None
            if t == last or self.config.loss_at == "every":
                more, error = cross_entropy(params, step.state["h"], targets[:, t - 1], weight)
                loss += more
            errors.append(error)
            yield t / last
        return tapes, errors, loss

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
        for array in arrays:
            array[self.first_nonfinite >= 0] = 0.0

    def note(self, steps: list[Step], last: int) -> None:
        """Compute the statistics of consecutive steps that end with step ``last``."""
        at = slice(last - len(steps) + 1, last + 1)
        h = np.stack([step.state["h"] for step in steps], axis=1)
        self.units[:, at] = h[:, :, 0]
        flat = h.reshape(self.runs, len(steps), -1)
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

    def backward(self, params: Params, tapes: list, errors: list, factors: bool = True) -> Progress[dict[str, Array]]:
        """Go back and return log10 of the gradients' norms, (N, T+1) for each state, and of the step factors."""
        rows: dict[str, list] = {name: [] for name in (*self.cell.states, *(["passed"] * factors))}
        passed = None
        for back, step in enumerate(backward(params, tapes, errors, self.cell)):
            found = dict(step.total)
            if factors and back < len(tapes):
                found["passed"] = passed = self.passed(step, tapes[-1 - back], passed)
            for name, gradient in found.items():
                rows[name].append(row_norms(gradient))
            yield back / len(tapes)
        norms = {name: log10_norms(each[::-1]) for name, each in rows.items()}
        if factors:
            norms["step_factor"] = self.step_factors(norms, norms.pop("passed"))
        return norms

    def passed(self, step: StepBack, tape: tuple, before: Scaled | None) -> Scaled:
        """Return what the slopes pass on of the gradient, or what is left of dL/dh_T (or dL/dc_T) by the gate alone."""
        if self.cell.has_matrix_jacobian:
            return step.d_in[0]
        before = step.total[self.cell.states[-1]] if before is None else before
        return (before * tape[self.cell.step_factor[1]]).balanced()

    def step_factors(self, norms: dict[str, Array], passed: Array) -> Array:
        """Return log10 of the factor by which the slopes or the gate change the gradient's norm, (N, T+1)."""
        before = norms[self.cell.states[-1]][:, 1:]
        if not self.cell.has_matrix_jacobian:
            before = np.concatenate([passed[:, 1:], before[:, -1:]], axis=1)
        return np.concatenate([np.full((self.runs, 1), np.nan), passed - before], axis=1)

    def forget_nonfinite(self) -> None:
        """Mark everything from a run's first non-finite step on."""
        per_step = (self.moments, self.gates, self.gate_saturation)
        for run in np.flatnonzero(self.first_nonfinite >= 0):
            step = self.first_nonfinite[run]
            for values in (values for group in per_step for values in group.values()):
                values[run, step:] = np.nan
            self.moments["second_moment"][run, step:] = np.inf
            self.units[run, step:] = np.nan


def silenced(errors: Sequence[Scaled | None], loss: Array) -> Sequence[Scaled | None]:
    """Return the errors with those of runs whose loss is not finite set to 0."""
    keep = np.isfinite(loss)[:, None, None]
    if keep.all():
        return errors
    return [error and Scaled(np.where(keep, error.m, 0.0), np.where(keep, error.e, 0.0)) for error in errors]


def levelled(errors: Sequence[Scaled | None]) -> tuple[list[Scaled | None], Array]:
    """Return the errors without each run's largest exponent, and that exponent in decades, (N, 1).

    A loss may be so sure that its gradient is 10**-1e28: beside such an exponent float64 holds no factor of a step.
    """
    top = reduce(np.maximum, (error.e.max(axis=(-2, -1), keepdims=True) for error in errors if error is not None))
    return [error and Scaled(error.m, error.e - top) for error in errors], top[..., 0] / LOG2_10
