"""The networks of a training as a comparison: what their states and gradients do at one of its steps."""

from __future__ import annotations

import numpy as np

from ..engine.passes import cross_entropy
from ..engine.runs import tracing_runs
from ..engine.trace import OwnRuns, Trace
from ..network.cells import Params
from ..network.config import Config
from ..network.sampling import stream
from ..network.schemes import SCHEMES
from ..numerics.progress import Progress
from ..numerics.scaled import Scaled
from ..text.language import _
from .losses import LOSSES
from .problem import Batch
from .training import Training

Array = np.ndarray


def tracing_training(
    training: Training, step: int, sequences: int | None = None, seeds: int | None = None
) -> Progress[Trace]:
    """Compute the comparison of a training's networks at its last kept step up to ``step``, and yield the share done.

    Each seed's networks read the first ``sequences`` of a batch of its own, which is none of those that they train on;
    ``seeds`` counts them. The loss is the problem's.
    """
    settings, problem = training.settings, training.problem
    chosen = settings.seeds[:seeds]
    config = settings.config.replace(batch_size=sequences or settings.config.batch_size)
    batches = [problem.draw(stream(seed, "tests"), config.replace(seed=seed), 0) for seed in chosen]
    rows = [[training.params(s, r, step) for r in range(len(chosen))] for s in range(len(settings.schemes))]
    params = {name: np.array([[each[name] for each in row] for row in rows]) for name in rows[0][0]}
    x, names = np.stack([batch.x for batch in batches]), tuple(_(SCHEMES[name].short) for name in settings.schemes)
    own = OwnRuns(names, params, x, classes(training, batches), lambda places: step_loss(training, batches, places))
    return tracing_runs(own, described(config, training, x), settings.schemes, chosen)


def described(config: Config, training: Training, x: Array) -> Config:
    """Return a Config with the sizes of the problem and where its losses are; its inputs mean nothing."""
    _seeds, steps, _batch, inputs = x.shape
    where = training.problem.steps_with_loss(training.config)
    outputs = max(2, training.problem.sizes(config)[1])
    return config.replace(
        seq_len=steps, input_size=inputs, output_size=outputs, inputs="gaussian",
        loss_at="last" if len(where) == 1 and where[0] == steps - 1 else "every",
        loss_reduction="sum" if training.problem.is_summed else "mean",
    )  # fmt: skip


def classes(training: Training, batches: list[Batch]) -> Array | None:
    """Return the targets (R, T, B) of a loss on classes at the last step or at every one, else None."""
    steps, where = len(batches[0].x), training.problem.steps_with_loss(training.config)
    if not LOSSES[training.problem.loss].has_classes or len(where) not in (1, steps) or where[-1] != steps - 1:
        return None
    shape = (steps, *batches[0].targets.shape[1:])
    return np.stack([np.broadcast_to(batch.targets, shape) for batch in batches])


def step_loss(training: Training, batches: list[Batch], places: list[int]):
    """Return the loss of a stack of networks that read the batches at these places, as `Statistics` takes it."""
    where = {int(t): k for k, t in enumerate(training.problem.steps_with_loss(training.config))}
    loss, weight = LOSSES[training.problem.loss], 1.0 if training.problem.is_summed else 1.0 / len(where)
    targets = np.stack([batches[place].targets for place in places])

    def of_step(params: Params, h: Array, t: int) -> tuple[Array, Scaled] | None:
        if t - 1 not in where:
            return None
        wanted = targets[:, where[t - 1]]
        if loss.has_classes:
            return cross_entropy(params, h, wanted, weight)
        values, d_y = loss.fn(h @ params["W_hy"] + params["b_y"], wanted)
        exponents = np.zeros((*d_y.shape[:-1], 1))
        return weight * values.mean(axis=-1), Scaled(weight / h.shape[-2] * d_y, exponents)

    return of_step
