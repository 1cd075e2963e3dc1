"""For how many steps mean-field theory describes real networks, and why no longer.

Mean field draws W_hh anew at each step and takes H to infinity; a network keeps one W_hh of finite size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..network.activations import Activation
from ..network.schemes import SCHEMES, Scheme
from ..text.language import _, ngettext
from ..text.number_format import plain
from .arguments import activation_entry, check_number, check_whole
from .finite_depth import Estimate, deviations
from .finite_width import Deviation, Network, Pattern
from .mean_field import curves

Array = np.ndarray
FACTOR = 0.3  # decades that the median of 32 networks may lie from theory's line: a factor of 2
MARGIN = 0.8  # share of it that the estimates may use up
ALIKE = 0.9  # c from which "the slopes hardly change"
FEW = 4.0  # relative variance of phi'^2 from which few units carry the gradient
MEAN_SQUARE = 0.15  # relative growth of the mean square that counts as a departure


@dataclass(frozen=True)
class Validity:
    """For how many steps theory describes a network, and why no longer.

    Attributes
    ----------
    forward : number of steps from the first for which the second moment is within a factor of 2.
    backward : number of steps back from the last for which the gradient norm is.
    reason : sentences for the page.
    """

    forward: int
    backward: int
    reason: str

    @property
    def steps(self) -> int:
        """For how many steps both hold."""
        return min(self.forward, self.backward)


def valid_until(
    activation: str | Activation,
    sigma_w: float,
    sigma_in: float | Array,
    hidden_size: int,
    seq_len: int,
    scheme: str = "xavier",
    sigma_bias: float = 0.0,
    loss_at: str = "last",
) -> Validity:
    """Return for how many steps the curves describe networks of H units, and why no longer.

    Within these steps the median of 32 networks lies within 0.3 decades of theory, in E h^2 and in the norm of the
    gradient, by the estimates of `finite_width`. At H = 128 that was so for each of 1638 random settings, at H = 64 and
    16 for all but one in a hundred.

    Parameters
    ----------
    activation, sigma_w, sigma_in, seq_len, loss_at : as for `curves`.
    hidden_size : H, 1 .. 1,000,000.
    scheme : a key of ``SCHEMES``; theory does not cover weights with a mean or without randomness.
    sigma_bias : the constant part of ``sigma_in``: that of the bias and of the mean input.

    Raises
    ------
    ValueError : naming the argument, the value and its bounds.

    Source: Hanin & Nica 2018 (chance: k / n); arXiv 2505.19827 (one W_hh, linear: k**2 / n).

    >>> valid_until("tanh", 1.0, 1.0, 512, 100).steps, valid_until("sigmoid", 1.0, 0.1, 512, 100).backward
    (100, 52)
    >>> valid_until("tanh", 1.0, 1.0, 512, 100, "identity").reason
    'No theory here: Identity is the same matrix at every draw, and mean field needs a random one.'
    """
    phi = activation_entry(activation)
    check_number("sigma_bias", sigma_bias)
    check_whole("hidden_size", hidden_size)
    expected = curves(phi, sigma_w, sigma_in, seq_len, loss_at=loss_at)
    known = SCHEMES[scheme]
    if outside := why_outside(known, hidden_size):
        return Validity(0, 0, outside)
    course = expected.q, expected.log10_chi, float(sigma_bias) ** 2
    return limits([Network(phi, float(sigma_w), hidden_size, known.orthogonal, loss_at, *course)])[0]


def why_outside(scheme: Scheme, n: int) -> str:
    """Return a sentence on why mean field does not apply to a scheme's W_hh (n, n), or "" where it does."""
    if not scheme.random:
        text = _("No theory here: {scheme} is the same matrix at every draw, and mean field needs a random one.")
        return text.format(scheme=_(scheme.short))
    if mean := scheme.mean(n, n):
        text = _("No theory here: the weights of {scheme} have the mean {mean}, and mean field needs mean 0.")
        return text.format(scheme=_(scheme.short), mean=plain(mean, ".2g"))
    return ""


def limits(networks: Sequence[Network], between: float = 0.0) -> list[Validity]:
    """Return for each layer, bottom first, for how many steps the estimated deviations stay within a factor of 2."""
    estimates = deviations(networks, between)
    return [limits_of(network, found) for network, found in zip(networks, estimates, strict=True)]


def limits_of(network: Network, found: Estimate) -> Validity:
    """Return for how many steps the estimated deviations of a layer stay within a factor of 2, and why no longer."""
    most, last = FACTOR * MARGIN * math.log(10.0), len(network.q)
    # A norm's logarithm is half that of its square. Below the top layer, the gradient may deviate at step T already.
    forward, backward = within(found.forward, most), within(found.backward, 2.0 * most) - 1
    if min(forward, backward) == last:
        return Validity(
            forward, backward, _("Theory and the median network should agree within a factor of 2 at every step.")
        )
    part, end = (found.backward, backward + 1) if backward < last else (found.forward, forward)
    # The slopes of the step at which the estimate leaves the limit: steps are counted from the last one back.
    at = max(0, min(last - 1, last - end)) if backward < last else end
    return Validity(
        forward, backward, " ".join([why(network, part, end, found.slopes, at), how_far(forward, backward, last)])
    )


def within(part: Deviation, most: float) -> int:
    """Return the number of steps before a deviation first exceeds ``most``."""
    beyond = np.flatnonzero(part.total > most)
    return int(beyond[0]) if len(beyond) else len(part.total)


def own_matrix_shows(network: Network) -> tuple[bool, bool]:
    """Return whether one W_hh for all steps raises the mean square over networks in 3 sqrt(H) steps.

    So it does with independent entries where the slopes of two steps are nearly the same: in the second moment, where
    the inputs do not outweigh the state, or in the gradient. W_xh, which stays the same too, does not count.
    """
    (found,) = deviations([replace(network, repeated=0.0, slow=False)])
    if network.orthogonal:
        return False, False
    parts, early = (found.forward.mean_square, found.backward.mean_square[1:]), math.ceil(3 * math.sqrt(network.n))
    forward, backward = (bool(part[:early].max() >= MEAN_SQUARE) for part in parts)
    return forward, backward


def why(network: Network, part: Deviation, end: int, slopes: Pattern, at: int) -> str:
    """Return a sentence on what limits theory, given the first deviation beyond the limit and the slopes there."""
    if np.broadcast_to(part.few, part.total.shape)[end] > part.total[end] / 2:
        return _(
            "Theory takes what a unit reads to be Gaussian; from so few inputs it has the distribution of the weights."
        )
    if part.tied[end] < part.chance[end] and not part.lasting[end]:
        few, n = 1.0 + slopes.variation[at], network.n
        if few < 1.0 + FEW:
            return _("Theory is for H → ∞: at H = {n}, chance adds up in any one network.").format(n=n)
        left = max(1, round(n / few))
        text = ngettext(
            "Theory is for H → ∞: at H = {n}, only about {few} unit is not saturated, and chance adds up.",
            "Theory is for H → ∞: at H = {n}, only about {few} units are not saturated, and chance adds up.",
            left,
        )
        return text.format(n=n, few=left)
    if network.orthogonal:
        text = _("Theory averages over networks, and {why}: each network keeps its own pattern of slopes φ′.")
    else:
        text = _(
            "Theory draws W_hh anew at each step, the network keeps one, and {why}: the same directions are stretched "
            "again and again."
        )
    return text.format(why=what_repeats(network, slopes, at))


def what_repeats(network: Network, slopes: Pattern, at: int) -> str:
    """Return what is the same at every step."""
    shared, q = slopes.shared[at], network.q[at]
    reading = float(np.broadcast_to(network.repeated, network.q.shape)[at]) ** 2
    if slopes.variation[at] < 1.0 - ALIKE or slopes.alike[at] > ALIKE and max(shared**2, reading) < 0.1:
        return _("the slopes φ′ hardly change from step to step")
    if reading > shared**2:
        return _("a unit reads its few inputs with the same weights at every step")
    if shared * q > 2.0 * float(np.broadcast_to(network.constant, network.q.shape)[at]):
        return _("a unit's output has a mean, which is handed on unchanged at every step")
    return _("a part of the input or the bias is the same at every step")


def how_far(forward: int, backward: int, last: int) -> str:
    """Return a sentence with the steps between which theory is within a factor of 2 of the median network."""
    always, never = _("at every step"), _("at no step")
    gradient = never if backward <= 0 else _("from t = {start} on").format(start=last - backward)
    state = never if forward == 0 else _("up to t = {end}").format(end=forward)
    return _("Within a factor of 2 it holds for the gradient {gradient}, and for the state {state}.").format(
        gradient=always if backward == last else gradient, state=always if forward == last else state
    )
