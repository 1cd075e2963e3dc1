"""How schemes draw W_hh at the present size, and which scale theory and PyTorch advise for the activation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ..network.activations import ACTIVATIONS, Activation
from ..network.cells import CELLS
from ..network.config import Config, applies
from ..network.sampling import median_gain
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.number_format import factor, number, plain
from ..theory.mean_field import critical_gain, fixed_point
from ..theory.prediction import sigma_w

HEAD = N_("Scheme"), N_("W at gain 1"), N_("Var(W_hh) now"), N_("σ_w now"), N_("Source")


def table(config: Config, schemes: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a row of words for each scheme, in the order of ``HEAD``; a matrix that is not random has no variance.

    >>> table(Config(hidden_size=64, gain=2.0), ("he",))
    [('He', 'W ~ N(0, 2/fan_in)', '0.125', '2.83', 'He et al. 2015, eq. 10')]
    """
    rows: list[tuple[str, ...]] = []
    for entry in (SCHEMES[name] for name in schemes):
        scale = scale_words(config.replace(scheme=entry.name)) if entry.random else ("–", "–")
        rows.append((_(entry.short), _(entry.formula), *scale, _(entry.source)))
    return rows


def scale_words(config: Config) -> tuple[str, str]:
    """Return the variance of an entry of W_hh, with the mean where it is not 0, and sigma_w."""
    size, width = config.hidden_size, sigma_w(config)
    mean = SCHEMES[config.scheme].mean(size, size) * median_gain(config)
    text = _("{variance}, mean {mean}") if mean else "{variance}"
    words = text.format(variance=number(width**2 / size, digits=3), mean=number(mean, digits=3))
    return words, number(width, digits=3)


def conditions(config: Config) -> str:
    """Return a sentence on the settings that the table holds for."""
    text = _("At H = {size} and gain {gain}; σ_w² = H · Var(W_hh).")
    if not applies("gain", config.to_dict()):
        text = _("At H = {size}, with W_hh scaled to spectral radius {radius}; σ_w² = H · Var(W_hh).")
    gain, radius = plain(config.gain, ".4g"), plain(config.spectral_radius, ".4g")
    return text.format(size=config.hidden_size, gain=gain, radius=radius)


def scales(config: Config) -> Iterator[str]:
    """Yield what theory expects of an RNN with this activation at some scales of W_hh, one of them PyTorch's advice."""
    if not CELLS[config.cell].has_matrix_jacobian:
        return
    phi = ACTIVATIONS[config.activation]
    quiet, driven = (number(critical_gain(phi, noise), digits=3) for noise in (0.0, 1.0))
    text = _("{activation}: {formula}. Theory's critical σ_w: {quiet} without input, {driven} with unit noise.")
    yield text.format(activation=_(phi.label), formula=phi.formula, quiet=quiet, driven=driven)
    yield settled(phi, _("In theory, at σ_w = 1 with unit noise"), 1.0, 1.0)
    if phi.torch_gain is not None:
        where = _("At PyTorch's calculate_gain, {gain}, after one kick")
        yield settled(phi, where.format(gain=number(phi.torch_gain, digits=3)), phi.torch_gain, 0.0)


def settled(phi: Activation, where: str, width: float, noise: float) -> str:
    """Return what state and gradient do at the fixed point of mean-field theory."""
    fixed = fixed_point(phi, width, noise)
    text = _("{where}, E h² settles at {moment} and the gradient changes by ×{factor} per step.")
    if math.isinf(fixed.m):
        text = _("{where}, the state grows without bound.")
    elif phi.homogeneous and noise == 0:
        text = _("{where}, state and gradient keep their size.")
    change = factor(0.5 * math.log10(fixed.chi)) if fixed.chi > 0 else "0"
    return text.format(where=where, moment=number(fixed.m, digits=3), factor=change)
