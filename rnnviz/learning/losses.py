"""What is minimised: softmax cross-entropy or the squared error, each with its gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..text.language import N_
from ..text.registry import Registry

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Loss:
    """One kind of loss.

    Attributes
    ----------
    name, label : its name in code and in menus.
    fn : ``y (..., O), targets -> (loss (...), dloss/dy (..., O))``, a loss for each output.
    has_classes : whether the targets are classes (...); else they are numbers (..., O).
    """

    name: str
    label: str
    fn: Callable[[Array, Array], tuple[Array, Array]]
    has_classes: bool


LOSSES: Registry[Loss] = Registry("loss")


def cross_entropy(y: Array, targets: Array) -> tuple[Array, Array]:
    """Return ``-log softmax(y)[target]`` and its gradient ``softmax(y) - onehot(target)``.

    >>> cross_entropy(np.zeros((1, 4)), np.array([2]))
    (array([1.386]), array([[ 0.25,  0.25, -0.75,  0.25]]))
    """
    shifted = y - y.max(axis=-1, keepdims=True)
    d = np.exp(shifted)
    total = d.sum(axis=-1)
    d /= total[..., None]
    rows = np.arange(targets.size)
    chosen = shifted.reshape(-1, y.shape[-1])[rows, targets.reshape(-1)].reshape(targets.shape)
    d.reshape(-1, y.shape[-1])[rows, targets.reshape(-1)] -= 1.0
    return np.log(total) - chosen, d


def squared_error(y: Array, targets: Array) -> tuple[Array, Array]:
    """Return the mean of ``(y - target)**2`` over the O outputs, and its gradient."""
    error = y - targets
    return np.mean(error * error, axis=-1), (2.0 / y.shape[-1]) * error


LOSSES.add("cross-entropy", Loss("cross-entropy", N_("cross-entropy"), cross_entropy, has_classes=True))
LOSSES.add("squared error", Loss("squared error", N_("squared error"), squared_error, has_classes=False))
