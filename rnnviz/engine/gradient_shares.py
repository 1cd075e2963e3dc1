"""Where the gradient of one network goes: to which unit, and at which step to which weight, exact at any magnitude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS, Step, StepBack
from ..network.losses import loss_weight
from ..numerics.progress import Progress, rescaled, unwarned
from ..numerics.scaled import LOG2_10, ZERO, Scaled, concatenate, log2, pow2
from .bptt import backward, check_finite, forward, into, losses, states_of
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
    config, data = trace.config, trace.inputs()
    drawn = config.cell, config.activation, config.loss_at, trace.names[0], config.loss_reduction
    return trace.own or Network(trace.parameters(), *data, *drawn)


def unit_gradients(net: Network) -> Progress[Array]:
    """Return log10 of each unit's ``|dL/dh_t| / ||dL/dh_T||`` on the first sequence, (T+1, H); yield the share done.

    ``-inf`` for a true zero; nan where the forward pass leaves the finite numbers, so that no gradient is defined.
    """
    alone = replace(net, x=net.x[:, :1], targets=net.targets[:, :1])
    _steps, _errors, backs, _decades = yield from passes(alone)
    if not backs:
        return np.full((len(net.x) + 1, len(net.params["W_hh"])), np.nan)
    totals = [back.total["h"] for back in backs]
    last = float(totals[-1].log10_norm())
    sizes = np.array([((log2(np.abs(d.m)) + d.e) / LOG2_10)[0] for d in totals])
    return sizes - (last if np.isfinite(last) else 0.0)


def weight_gradients(net: Network) -> Progress[dict[str, WeightGradient]]:
    """Return the gradient of each matrix by its name, with its parts ``dL/dW = sum_t a_t^T d_t``, and yield the share.

    ``a_t`` is what the matrix multiplies at step t, ``d_t`` the gradient of the product: ``h_{t-1}`` and dL/da_t of
    W_hh, ``x_t`` and dL/da_t of W_xh, ``h_t`` and dL/dy_t of W_hy. The parts add up, not their norms. All nan where
    no gradient is defined.
    """
    steps, errors, backs, decades = yield from rescaled(passes(net), 0.0, 0.5)
    names, count = ("W_xh", "W_hh", "W_hy"), len(net.x)
    if not backs:
        return {name: WeightGradient(np.nan, np.full(count + 1, np.nan)) for name in names}
    h = states_of(steps, "h")
    d_in, d_rec = ([concatenate(getattr(back, name)) for back in backs[1:]] for name in ("d_in", "d_rec"))
    left: Sequence[Array] = (net.x, h[:-1], h[1:])
    right: Sequence[Sequence[Scaled | None]] = (d_in, d_rec, errors)
    found: dict[str, WeightGradient] = {}
    for name, a, d in zip(names, left, right, strict=True):
        found[name] = yield from rescaled(added_up(a, d, decades), 0.5 + len(found) / 6, 1 / 6)
    return found


def added_up(left: Array, right: Sequence[Scaled | None], decades: float) -> Progress[WeightGradient]:
    """Return the norms of ``a_t^T d_t``, but where d_t is None, and of their sum, ``decades`` larger."""
    whole, norms = None, np.full(len(left) + 1, np.nan)
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


def passes(net: Network) -> Progress[tuple[list[Step], list[Scaled | None], list[StepBack], float]]:
    """Return the steps forward, each step's dL/dy, and the steps back from 0 to T, none where a number is not finite.

    The gradients are a power of ten smaller, whose exponent comes last: float64 has no digits for both in 10**-1e28.
    """
    cell, phi = CELLS[net.cell], ACTIVATIONS[net.activation]
    weight = loss_weight(net.loss_at, net.loss_reduction, len(net.x))
    steps: list[Step] = []
    backs: list[StepBack] = []
    pass_forward = into(steps, forward(net.params, net.x, cell, phi), len(net.x))
    yield from rescaled(unwarned(pass_forward, over="ignore", invalid="ignore"), 0.0, 0.5)
    loss, errors = losses(net.params, steps, net.targets, net.loss_at, weight)
    try:
        check_finite(steps, loss)
    except FloatingPointError:
        return steps, errors, [], 0.0
    errors, decades = levelled(errors)
    tapes = [step.tape for step in steps]
    yield from rescaled(into(backs, backward(net.params, tapes, errors, cell), len(tapes) + 1), 0.5, 0.5)
    return steps, errors, backs[::-1], float(decades[0])
