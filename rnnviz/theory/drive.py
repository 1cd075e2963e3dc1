"""How strongly a Config's inputs drive a unit, sequence by sequence, and how alike the inputs of two steps are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..network.config import Config
from ..network.inputs import INPUTS, Input
from ..network.sampling import draw_inputs
from ..network.schemes import SCHEMES

Array = np.ndarray
READ = ("inputs", "input_size", "output_size", "seq_len", "batch_size", "input_scale", "seed", "text")
NUMBERS, STEPS, SEEDS = 400_000, 120_000, 32  # most that theory reads: numbers, steps of all sequences, seeds
COMPARED = 4  # sequences in which steps are compared


@dataclass(frozen=True)
class Drive:
    """The variance that a unit gets from input and bias.

    Attributes
    ----------
    variances : (T, R, B), at each step of each of B sequences, for R seeds.
    constant : the part that is the same at every step: of the mean input and the bias.
    bias : the part of the bias.
    repeated : standard deviation of the cosine between the inputs of two steps: 1 for a single input, which every unit
        reads with the same weight at each step; ``1 / sqrt(D)`` for noise.
    echo : standard deviation, over the lags, of the inputs' autocorrelation: near 0 for noise, 0.7 for a sine. So alike
        are two steps in what comes from earlier inputs through W_hh.
    single : ``sqrt(sum x_d**4) / sum x_d**2``, the share of the variance that a single input seems to bring: 1 for a
        single or a one-hot input, near 0 where many bring as much.
    """

    variances: Array
    constant: float
    bias: float
    repeated: float
    echo: float = 0.0
    single: float = 0.0


def drive(config: Config, seeds: tuple[int, ...] = ()) -> Drive:
    """Return how the inputs of some seeds (by default 32) drive a unit: ``Var(W_xh) |x_t|**2 + Var(b)``.

    Of many seeds, and of large batches, only the first are read.
    """
    chosen = Config(**{name: getattr(config, name) for name in READ})
    squares, mean, *alike = read(chosen, INPUTS[config.inputs], seeds or following(config.seed))
    weights, bias = read_variances(config, config.sizes[0])
    return Drive(weights * squares + bias, weights * mean + bias, bias, *alike)


def read_variances(config: Config, inputs: int) -> tuple[float, float]:
    """Return ``Var(W_xh)``, where so many numbers are read, and ``Var(b)``."""
    weights = SCHEMES[config.input_scheme or config.scheme].variance(inputs, config.hidden_size)
    return weights, SCHEMES[config.scheme].bias_variance(config.hidden_size)


def following(seed: int) -> tuple[int, ...]:
    """Return a seed and those after it."""
    return tuple(range(seed, min(seed + SEEDS, 2**32)))


@lru_cache(maxsize=16)
def read(config: Config, inputs: Input, seeds: tuple[int, ...]) -> tuple[Array, float, float, float, float]:
    """Return |x_t|^2 (T, R, B), the mean of x_t x_s over t != s, and `repeated`, `echo` and `single` of `Drive`."""
    sequences = max(1, min(STEPS, NUMBERS // config.sizes[0]) // config.seq_len)
    batch = min(config.batch_size, sequences)
    count = min(SEEDS, max(1, sequences // batch))
    drawn = [draw_inputs(config.replace(seed=seed, batch_size=batch))[0] for seed in seeds[:count]]
    squares = np.stack([np.square(x).sum(axis=-1) for x in drawn], axis=1)
    if np.all(squares == squares[:, :1, :1]):
        squares = squares[:, :1, :1]
    x, lengths = drawn[0][:, :COMPARED], np.sqrt(squares[:, 0, :COMPARED, None])
    unit = x / np.where(lengths > 0, lengths, 1.0)
    mean, (cosine, square) = overlap(x)[0], overlap(unit)
    shares = np.sqrt((unit**4).sum(axis=-1))
    single = float(shares.sum() / max(1, int(np.count_nonzero(shares))))
    repeated = math.sqrt(max(0.0, square - cosine**2))
    return squares, max(0.0, mean), repeated, echo(x, repeated), single


def echo(x: Array, repeated: float) -> float:
    """Return the standard deviation of the autocorrelation of x (T, B, D) over lags, beyond what chance gives noise."""
    steps, batch = x.shape[:2]
    power = np.square(np.abs(np.fft.rfft(x, 2 * steps, axis=0))).sum(axis=(1, 2))
    sums, pairs = np.fft.irfft(power)[:steps], np.arange(steps, 0.0, -1.0)
    if steps < 2 or not sums[0] > 0:
        return 0.0
    at_lag = steps / sums[0] * sums[1:] / pairs[1:]
    variance = np.average(np.square(at_lag - np.average(at_lag, weights=pairs[1:])), weights=pairs[1:])
    chance = 2.0 * repeated**2 / (steps * batch)
    return math.sqrt(max(0.0, min(1.0, float(variance) - chance)))


def overlap(x: Array) -> tuple[float, float]:
    """Return the mean of x_t x_s, and of its square, over the pairs t != s of x (T, B, D)."""
    pairs, own = len(x) * (len(x) - 1) * x.shape[1], np.square(x).sum(axis=-1)
    if not pairs:
        return 0.0, 0.0
    mean = (np.square(x.sum(axis=0)).sum() - own.sum()) / pairs
    # The sum over t, s of (x_t x_s)^2 is that of the squares of X^T X or X X^T, whichever is smaller.
    each = x.transpose(1, 0, 2) if len(x) < x.shape[2] else x.transpose(1, 2, 0)
    square = (np.square(each @ each.transpose(0, 2, 1)).sum() - np.square(own).sum()) / pairs
    return float(mean), float(square)
