"""For how many steps mean-field theory describes one real network, and why no longer.

Mean field draws W_hh anew at each step and takes n to infinity; a network keeps one W_hh of finite size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..network.activations import Activation
from ..network.schemes import SCHEMES, Scheme
from ..text.language import N_, _
from ..text.number_format import plain
from .arguments import activation_entry, check_number, check_steps, check_whole
from .gaussian import LARGEST_Q, gaussian_mean, slope_moments
from .mean_field import iterate

Array = np.ndarray
CHANCE = N_("Theory is for n → ∞: at n = {n}, chance has added up in any one network from about {steps} steps on.")


@dataclass(frozen=True)
class Validity:
    """For how many steps theory describes a network (forward from the first, back from the last), and why no longer."""

    steps: int
    reason: str


def valid_until(
    activation: str | Activation,
    sigma_w: float,
    sigma_in: float | Array,
    hidden_size: int,
    seq_len: int,
    scheme: str = "xavier",
    sigma_bias: float = 0.0,
) -> Validity:
    """Return for how many steps the curves describe one network of n units, and why no longer.

    With one W_hh of independent entries, paths that share weights add ``k**2 c**k / (2 n)`` to the squared norm after
    k steps. Here ``c = (E phi')**2 / E phi'**2`` measures how similar the slopes of two steps are; c = 1 where the
    state has a constant part (E phi != 0, or a bias). Theory is valid while that term is below 1: for ``sqrt(2 n)``
    steps if c = 1, and forever if c is small. Orthogonal weights have no such paths, but a constant pattern of slopes
    gives each network a rate of its own, visible after ``sqrt(2 n) / cv`` steps, with cv the coefficient of variation
    of phi'^2. Random deviations accumulate in any case. They limit theory to ``n (1 - r)`` steps, where
    ``r = sigma_w**2 (E phi')**2`` measures how slowly a network forgets its pattern of slopes, or to ``n / cv**2``
    steps for orthogonal weights. At these limits, the median gradient norms of networks with n = 64 and 512 were
    within 0.4 decades of the curves.

    Parameters
    ----------
    activation, sigma_w, sigma_in, seq_len : as for `curves`.
    hidden_size : n, 1 .. 1,000,000.
    scheme : a key of ``SCHEMES``; theory does not cover weights with a mean or without randomness.
    sigma_bias : the constant part of ``sigma_in``: that of the bias and of the mean input.

    Returns
    -------
    Validity: ``.steps`` (0 .. seq_len), and ``.reason``, a sentence for the page.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Chen et al. 2018 (untied weights); arXiv 2505.19827 (linear: t = O(sqrt n)); Hanin & Nica 2018 (t = O(n)).

    >>> valid_until("tanh", 1.0, 1.0, 512, 100).steps, valid_until("sigmoid", 1.0, 1.0, 512, 100).steps
    (100, 32)
    >>> valid_until("tanh", 1.0, 1.0, 512, 100, "identity").reason
    'No theory here: Identity is the same matrix at every draw, and mean field needs a random one.'
    """
    phi = activation_entry(activation)
    check_number("sigma_w", sigma_w)
    check_number("sigma_bias", sigma_bias)
    check_whole("hidden_size", hidden_size)
    check_whole("seq_len", seq_len)
    known = SCHEMES[scheme]
    if outside := why_outside(known, hidden_size):
        return Validity(0, _("No theory here: {why}.").format(why=outside))
    q = float(iterate(phi, sigma_w, check_steps(sigma_in, seq_len), 0.0)[0][-1])
    limit = limit_orthogonal if known.orthogonal else limit_independent
    steps, reason = limit(phi, sigma_w, q, sigma_bias, hidden_size)
    if steps >= seq_len:
        return Validity(int(seq_len), _("Theory and networks should agree at every step, up to chance."))
    return Validity(int(steps), reason)


def why_outside(scheme: Scheme, n: int) -> str:
    """Return why mean field does not apply to a scheme's W_hh (n, n), or "" where it does."""
    if not scheme.random:
        text = _("{scheme} is the same matrix at every draw, and mean field needs a random one")
        return text.format(scheme=_(scheme.short))
    if mean := scheme.mean(n, n):
        text = _("the weights of {scheme} have the mean {mean}, and mean field needs mean 0")
        return text.format(scheme=_(scheme.short), mean=plain(mean, ".2g"))
    return ""


def limit_independent(phi: Activation, sigma_w: float, q: float, sigma_bias: float, n: int) -> tuple[float, str]:
    """Return the number of steps for which theory is valid with independent entries, and why no longer."""
    constant = constant_part(phi, sigma_w, q, sigma_bias)
    mean, alike = slope_moments(phi, q)[:2]
    k = np.arange(1, n + 1)
    apart = np.flatnonzero(k * k * (1.0 if constant else alike) ** k >= 2 * n)
    if len(apart):
        steps, why = int(k[apart[0]]), constant or _("the slopes φ′ hardly change from step to step")
        text = _(
            "Theory draws W_hh anew at each step, the network keeps one, and {why}: the same directions are stretched "
            "again and again, which shows from about {steps} steps on (√(2n) = {root})."
        )
        return steps, text.format(why=why, steps=steps, root=f"{math.sqrt(2 * n):.0f}")
    steps = max(math.ceil(math.sqrt(2 * n)), math.ceil(n * (1.0 - float(sigma_w * mean) ** 2)))
    return steps, _(CHANCE).format(n=n, steps=steps)


def limit_orthogonal(phi: Activation, sigma_w: float, q: float, sigma_bias: float, n: int) -> tuple[float, str]:
    """Return the number of steps for which theory is valid with orthogonal weights, and why no longer."""
    constant = constant_part(phi, sigma_w, q, sigma_bias)
    variation = slope_moments(phi, q)[2]
    if variation < 1e-12:
        return math.inf, ""
    if constant and math.sqrt(2 * n) / variation < n / variation**2:
        steps = math.ceil(math.sqrt(2 * n) / variation)
        text = _(
            "Theory averages over networks, and {why}: each network keeps its own pattern of slopes φ′ and so its "
            "own rate, which shows from about {steps} steps on."
        )
        return steps, text.format(why=constant, steps=steps)
    steps = math.ceil(n / variation**2)
    return steps, _(CHANCE).format(n=n, steps=steps)


def constant_part(phi: Activation, sigma_w: float, q: float, sigma_bias: float) -> str:
    """Return why a part of the pre-activations is the same at every step, or "" if there is none above 1 % of q."""
    if sigma_bias**2 > 0.01 * q:
        return _("the bias is the same at every step")
    if phi.homogeneous:
        one = np.array([1.0, -1.0])
        mean, share = phi.f(one).sum(), 1.0
    else:
        mean = gaussian_mean(phi.f, min(q, LARGEST_Q))
        share = float(sigma_w * mean) ** 2 / q if q else 0.0
    drifts = _("a unit's output has a mean, which is handed on unchanged at every step")
    return drifts if mean and share > 0.01 else ""
