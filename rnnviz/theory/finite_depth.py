"""How far the median of real networks lies from mean-field theory, layer by layer: `finite_width` along all paths.

A deviation of a layer's second moment is handed on to its next step and to the layer above, that of a gradient to the
step before and to the layer below, each with its share of the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .finite_width import (
    Deviation,
    Network,
    Pattern,
    along,
    fresh_chance,
    gradient_deviation,
    increments,
    is_even,
    of_second_moment,
    output_correlation,
    pattern,
    recurrent_share,
    slowness,
    steepness,
)
from .gaussian import Tabulated, tabulated
from .layers import squares_by_layer

Array = np.ndarray


@dataclass(frozen=True)
class Estimate:
    """What is estimated of one layer.

    Attributes
    ----------
    forward : deviations of the second moment after 1..T steps.
    backward : deviations of the gradient after 0..T steps back.
    slopes : what the slopes of two steps have in common.
    """

    forward: Deviation
    backward: Deviation
    slopes: Pattern


@dataclass(frozen=True)
class Course:
    """One layer's course, as far as it does not depend on the layers above."""

    network: Network
    moments: Tabulated
    slopes: Pattern
    forward: Deviation


def deviations(networks: Sequence[Network], between: float = 0.0) -> list[Estimate]:
    """Return the estimates for each layer, bottom first, given ``between``, sigma of the weights between layers."""
    courses: list[Course] = []
    for network in networks:
        courses.append(course(network, courses[-1] if courses else None, between))
    with np.errstate(divide="ignore"):
        log_down = np.array([2.0 * np.log10(between) + np.log10(each.moments.slope2) for each in courses])
    log_chi = np.array([network.log10_chi for network in networks])
    squares = squares_by_layer(log_chi, log_down, networks[-1].loss_at)
    found, sums, above = [], None, None
    for each, chi, square in zip(courses[::-1], log_chi[::-1], squares[::-1], strict=True):
        shares = path_shares(chi, square)
        sums = path_sums(each, shares, sums, above)
        found.append(Estimate(each.forward, gradient_deviation(each.network, sums), each.slopes))
        above = each
    return found[::-1]


def course(network: Network, below: Course | None, between: float) -> Course:
    """Return a layer's course, given that of the layer below."""
    q = within_range(network.q)
    moments = tabulated(network.phi, q)
    recurrent = recurrent_share(network, moments, q)
    slopes, steep = pattern(network, moments, q, recurrent), steepness(network.phi, q)
    remain = np.clip(recurrent * steep, 0.0, 1.0)
    forward = of_second_moment(network, moments, slopes, remain)
    if below is not None:
        reach = np.clip(shared_from_below(between, below, q) * steep, 0.0, 1.0 - remain)
        forward = handed_up(forward, below.forward, remain, reach)
    return Course(network, moments, slopes, forward)


def within_range(q: Array) -> Array:
    """Return q where its fourth moments neither over- nor underflow."""
    return np.where(q > 0, np.clip(q, 1e-140, 1e140), 0.0)


def shared_from_below(between: float, below: Course, q: Array) -> Array:
    """Return the share (T,) of q that comes from the layer below."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.clip(np.nan_to_num(between**2 * below.moments.phi2 / q, nan=0.0, posinf=1.0), 0.0, 1.0)


def handed_up(own: Deviation, below: Deviation, remain: Array, reach: Array) -> Deviation:
    """Return a layer's deviations with what it takes over from the layer below."""
    names = ("tied", "chance", "noise", "mean_square")
    added = along(remain, np.zeros((4, len(remain))), reach * np.stack([getattr(below, name) for name in names]))
    return replace(own, **{name: getattr(own, name) + more for name, more in zip(names, added, strict=True)})


def path_shares(log_chi: Array, squares: Array) -> Array:
    """Return the share of the squared gradient at t - 1 that came through step t, from the last step back."""
    with np.errstate(invalid="ignore"):
        shares = 10.0 ** np.minimum(squares[1:] + log_chi - squares[:-1], 0.0)
    return np.nan_to_num(shares, nan=0.0)[::-1]


def path_sums(each: Course, shares: Array, above_sums: Array | None, above: Course | None) -> Array:
    """Return a layer's sums along paths after 0..T steps back, (6, T+1), given those of the layer above."""
    steps = increments(each.network, each.slopes, flattened(each))
    start, other = np.zeros(6), np.zeros_like(steps)
    if above is not None and above_sums is not None:
        down = above_sums[:, :-1].copy()  # the initial state acts on its own layer alone
        down[3] += fresh_chance(above.network, above.slopes)[::-1]
        down[4] += flattened(above)[::-1]
        start, other[:, :-1] = down[:, 0], (1.0 - shares[:-1]) * down[:, 1:]
    return np.concatenate([start[:, None], along(shares, steps, other, start)], axis=1)


def flattened(each: Course) -> Array:
    """Return by how much ln chi (T,) falls where the state has grown beyond theory: that flattens the slopes."""
    q = within_range(each.network.q)
    flatter = tabulated(each.network.phi, q * np.exp(np.minimum(each.forward.tied, 40.0))).slope2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.abs(np.log(flatter / each.moments.slope2)))


def networks_by_layer(
    first: Network, courses: Iterable[tuple[Array, Array, Array]], between: float, sigma_bias: float
) -> list[Network]:
    """Return the networks of all layers, given the first and of each other one q, log10 chi and its sequences.

    The mean that the layer below keeps is a constant part of what a layer reads, and ``1 / sqrt(n)`` the correlation by
    chance of two of its states.
    """
    found = [first]
    for q, log10_chi, sequences in courses:
        below = course(found[-1], None, 0.0)
        outputs = output_correlation(below.network, below.moments, below.slopes)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            kept = np.nan_to_num(between**2 * below.moments.phi2 * outputs)
            square = np.square(below.network.repeated) + 1.0 / first.n
            if is_even(first.phi):
                square = square + slowness(below.network, below.moments)
        repeated = shared_from_below(between, below, within_range(q)) * np.sqrt(np.minimum(square, 1.0))
        parts = {"constant": kept + sigma_bias**2, "repeated": repeated, "sequences": sequences, "uneven": 0.0}
        found.append(replace(first, q=q, log10_chi=log10_chi, **parts))
    return found
