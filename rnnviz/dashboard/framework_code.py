"""PyTorch and Keras code that loads a network's weights from its ``.npz`` file and runs it on the same batch."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from ..engine.trace import Trace
from ..network.cells import CELLS
from ..network.config import Config
from ..network.frameworks import KERAS_GATES, KERAS_LAYERS, SAME, TORCH_MODES
from ..network.layers import name_in
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
    more = f", num_layers={config.layers}" if config.layers > 1 else ""
    more += f', nonlinearity="{nonlinearity.lower()}"' if nonlinearity else ""
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
    """Return the lines that give the layers and the readout their weights."""
    return [
        _("# PyTorch keeps W as (out, in), and adds two biases: the first takes their sum."),
        "with torch.no_grad():",
        *(line for layer in range(1, config.layers + 1) for line in torch_layer(config, layer)),
        '    readout.weight.copy_(saved["W_hy"].T)',
        '    readout.bias.copy_(saved["b_y"])',
    ]


def torch_layer(config: Config, layer: int) -> list[str]:
    """Return the lines that give one layer, counted from 1, its weights."""
    own_bias, at = CELLS[config.cell].recurrent_bias, f"l{layer - 1}"
    lines = [
        f'    layer.weight_ih_{at}.copy_(saved["{name_in("W_xh", layer)}"].T)',
        f'    layer.weight_hh_{at}.copy_(saved["{name_in("W_hh", layer)}"].T)',
        f'    layer.bias_ih_{at}.copy_(saved["{name_in("b_h", layer)}"])',
        f"    layer.bias_hh_{at}.zero_()",
    ]
    if own_bias:
        name = name_in(f"b_h{own_bias}", layer)
        lines.append(f'    layer.bias_hh_{at}[-{config.hidden_size} :] = saved["{name}"]')
    return lines


def torch_steps(config: Config) -> list[str]:
    """Return the lines that run the layers step by step, so that every state keeps its gradient."""
    if config.truncate and config.loss_at == "every":
        return torch_windows(config)
    gated = len(CELLS[config.cell].states) > 1
    start = config.seq_len - config.truncate if config.truncate else 0
    cut = "tuple(part.detach() for part in state)" if gated else "state.detach()"
    detach = [f"    if len(h) == {start - 1}:  # before step {start}", f"        state = {cut}"] if start > 1 else []
    losses = "[-1:]" if config.loss_at == "last" else ""
    norm = "h_t.grad[-1].norm().log10().item()"
    return [
        "state, h = None, []",
        'for x_t in saved["x"]:',
        *detach,
        "    _, state = layer(x_t[None], state)",
        f"    h.append({'state[0]' if gated else 'state'})",
        "    h[-1].retain_grad()",
        f'pairs = zip(h{losses}, saved["targets"]{losses})',
        f"loss = {factor_of(config)}sum(torch.nn.functional.cross_entropy(readout(h_t[-1]), y) for h_t, y in pairs)",
        "loss.backward()",
        _("# Steps 1 to T, as the page shows them."),
        f"log10_grad_norm = [{norm}{' if h_t.grad is not None else -np.inf' if detach else ''} for h_t in h]",
    ]


def torch_windows(config: Config) -> list[str]:
    """Return the lines that run the steps that each loss reaches back to, and add up the gradients."""
    state = "state[0]" if len(CELLS[config.cell].states) > 1 else "state"
    return [
        "state, before, h = None, [], []",
        "with torch.no_grad():",
        '    for x_t in saved["x"]:',
        "        before.append(state)",
        "        _, state = layer(x_t[None], state)",
        f"        h.append({state})",
        "loss, grads = 0.0, [0.0 for _ in h]",
        'for t, y in enumerate(saved["targets"]):',
        f"    first = max(t - {config.truncate}, 0)",
        "    state, window = before[first], []",
        '    for x_t in saved["x"][first : t + 1]:',
        "        _, state = layer(x_t[None], state)",
        f"        window.append({state})",
        "        window[-1].retain_grad()",
        f"    part = {factor_of(config)}torch.nn.functional.cross_entropy(readout(window[-1][-1]), y)",
        "    part.backward()",
        "    loss = loss + part.detach()",
        "    for s, h_s in enumerate(window, first):",
        "        grads[s] = grads[s] + h_s.grad[-1]",
        _("# Steps 1 to T, as the page shows them."),
        "log10_grad_norm = [grad.norm().log10().item() for grad in grads]",
    ]


def factor_of(config: Config) -> str:
    """Return what each loss is multiplied by, with the sign of the product, "" for 1."""
    weight = loss_weight(config.loss_at, config.loss_reduction, config.seq_len)
    return "" if weight == 1 else f"{literal(weight)} * "


def keras(config: Config, file: str) -> str:
    """Return Keras code that loads ``file`` and computes the states ``h`` (B, T, H) and the logits."""
    if config.cell not in KERAS_LAYERS or config.activation not in SAME:
        return refusal("Keras", config)
    layers = [name_in("layer", layer) for layer in range(1, config.layers + 1)]
    lines = [
        "import os",
        "",
        'os.environ.setdefault("KERAS_BACKEND", "torch")',
        "import keras",
        "import numpy as np",
        "",
        'keras.config.set_floatx("float64")',
        f"saved = np.load({literal(file)})",
        *keras_order(config),
        *(line for number in range(1, config.layers + 1) for line in keras_layer(config, number)),
        f"readout = keras.layers.Dense({config.sizes[1]})",
        f"readout.build((None, {config.hidden_size}))",
        'readout.set_weights([saved["W_hy"], saved["b_y"]])',
        "",
        _("# Keras reads (B, T, D)."),
        'h = saved["x"].transpose(1, 0, 2)',
        *(f"h = {layer}(h)" for layer in layers),
        "logits = readout(h)",
    ]
    return "\n".join(lines) + "\n"


def keras_order(config: Config) -> list[str]:
    """Return the lines that say where a GRU's gates come from."""
    size = config.hidden_size
    if not CELLS[config.cell].recurrent_bias:
        return []
    gates = ", ".join(f"{k * size}:{(k + 1) * size}" for k in KERAS_GATES)
    return [_("# Keras's gates come in the order z, r, h, and the GRU has two biases."), f"order = np.r_[{gates}]"]


def keras_layer(config: Config, number: int) -> list[str]:
    """Return the lines that make one layer, counted from 1, and give it its weights."""
    own_bias, size = CELLS[config.cell].recurrent_bias, config.hidden_size
    name, reads = name_in("layer", number), config.sizes[0] if number == 1 else size
    made = f"keras.layers.{KERAS_LAYERS[config.cell]}({size}, activation={literal(config.activation)}"
    lines = [f"{name} = {made}, return_sequences=True)", f"{name}.build((None, None, {reads}))"]
    W_xh, W_hh, b_h = (f'saved["{name_in(each, number)}"]' for each in ("W_xh", "W_hh", "b_h"))
    if not own_bias:
        return [*lines, f"{name}.set_weights([{W_xh}, {W_hh}, {b_h}])"]
    second = f'np.append(np.zeros({2 * size}), saved["{name_in(f"b_h{own_bias}", number)}"])'
    return [
        *lines,
        f"bias = np.stack([{b_h}, {second}])",
        f"{name}.set_weights([array[:, order] for array in ({W_xh}, {W_hh}, bias)])",
    ]


def refusal(library: str, config: Config) -> str:
    """Return a comment that says why there is no code."""
    text = _("# {library} has no layer that computes this {cell} with this activation.")
    return text.format(library=library, cell=_(CELLS[config.cell].label)) + "\n"
