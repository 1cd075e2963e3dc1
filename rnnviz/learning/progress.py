"""The record of a training after a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .training import Training

Array = np.ndarray


@dataclass(frozen=True)
class TrainingProgress:
    """A training after one of its steps; of several runs, arrays (S, R) by scheme and seed.

    Attributes
    ----------
    step : how many steps are done.
    loss : of this step's batch, before the weights changed; nan from the step on at which a run diverged.
    grad_norm : Euclidean norm of the gradient of all parameters, before clipping; nan as ``loss``.
    diverged : the step at which numbers overflowed, counted from 1; 0 where none did.
    overflow : what overflowed, in words; "" where nothing did.
    training : the `Training` itself.
    """

    step: int
    loss: float | Array
    grad_norm: float | Array
    diverged: int | Array
    overflow: str | Array
    training: Training = field(repr=False)

    def params(self, s: int = 0, r: int = 0) -> dict[str, Array]:
        """Return the weights that one run has now, as `init_params` returns them."""
        return self.training.params(s, r)
