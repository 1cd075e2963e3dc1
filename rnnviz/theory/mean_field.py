r"""Mean-field theory of a wide random RNN: how the state and its gradient change over time, on average.

With row vectors, ``a_t = x_t W_xh + h_{t-1} W_hh + b_h`` and ``h_t = phi(a_t)``, entries of W_hh of mean 0 and variance
``sigma_w**2 / n``, and ``n -> inf``, each ``a_t`` is Gaussian with variance q_t, and

    q_t   = sigma_w**2 m_{t-1} + sigma_in_t**2         m_t = E h_t**2 = E phi(sqrt(q_t) z)**2
    chi_t = sigma_w**2 E phi'(sqrt(q_t) z)**2          E ||dL/dh_{t-1}||**2 = chi_t E ||dL/dh_t||**2

for z ~ N(0, 1): chi is the factor per step of the SQUARED gradient norm. ``sigma_in**2`` is the variance that a unit
gets from input and bias. Sources: Poole et al. 2016 (q), Schoenholz et al. 2017 (chi, xi), Chen et al.
2018 (recurrent).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..network.activations import Activation
from ..text.registry import explain_choice
from .arguments import activation_entry, check_number, check_steps, check_whole
from .gaussian import LARGEST_Q, gaussian_mean, moments
from .roots import root, solve

Array = np.ndarray
CRITICAL = 1e-14  # a chi this close to 1 counts as 1: rounding alone can cause the difference
UNCHANGED = 4e-16  # relative change of q below which its moments are not computed again
FAINT = 1e-7  # q below which rounding hides the third-order effect that sets a critical gain


@dataclass(frozen=True)
class FixedPoint:
    """The fixed point that the recursion reaches.

    Attributes
    ----------
    q, m : E a^2 and E h^2; inf where the state grows without bound.
    chi : factor per step of the squared gradient norm; the norm itself changes by ``sqrt(chi)``.
    xi : ``-1 / ln chi``, the number of steps in which the squared norm falls to 1/e; inf at chi = 1. Negative where
        chi > 1: the squared norm grows e-fold in ``-xi`` steps.
    """

    q: float
    m: float
    chi: float
    xi: float


@dataclass(frozen=True)
class Curves:
    """The theoretical curves over T steps.

    Attributes
    ----------
    second_moment : (T+1,), E h_t^2 from step 0; inf beyond float64.
    log10_grad_norm : (T+1,), log10 of ||dL/dh_t|| over ||dL/dh_T||; ``-inf`` for a true zero.
    q : (T,), E a_t^2 of the steps 1..T.
    log10_chi : (T,), log10 of chi_t of the steps 1..T.
    """

    second_moment: Array
    log10_grad_norm: Array
    q: Array
    log10_chi: Array


def fixed_point(activation: str | Activation, sigma_w: float, sigma_in: float, m0: float = 1.0) -> FixedPoint:
    """Return the fixed point of ``q = sigma_w**2 E phi(sqrt(q) z)**2 + sigma_in**2`` that is reached from ``m = m0``.

    Parameters
    ----------
    activation : a key of ``ACTIVATIONS`` or an entry; E phi^2 must increase with q, as it does for all registered ones.
    sigma_w, sigma_in : standard deviations, 0 .. 1e100. ``sigma_in`` includes the bias.
    m0 : the initial E h^2. It matters only where there are several fixed points: for sigma_in = 0, q = 0 is one, and
        m0 = 0 stays there.

    Returns
    -------
    FixedPoint; ``q`` is accurate to 1e-10 relative, or to 1e-15 absolute near the critical point.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Poole et al. 2016, eq. 3-5; Schoenholz et al. 2017, eq. 4-9.

    >>> fixed = fixed_point("tanh", 1.0, 1.0)
    >>> round(fixed.m, 4), round(fixed.chi ** 0.5, 4)
    (0.4639, 0.6316)
    >>> fixed_point("relu", 2.0, 1.0)
    FixedPoint(q=inf, m=inf, chi=2.0, xi=-1.4426950408889634)
    """
    phi = activation_entry(activation)
    check_number("sigma_w", sigma_w)
    check_number("sigma_in", sigma_in)
    check_number("m0", m0)
    with np.errstate(over="ignore"):
        q = fixed_q(phi, float(sigma_w) ** 2, float(sigma_in) ** 2, float(m0))
        m, slope = moments(phi, q)
    chi = snap_to_critical(float(sigma_w * sigma_w * slope))
    return FixedPoint(q, m, chi, time_scale(chi))


def critical_gain(activation: str | Activation, sigma_in: float) -> float:
    """Return the smallest ``sigma_w`` with ``chi = 1`` at the fixed point that a state of 0 reaches.

    Solves ``(q - sigma_in**2) E phi'(sqrt(q) z)**2 = E phi(sqrt(q) z)**2`` for q; then
    ``sigma_w**2 = 1 / E phi'(sqrt(q) z)**2``. Where that fixed point repels (GELU with little input), chi jumps past 1
    as the state runs away: at the largest ``sigma_w**2 = (q - sigma_in**2) / E phi**2`` before it.

    Parameters
    ----------
    activation : a key of ``ACTIVATIONS`` or an entry.
    sigma_in : 0 .. 1e100, standard deviation of input and bias.

    Returns
    -------
    float, accurate to 1e-10 (to 1e-7 where sigma_in is below 1e-10); inf where no gain is critical.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Schoenholz et al. 2017, sect. 3; Chen et al. 2018.

    >>> round(critical_gain("tanh", 1.0), 4), round(critical_gain("relu", 1.0), 4)
    (1.8556, 1.4142)
    """
    phi = activation_entry(activation)
    check_number("sigma_in", sigma_in)
    s = float(sigma_in) ** 2

    def excess(q: float) -> float:
        m, slope = moments(phi, q)
        return m - (q - s) * slope

    if not phi.homogeneous and s < LARGEST_Q and excess(max(s, FAINT)) > 0:
        q = solve(excess, max(s, FAINT))
        if q < LARGEST_Q and attraction(phi, q, s) < 0:
            fold = root(lambda q: attraction(phi, q, s), max(s, FAINT), q)
            return math.sqrt((fold - s) / moments(phi, fold)[0])
        s = q
    slope = moments(phi, s)[1]
    return 1.0 / math.sqrt(slope) if slope > 0 else math.inf


def attraction(phi: Activation, q: float, s: float) -> float:
    """Return ``m - (q - s) dm/dq``, positive where the fixed point q attracts: there ``sigma_w**2 dm/dq < 1``.

    ``dm/dq = E a phi phi' / q``.
    """
    m, slope = gaussian_mean(lambda a: phi.f(a) * np.stack([phi.f(a), a * phi.slope(a)]), q, phi.kinks)
    return float(m - (1.0 - s / q) * slope)


def curves(
    activation: str | Activation,
    sigma_w: float,
    sigma_in: float | Array,
    seq_len: int,
    m0: float = 0.0,
    loss_at: str = "last",
) -> Curves:
    """Return the second moment and the gradient norm over T steps, as finite-time products of ``chi_t``.

    With ``g_t = E ||dL/dh_t||**2``: for a loss at the last step ``g_{t-1} = chi_t g_t``; for a loss at every step
    ``g_{t-1} = chi_t g_t + g_T`` down to t - 1 = 1, and ``g_0 = chi_1 g_1``: the errors of all steps have the same norm
    and are uncorrelated. Norms are relative to the last step: ``g_T = 1``.

    Parameters
    ----------
    activation : a key of ``ACTIVATIONS`` or an entry.
    sigma_w : 0 .. 1e100, ``sqrt(n Var(W_hh))``.
    sigma_in : 0 .. 1e100, standard deviation that a unit gets from input and bias; an array (T,) has one per step.
    seq_len : T, 1 .. 1,000,000.
    m0 : E h_0^2.
    loss_at : "last" or "every".

    Returns
    -------
    Curves, as logarithms where float64 would overflow.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Poole et al. 2016, eq. 3; Schoenholz et al. 2017, eq. 8 and sect. 4.

    >>> c = curves("linear", 0.5, 1.0, 3)
    >>> c.second_moment, c.log10_grad_norm.round(5)
    (array([0. , 1. , 1.25 , 1.3125]), array([-0.90309, -0.60206, -0.30103, 0. ]))
    """
    phi = activation_entry(activation)
    check_number("sigma_w", sigma_w)
    check_number("m0", m0)
    check_whole("seq_len", seq_len)
    if loss_at not in ("last", "every"):
        raise ValueError(explain_choice("loss_at", loss_at, ("last", "every")))
    sigmas = check_steps(sigma_in, seq_len)
    q, m, slope = iterate(phi, sigma_w, sigmas, m0)
    with np.errstate(divide="ignore"):
        log_chi = 2.0 * np.log10(sigma_w) + np.log10(slope)
    return Curves(m, 0.5 * log10_squares(log_chi, loss_at), q, log_chi)


def fixed_q(phi: Activation, w: float, s: float, m0: float) -> float:
    """Return the fixed point q of ``w E phi(sqrt(q) z)**2 + s``, the first on the path from ``w m0 + s``."""
    q = w * m0 + s
    if w == 0 or q == 0 and moments(phi, 0.0)[0] == 0:
        return s
    if phi.homogeneous:
        return homogeneous_fixed_q(q, s, snap_to_critical(w * moments(phi, 1.0)[1]))

    def excess(q: float) -> float:
        return w * moments(phi, q)[0] + s - q

    at_zero = moments(phi, 0.0)
    if s == 0 and at_zero[0] == 0 and w * at_zero[1] <= 1.0 and excess(q) < 0:
        return 0.0  # halving q would never get there
    return solve(excess, q)


def homogeneous_fixed_q(q: float, s: float, chi: float) -> float:
    """Return the limit of ``q -> chi q + s``, starting from ``q``."""
    if chi < 1:
        return s / (1.0 - chi)
    if s == 0 and (chi == 1 or q == 0):
        return q
    return math.inf


def iterate(phi: Activation, sigma_w: float, sigmas: Array, m0: float) -> tuple[Array, Array, Array]:
    """Return q (T,), m (T+1,) and E phi'^2 (T,) of the recursion."""
    steps = len(sigmas)
    q, m, slope = np.empty(steps), np.empty(steps + 1), np.empty(steps)
    m[0], last, known = m0, -1.0, (0.0, 0.0)
    w = float(sigma_w) ** 2
    for t, s in enumerate((sigmas * sigmas).tolist()):
        now = w * float(m[t]) + s if w else s
        if not abs(now - last) <= UNCHANGED * last:  # written so that an infinite q passes
            last, known = now, moments(phi, now) if now else at_zero(phi)
        q[t], (m[t + 1], slope[t]) = now, known
    return q, m, slope


def at_zero(phi: Activation) -> tuple[float, float]:
    """Return ``phi(0)**2`` and ``phi'(0)**2``: without input, states are exactly 0, not just small."""
    zero = np.zeros(1)
    return float(phi.f(zero)[0]) ** 2, float(phi.slope(zero)[0]) ** 2


def log10_squares(log_chi: Array, loss_at: str) -> Array:
    """Return the log10 of ``g_t``, (T+1, ...), from the log10 of chi_t, (T, ...); see `curves`."""
    squares = np.zeros((len(log_chi) + 1, *log_chi.shape[1:]))
    if loss_at == "last":
        squares[:-1] = np.cumsum(log_chi[::-1], axis=0)[::-1]
        return squares
    for t in range(len(log_chi) - 1, 0, -1):
        squares[t] = np.logaddexp2(0.0, (squares[t + 1] + log_chi[t]) * math.log2(10.0)) * math.log10(2.0)
    squares[0] = squares[1] + log_chi[0]
    return squares


def snap_to_critical(chi: float) -> float:
    """Return 1 for a chi that differs from it by rounding only."""
    return 1.0 if abs(chi - 1.0) <= CRITICAL else chi


def time_scale(chi: float) -> float:
    """Return ``-1 / ln chi``: inf at 1, 0 at 0."""
    if chi in (0.0, 1.0):
        return chi and math.inf
    return -1.0 / math.log(chi)
