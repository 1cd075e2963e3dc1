"""Pascanu, Mikolov & Bengio 2013: weights small enough for the gradient to vanish, and how far the bound is away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import rnnviz as rv

from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between

Array = np.ndarray
STEEPEST = {"tanh": 1.0, "sigmoid": 0.25}  # gamma, the largest slope
JUST_BELOW = 0.999
VANISHED = 1.0  # decades over all steps from which on a gradient counts as vanishing
EDGE = 2.0  # sigma_max over sigma_w of a wide Gaussian matrix
CASES = (
    ("tanh, no input", "tanh", "none"),
    ("tanh, unit input", "tanh", "gaussian"),
    ("sigmoid", "sigmoid", "none"),
)


def largest(config: rv.Config, seed: int) -> float:
    """Return the largest singular value of W_hh at gain 1."""
    W = rv.init_params(config.replace(seed=seed, gain=1.0))["W_hh"]
    return float(rv.spectrum.singular_values(W).max())


def decades_per_step(config: rv.Config, sigma: float, seeds: int) -> Array:
    """Return the decades that the gradient changes per step (R,), where sigma_max(W_hh) = ``sigma``."""
    found = []
    for seed in range(seeds):
        trace = rv.run(config.replace(seed=seed, gain=sigma / largest(config, seed)))
        found.append((trace.log10_grad_norm[0] - trace.log10_grad_norm[-1]) / config.seq_len)
    return np.array(found)


def crossing(f: Callable[[float], float], low: float, high: float, times: int) -> float:
    """Return where a rising f crosses 0, by bisection on a logarithmic scale."""
    for _ in range(times):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return float(np.sqrt(low * high))


def compared(label: str, config: rv.Config, seeds: int, times: int) -> tuple[list[Row], tuple[Array, list[float]]]:
    """Return the rows of one kind of network, and its decades per step over gamma sigma_max."""
    bound = 1.0 / STEEPEST[config.activation]

    def typical(sigma: float) -> float:
        return float(np.median(decades_per_step(config, sigma, seeds)))

    lost = -decades_per_step(config, JUST_BELOW * bound, seeds).max()
    real = crossing(lambda sigma: config.seq_len * typical(sigma) + VANISHED, bound, 16.0 * bound, times) / bound
    sigma_in = 1.0 if config.inputs == "gaussian" else 0.0
    expected = EDGE * rv.theory.critical_gain(config.activation, sigma_in) / bound
    rows = [
        between(f"{label}: decades lost per step at γ σ_max = 0.999", "more than 0", lost, -np.log10(JUST_BELOW)),
        between(
            f"{label}: γ σ_max up to which it loses a decade", "at least 1", real, 0.75 * expected, 1.25 * expected
        ),
    ]
    sigmas = bound * np.geomspace(0.5, 8.0, 9)
    return rows, (sigmas / bound, [typical(sigma) for sigma in sigmas])


def reproduce(hidden_size: int = 64, seq_len: int = 100, seeds: int = 5, times: int = 8) -> tuple[list[Row], Picture]:
    """Compare the bound with gradients, for tanh with and without input and for the sigmoid."""
    usual = rv.Config(hidden_size=hidden_size, seq_len=seq_len, batch_size=4)
    rows, curves = [], {}
    for label, activation, inputs in CASES:
        config = usual.replace(activation=activation, inputs=inputs)
        found, curves[label] = compared(label, config, seeds, times)
        rows += found
    return rows, Picture(curves, {"xlabel": "γ σ_max", "ylabel": "decades per step"})


REPRODUCTIONS.add(
    "pascanu_2013",
    Reproduction(
        name="pascanu_2013",
        paper="Pascanu, Mikolov & Bengio 2013",
        figure="section 2.1 and the supplement",
        states="Where the largest singular value of W_hh is below 1/γ, with γ the largest slope of φ, the gradient "
        "vanishes; above it, it may explode, and need not.",
        differs="The paper proves this. Here 5 Gaussian networks of 64 units show that it holds, and how far the bound "
        "is from where the gradient really stops vanishing over 100 steps: about twice theory's critical gain, since "
        "σ_max = 2 σ_w for a wide Gaussian matrix, so a factor of 2 for tanh, and of 3.7 with unit inputs.",
        fn=reproduce,
    ),
)
