"""Where the gradient of one network goes: to which unit, and at which step to which weight, exact at any magnitude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Step, StepBack
from ..network.layers import count_layers, name_in
from ..network.losses import loss_weight
from ..numerics.progress import Progress, rescaled, unwarned
from ..numerics.scaled import LOG2_10, ZERO, Scaled, concatenate, log2, pow2
from .bptt import check_finite, into, losses, states_of
from .layers import backward_through, forward_through
from .statistics import levelled
from .trace import Network, Trace

Array = np.ndarray


class WeightGradient(NamedTuple):
    """The gradient of a matrix: log10 of its norm, and of its parts' by step, (T+1,), nan where it has none."""

    whole: float
    by_step: Array


def network_of(trace: Trace) -> Network:
    """Return the first scheme's first network, with the batch that it read."""
    trace = trace.as_comparison()
    config, (x, targets) = trace.config, trace.inputs()
    drawn = trace.parameters(), x, targets, config.cell, config.activation, config.loss_at, trace.names[0]
    return Network(*drawn, config.loss_reduction, config.truncate)


def unit_gradients(net: Network, layer: int = 1) -> Progress[Array]:
    """Return log10 of ``|dL/dh_t|`` of each unit of a layer on the first sequence, (T+1, H), and yield the share done.

    It is relative to the norm of the top layer's dL/dh_T. ``-inf`` for a true zero; nan where the forward pass leaves
    the finite numbers, so that no gradient is defined.
    """
    alone = replace(net, x=net.x[:, :1], targets=net.targets[:, :1])
    _steps, _errors, backs, _decades = yield from passes(alone)
    if not backs:
        return np.full((len(net.x) + 1, len(net.params["W_hh"])), np.nan)
    last = float(backs[-1][-1].total["h"].balanced().log10_norm())
    sizes = [((log2(np.abs(d.m)) + d.e) / LOG2_10)[0] for d in (back.total["h"] for back in backs[layer - 1])]
    return np.array(sizes) - (last if np.isfinite(last) else 0.0)


def weight_gradients(net: Network, layer: int = 1) -> Progress[dict[str, WeightGradient]]:
    """Return the gradients of a layer's matrices and of W_hy by name, with their parts ``dL/dW = sum_t a_t^T d_t``.

    ``a_t`` is what the matrix multiplies at step t, ``d_t`` the gradient of the product: ``h_{t-1}`` and dL/da_t of
    W_hh, ``x_t`` and dL/da_t of W_xh, ``h_t`` and dL/dy_t of W_hy. The parts add up, not their norms. All nan where
    no gradient is defined. Yields the share done.
    """
    steps, errors, backs, decades = yield from rescaled(passes(net), 0.0, 0.5)
    names = name_in("W_hh", layer), name_in("W_xh", layer), "W_hy"
    if not backs:
        return {name: WeightGradient(np.nan, np.full(len(net.x) + 1, np.nan)) for name in names}
    below, h, top = (states_of(steps[each], "h") for each in (layer - 2, layer - 1, -1))
    left: Sequence[Array] = (h[:-1], net.x if layer == 1 else below[1:], top[1:])
    right: Sequence[Sequence[Scaled | None]] = (*products_of(backs[layer - 1][1:]), errors)
    found: dict[str, WeightGradient] = {}
    for name, a, d, none in zip(names, left, right, (-np.inf, -np.inf, np.nan), strict=True):
        found[name] = yield from rescaled(added_up(a, d, decades, none), 0.5 + len(found) / 6, 1 / 6)
    return found


def products_of(backs: Sequence[StepBack]) -> tuple[list[Scaled | None], list[Scaled | None]]:
    """Return the gradients of ``h_{t-1} W_hh`` and of ``x_t W_xh`` by step, None where truncation leaves none."""
    rec, read = ([concatenate(parts) if parts else None for parts in each] for each in
                 ([back.d_rec for back in backs], [back.d_in for back in backs]))  # fmt: skip
    return rec, read


def added_up(left: Array, right: Sequence[Scaled | None], decades: float, none: float) -> Progress[WeightGradient]:
    """Return the norms of ``a_t^T d_t``, ``none`` where d_t is None, and of their sum, ``decades`` larger."""
    whole, norms = None, np.append(np.nan, np.full(len(left), none))
    for t, (a, d) in enumerate(zip(left, right, strict=True), 1):
        if d is not None:
            part = transposed_product(a, d)
            norms[t] = float(part.log10_norm()) + decades
            whole = part if whole is None else (whole + part).balanced()
        yield t / len(left)
    return WeightGradient(np.nan if whole is None else float(whole.log10_norm()) + decades, norms)


def transposed_product(a: Array, d: Scaled) -> Scaled:
    """Return ``(a^T d)^T``, (k, n), of ``a`` (B, n) and ``d`` (B, k).

    Each row of ``a`` is brought near 1 and each column of ``d`` then given one exponent, so that a column's largest
    number meets one of ``a`` near 1: no product that matters in that column leaves float64.
    """
    size = np.frexp(np.abs(a).max(axis=-1, keepdims=True))[1]
    d, is_read = d.spread(), a.any(axis=-1, keepdims=True)
    m, e = np.where(is_read, d.m, 0.0), np.where(is_read & (d.m != 0), d.e + size, ZERO)
    top = e.max(axis=0)
    with np.errstate(under="ignore"):
        return Scaled(pow2(m, e - top).T @ pow2(a, -size), top[:, None])


def passes(net: Network) -> Progress[tuple[list[list[Step]], Sequence[Scaled | None], list[list[StepBack]], float]]:
    """Return each layer's steps forward, each step's dL/dy, and each layer's steps back from 0 to T.

    There are no steps back where a number is not finite. The gradients are a power of ten smaller, whose exponent comes
    last: float64 has no digits for both in 10**-1e28.
    """
    cell, phi, layers = CELLS[net.cell], ACTIVATIONS[net.activation], count_layers(net.params)
    weight = loss_weight(net.loss_at, net.loss_reduction, len(net.x))
    steps: list[list[Step]] = [[] for _layer in range(layers)]
    backs: list[list[StepBack]] = [[] for _layer in range(layers)]
    pass_forward = into(steps, forward_through(net.params, net.x, cell, phi), layers * len(net.x))
    yield from rescaled(unwarned(pass_forward, over="ignore", invalid="ignore"), 0.0, 0.5)
    loss, errors = losses(net.params, steps[-1], net.targets, net.loss_at, weight)
    try:
        check_finite(steps, loss)
    except FloatingPointError:
        return steps, errors, [], 0.0
    errors, decades = levelled(errors)
    tapes, count = [[step.tape for step in each] for each in steps], layers * (len(net.x) + 1)
    pass_back = into(backs, backward_through(net.params, tapes, errors, cell, truncate=net.truncate), count)
    yield from rescaled(pass_back, 0.5, 0.5)
    return steps, errors, [each[::-1] for each in backs], float(decades[0])
