r"""Mean-field theory layer by layer: every layer reads the states of the layer below, through weights of its own.

Layer 1 is the network of `mean_field`. A layer l >= 2 reads ``h^{l-1}_t``, so that

    q^l_t     = sigma_w**2 m^l_{t-1} + sigma_between**2 m^{l-1}_t + sigma_bias**2
    g^l_{t-1} = chi^l_t g^l_t + down^{l+1}_{t-1} g^{l+1}_{t-1}      down^l_t = sigma_between**2 E phi'(sqrt(q^l_t) z)**2

with ``g^l_t = E ||dL/dh^l_t||**2``: a state acts on the next step of its layer and on the same step of the layer
above, and the two parts are uncorrelated, since W_hh and the weights between layers are independent. The initial state
acts on step 1 of its own layer alone. With T = 1 this is the theory of feed-forward networks. Sources: Poole et al.
2016, Schoenholz et al. 2017 (depth); Chen et al. 2018 (time).
"""

from __future__ import annotations

import math

import numpy as np

from ..network.activations import Activation
from ..text.registry import explain_choice
from .arguments import LARGEST, activation_entry, check_number, check_steps, check_whole
from .gaussian import moments
from .mean_field import Curves, critical_gain, fixed_point, iterate, log10_squares
from .roots import solve

Array = np.ndarray
LARGEST_GAIN = 1e6  # beyond which no critical gain is searched
NEGLIGIBLE = 20.0  # decades below a sum at which further terms that shrink leave it as it is


def curves_by_layer(
    activation: str | Activation,
    sigma_w: float,
    sigma_in: float | Array,
    seq_len: int,
    layers: int,
    sigma_between: float | None = None,
    sigma_bias: float = 0.0,
    loss_at: str = "last",
    truncate: int = 0,
) -> Curves:
    """Return the second moment and the gradient norm of every layer, bottom first, over T steps.

    Parameters
    ----------
    activation, sigma_w, sigma_in, seq_len, loss_at : as for `curves`; ``sigma_in`` is what layer 1 gets.
    layers : L, 1 .. 1,000,000.
    sigma_between : ``sqrt(n Var(W))`` of the weights between layers, 0 .. 1e100; None means ``sigma_w``.
    sigma_bias : standard deviation of the biases of the layers above the first.
    truncate : every loss reaches back so many steps; 0 means all.

    Returns
    -------
    Curves of the shapes (L, T+1) and (L, T); gradient norms are relative to the top layer's last step.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Schoenholz et al. 2017, eq. 8 and sect. 4; Chen et al. 2018.

    >>> deep = curves_by_layer("tanh", 1.0, 1.0, 1, 3)
    >>> deep.second_moment[:, 1].round(3)
    array([0.394, 0.236, 0.167])
    >>> (10 ** deep.log10_grad_norm[:, 1]).round(3)  # layer 1 gets 0.68 of the gradient that layer 3 has
    array([0.68 , 0.852, 1.   ])
    """
    phi = activation_entry(activation)
    sigma_between = sigma_w if sigma_between is None else sigma_between
    named = {"sigma_w": sigma_w, "sigma_between": sigma_between, "sigma_bias": sigma_bias}
    for name, value in named.items():
        check_number(name, value)
    for name, value in {"seq_len": seq_len, "layers": layers}.items():
        check_whole(name, value)
    if loss_at not in ("last", "every"):
        raise ValueError(explain_choice("loss_at", loss_at, ("last", "every")))
    sigmas, found = check_steps(sigma_in, seq_len), []
    for _layer in range(layers):
        found.append(iterate(phi, sigma_w, sigmas, 0.0))
        with np.errstate(over="ignore"):
            sigmas = np.sqrt(sigma_between**2 * found[-1][1][1:] + sigma_bias**2)
    q, m, slope = (np.stack(each) for each in zip(*found, strict=True))
    with np.errstate(divide="ignore"):
        log_chi, log_down = (2.0 * np.log10(sigma) + np.log10(slope) for sigma in (sigma_w, sigma_between))
    return Curves(m, 0.5 * squares_by_layer(log_chi, log_down, loss_at, truncate), q, log_chi)


def critical_gain_by_layer(
    activation: str | Activation,
    sigmas: tuple[float, float, float],
    sigma_in: float,
    layers: int,
    between_too: bool = True,
) -> float:
    """Return the gain, a factor on sigma_w, at which chi = 1 at the top layer's fixed point.

    ``between_too`` says whether it is a factor on sigma_between, too. ``sigmas`` are sigma_w, sigma_between and
    sigma_bias at gain 1, with sigma_w above 0; ``sigma_in`` is what layer 1 gets. Of one layer it is
    ``critical_gain / sigma_w``. inf where no gain up to 1e6 is critical.

    >>> [round(critical_gain_by_layer("tanh", (1.0, 1.0, 0.0), 1.0, layers), 4) for layers in (1, 2, 16)]
    [1.8556, 2.2385, 2.3145]
    """
    phi, (sigma_w, between, bias) = activation_entry(activation), sigmas

    def excess(gain: float) -> float:
        scaled = gain * sigma_w, (gain if between_too else 1.0) * between, bias
        return 1.0 - top_chi(phi, scaled, sigma_in, layers) if gain < LARGEST_GAIN else -math.inf

    start = critical_gain(phi, sigma_in) / sigma_w
    if layers == 1 or phi.homogeneous:
        return start
    gain = start if start > LARGEST_GAIN else solve(excess, start)
    return gain if gain < LARGEST_GAIN else math.inf


def top_chi(phi: Activation, sigmas: tuple[float, float, float], sigma_in: float, layers: int) -> float:
    """Return chi at the top layer's fixed point, which a state of 0 reaches."""
    sigma_w, between, bias = sigmas
    read, chi = sigma_in, 0.0
    for _layer in range(layers):
        found = fixed_point(phi, sigma_w, read, min(moments(phi, read**2)[0], LARGEST))
        read, chi = min(math.sqrt(between**2 * found.m + bias**2), LARGEST), found.chi
    return chi


def squares_by_layer(log_chi: Array, log_down: Array, loss_at: str, truncate: int = 0) -> Array:
    """Return log10 of ``g^l_t``, (L, T+1, ...), from log10 of ``chi^l_t`` and ``down^l_t``, (L, T, ...)."""
    steps = log_chi.shape[1]
    if loss_at == "every" and 0 < truncate < steps:
        return truncated_squares(log_chi, log_down, truncate)
    squares = [log10_squares(log_chi[-1], loss_at)]
    for chi, down in zip(log_chi[-2::-1], log_down[:0:-1], strict=True):
        squares.append(received(chi, squares[-1][1:] + down))
    found = np.stack(squares[::-1])
    if 0 < truncate < steps:
        found[:, : steps - truncate] = -np.inf
    return found


def received(log_chi: Array, from_above: Array) -> Array:
    """Return log10 g (T+1, ...) of a layer that gets ``from_above`` at steps 1..T and hands chi times g back."""
    squares = np.full((len(log_chi) + 1, *log_chi.shape[1:]), -np.inf)
    squares[1:] = from_above
    for t in range(len(log_chi), 0, -1):
        squares[t - 1] = plus(squares[t - 1], squares[t] + log_chi[t - 1])
    return squares


def truncated_squares(log_chi: Array, log_down: Array, truncate: int) -> Array:
    """Return log10 g with a loss at every step that reaches back ``truncate`` steps: a sum over the steps back."""
    reached = np.full((log_chi.shape[0], log_chi.shape[1] + 1, *log_chi.shape[2:]), -np.inf)
    reached[-1, 1:] = 0.0
    reached, total = handed_down(reached, log_down), np.full_like(reached, -np.inf)
    for _distance in range(truncate + 1):
        total = plus(total, reached)
        before = reached
        reached = np.full_like(before, -np.inf)
        reached[:, :-1] = before[:, 1:] + log_chi
        reached = handed_down(reached, log_down)
        with np.errstate(invalid="ignore"):
            if np.all((reached <= before) & ~(reached > total - NEGLIGIBLE)):
                break
    return total


def handed_down(squares: Array, log_down: Array) -> Array:
    """Return log10 g (L, T+1, ...) of the same steps with what each layer hands down to the one below."""
    for layer in range(len(squares) - 1, 0, -1):
        squares[layer - 1, 1:] = plus(squares[layer - 1, 1:], squares[layer, 1:] + log_down[layer])
    return squares


def plus(a: Array, b: Array) -> Array:
    """Return ``log10(10**a + 10**b)``, which is ``-inf`` where both are."""
    ratio = math.log2(10.0)
    return np.logaddexp2(a * ratio, b * ratio) / ratio
