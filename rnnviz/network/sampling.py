"""Draw the weights and the inputs of an experiment, each from its own stream of random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..text.language import _
from ..text.number_format import plain
from .cells import CELLS, Cell
from .config import Config, applies
from .inputs import INPUTS, Sizes, check_targets
from .layers import name_in
from .schemes import SCHEMES, Scheme

Array = np.ndarray
STREAMS = ("W_xh", "W_hh", "W_hy", "bias", "inputs", "layers", "batches", "tests")
NOTHING = 1e-12  # a spectral radius below this share of the matrix's norm is rounding


def stream(seed: int, name: str, *which: int) -> np.random.Generator:
    """Return the generator for one of ``STREAMS``, so that changing one scheme leaves the other draws unchanged.

    It equals the name's entry of ``np.random.default_rng(seed).spawn(len(STREAMS))``; ``which`` numbers the streams
    that this one spawns.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAMS.index(name), *which)))


def init_params(config: Config, sizes: tuple[int, int] | None = None) -> dict[str, Array]:
    """Draw the parameters of one network.

    W_hh, W_hy and the biases follow ``config.scheme``, W_xh follows ``config.input_scheme`` (None: the same). The gates
    of an LSTM or GRU are drawn one by one, with fan_out H, unless a framework draws them as one matrix. Biases are 0
    (``forget_bias`` at an LSTM's forget gate), unless a framework draws them: then ``forget_bias`` has no effect. In
    the layers above the first, W_xh follows ``config.scheme`` and ``config.gain``, as W_hh does; each of these layers
    has random numbers of its own, so that adding one leaves the others unchanged. ``sizes`` are D and O where they are
    not ``config.sizes``.

    Returns
    -------
    dict ``W_xh (D, kH)``, ``W_hh (H, kH)``, ``b_h (kH,)``, a GRU's ``b_hn (H,)``, ``W_hy (H, O)``, ``b_y (O,)``; of
    the second layer ``W_xh_2 (H, kH)``, ``W_hh_2 (H, kH)``, ``b_h_2 (kH,)``, a GRU's ``b_hn_2 (H,)``, and so on.

    >>> {name: value.shape for name, value in init_params(Config(cell="gru", hidden_size=4)).items()}
    {'W_xh': (32, 12), 'W_hh': (4, 12), 'b_h': (12,), 'b_hn': (4,), 'W_hy': (4, 10), 'b_y': (10,)}
    """
    scheme, seed = config.scheme, config.seed
    inputs, classes = sizes or config.sizes
    bias = stream(seed, "bias")
    rngs = stream(seed, "W_xh"), stream(seed, "W_hh"), bias
    params = draw_layer(config, 1, inputs, config.input_scheme or scheme, rngs)
    for layer in range(2, config.layers + 1):
        drawn = draw_layer(config, layer, config.hidden_size, scheme, (stream(seed, "layers", layer),) * 3)
        params |= {name_in(name, layer): value for name, value in drawn.items()}
    params["W_hy"] = draw(scheme, "output", stream(seed, "W_hy"), config.hidden_size, classes, 1)
    params["b_y"] = draw_bias(config, CELLS[config.cell], "b_y", (classes,), bias)
    return params


def draw_layer(config: Config, layer: int, inputs: int, input_scheme: str, rngs: Sequence) -> dict[str, Array]:
    """Draw one layer, its W_xh, W_hh and biases each by a generator of ``rngs``."""
    cell, hidden = CELLS[config.cell], config.hidden_size
    blocks = len(cell.gates)
    between = config.gain if layer > 1 and applies("gain", config.to_dict()) else 1.0
    params = {
        "W_xh": draw(input_scheme, "input", rngs[0], inputs, hidden, blocks, between),
        "W_hh": draw(config.scheme, "recurrent", rngs[1], hidden, hidden, blocks, gain_of(config, layer)),
    }
    for name, shape in cell.shapes(inputs, hidden).items():
        if name not in params:
            params[name] = draw_bias(config, cell, name, shape, rngs[2])
    return params


def draw(scheme: str, role: str, rng, fan_in: int, fan_out: int, blocks: int, gain: float = 1.0) -> Array:
    """Draw a matrix (fan_in, blocks * fan_out), gate by gate unless the scheme draws it whole."""
    entry = SCHEMES[scheme]
    fn = entry.fn_for(role)
    if entry.whole:
        return fn(rng, fan_in, blocks * fan_out, gain)
    return np.concatenate([fn(rng, fan_in, fan_out, gain) for _ in range(blocks)], axis=1)


def gain_of(config: Config, layer: int = 1) -> float:
    """Return the factor on the W_hh that the scheme draws: the gain, or what gives it the spectral radius.

    Raises
    ------
    ValueError : where the matrix has the spectral radius 0, which no factor changes.
    """
    if applies("gain", config.to_dict()):
        return config.gain
    drawn = drawn_radius(SCHEMES[config.scheme], config.seed, config.hidden_size, layer)
    if drawn == 0.0:
        text = _("spectral_radius cannot be {radius}: the W_hh of {scheme} at seed {seed} has the radius 0.")
        names = {"radius": plain(config.spectral_radius, ".6g"), "scheme": _(SCHEMES[config.scheme].short)}
        raise ValueError(text.format(**names, seed=config.seed))
    return config.spectral_radius / drawn


def median_gain(config: Config, seeds: Sequence[int] = ()) -> float:
    """Return the median of `gain_of` over the seeds, by default the Config's own."""
    return float(np.median([gain_of(config.replace(seed=seed)) for seed in seeds or (config.seed,)]))


@lru_cache(maxsize=4096)
def drawn_radius(scheme: Scheme, seed: int, size: int, layer: int) -> float:
    """Return the largest magnitude of an eigenvalue of an RNN's W_hh as drawn; 0 where rounding hides it."""
    if scheme.orthogonal:
        return 1.0
    rng = stream(seed, "W_hh") if layer == 1 else stream(seed, "layers", layer)
    if layer > 1:
        scheme.fn_for("input")(rng, size, size, 1.0)  # W_xh is drawn before, by the same generator
    W = scheme.fn_for("recurrent")(rng, size, size, 1.0)
    radius = float(np.abs(np.linalg.eigvals(W)).max())
    return radius if radius > NOTHING * np.linalg.norm(W) else 0.0


def draw_bias(config: Config, cell: Cell, name: str, shape: tuple[int, ...], rng) -> Array:
    """Draw one bias vector; where a framework adds two biases, draw their sum."""
    bias = SCHEMES[config.scheme].bias
    if bias is not None:
        b = bias(rng, config.hidden_size, shape[0])
        if name == "b_h":
            b = b + bias(rng, config.hidden_size, shape[0])
        if name == "b_h" and cell.recurrent_bias:
            alone = cell.block(cell.recurrent_bias, config.hidden_size)
            b[alone] = bias(rng, config.hidden_size, config.hidden_size)
        return b
    b = np.zeros(shape)
    if name == "b_h" and cell.forget_gate:
        b[cell.block(cell.forget_gate, config.hidden_size)] = config.forget_bias
    return b


def draw_inputs(config: Config) -> tuple[Array, Array]:
    """Return ``x`` (T, B, D), scaled by ``input_scale``, and the targets (T, B)."""
    sizes = Sizes(config.seq_len, config.batch_size, *config.sizes)
    x, targets = INPUTS[config.inputs].fn(stream(config.seed, "inputs"), sizes, config.source)
    if x.shape != (sizes.seq_len, sizes.batch_size, sizes.input_size):
        raise ValueError(f"x of inputs {config.inputs!r} must have the shape (T, B, D) of {sizes}; got {x.shape}")
    check_targets(targets, sizes.seq_len, sizes.batch_size, sizes.output_size)
    return config.input_scale * x, targets
