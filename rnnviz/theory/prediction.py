"""What mean-field theory expects of a Config: its curves, how far they are valid, and why no further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..network.activations import ACTIVATIONS, Activation
from ..network.cells import CELLS, Cell
from ..network.config import Config
from ..network.inputs import INPUTS, Input
from ..network.sampling import draw_inputs
from ..network.schemes import SCHEMES, Scheme
from ..text.language import _, current
from . import mean_field
from .validity import valid_until

Array = np.ndarray


@dataclass(frozen=True)
class Prediction:
    """Theory for one scheme.

    Attributes
    ----------
    valid_steps : number of steps for which the curves are valid: the second moment forward from the first step, the
        gradient back from the last.
    reason : a sentence for the page that says why no longer.
    log10_second_moment, log10_grad_norm : (T+1,), the latter relative to the last step; None where no theory applies.
    """

    valid_steps: int
    reason: str
    log10_second_moment: Array | None = None
    log10_grad_norm: Array | None = None


def sigma_w(config: Config) -> float:
    """Return ``gain * sqrt(H Var(W_hh))`` of the Config's scheme."""
    size = config.hidden_size
    return config.gain * float(np.sqrt(size * SCHEMES[config.scheme].variance(size, size)))


def sigma_in(config: Config) -> tuple[Array, float]:
    """Return the standard deviation that a unit gets from input and bias: at each step (T,), and its constant part.

    ``sigma_in_t**2 = Var(W_xh) E |x_t|**2 + Var(b)`` with the actual inputs of the Config. The constant part is that of
    the mean input and of the bias.
    """
    x = draw_inputs(config)[0]
    weights = SCHEMES[config.input_scheme or config.scheme].variance(x.shape[-1], config.hidden_size)
    bias = SCHEMES[config.scheme].bias_variance(config.hidden_size)
    squares = np.square(x).sum(axis=-1)
    # Even the mean of pure noise is not exactly 0: subtract the square expected of it.
    mean = float(np.square(x.mean(axis=(0, 1))).sum() - squares.mean() / squares.size)
    constant = weights * max(0.0, mean) if INPUTS[config.inputs].steady else 0.0
    return np.sqrt(weights * squares.mean(axis=-1) + bias), float(np.sqrt(constant + bias))


def predict(config: Config) -> Prediction:
    """Return what theory expects of the Config's scheme.

    >>> expected = predict(Config(hidden_size=512, seq_len=100))
    >>> 10 ** expected.log10_second_moment[-1]  # doctest: +ELLIPSIS
    np.float64(0.46...)
    """
    schemes = SCHEMES[config.scheme], SCHEMES[config.input_scheme or config.scheme]
    return cached(config, current(), CELLS[config.cell], ACTIVATIONS[config.activation], INPUTS[config.inputs], schemes)


@lru_cache(maxsize=64)
def cached(
    config: Config, language: str, cell: Cell, phi: Activation, inputs: Input, schemes: tuple[Scheme, Scheme]
) -> Prediction:
    """Compute a prediction; the key holds entries, since a name can be registered again, and the reason's language."""
    if not cell.has_matrix_jacobian:
        return Prediction(0, _("No theory here for the {cell}.").format(cell=_(cell.label)))
    width, (by_step, constant) = sigma_w(config), sigma_in(config)
    valid = valid_until(phi, width, by_step, config.hidden_size, config.seq_len, config.scheme, constant)
    if valid.steps == 0:
        return Prediction(0, valid.reason)
    reading = schemes[1]
    if reading.mean(config.sizes[0], config.hidden_size) != 0:
        reason = _("No theory here: {scheme} gives W_xh a mean, which drives all units alike.")
        return Prediction(0, reason.format(scheme=_(reading.short)))
    expected = mean_field.curves(phi, width, by_step, config.seq_len, loss_at=config.loss_at)
    with np.errstate(divide="ignore"):
        second_moment = np.log10(expected.second_moment)
    return Prediction(valid.steps, valid.reason, second_moment, expected.log10_grad_norm)


def for_trace(trace: Any, k: int = 0) -> Prediction:
    """Return what theory expects of the k-th scheme of a Trace; nothing where the matrices are the caller's own."""
    if trace.own is not None:
        return Prediction(0, _("Theory needs to know how the weights are drawn; these are your own matrices."))
    return predict(trace.drawn(k))


def tied_weights_show(config: Config, schemes: Sequence[str]) -> bool:
    """Return whether a network with one of these schemes departs from theory after about sqrt(H) steps.

    Theory draws W_hh anew at each step. Using one random W_hh at every step shows that early only in an RNN whose
    slopes are nearly the same at every step: with linear or ReLU units, with units whose output has a mean, or without
    input after the first step. Source: arXiv 2505.19827 (linear: t = O(sqrt n)).
    """
    phi = ACTIVATIONS[config.activation]
    driven = INPUTS[config.inputs].steady and config.input_scale > 0
    same_slopes = CELLS[config.cell].has_matrix_jacobian and (phi.homogeneous or not phi.odd or not driven)
    return same_slopes and any(SCHEMES[scheme].independent for scheme in schemes)


def sentences(config: Config, schemes: Sequence[str]) -> list[str]:
    """Return sentences that say how far theory is valid and why no further; schemes with the same reason share one."""
    reasons: dict[str, list[str]] = {}
    for scheme in schemes:
        reasons.setdefault(predict(config.replace(scheme=scheme)).reason, []).append(_(SCHEMES[scheme].short))
    text = _("Theory for {schemes}: {reason}")
    return [text.format(schemes=", ".join(names), reason=reason) for reason, names in reasons.items()]
