"""What mean-field theory expects of a Config: its curves, how far they are to be trusted, and why no further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.config import Config
from ..network.sampling import draw_inputs
from ..network.schemes import SCHEMES
from ..text.language import _, current
from . import mean_field
from .validity import is_independent, trusted_until

Array = np.ndarray


@dataclass(frozen=True)
class Prediction:
    """Theory for one scheme.

    Attributes
    ----------
    log10_second_moment, log10_grad_norm : (T+1,), the latter relative to the last step; None where there is no theory.
    trusted : steps from where the signal starts, forward from the first and back from the last, that are trusted.
    reason : why not further, in a sentence.
    sigma_w, sigma_in : the two numbers that theory takes from the weights; sigma_in at each step, (T,).
    """

    log10_second_moment: Array | None
    log10_grad_norm: Array | None
    trusted: int
    reason: str
    sigma_w: float
    sigma_in: Array


def sigma_w(config: Config) -> float:
    """Return ``gain * sqrt(H Var(W_hh))`` of the Config's scheme."""
    size = config.hidden_size
    return config.gain * float(np.sqrt(size * SCHEMES[config.scheme].variance(size, size)))


def sigma_in(config: Config) -> tuple[Array, float]:
    """Return the standard deviation that a unit gets from input and bias at each step, and its part that never changes.

    ``sigma_in_t**2 = Var(W_xh) E |x_t|**2 + Var(b)`` with the real inputs of the Config; the part that stays is that
    of the mean input and of the bias.
    """
    x = draw_inputs(config)[0]
    weights = SCHEMES[config.input_scheme or config.scheme].variance(x.shape[-1], config.hidden_size)
    bias = SCHEMES[config.scheme].bias_variance(config.hidden_size)
    steps = weights * np.square(x).sum(axis=-1).mean(axis=-1) + bias
    # A mean over few noisy inputs is not 0 either: what chance alone would give is taken off.
    mean = np.square(x.mean(axis=(0, 1))).sum() - np.square(x).sum(axis=-1).mean() / (x.shape[0] * x.shape[1])
    constant = weights * max(0.0, float(mean)) if config.inputs != "none" else 0.0
    return np.sqrt(steps), float(np.sqrt(constant + bias))


def predict(config: Config) -> Prediction:
    """Return what theory expects of one scheme.

    >>> expected = predict(Config(hidden_size=512, seq_len=100))
    >>> 10 ** expected.log10_second_moment[-1]  # doctest: +ELLIPSIS
    np.float64(0.46...)
    """
    return in_language(config, current())


@lru_cache(maxsize=64)
def in_language(config: Config, language: str) -> Prediction:
    """Return the same, kept for each language that its reason is said in."""
    width, (inputs, constant) = sigma_w(config), sigma_in(config)
    reading = SCHEMES[config.input_scheme or config.scheme]
    if config.cell != "rnn":
        reason = _("No theory here for the {cell}.").format(cell=_(CELLS[config.cell].label))
        return Prediction(None, None, 0, reason, width, inputs)
    trust = trusted_until(config.activation, width, inputs, config.hidden_size, config.seq_len, config.scheme, constant)
    if trust.steps == 0:
        return Prediction(None, None, 0, trust.reason, width, inputs)
    if reading.mean(config.sizes[0], config.hidden_size) != 0:
        reason = _("No theory here: {scheme} gives W_xh a mean, which drives all units alike.")
        return Prediction(None, None, 0, reason.format(scheme=_(reading.short)), width, inputs)
    expected = mean_field.curves(config.activation, width, inputs, config.seq_len, loss_at=config.loss_at)
    with np.errstate(divide="ignore"):
        moment = np.log10(expected.second_moment)
    return Prediction(moment, expected.log10_grad_norm, trust.steps, trust.reason, width, inputs)


def repeats(config: Config, schemes: Sequence[str]) -> bool:
    """Tell whether a scheme's one random W_hh meets nearly the same slopes at every step of an RNN.

    That is so for linear and ReLU units, for units whose output has a mean, and where no input comes after the first
    step. Then about sqrt(H) steps are enough for a network to part from theory, which draws W_hh anew at each step.
    Source: arXiv 2505.19827 (linear: t = O(sqrt n)).
    """
    phi = ACTIVATIONS[config.activation]
    has_mean = float(phi.f(np.array([1.0, -1.0])).sum()) != 0.0
    fresh = config.inputs != "none" and config.input_scale > 0
    alike = phi.homogeneous or has_mean or not fresh
    return config.cell == "rnn" and alike and any(map(is_independent, schemes))


def sentences(config: Config, schemes: Sequence[str]) -> list[str]:
    """Return for each scheme how far theory is to be trusted, and why no further; schemes with one reason together."""
    reasons: dict[str, list[str]] = {}
    for scheme in schemes:
        reasons.setdefault(predict(config.replace(scheme=scheme)).reason, []).append(_(SCHEMES[scheme].short))
    text = _("Theory for {schemes}: {reason}")
    return [text.format(schemes=", ".join(names), reason=reason) for reason, names in reasons.items()]
