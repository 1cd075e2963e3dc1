"""One pass forward and back over a stack of experiments, and the statistics of every layer and step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Params
from ..network.config import Config
from ..network.layers import name_in
from ..network.losses import loss_weight
from ..numerics.progress import Progress, rescaled, unwarned
from ..numerics.scaled import LOG2_10, Scaled, log10_norms, row_norms
from .layer_statistics import LayerGradients, LayerStates
from .layers import backward_through, forward_through
from .passes import cross_entropy

Array = np.ndarray
Norms = dict[str, Array]  # (N, T+1) by state
# Of the top layer's state (N, B, H) after step t, from 1: the loss (N,) and dL/dy, or None where the step has no loss.
StepLoss = Callable[[Params, Array, int], tuple[Array, Scaled] | None]


class Statistics:
    """Computes the statistics of every layer and step of N experiments of the same shape, a stack."""

    def __init__(self, config: Config, runs: int):
        self.config, self.runs, self.cell = config, runs, CELLS[config.cell]
        self.states: list[LayerStates] = []

    def collecting(self, params: Params, x: Array, step_loss: StepLoss) -> Progress[dict[str, Any]]:
        """Go forward and back, and return the loss (N,) and by layer every array of a Trace, with a leading axis N.

        Shapes: matrices (N, D, kH) and biases (N, 1, kH) as of `runs.stack_params`, x (N, T, B, D).
        """
        return unwarned(self._collecting(params, x, step_loss), over="ignore", invalid="ignore")

    def _collecting(self, params: Params, x: Array, step_loss: StepLoss) -> Progress[dict[str, Any]]:
        tapes, errors, loss = yield from rescaled(self.forward(params, x, step_loss), 0.0, 0.5)
        loss[self.states[-1].first_nonfinite >= 0] = np.nan
        errors, decades = levelled(silenced(errors, loss))
        last_only = [None] * (len(errors) - 1) + errors[-1:]
        norms = alone = yield from rescaled(self.backward(params, tapes, last_only), 0.5, 0.25)
        if any(error is not None for error in errors[:-1]):
            norms = yield from rescaled(self.backward(params, tapes, errors, factors=False), 0.75, 0.25)
        for values in (values for each in (*norms, *alone) for values in each.values()):
            values[~np.isfinite(loss)] = np.nan
        last = norms[-1]["h"][:, -1:]
        last = np.where(np.isneginf(last), np.nan, last)
        by_layer = [
            {
                **states.result(),
                **gradient_arrays(own, None if alone is norms else own_last, last, decades),
                "log10_step_factor": own_last["step_factor"],
                "log10_weight_size": self.weight_size(params[name_in("W_hh", layer)]),
            }
            for layer, (states, own, own_last) in enumerate(zip(self.states, norms, alone, strict=True), 1)
        ]
        return {"loss": loss, "by_layer": by_layer}

    def weight_size(self, W_hh: Array) -> Array:
        """Return log10 of ||W_hh|| / sqrt(H), (N,)."""
        return log10_norms([row_norms(Scaled(W_hh))])[:, 0] - 0.5 * np.log10(self.config.hidden_size)

    def forward(self, params: Params, x: Array, step_loss: StepLoss) -> Progress[tuple[list[list], list, Array]]:
        """Go forward, and return each layer's tapes, the losses' gradients and the loss (N,)."""
        config = self.config
        tapes: list[list] = [[] for _layer in range(config.layers)]
        errors, loss = [], np.zeros(self.runs)
        total = config.layers * config.seq_len
        for _layer in range(config.layers):
            self.states.append(LayerStates(config, self.runs, self.states[-1] if self.states else None))
        for layer, step in forward_through(params, x, self.cell, ACTIVATIONS[config.activation]):
            tapes[layer - 1].append(step.tape)
            t = len(tapes[layer - 1])
            self.states[layer - 1].add(step, t)
            if layer == config.layers:
                more, error = step_loss(params, step.state["h"], t) or (0.0, None)
                loss += more
                errors.append(error)
            yield sum(map(len, tapes)) / total
        return tapes, errors, loss

    def backward(self, params: Params, tapes: list[list], errors: list, factors: bool = True) -> Progress[list[Norms]]:
        """Go back and return log10 of the norms of each layer's gradients, and of the step factors."""
        layers = [LayerGradients(self.cell, factors) for _layer in tapes]
        walk = backward_through(params, tapes, errors, self.cell, truncate=self.config.truncate)
        for done, (layer, step) in enumerate(walk):
            layers[layer - 1].add(step, tapes[layer - 1])
            yield done / (len(layers) * (len(errors) + 1) - 1)
        return [layer.result() for layer in layers]


def classified(config: Config, targets: Array) -> StepLoss:
    """Return the loss of a Config: the cross-entropy of the targets (N, T, B), at the last step or at every one."""
    weight = loss_weight(config.loss_at, config.loss_reduction, config.seq_len)

    def step_loss(params: Params, h: Array, t: int) -> tuple[Array, Scaled] | None:
        if t < config.seq_len and config.loss_at != "every":
            return None
        return cross_entropy(params, h, targets[:, t - 1], weight)

    return step_loss


def gradient_arrays(norms: Norms, alone: Norms | None, last: Array, decades: Array) -> dict[str, Array | None]:
    """Return the norms of a layer's gradients as a Trace has them.

    ``alone`` are those of the last loss alone, None where there is no other; ``last`` (N, 1) is the norm of the top
    layer's dL/dh_T; all lack ``decades`` (see `levelled`).
    """
    return {
        "log10_grad_norm": norms["h"] + decades,
        "log10_grad_norm_c": norms["c"] + decades if "c" in norms else None,
        "log10_relative_norm": norms["h"] - last,
        "log10_relative_norm_c": norms["c"] - last if "c" in norms else None,
        "log10_relative_norm_last": None if alone is None else alone["h"] - last,
    }


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
