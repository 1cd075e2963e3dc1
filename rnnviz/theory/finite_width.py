"""How far the median of real networks lies from mean-field theory, estimated for n units and one W_hh for all steps.

All deviations are natural logarithms of a squared norm. Four effects add up along the paths that a signal takes:

- Fresh chance: a step multiplies a squared norm by a factor of relative variance ``v = (2 + 3 cv**2) / n`` (without the
  2 for orthogonal weights), where cv**2 is the relative variance of phi'**2 over the units. The median of a product of
  k such factors lies ``k v / 2`` below the mean (Hanin & Nica 2018).
- Alike slopes: one W_hh of independent entries stretches the same directions again. Where the slopes of two steps are
  the same, this multiplies the mean by ``sinh(y) / y``, ``y = k**2 / (2 n)``, and raises the logarithm of the median
  by ``k**2 / (9 n)``; where only a share c of phi'**2 is the same, by ``c**k`` of that.
- A lasting pattern of slopes, with the share p, gives each network a rate of its own: the variance of
  ``k**2 p cv**2 / n``. It raises the median by a ninth of that.
- The median of 32 networks itself varies by chance.

Source of the numbers 9, 0.4, 2.5 and 4.2: measured at n from 32 to 512, as the tests do again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..network.activations import Activation
from .gaussian import TINIEST, Tabulated, tabulated

Array = np.ndarray
NOISE = 1.5 * math.sqrt(math.pi / 2 / 32)  # one and a half standard errors of the median of 32 normal numbers
BEND, BENT, RATE = 4.2, 1.96, 0.93  # from x = 4.2 on the median of x**2 / 9 goes on in a straight line (measured)
GRID = np.array([0.3, 1.0, 2.0])  # where phi' is compared with itself mirrored
STEEPEST = 600.0  # exponents beyond this overflow


@dataclass(frozen=True)
class Network:
    """What the estimates need: phi, sigma_w, n, whether W_hh is orthogonal, where the loss is, and theory's course.

    ``q`` and ``log10_chi`` (T,) as in `Curves`; ``constant`` as in `Drive`, or one for each step; ``repeated`` (T,),
    the correlation (root mean square) of a unit's pre-activations at two steps that comes from reading different inputs
    with the same weights; ``slow`` whether slow change near the edge of chaos counts; ``sequences`` (T+1,) that share
    the squared gradient norm; ``uneven`` (T,), by how much few inputs change ``ln chi`` (see `few_inputs`).
    """

    phi: Activation
    sigma_w: float
    n: int
    orthogonal: bool
    loss_at: str
    q: Array
    log10_chi: Array
    constant: Array | float = 0.0
    repeated: Array | float = 0.0
    sequences: Array | float = 1.0
    slow: bool = True
    uneven: Array | float = 0.0


@dataclass(frozen=True)
class Pattern:
    """What the slopes of two different steps have in common, for each step (T,).

    Attributes
    ----------
    variation : cv**2, the relative variance of phi'**2 over the units.
    alike : c, ``E phi'_t phi'_s / E phi'**2`` of the same unit at two steps.
    lasting : p, the correlation of phi'**2 of the same unit at two steps.
    shared : the correlation of a unit's pre-activations at two steps.
    """

    variation: Array
    alike: Array
    lasting: Array
    shared: Array

    @property
    def log_alike(self) -> Array:
        return np.log(np.maximum(self.alike, TINIEST))


@dataclass(frozen=True)
class Deviation:
    """Estimated deviations of the median from theory after each number of steps, (T,).

    Attributes
    ----------
    tied : how much using one W_hh at every step moves the median.
    chance : how much fresh chance lowers it.
    noise : one and a half standard errors of the median of 32 networks.
    lasting : whether that noise comes from lasting patterns and not from fresh chance.
    mean_square : how much using one W_hh at every step raises the mean square over networks.
    few : how much few inputs, which leave pre-activations other than Gaussian, move the gradient.
    """

    tied: Array
    chance: Array
    noise: Array
    lasting: Array
    mean_square: Array
    few: Array | float = 0.0

    @property
    def total(self) -> Array:
        return np.maximum(self.tied, self.chance) + self.noise + self.few


def pattern(network: Network, moments: Tabulated, q: Array, recurrent: Array) -> Pattern:
    """Return what the slopes of two steps have in common, given the recurrent share of q."""
    phi = network.phi
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.nan_to_num(np.maximum(moments.slope4 / moments.slope2**2 - 1.0, 0.0))
        mean_square = np.nan_to_num(moments.mean_slope2 / moments.slope2, nan=1.0)
        given = np.clip(np.nan_to_num(network.constant / q), 0.0, 1.0)
        even = is_even(phi)
        shared = correlation(moments, q, recurrent, given, even)
        if not even:
            return Pattern(variation, mean_square + (1.0 - mean_square) * shared, shared, shared)
        square = shared**2 + network.repeated**2 + (slowness(network, moments) if network.slow else 0.0)
    square = np.clip(square, 0.0, 1.0)
    share = 1.0 / (1.0 + variation)
    with np.errstate(divide="ignore", invalid="ignore"):
        lasting = np.nan_to_num((between(share, square) - share) / (1.0 - share))
    return Pattern(variation, between(mean_square, square), lasting, shared)


def slowness(network: Network, moments: Tabulated) -> Array:
    """Return the squared correlation of a unit at two steps that n < oo leaves: near the edge of chaos, change is slow.

    ``1 / (2 n (1 - r)**2)`` with ``r = sigma_w**2 (E phi')**2``, fitted to tanh networks with n from 64 to 512.
    """
    return 1.0 / (2.0 * network.n * np.square(1.0 - np.minimum(network.sigma_w**2 * moments.mean_slope2, 1.0)))


def between(least: Array, square: Array) -> Array:
    """Return ``E f f' / E f**2`` for a bell-shaped f of two Gaussians with a squared correlation; ``least`` for 0.

    Exact for f(a) = exp(-a^2 / 2 s^2) of any width.
    """
    return least / np.sqrt(np.maximum(1.0 - (1.0 - least**2) * square, least**2))


def is_even(phi: Activation) -> bool:
    """Return whether phi' is even, and phi odd but for a constant."""
    return bool(np.allclose(phi.slope(GRID), phi.slope(-GRID)))


def correlation(moments: Tabulated, q: Array, recurrent: Array, given: Array, even: bool) -> Array:
    """Return the correlation of a unit's pre-activations at two steps, (T,): the mean of its output builds it up."""
    mean, linear = hermite(moments, q)
    shared, last, outputs = [], 0.0, 0.0
    for now in zip(recurrent.tolist(), given.tolist(), mean.tolist(), linear.tolist(), strict=True):
        last = min(1.0, now[0] * outputs + now[1])
        outputs = of_outputs(last, now[2], now[3], even)
        shared.append(last)
    return np.array(shared)


def output_correlation(network: Network, moments: Tabulated, slopes: Pattern) -> Array:
    """Return ``E h_t h_s / E h**2`` of a unit at two steps, (T,)."""
    return of_outputs(slopes.shared, *hermite(moments, network.q), is_even(network.phi))


def of_outputs(shared: Any, mean: Any, linear: Any, even: bool) -> Any:
    """Return the correlation of outputs, given that of pre-activations: its first and its next Hermite coefficient."""
    return mean + (1.0 - mean) * (linear * shared + (1.0 - linear) * shared ** (3 if even else 2))


def hermite(moments: Tabulated, q: Array) -> tuple[Array, Array]:
    """Return the shares of phi's mean in E phi^2, and of its linear part in its variance."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nan_to_num(moments.mean2 / moments.phi2)
        linear = np.clip(np.nan_to_num(q * moments.mean_slope2 / (moments.phi2 - moments.mean2)), 0.0, 1.0)
    return mean, linear


def median_growth(x: Array) -> Array:
    """Return by how much one W_hh raises the median of the squared norm, if the slopes are the same at all steps."""
    return np.where(x < BEND, x * x / 9.0, BENT + RATE * (x - BEND))


def along(shares: Array, increments: Array, other: Array | float = 0.0, start: Array | float = 0.0) -> Array:
    """Return ``y_k = shares_k (y_{k-1} + increments_k) + other_k`` for each row of increments (..., T), y_0 = start."""
    rows, others = [], np.broadcast_to(other, increments.shape).tolist()
    starts = np.broadcast_to(start, increments.shape[:-1]).tolist()
    for y, row, more in zip(starts, increments.tolist(), others, strict=True):
        sums = []
        for share, increment, extra in zip(shares.tolist(), row, more, strict=True):
            y = share * (y + increment) + extra
            sums.append(y)
        rows.append(sums)
    return np.array(rows)


def deviation(sums: Array, chance: Array, sequences: Array | float = 1.0, rough: float = 1.0) -> Deviation:
    """Return the deviations, given sums along paths: of ln c, and of x for W_hh's own entries and for lasting patterns.

    The mean over independent sequences has a narrower distribution than each of them (Fenton 1960).
    """
    log_alike, own, frozen = sums
    tied = np.log1p(np.exp(log_alike) * np.expm1(np.minimum(median_growth(own), STEEPEST))) + median_growth(frozen)
    fresh = np.log1p(np.expm1(np.minimum(chance, STEEPEST)) / sequences)
    again = np.exp(log_alike) * own**2
    lasting = 0.4 * again + rough * frozen**2
    noise = NOISE * np.sqrt(fresh + lasting)
    y = np.clip(0.5 * own**2, 1e-9, STEEPEST)
    mean_square = np.maximum(np.exp(log_alike) * (np.sinh(y) / y - 1.0), 0.5 * rough * frozen**2)
    return Deviation(tied, fresh / 2, noise, lasting > fresh, mean_square)


def of_second_moment(network: Network, moments: Tabulated, slopes: Pattern, remain: Array) -> Deviation:
    """Return the deviations after 1..T steps, given the share of a deviation that a step hands on."""
    own, n = own_variance(network), network.n
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.nan_to_num(moments.phi4 / moments.phi2**2 - 1.0) / n
    fresh = np.maximum(spread - 2.0 * remain**2 * (1.0 / n - own), 0.0)
    handed_on = along(remain**2, np.concatenate([[0.0], fresh[:-1]])[None])[0]
    # Where units share a mean, that carries the second moment, and not a direction that W_hh stretches.
    stretched = own * (1.0 - slopes.lasting * np.minimum(slopes.variation, 1.0))
    ahead = [slopes.log_alike, np.sqrt(stretched), np.sqrt(slopes.lasting * slopes.variation / n)]
    return deviation(along(remain, np.stack(ahead)), fresh + handed_on, rough=2.5)


def increments(network: Network, slopes: Pattern, flattened: Array) -> Array:
    """Return what each step back adds to the sums of `gradient_deviation`, (6, T), from step T to step 1."""
    own, longer, n = own_variance(network), coherence(network), network.n
    frozen = slopes.lasting * slopes.variation / n
    back = [slopes.log_alike, longer * np.sqrt(own), longer * np.sqrt(frozen), fresh_chance(network, slopes), flattened]
    return np.stack([*back, np.broadcast_to(network.uneven, network.q.shape)])[:, ::-1]


def fresh_chance(network: Network, slopes: Pattern) -> Array:
    """Return the relative variance (T,) that a matrix and the slopes of one step add to a squared norm."""
    return 2.0 * own_variance(network) + 3.0 * slopes.variation / network.n


def gradient_deviation(network: Network, sums: Array) -> Deviation:
    """Return the deviations after 0..T steps back, given the sums (6, T+1) along paths.

    The fifth is of how much ln chi falls since the state has grown, the sixth of how much few inputs change it.
    """
    found = deviation(sums[:3], sums[3], np.broadcast_to(network.sequences, network.q.size + 1)[::-1])
    return replace(found, tied=np.maximum(found.tied, sums[4]), few=np.abs(sums[5]))


def own_variance(network: Network) -> Array:
    """Return the relative variance that the entries of W_hh themselves add at each step: none if it is orthogonal."""
    return np.full(len(network.q), 0.0 if network.orthogonal else 1.0 / network.n)


def recurrent_share(network: Network, moments: Tabulated, q: Array) -> Array:
    """Return the share of q_t that comes from the previous state, (T,)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        before = network.sigma_w**2 * np.concatenate([[0.0], moments.phi2[:-1]]) if network.sigma_w else 0.0 * q
        return np.clip(np.nan_to_num(before / q, nan=0.0, posinf=1.0), 0.0, 1.0)


def steepness(phi: Activation, q: Array) -> Array:
    """Return ``d ln E phi**2 / d ln q``: 1 for homogeneous units, near 0 for saturated ones."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = tabulated(phi, 1.1 * q).phi2 / tabulated(phi, q).phi2
        return np.nan_to_num(np.log(ratio) / np.log(1.1), nan=1.0)


def coherence(network: Network) -> Array:
    """Return how much longer paths seem with a loss at every step, where tied weights align the errors that meet.

    Fitted to linear networks with chi from 1 to 9.
    """
    if network.loss_at == "last":
        return np.ones(len(network.q))
    return 1.0 + 2.5 * 10.0 ** -np.clip(network.log10_chi, 0.0, 10.0)
