"""One pass forward and back over a stack of experiments, written down step by step."""

from __future__ import annotations

import numpy as np

from .activations import ACTIVATIONS, Activation
from .arithmetic import EXACT, SIGMOID, Arithmetic
from .bptt import backward, cross_entropy, forward, numbers
from .cells import CELLS, Cell, Step
from .config import Config
from .scaled import Scaled

Array = np.ndarray


class Recorder:
    """Goes forward and back once and writes down the statistics of every step."""

    def __init__(self, config: Config, runs: int, num: Arithmetic = EXACT):
        self.cell: Cell = CELLS[config.cell]
        self.phi: Activation = ACTIVATIONS[config.activation]
        self.config, self.num, self.runs = config, num, runs
        self.bounded = np.abs(self.phi.f(np.array([-1e300, 1e300]))).max() < 1e100
        shape = (runs, config.seq_len + 1)
        self.stats = {name: np.zeros(shape) for name in ("second_moment", "variance", "mean", "saturation")}
        self.gates = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.gate_saturation = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.carry = np.full(shape, np.nan)
        self.units = np.zeros((*shape, config.hidden_size))
        self.first_nonfinite = np.full(runs, -1)

    @property
    def gate_names(self) -> tuple[str, ...]:
        return self.cell.gates if len(self.cell.gates) > 1 else ()

    def record(self, params, x: Array, targets: Array) -> dict[str, Array]:
        """Return everything a Trace holds, with a leading axis for the runs."""
        tapes, errors, loss = [], [], np.zeros(self.runs)
        last = x.shape[-3]
        for t, step in enumerate(forward(params, x, self.cell, self.phi, self.num), 1):
            self.keep_finite(step, t)
            self.note(step, t)
            tapes.append(step.tape)
            error = None
            if t == last or self.config.loss_at == "every":
                more, error = cross_entropy(params, step.state["h"], targets[:, t - 1])
                loss += more
            errors.append(error)
        loss[self.first_nonfinite >= 0] = np.nan
        norms = self.norms(params, tapes, self.silence(errors, loss))
        for values in norms.values():
            values[~np.isfinite(loss)] = np.nan
        self.forget_nonfinite()
        return {
            **self.stats,
            "loss": loss,
            "log10_grad_norm": norms["h"],
            "log10_grad_norm_c": norms.get("c"),
            "log10_carry": self.carry,
            "gates": self.gates,
            "gate_saturation": self.gate_saturation,
            "first_nonfinite": self.first_nonfinite,
            "units": self.units,
        }

    def keep_finite(self, step: Step, t: int) -> None:
        """Take a run whose numbers overflow out of the stack, in place: its zeros disturb nobody."""
        if self.bounded:
            return
        arrays = numbers(step)
        sums = sum(np.abs(array).sum(axis=(-2, -1)) for array in arrays)
        bad = ~np.isfinite(sums)
        if bad.any():
            bad &= ~np.logical_and.reduce([np.isfinite(array).all(axis=(-2, -1)) for array in arrays])
            self.first_nonfinite[bad & (self.first_nonfinite < 0)] = t
        for array in arrays:
            array[self.first_nonfinite >= 0] = 0.0

    def note(self, step: Step, t: int) -> None:
        """Write down the statistics of one step."""
        h = step.state["h"]
        flat = h.reshape(self.runs, -1)
        size = flat.shape[-1]
        mean = flat.mean(axis=-1)
        centred = flat - mean[:, None]
        self.stats["mean"][:, t] = mean
        self.stats["second_moment"][:, t] = np.einsum("ij,ij->i", flat, flat) / size
        self.stats["variance"][:, t] = np.einsum("ij,ij->i", centred, centred) / size
        self.stats["saturation"][:, t] = np.count_nonzero(self.phi.saturated(flat), axis=-1) / size
        self.units[:, t] = h[:, 0]
        carry = step.tape[self.cell.carry[1]]
        self.carry[:, t] = self.num.log10_norm(self.num.start(carry)) - 0.5 * np.log10(size)
        for name, value in step.gates.items():
            values = value.reshape(self.runs, -1)
            saturated = (self.phi if name == self.cell.candidate else SIGMOID).saturated(values)
            self.gates[name][:, t] = values.mean(axis=-1)
            self.gate_saturation[name][:, t] = np.count_nonzero(saturated, axis=-1) / size

    def silence(self, errors, loss: Array) -> list:
        """Return the errors with those of runs whose loss is not finite set to 0."""
        keep = np.isfinite(loss)[:, None, None]
        if keep.all():
            return errors
        return [error and Scaled(np.where(keep, error.m, 0.0), np.where(keep, error.e, 0.0)) for error in errors]

    def norms(self, params, tapes, errors) -> dict[str, Array]:
        """Go back and return log10 of the gradients' norms, (N, T+1) for each state."""
        steps = backward(params, tapes, errors, self.cell, self.num)
        norms = [{name: self.num.log10_norm(d) for name, d in step.total.items()} for step in steps][::-1]
        return {name: np.stack([norm[name] for norm in norms], axis=-1) for name in norms[0]}

    def forget_nonfinite(self) -> None:
        """Mark everything from a run's first non-finite step on."""
        for run, step in enumerate(self.first_nonfinite):
            if step >= 0:
                for values in (*self.stats.values(), self.carry, *self.gates.values(), *self.gate_saturation.values()):
                    values[run, step:] = np.nan
                self.stats["second_moment"][run, step:] = np.inf
                self.units[run, step:] = np.nan
