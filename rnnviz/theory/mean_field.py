r"""Mean-field theory of a wide random RNN: how the state and its gradient change over time, on average.

With row vectors, ``a_t = x_t W_xh + h_{t-1} W_hh + b_h`` and ``h_t = phi(a_t)``, entries of W_hh of mean 0 and variance
``sigma_w**2 / n``, and ``n -> inf``, each ``a_t`` is Gaussian with variance q_t, and

    q_t   = sigma_w**2 m_{t-1} + sigma_in_t**2         m_t = E h_t**2 = E phi(sqrt(q_t) z)**2
    chi_t = sigma_w**2 E phi'(sqrt(q_t) z)**2          E ||dL/dh_{t-1}||**2 = chi_t E ||dL/dh_t||**2

for z ~ N(0, 1): chi is the factor a step of the SQUARED gradient norm. ``sigma_in**2`` is the variance that a unit gets
from input and bias. Sources: Poole et al. 2016 (q), Schoenholz et al. 2017 (chi, xi), Chen et al. 2018 (recurrent).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..text.registry import explain_choice, shorten

Array = np.ndarray
LARGEST = 1e100  # bound of sigma_w, sigma_in and m0
LONGEST = 1_000_000  # bound of seq_len and hidden_size
REACH = 10.0  # standard deviations to which expectations are integrated; beyond lies 1e-23
CRITICAL = 1e-14  # chi closer to 1 than this is 1: rounding alone moves it so far
ROUNDING = 4e-16  # relative change of q that is none
FAINT = 1e-7  # q below which the third-order effect that sets a critical gain drowns in rounding
TINY, HUGE = 1e-18, 1e300  # where a fixed point q is looked for; below TINY it is 0 to rounding


@dataclass(frozen=True)
class FixedPoint:
    """Where the recursion ends.

    Attributes
    ----------
    q, m : E a^2 and E h^2; inf where the state grows without bound.
    chi : factor a step of the squared gradient norm; the norm itself changes by ``sqrt(chi)``.
    xi : ``-1 / ln chi``, the steps in which the squared norm falls to 1/e; inf at chi = 1. Negative where chi > 1:
        the gradient grows, and ``-xi`` is the steps in which its squared norm grows e-fold.
    """

    q: float
    m: float
    chi: float
    xi: float


@dataclass(frozen=True)
class Curves:
    """What theory expects at each step.

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
    """Return the fixed point of ``q = sigma_w**2 E phi(sqrt(q) z)**2 + sigma_in**2`` reached from ``m = m0``.

    Parameters
    ----------
    activation : a key of ``ACTIVATIONS`` or an entry; E phi^2 must grow with q, as it does for all registered ones.
    sigma_w, sigma_in : standard deviations, 0 .. 1e100. ``sigma_in`` includes the bias.
    m0 : the E h^2 to start from. It matters only where there is more than one fixed point: for sigma_in = 0, q = 0 is
        one too, and from m0 = 0 it is never left.

    Returns
    -------
    FixedPoint. ``q`` is right to 1e-10 relative, or to 1e-15 absolute near the critical point.

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
    phi = entry(activation)
    check_number("sigma_w", sigma_w)
    check_number("sigma_in", sigma_in)
    check_number("m0", m0)
    with np.errstate(over="ignore"):
        q = settle(phi, float(sigma_w) ** 2, float(sigma_in) ** 2, float(m0))
        m, slope = moments(phi, q)
    chi = snap(float(sigma_w * sigma_w * slope))
    return FixedPoint(q, m, chi, time_scale(chi))


def critical_gain(activation: str | Activation, sigma_in: float) -> float:
    """Return the smallest ``sigma_w`` with ``chi = 1`` at the fixed point.

    Solves ``(q - sigma_in**2) E phi'(sqrt(q) z)**2 = E phi(sqrt(q) z)**2`` for q; then
    ``sigma_w**2 = 1 / E phi'(sqrt(q) z)**2``.

    Parameters
    ----------
    activation : a key of ``ACTIVATIONS`` or an entry.
    sigma_in : 0 .. 1e100, standard deviation of input and bias.

    Returns
    -------
    float, right to 1e-10 (to 1e-7 where sigma_in is below 1e-10); inf where no gain is critical.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Schoenholz et al. 2017, sect. 3; Chen et al. 2018.

    >>> round(critical_gain("tanh", 1.0), 4), round(critical_gain("relu", 1.0), 4)
    (1.8556, 1.4142)
    """
    phi = entry(activation)
    check_number("sigma_in", sigma_in)
    s = float(sigma_in) ** 2

    def excess(q: float) -> float:
        m, slope = moments(phi, q)
        return m - (q - s) * slope

    if not phi.homogeneous and s < HUGE and excess(max(s, FAINT)) > 0:
        s = root(excess, *bracket(excess, max(s, FAINT)))
    slope = moments(phi, s)[1]
    return 1.0 / math.sqrt(slope) if slope > 0 else math.inf


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
    ``g_{t-1} = chi_t g_t + g_T`` down to t - 1 = 1, and ``g_0 = chi_1 g_1``: each step's own error arrives with the
    same norm, and errors of different steps are uncorrelated. Both are given relative to the last step: ``g_T = 1``.

    Parameters
    ----------
    activation : a key of ``ACTIVATIONS`` or an entry.
    sigma_w : 0 .. 1e100, ``sqrt(n Var(W_hh))``.
    sigma_in : 0 .. 1e100, standard deviation that a unit gets from input and bias, or an array (T,) of it by step.
    seq_len : T, 1 .. 1,000,000.
    m0 : E h_0^2.
    loss_at : "last" or "every".

    Returns
    -------
    Curves, in logarithms where float64 would end.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Poole et al. 2016, eq. 3; Schoenholz et al. 2017, eq. 8 and sect. 4.

    >>> c = curves("linear", 0.5, 1.0, 3)
    >>> c.second_moment, c.log10_grad_norm.round(5)
    (array([0. , 1. , 1.25 , 1.3125]), array([-0.90309, -0.60206, -0.30103, 0. ]))
    """
    phi = entry(activation)
    check_number("sigma_w", sigma_w)
    check_number("m0", m0)
    check_whole("seq_len", seq_len)
    if loss_at not in ("last", "every"):
        raise ValueError(explain_choice("loss_at", loss_at, ("last", "every")))
    sigmas = check_steps(sigma_in, seq_len)
    q, m, slope = follow(phi, sigma_w, sigmas, m0)
    with np.errstate(divide="ignore"):
        log_chi = 2.0 * np.log10(sigma_w) + np.log10(slope)
    return Curves(m, accumulate(log_chi, loss_at), q, log_chi)


def gaussian_mean(g: Callable[[Array], Array], q: float) -> Array:
    """Return ``E g(sqrt(q) z)`` for z ~ N(0, 1), over the last axis of what ``g`` returns.

    Gauss-Legendre on panels of ``u``, ``a = sqrt(q) z ~ sinh(u)``: as dense near a = 0, where phi bends, as needed, and
    as far out as the Gaussian reaches. Each side of 0 by itself, so that a kink there costs nothing. Right to 1e-13
    relative for q up to 1e200 where g is smooth on either side of 0.
    """
    width = max(1.0, math.sqrt(q))
    end = math.asinh(REACH * width)
    t, weight = panels(math.ceil(end))
    z = np.sinh(end * t) / width
    density = weight * np.cosh(end * t) * np.exp(-0.5 * z * z)
    density *= 0.5 / density.sum()
    a = math.sqrt(q) * z
    return g(np.concatenate([a, -a])) @ np.concatenate([density, density])


@cache
def panels(count: int) -> tuple[Array, Array]:
    """Return nodes and weights of Gauss-Legendre quadrature on [0, 1], cut into ``count`` equal panels."""
    x, w = np.polynomial.legendre.leggauss(16)
    t = (np.arange(count)[:, None] + 0.5 * (x + 1.0)) / count
    return t.ravel(), np.tile(0.5 * w / count, count)


def moments(phi: Activation, q: float) -> tuple[float, float]:
    """Return ``E phi(sqrt(q) z)**2`` and ``E phi'(sqrt(q) z)**2``."""
    if phi.homogeneous:
        one = np.array([1.0, -1.0])
        slope = float(np.mean(np.square(phi.slope(one))))
        return slope * q if slope else 0.0, slope
    if q > HUGE:
        return math.inf, float(np.mean(np.square(phi.slope(np.array([1e150, -1e150])))))
    m, slope = gaussian_mean(lambda a: np.square(np.stack([phi.f(a), phi.slope(a)])), q)
    return float(m), float(slope)


def settle(phi: Activation, w: float, s: float, m0: float) -> float:
    """Return the fixed point q of ``w E phi(sqrt(q) z)**2 + s``, the first on the way from ``w m0 + s``."""
    q = w * m0 + s
    if w == 0 or q == 0 and moments(phi, 0.0)[0] == 0:
        return s
    if phi.homogeneous:
        return settle_homogeneous(q, s, snap(w * moments(phi, 1.0)[1]))

    def excess(q: float) -> float:
        return w * moments(phi, q)[0] + s - q

    at_zero = moments(phi, 0.0)
    if s == 0 and at_zero[0] == 0 and w * at_zero[1] <= 1.0 and excess(q) < 0:
        return 0.0  # halving q would never arrive
    return root(excess, *bracket(excess, q))


def settle_homogeneous(q: float, s: float, chi: float) -> float:
    """Return where ``q -> chi q + s`` ends, starting from ``q``."""
    if chi < 1:
        return s / (1.0 - chi)
    if s == 0 and (chi == 1 or q == 0):
        return q
    return math.inf


def bracket(g: Callable[[float], float], x: float) -> tuple[float, float]:
    """Double x while g(x) > 0, halve it while g(x) < 0; return the last two, or the end of the range twice."""
    factor = 2.0 if g(x) > 0 else 0.5
    while TINY < x * factor < HUGE:
        before, x = x, x * factor
        if (g(x) > 0) != (factor == 2.0) or g(x) == 0:
            return before, x
    return (math.inf, math.inf) if factor == 2.0 else (x, x)


def root(g: Callable[[float], float], a: float, b: float) -> float:
    """Return a root of ``g`` between ``a`` and ``b`` (Illinois, Dowell & Jarratt 1971, and bisection in turn)."""
    if a == b:
        return b
    g_a, g_b = g(a), g(b)
    for turn in range(200):
        if g_b == 0 or abs(b - a) <= ROUNDING * max(a, b):
            break
        x = b - g_b * ((b - a) / (g_b - g_a))
        if turn % 3 == 2 or not min(a, b) < x < max(a, b):
            x = 0.5 * a + 0.5 * b
        g_x = g(x)
        if (g_x > 0) != (g_b > 0):
            a, g_a = b, g_b
        else:
            g_a *= 0.5
        b, g_b = x, g_x
    return b


def follow(phi: Activation, sigma_w: float, sigmas: Array, m0: float) -> tuple[Array, Array, Array]:
    """Return q (T,), m (T+1,) and E phi'^2 (T,) of the recursion."""
    steps = len(sigmas)
    q, m, slope = np.empty(steps), np.empty(steps + 1), np.empty(steps)
    m[0], last, known = m0, -1.0, (0.0, 0.0)
    w = float(sigma_w) ** 2
    for t, s in enumerate((sigmas * sigmas).tolist()):
        now = w * float(m[t]) + s if w else s
        if not abs(now - last) <= ROUNDING * last:  # an infinite q is followed, too
            last, known = now, moments(phi, now)
        q[t], (m[t + 1], slope[t]) = now, known
    return q, m, slope


def accumulate(log_chi: Array, loss_at: str) -> Array:
    """Return half the log10 of ``g_t``, (T+1,), from the log10 of chi_t; see `curves`."""
    half = 0.5 * log_chi
    if loss_at == "last":
        return np.concatenate([np.cumsum(half[::-1])[::-1], [0.0]])
    squares = np.zeros(len(half) + 1)
    for t in range(len(half) - 1, 0, -1):
        squares[t] = np.logaddexp2(0.0, (squares[t + 1] + log_chi[t]) * math.log2(10.0)) * math.log10(2.0)
    squares[0] = squares[1] + log_chi[0]
    return 0.5 * squares


def snap(chi: float) -> float:
    return 1.0 if abs(chi - 1.0) <= CRITICAL else chi


def time_scale(chi: float) -> float:
    """Return ``-1 / ln chi``: inf at 1, 0 at 0."""
    if chi in (0.0, 1.0):
        return chi and math.inf
    return -1.0 / math.log(chi)


def entry(activation: str | Activation) -> Activation:
    """Return the registered entry of a name, or the entry itself."""
    return activation if isinstance(activation, Activation) else ACTIVATIONS[activation]


def check_number(name: str, value: float) -> None:
    """Raise a ValueError unless ``value`` is a number from 0 to 1e100."""
    if not isinstance(value, int | float | np.integer | np.floating) or not 0 <= value <= LARGEST:
        raise ValueError(f"{name} must be a number from 0 to {LARGEST:g}; got {shorten(value)}")


def check_whole(name: str, value: int) -> None:
    """Raise a ValueError unless ``value`` is a whole number from 1 to 1,000,000."""
    if not isinstance(value, int | np.integer) or not 1 <= value <= LONGEST:
        raise ValueError(f"{name} must be a whole number from 1 to {LONGEST}; got {shorten(value)}")


def check_steps(sigma_in: float | Array, seq_len: int) -> Array:
    """Return ``sigma_in`` by step, (T,), or raise a ValueError."""
    if np.ndim(sigma_in) == 0:
        check_number("sigma_in", sigma_in)
        return np.full(seq_len, float(sigma_in))
    sigmas = np.asarray(sigma_in, dtype=float)
    if sigmas.shape != (seq_len,):
        raise ValueError(f"sigma_in must be a number or have the shape (T,) = ({seq_len},); got {sigmas.shape}")
    if not np.all((sigmas >= 0) & (sigmas <= LARGEST)):
        raise ValueError(f"sigma_in must be from 0 to {LARGEST:g} at every step; got {shorten(sigma_in)}")
    return sigmas
