"""What to know about the settings that no curve says: forget biases, one-hot inputs, a loss at every step."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ..engine.layer_jacobians import layer_jacobians
from ..engine.trace import Trace
from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.config import Config, applies
from ..network.inputs import INPUTS
from ..network.losses import LOSS_REDUCTIONS
from ..network.sampling import gain_of
from ..network.schemes import SCHEMES
from ..numerics.quantiles import median
from ..text.language import _
from ..text.number_format import listed, number, plain
from ..theory.mean_field import fixed_point
from ..theory.prediction import sigma_w
from ..theory.spectrum import singular_values

MOST_WORK = 1e8  # that the singular values of all layers may take, H**3 each: a reader waits for notes
CLEARLY = 1.02  # a factor larger than another by less is not worth a sentence


def notes(config: Config, schemes: Sequence[str], trace: Trace | None = None) -> list[str]:
    """Return sentences on settings and, where there is one, on the loss of the comparison in the pictures.

    >>> notes(Config(cell="lstm", forget_bias=2.0), ("xavier", "keras"))
    ['Keras starts with forget bias 1: at 2 it is no longer the default.']
    """
    on_trace = [] if trace is None else [*radius_notes(trace), *loss_notes(trace), *layer_notes(trace)]
    # Networks in training read what their problem draws, whatever the settings say.
    reading = config if trace is None or trace.own is None else trace.config
    return [*bias_notes(config, schemes), *input_notes(reading, schemes), *on_trace]


def radius_notes(trace: Trace) -> Iterator[str]:
    """Yield which gain a spectral radius means for each scheme: the median over its draws, and their range."""
    if trace.own is not None or applies("gain", trace.config.to_dict()):
        return
    for scheme in trace.schemes:
        config, layers = trace.config.replace(scheme=scheme), range(1, trace.config.layers + 1)
        gains = sorted(gain_of(config.replace(seed=seed), layer) for seed in trace.seeds for layer in layers)
        text = _("For {scheme}, spectral radius {radius} means gain {gain}.")
        if gains[-1] > 1.0005 * gains[0]:
            text = _("For {scheme}, spectral radius {radius} means gain {gain} ({low} to {high} by draw).")
        low, gain, high = (number(value, digits=3) for value in (gains[0], float(median(np.array(gains))), gains[-1]))
        radius = plain(config.spectral_radius, ".4g")
        yield text.format(scheme=_(SCHEMES[scheme].short), radius=radius, gain=gain, low=low, high=high)


def bias_notes(config: Config, schemes: Sequence[str]) -> Iterator[str]:
    """Yield what the forget bias does to schemes that bring their own."""
    for entry in (SCHEMES[name] for name in schemes if applies("forget_bias", config.to_dict())):
        if entry.bias is not None:
            text = _("{scheme} draws its own biases, which Forget bias does not change.")
            yield " ".join([text.format(scheme=_(entry.short)), *([_(entry.forget_note)] if entry.forget_note else [])])
        elif entry.forget_bias not in (None, config.forget_bias):
            text = _("{scheme} starts with forget bias {own}: at {value} it is no longer the default.")
            own, value = (plain(bias, ".12g") for bias in (entry.forget_bias, config.forget_bias))
            yield text.format(scheme=_(entry.short), own=own, value=value)


def input_notes(config: Config, schemes: Sequence[str]) -> Iterator[str]:
    """Yield how large a one-hot input is beside noise."""
    size, scale, unit = config.sizes[0], config.input_scale, config.noise_scale
    if not INPUTS[config.inputs].one_hot:
        return
    text = _("One-hot input, a single 1 among {size} numbers, has E x² = {square} at input scale {scale}; noise has 1.")
    if scale == unit:
        text = _("One-hot input at input scale {scale} = √{size} is as large as noise: E x² = 1, as σ_in² with Xavier.")
    elif scale == 1.0:
        text = _(
            "One-hot input, a single 1 among {size} numbers, has E x² = 1/{size}, as σ_in² with Xavier; noise has 1."
        )
    yield text.format(size=size, scale=plain(scale, ".3g"), square=number((scale / unit) ** 2))
    yield from slope_notes(config, schemes)


def slope_notes(config: Config, schemes: Sequence[str]) -> Iterator[str]:
    """Yield what theory expects of the gradient under a smaller input and under noise, for one scheme."""
    known = (name for name in schemes if SCHEMES[name].random and SCHEMES[name].mean(8, 8) == 0)
    scheme = next(known, None)
    if scheme is None or not CELLS[config.cell].has_matrix_jacobian or config.input_scale >= config.noise_scale:
        return
    ours, noise = factors(config.replace(scheme=scheme))
    if ours > CLEARLY * noise > 0:
        text = _(
            "The smaller input leaves {activation} on steeper slopes: with {scheme} and many units, theory expects "
            "×{ours} per step back instead of ×{noise}."
        )
        values = {"ours": number(ours), "noise": number(noise)}
        yield text.format(activation=_(ACTIVATIONS[config.activation].label), scheme=_(SCHEMES[scheme].short), **values)


def factors(config: Config) -> tuple[float, float]:
    """Return theory's factor of the gradient's norm per step in the long run: under this input, and under noise."""
    phi, size, hidden = ACTIVATIONS[config.activation], config.sizes[0], config.hidden_size
    reading = SCHEMES[config.input_scheme or config.scheme]
    if reading.mean(size, hidden) != 0:
        return 0.0, 0.0
    width, bias = sigma_w(config), SCHEMES[config.scheme].bias_variance(hidden)
    noise = size * reading.variance(size, hidden)
    variances = (noise * (config.input_scale / config.noise_scale) ** 2 + bias, noise + bias)
    ours, under_noise = (math.sqrt(fixed_point(phi, width, math.sqrt(variance)).chi) for variance in variances)
    return ours, under_noise


def loss_notes(trace: Trace) -> Iterator[str]:
    """Yield how the losses of several steps become one, with its size for the first scheme."""
    config, loss = trace.config, float(median(np.atleast_2d(trace.loss)[0]))
    if applies("loss_reduction", config.to_dict()) and np.isfinite(loss):
        values = {"loss": number(loss, digits=3), "each": number(loss / config.seq_len, digits=3)}
        note = _(LOSS_REDUCTIONS[config.loss_reduction].note)
        yield note.format(steps=config.seq_len, scheme=trace.names[0], **values)


def layer_notes(trace: Trace) -> Iterator[str]:
    """Yield the mean singular value of a layer's Jacobian in each scheme's first network, where there is one step."""
    config = trace.config
    work = len(trace.schemes) * (config.layers - 1) * float(config.hidden_size) ** 3
    if config.seq_len > 1 or not 0 < work <= MOST_WORK or not CELLS[config.cell].has_matrix_jacobian:
        return
    means = [mean_singular_value(trace, k) for k in range(len(trace.schemes))]
    each = [
        _("{value} with {scheme}").format(value=number(mean), scheme=name)
        for mean, name in zip(means, trace.names, strict=True)
        if np.isfinite(mean)
    ]
    if each:
        text = _(
            "Feed-forward: a layer's Jacobian ∂h(l)/∂h(l−1) has the mean singular value {values}. Glorot & Bengio "
            "(2010) report about 0.8 for their initialisation and 0.5 for U[−1/√n, 1/√n], with tanh."
        )
        yield text.format(values=listed(each))


def mean_singular_value(trace: Trace, k: int) -> float:
    """Return the mean over the layers above the first and over all directions, along the first sequence."""
    jacobians = np.array(layer_jacobians(trace.parameters(k), trace.layer_inputs(1, k)[:, :1], trace.config.activation))
    return float(singular_values(jacobians).mean()) if np.isfinite(jacobians).all() else math.nan
