"""PyTorch and Keras code that loads a network's weights from its ``.npz`` file and runs it on the same batch."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ..engine.trace import Trace
from ..network.cells import CELLS
from ..network.config import Config
from ..network.frameworks import KERAS_GATES, KERAS_LAYERS, SAME, TORCH_MODES
from ..network.losses import loss_weight
from ..text.language import _
from .code import literal

TORCH_NAMES = {meaning: mode.partition("_") for mode, meaning in TORCH_MODES.items()}


def npz(trace: Trace) -> bytes:
    """Return the first network of a comparison and what it read as ``.npz``: its params, ``x`` and ``targets``."""
    one = trace.as_comparison()
    x, targets = one.inputs()
    out = io.BytesIO()
    arrays: dict[str, Any] = {**one.parameters(), "x": x, "targets": targets}
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def pytorch(config: Config, file: str) -> str:
    """Return PyTorch code that loads ``file`` and computes loss, states and ``log10_grad_norm`` of steps 1 to T."""
    found = TORCH_NAMES.get((config.cell, config.activation))
    if found is None:
        return refusal("PyTorch", config)
    name, _line, nonlinearity = found
    inputs, classes = config.sizes
    more = f', nonlinearity="{nonlinearity.lower()}"' if nonlinearity else ""
    lines = [
        "import numpy as np",
        "import torch",
        "",
        f"saved = {{name: torch.tensor(value) for name, value in np.load({literal(file)}).items()}}",
        f"layer = torch.nn.{name}({inputs}, {config.hidden_size}{more}, dtype=torch.float64)",
        f"readout = torch.nn.Linear({config.hidden_size}, {classes}, dtype=torch.float64)",
        *torch_weights(config),
        "",
        *torch_steps(config),
    ]
    return "\n".join(lines) + "\n"


def torch_weights(config: Config) -> list[str]:
    """Return the lines that give the layer and the readout their weights."""
    own_bias = CELLS[config.cell].recurrent_bias
    return [
        _("# PyTorch keeps W as (out, in), and adds two biases: the first takes their sum."),
        "with torch.no_grad():",
        '    layer.weight_ih_l0.copy_(saved["W_xh"].T)',
        '    layer.weight_hh_l0.copy_(saved["W_hh"].T)',
        '    layer.bias_ih_l0.copy_(saved["b_h"])',
        "    layer.bias_hh_l0.zero_()",
        *([f'    layer.bias_hh_l0[-{config.hidden_size} :] = saved["b_h{own_bias}"]'] if own_bias else []),
        '    readout.weight.copy_(saved["W_hy"].T)',
        '    readout.bias.copy_(saved["b_y"])',
    ]


def torch_steps(config: Config) -> list[str]:
    """Return the lines that run the layer step by step, so that every state keeps its gradient."""
    state = "state[0]" if len(CELLS[config.cell].states) > 1 else "state"
    cut = "[-1:]" if config.loss_at == "last" else ""
    weight = loss_weight(config.loss_at, config.loss_reduction, config.seq_len)
    factor = "" if weight == 1 else f"{literal(weight)} * "
    return [
        "state, h = None, []",
        'for x_t in saved["x"]:',
        "    _, state = layer(x_t[None], state)",
        f"    h.append({state})",
        "    h[-1].retain_grad()",
        f'pairs = zip(h{cut}, saved["targets"]{cut})',
        f"loss = {factor}sum(torch.nn.functional.cross_entropy(readout(h_t[0]), y) for h_t, y in pairs)",
        "loss.backward()",
        _("# Steps 1 to T, as the page shows them."),
        "log10_grad_norm = [h_t.grad.norm().log10().item() for h_t in h]",
    ]


def keras(config: Config, file: str) -> str:
    """Return Keras code that loads ``file`` and computes the states ``h`` (B, T, H) and the logits."""
    name = KERAS_LAYERS.get(config.cell)
    if name is None or config.activation not in SAME:
        return refusal("Keras", config)
    inputs, classes = config.sizes
    more = f"activation={literal(config.activation)}, return_sequences=True"
    lines = [
        "import os",
        "",
        'os.environ.setdefault("KERAS_BACKEND", "torch")',
        "import keras",
        "import numpy as np",
        "",
        'keras.config.set_floatx("float64")',
        f"saved = np.load({literal(file)})",
        f"layer, readout = keras.layers.{name}({config.hidden_size}, {more}), keras.layers.Dense({classes})",
        f"layer.build((None, None, {inputs}))",
        f"readout.build((None, {config.hidden_size}))",
        *keras_weights(config),
        'readout.set_weights([saved["W_hy"], saved["b_y"]])',
        "",
        _("# Keras reads (B, T, D)."),
        'h = layer(saved["x"].transpose(1, 0, 2))',
        "logits = readout(h)",
    ]
    return "\n".join(lines) + "\n"


def keras_weights(config: Config) -> list[str]:
    """Return the lines that give the layer its weights."""
    own_bias, size = CELLS[config.cell].recurrent_bias, config.hidden_size
    if not own_bias:
        return ['layer.set_weights([saved["W_xh"], saved["W_hh"], saved["b_h"]])']
    gates = ", ".join(f"{k * size}:{(k + 1) * size}" for k in KERAS_GATES)
    return [
        _("# Keras's gates come in the order z, r, h, and the GRU has two biases."),
        f"order = np.r_[{gates}]",
        f'second = np.append(np.zeros({2 * size}), saved["b_h{own_bias}"])',
        'bias = np.stack([saved["b_h"], second])',
        'layer.set_weights([array[:, order] for array in (saved["W_xh"], saved["W_hh"], bias)])',
    ]


def refusal(library: str, config: Config) -> str:
    """Return a comment that says why there is no code."""
    text = _("# {library} has no layer that computes this {cell} with this activation.")
    return text.format(library=library, cell=_(CELLS[config.cell].label)) + "\n"
