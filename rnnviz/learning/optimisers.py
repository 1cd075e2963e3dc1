"""How a gradient becomes a step: SGD, momentum, RMSprop, Adagrad and Adam, with PyTorch's constants.

An optimiser works on one array ``g`` of all parameters, and on arrays of the same shape that it keeps from step to
step, which begin at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..text.registry import Registry

Array = np.ndarray
MOMENTUM = 0.9
RMSPROP_DECAY, RMSPROP_EPS = 0.99, 1e-8
ADAGRAD_EPS = 1e-10
ADAM_DECAYS, ADAM_EPS = (0.9, 0.999), 1e-8


@dataclass(frozen=True, eq=False)
class Optimiser:
    """One optimiser.

    Attributes
    ----------
    name, label, formula : its name in code, in menus and in formulas; eta is the learning rate, u what is subtracted.
    fn : ``(g, kept, step, out) -> None``: write u / eta into ``out``; ``step`` counts from 1.
    kept : how many arrays it keeps from step to step.
    learning_rate : eta where nothing else is asked for.
    """

    name: str
    label: str
    formula: str
    fn: Callable[[Array, Sequence[Array], int, Array], None]
    kept: int
    learning_rate: float


OPTIMISERS: Registry[Optimiser] = Registry("optimiser")


def sgd(g: Array, kept: Sequence[Array], step: int, out: Array) -> None:
    """``u = eta g`` (Robbins & Monro 1951)."""
    np.copyto(out, g)


def momentum(g: Array, kept: Sequence[Array], step: int, out: Array) -> None:
    """``v <- 0.9 v + g``, ``u = eta v`` (Polyak 1964, as PyTorch computes it)."""
    (v,) = kept
    v *= MOMENTUM
    v += g
    np.copyto(out, v)


def rmsprop(g: Array, kept: Sequence[Array], step: int, out: Array) -> None:
    """``s <- 0.99 s + 0.01 g^2``, ``u = eta g / (sqrt s + 1e-8)`` (Tieleman & Hinton 2012)."""
    (s,) = kept
    np.multiply(g, g, out=out)
    out *= 1.0 - RMSPROP_DECAY
    s *= RMSPROP_DECAY
    s += out
    divide_by_root(g, s, RMSPROP_EPS, out)


def adagrad(g: Array, kept: Sequence[Array], step: int, out: Array) -> None:
    """``s <- s + g^2``, ``u = eta g / (sqrt s + 1e-10)`` (Duchi, Hazan & Singer 2011)."""
    (s,) = kept
    np.multiply(g, g, out=out)
    s += out
    divide_by_root(g, s, ADAGRAD_EPS, out)


def adam(g: Array, kept: Sequence[Array], step: int, out: Array) -> None:
    """``m <- 0.9 m + 0.1 g``, ``s <- 0.999 s + 0.001 g^2``, both then without their bias towards 0 at step k.

    ``u = eta (m / (1 - 0.9^k)) / (sqrt(s / (1 - 0.999^k)) + 1e-8)`` (Kingma & Ba 2015, algorithm 1).
    """
    m, s = kept
    slow, slower = ADAM_DECAYS
    np.subtract(g, m, out=out)
    out *= 1.0 - slow
    m += out
    np.multiply(g, g, out=out)
    out *= 1.0 - slower
    s *= slower
    s += out
    np.multiply(s, 1.0 / (1.0 - slower**step), out=out)
    np.sqrt(out, out=out)
    out += ADAM_EPS
    np.divide(m, out, out=out)
    out *= 1.0 / (1.0 - slow**step)


def divide_by_root(g: Array, s: Array, eps: float, out: Array) -> None:
    """Write ``g / (sqrt s + eps)`` into ``out``."""
    np.sqrt(s, out=out)
    out += eps
    np.divide(g, out, out=out)


OPTIMISERS.add("sgd", Optimiser("sgd", "SGD", "u = η g", sgd, 0, 0.1))
OPTIMISERS.add("momentum", Optimiser("momentum", "Momentum", "v ← 0.9 v + g,  u = η v", momentum, 1, 0.01))
OPTIMISERS.add("rmsprop", Optimiser("rmsprop", "RMSprop", "s ← 0.99 s + 0.01 g²,  u = η g / √s", rmsprop, 1, 0.001))
OPTIMISERS.add("adagrad", Optimiser("adagrad", "Adagrad", "s ← s + g²,  u = η g / √s", adagrad, 1, 0.1))
OPTIMISERS.add(
    "adam", Optimiser("adam", "Adam", "m ← 0.9 m + 0.1 g,  s ← 0.999 s + 0.001 g²,  u = η m̂ / √ŝ", adam, 2, 0.001)
)
