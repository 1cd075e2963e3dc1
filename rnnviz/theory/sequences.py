"""Mean-field theory sequence by sequence: few inputs drive each sequence, and each step, differently.

With D inputs, ``sigma_in**2 = Var(W_xh) |x_t|**2`` fluctuates by ``sqrt(2 / D)``. So each sequence has a recursion of
its own (see `mean_field`), and what a network shows is the mean over its batch. Of several seeds, which read different
sequences, theory describes the median.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..network.activations import Activation
from ..numerics.quantiles import median
from .gaussian import log10_tabulated
from .layers import squares_by_layer

Array = np.ndarray


@dataclass(frozen=True)
class Expected:
    """What theory expects of a median network, and what its finite size will be judged by.

    Attributes
    ----------
    log10_second_moment, log10_grad_norm : (T+1,), medians over seeds of the logarithm of the mean over a batch.
    variances, each_q : (T, R, B); q, log10_chi : (T,), medians over all sequences.
    effective : (T+1,), the number of sequences that share the squared gradient norm among them.
    """

    log10_second_moment: Array
    log10_grad_norm: Array
    variances: Array
    each_q: Array
    q: Array
    log10_chi: Array
    effective: Array

    def shares(self, part: Array) -> Array:
        """Return the mean share (T,) of a part of the variances in q."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.nan_to_num(part / self.each_q).mean(axis=(1, 2))


def expect(phi: Activation, sigma_w: float, variances: Array, loss_at: str) -> Expected:
    """Return theory's curves for sequences that give a unit the ``variances`` (T, R, B), for R seeds."""
    return expect_layers(phi, (sigma_w, 0.0, 0.0), variances, 1, loss_at)[0]


def expect_layers(
    phi: Activation,
    sigmas: tuple[float, float, float],
    variances: Array,
    layers: int,
    loss_at: str,
    truncate: int = 0,
) -> list[Expected]:
    """Return theory's curves of each layer, the bottom one first, of which layer 1 gets ``variances`` (T, R, B).

    ``sigmas`` are sigma_w, sigma_between and sigma_bias of `curves_by_layer`.
    """
    sigma_w, between, bias = (float(sigma) for sigma in sigmas)
    found = [(variances, *recursion(phi, sigma_w, variances))]
    for _layer in range(1, layers):
        with np.errstate(over="ignore", invalid="ignore"):
            variances = between**2 * found[-1][2][1:] + bias**2
        found.append((variances, *recursion(phi, sigma_w, variances)))
    log_chi = np.stack([log_chi for *_rest, log_chi in found])
    with np.errstate(divide="ignore", over="ignore"):
        log_down = log_chi if between == sigma_w else 2.0 * np.log10(between) + slopes(phi, found)
    squares = squares_by_layer(log_chi, log_down, loss_at, truncate)
    return [of_median(*each, square) for each, square in zip(found, squares, strict=True)]


def slopes(phi: Activation, found: list[tuple[Array, Array, Array, Array]]) -> Array:
    """Return log10 of ``E phi'**2`` of all layers, (L, T, ...)."""
    return np.stack([log10_tabulated(phi, q, 1) for _variances, q, *_rest in found])


def of_median(variances: Array, q: Array, m: Array, log_chi: Array, squares: Array) -> Expected:
    """Return what theory expects of the median over seeds of the mean over a batch, given what it does of each."""
    norms, effective = mean_over_batch(squares)
    with np.errstate(divide="ignore", over="ignore"):
        moments = np.log10(m.mean(axis=-1))
        typical_q, typical_chi = (np.median(each.reshape(len(q), -1), axis=1) for each in (q, log_chi))
    norms, moments = 0.5 * median(norms.T), median(moments.T)
    return Expected(moments, norms, variances, q, typical_q, typical_chi, np.median(effective, axis=1))


def recursion(phi: Activation, sigma_w: float, variances: Array) -> tuple[Array, Array, Array]:
    """Return q (T, ...), m (T+1, ...) and log10 chi (T, ...) of ``q_t = sigma_w**2 m_{t-1} + variances_t``, m_0 = 0."""
    w = float(sigma_w) ** 2
    q, m = np.empty_like(variances), np.zeros((len(variances) + 1, *variances.shape[1:]))
    with np.errstate(over="ignore", divide="ignore"):
        for t, driven in enumerate(variances):
            q[t] = w * m[t] + driven if w else driven
            m[t + 1] = 10.0 ** log10_tabulated(phi, q[t], 0)
        return q, m, np.log10(w) + log10_tabulated(phi, q, 1)


def mean_over_batch(log10: Array) -> tuple[Array, Array]:
    """Return log10 of the mean over the last axis, and how many of its entries share the sum: (sum x)^2 / sum x^2."""
    top = log10.max(axis=-1, keepdims=True)
    parts = 10.0 ** (log10 - np.where(np.isfinite(top), top, 0.0))
    total = parts.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = np.nan_to_num(total**2 / np.square(parts).sum(axis=-1), nan=1.0)
        return np.log10(total / log10.shape[-1]) + top[..., 0], shared
