"""The numbers of one run, as a row of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..engine.trace import Trace
from .training import WINDOW, Training


@dataclass(frozen=True)
class RunResult:
    """The numbers of one run that is not trained: those of its `Trace` at the first and at the last step.

    Attributes
    ----------
    scheme, seed : which run.
    loss : as of a Trace.
    second_moment_T, variance_T, saturation_T : of the last state.
    log10_grad_norm_0, log10_grad_norm_T : log10 ||dL/dh_t|| at both ends; -inf for a true zero.
    log10_survival : log10 of the factor by which the gradient of the last step's loss changes on its way back to step
        0, exact at any magnitude; nan where there is none.
    first_nonfinite : the first step whose state is not finite, or None.
    """

    scheme: str
    seed: int
    loss: float
    second_moment_T: float
    variance_T: float
    saturation_T: float
    log10_grad_norm_0: float
    log10_grad_norm_T: float
    log10_survival: float
    first_nonfinite: int | None


@dataclass(frozen=True)
class TrainingResult:
    """What came of one run's training.

    Attributes
    ----------
    scheme, seed : which run.
    loss : the mean of the last 20 steps' losses; nan for a run that diverged.
    chance : the loss of the best guess that reads no input.
    reached : the first step at which the mean loss of 20 steps was at or below the problem's target, or None.
    diverged : the step at which numbers overflowed, or None; overflow : what did.
    test_loss, test_accuracy : on sequences apart; nan for a run that diverged.
    """

    scheme: str
    seed: int
    loss: float
    chance: float
    reached: int | None
    diverged: int | None
    overflow: str
    test_loss: float
    test_accuracy: float


def run_results(trace: Trace) -> tuple[RunResult, ...]:
    """Return the numbers of a comparison, scheme by scheme and seed by seed."""
    whole, alone = trace.log10_relative_norm, trace.log10_relative_norm_last
    values = {
        "loss": trace.loss,
        "second_moment_T": trace.second_moment[..., -1],
        "variance_T": trace.variance[..., -1],
        "saturation_T": trace.saturation[..., -1],
        "log10_grad_norm_0": trace.log10_grad_norm[..., 0],
        "log10_grad_norm_T": trace.log10_grad_norm[..., -1],
        "log10_survival": (whole if alone is None else alone)[..., 0],
    }
    return tuple(
        RunResult(
            scheme,
            seed,
            **{name: float(value[s, r]) for name, value in values.items()},
            first_nonfinite=int(trace.first_nonfinite[s, r]) if trace.first_nonfinite[s, r] >= 0 else None,
        )
        for s, scheme in enumerate(trace.schemes)
        for r, seed in enumerate(trace.seeds)
    )


def training_results(training: Training) -> tuple[TrainingResult, ...]:
    """Return what came of a training, scheme by scheme and seed by seed."""
    losses = training.losses[-WINDOW:].mean(axis=0)
    test_loss, test_accuracy = map(np.asarray, training.evaluate()["test"])
    return tuple(
        TrainingResult(
            scheme,
            seed,
            loss=float(losses[s, r]),
            chance=training.chance,
            reached=int(training.reached[s, r]) or None,
            diverged=int(training.diverged[s, r]) or None,
            overflow=str(training.overflow[s, r]),
            test_loss=float(test_loss[s, r]),
            test_accuracy=float(test_accuracy[s, r]),
        )
        for s, scheme in enumerate(training.settings.schemes)
        for r, seed in enumerate(training.settings.seeds)
    )
