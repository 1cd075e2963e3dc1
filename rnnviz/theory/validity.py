r"""How far mean-field theory describes one real network, and why no further.

Mean field draws W_hh anew at each step and sends n to infinity; a network keeps one W_hh, of finite size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..network.activations import Activation
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.number_format import plain
from .mean_field import HUGE, check_number, check_steps, check_whole, entry, follow, gaussian_mean

Array = np.ndarray
CHANCE = N_("Theory is for n → ∞: at n = {n}, chance has added up in any one network from about {steps} steps on.")


@dataclass(frozen=True)
class Trust:
    """For how many steps, forward from the first and back from the last, theory describes a network, and why."""

    steps: int
    reason: str


def trusted_until(
    activation: str | Activation,
    sigma_w: float,
    sigma_in: float | Array,
    hidden_size: int,
    seq_len: int,
    scheme: str = "xavier",
    sigma_bias: float = 0.0,
) -> Trust:
    """Tell for how many steps the curves describe one network of n units, and why no longer.

    Mean field draws W_hh anew at each step and sends n to infinity. With one W_hh of independent entries, paths that
    share weights add ``k**2 c**k / (2 n)`` to the squared norm after k steps, where
    ``c = (E phi')**2 / E phi'**2`` is how alike the slopes of two steps are, and 1 where the state has a part that
    never changes (E phi != 0, or a bias). Theory is trusted while that is below 1: to ``sqrt(2 n)`` steps for c = 1,
    and for ever for a small c. Orthogonal weights have no such paths; there a pattern of slopes that never changes
    shifts each network's own rate, seen after ``sqrt(2 n) / cv`` steps, cv the coefficient of variation of phi'^2.
    Chance adds up in any case: until ``n (1 - r)`` steps, where ``r = sigma_w**2 (E phi')**2`` is how slowly a network
    forgets its pattern of slopes, or until n / cv^2 for orthogonal weights. Where trust ends, the median gradient norms
    of networks were measured to lie within 0.4 decades of the curves, at n = 64 and 512.

    Parameters
    ----------
    activation, sigma_w, sigma_in, seq_len : as for `curves`.
    hidden_size : n, 1 .. 1,000,000.
    scheme : a key of ``SCHEMES``: weights with a mean, or without randomness, are outside the theory.
    sigma_bias : the part of ``sigma_in`` that is the same at every step: the bias, and the mean of the input.

    Returns
    -------
    Trust ``.steps`` (0 .. seq_len), ``.reason``: a sentence for the page.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Chen et al. 2018 (untied weights); arXiv 2505.19827 (linear: t = O(sqrt n)); Hanin & Nica 2018 (t = O(n)).

    >>> trusted_until("tanh", 1.0, 1.0, 512, 100).steps, trusted_until("sigmoid", 1.0, 1.0, 512, 100).steps
    (100, 32)
    >>> trusted_until("tanh", 1.0, 1.0, 512, 100, "identity").reason
    'No theory here: Identity is the same matrix at every draw, and mean field needs a random one.'
    """
    phi = entry(activation)
    check_number("sigma_w", sigma_w)
    check_number("sigma_bias", sigma_bias)
    check_whole("hidden_size", hidden_size)
    check_whole("seq_len", seq_len)
    outside, is_orthogonal = kind_of(scheme, hidden_size)
    if outside:
        return Trust(0, _("No theory here: {why}.").format(why=outside))
    q = float(follow(phi, sigma_w, check_steps(sigma_in, seq_len), 0.0)[0][-1])
    limit = limit_orthogonal if is_orthogonal else limit_independent
    steps, reason = limit(phi, sigma_w, q, sigma_bias, hidden_size)
    if steps >= seq_len:
        return Trust(int(seq_len), _("Theory and networks should agree at every step, up to chance."))
    return Trust(int(steps), reason)


def kind_of(scheme: str, n: int) -> tuple[str, bool]:
    """Return why mean field does not apply to a scheme's W_hh ("" where it does), and whether W_hh is orthogonal."""
    known = SCHEMES[scheme]
    fn = known.roles.get("recurrent", known.fn)
    one, other = (fn(np.random.default_rng(seed), 8, 8, 1.0) for seed in (0, 1))
    if np.array_equal(one, other):
        text = _("{scheme} is the same matrix at every draw, and mean field needs a random one")
        return text.format(scheme=_(known.short)), False
    if mean := known.mean(n, n):
        text = _("the weights of {scheme} have the mean {mean}, and mean field needs mean 0")
        return text.format(scheme=_(known.short), mean=plain(mean, ".2g")), False
    return "", bool(np.allclose(one.T @ one, np.eye(8)))


@cache
def is_independent(scheme: str) -> bool:
    """Tell whether a scheme draws the entries of W_hh independently, with mean 0."""
    outside, is_orthogonal = kind_of(scheme, 8)
    return not outside and not is_orthogonal


def limit_independent(phi: Activation, sigma_w: float, q: float, sigma_bias: float, n: int) -> tuple[float, str]:
    """Return the steps to which theory is trusted for independent entries, and what ends it."""
    frozen = frozen_part(phi, sigma_w, q, sigma_bias)
    mean, alike = slopes(phi, q)[:2]
    k = np.arange(1, n + 1)
    apart = np.flatnonzero(k * k * (1.0 if frozen else alike) ** k >= 2 * n)
    if len(apart):
        steps, why = int(k[apart[0]]), frozen or _("the slopes φ′ hardly change from step to step")
        text = _(
            "Theory draws W_hh anew at each step, the network keeps one, and {why}: the same directions are stretched "
            "again and again, which shows from about {steps} steps on (√(2n) = {root})."
        )
        return steps, text.format(why=why, steps=steps, root=f"{math.sqrt(2 * n):.0f}")
    steps = max(math.ceil(math.sqrt(2 * n)), math.ceil(n * (1.0 - float(sigma_w * mean) ** 2)))
    return steps, _(CHANCE).format(n=n, steps=steps)


def limit_orthogonal(phi: Activation, sigma_w: float, q: float, sigma_bias: float, n: int) -> tuple[float, str]:
    """Return the steps to which theory is trusted for orthogonal weights, and what ends it."""
    frozen = frozen_part(phi, sigma_w, q, sigma_bias)
    variation = slopes(phi, q)[2]
    if variation < 1e-12:
        return math.inf, ""
    if frozen and math.sqrt(2 * n) / variation < n / variation**2:
        steps = math.ceil(math.sqrt(2 * n) / variation)
        text = _(
            "Theory averages over networks, and {why}: each network keeps its own pattern of slopes φ′ and so its "
            "own rate, which shows from about {steps} steps on."
        )
        return steps, text.format(why=frozen, steps=steps)
    steps = math.ceil(n / variation**2)
    return steps, _(CHANCE).format(n=n, steps=steps)


def frozen_part(phi: Activation, sigma_w: float, q: float, sigma_bias: float) -> str:
    """Say what keeps a part of the pre-activations the same at every step, or "" where nothing does.

    A part of less than 1 % of q is left out.
    """
    if sigma_bias**2 > 0.01 * q:
        return _("the bias is the same at every step")
    if phi.homogeneous:
        one = np.array([1.0, -1.0])
        mean, share = phi.f(one).sum(), 1.0
    else:
        mean = gaussian_mean(phi.f, min(q, HUGE))
        share = float(sigma_w * mean) ** 2 / q if q else 0.0
    drifts = _("a unit's output has a mean, which is handed on unchanged at every step")
    return drifts if mean and share > 0.01 else ""


def slopes(phi: Activation, q: float) -> tuple[float, float, float]:
    """Return ``E phi'``, ``(E phi')**2 / E phi'**2`` and the coefficient of variation of ``phi'**2``."""
    if phi.homogeneous:
        one = phi.slope(np.array([1.0, -1.0]))
        first, second, fourth = (float(np.mean(one**k)) for k in (1, 2, 4))
    else:
        powers = np.array([1, 2, 4])[:, None]
        first, second, fourth = gaussian_mean(lambda a: phi.slope(a) ** powers, min(q, HUGE)).tolist()
    if second == 0:
        return 0.0, 0.0, math.inf
    return first, first * first / second, math.sqrt(max(fourth / second**2 - 1.0, 0.0))
