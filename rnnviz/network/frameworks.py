"""Networks of PyTorch and Keras in this project's arrays; neither library is imported: their objects bring all along.

PyTorch keeps ``W`` as (out, in), in the gate order i f g o and r z n, with two biases that it adds. Keras keeps ``W``
as (in, out), in the order i f c o and z r h. Both add a GRU's second bias of n inside the reset gate's product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..text.language import _
from ..text.registry import explain_choice, shorten
from .layers import name_in

Array = np.ndarray
TORCH_MODES = {
    "RNN_TANH": ("rnn", "tanh"),
    "RNN_RELU": ("rnn", "relu"),
    "LSTM": ("lstm", "tanh"),
    "GRU": ("gru", "tanh"),
}
TORCH_LIMITS = {"bidirectional": False, "proj_size": 0, "dropout": 0.0}
KERAS_LIMITS = {"go_backwards": False, "reset_after": True}
KERAS_LAYERS = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
KERAS_GATES = (1, 0, 2)  # where r, z, n are in Keras's z, r, h
# Activations that mean the same here and in Keras, whose leaky ReLU has another slope.
SAME = ("tanh", "sigmoid", "relu", "linear", "elu", "selu", "gelu", "softsign", "hard_tanh")


def from_torch(module: Any, readout: Any = None) -> dict[str, Any]:
    """Return a ``torch.nn.RNN``, ``LSTM`` or ``GRU`` and its readout as arguments of `trace` and ``Dashboard``.

    Parameters
    ----------
    module : any number of layers, in one direction. ``batch_first`` does not matter: `trace` reads ``x`` as (T, B, D).
    readout : the ``torch.nn.Linear`` that turns the state into O classes.

    Returns
    -------
    dict ``params`` (float64 copies), ``cell``, ``activation``.

    Raises
    ------
    ValueError : for another module, several directions, a projection, dropout, or a missing or unfitting readout.
    """
    if getattr(module, "mode", None) not in TORCH_MODES:
        raise ValueError(
            _("from_torch takes a torch.nn.RNN, LSTM or GRU; got {received}.").format(received=kind(module))
        )
    check_limits(module, TORCH_LIMITS)
    cell, activation = TORCH_MODES[module.mode]
    params: dict[str, Array] = {}
    for layer in range(1, module.num_layers + 1):
        params |= {name_in(name, layer): value for name, value in torch_layer(module, layer, cell).items()}
    if getattr(readout, "weight", None) is None or readout.weight.ndim != 2:
        needed = _("from_torch also needs the torch.nn.Linear that reads the state: from_torch(module, readout).")
        raise ValueError(needed)
    W_hy = torch_array(readout, "weight").T
    return collected(params, W_hy, torch_array(readout, "bias", W_hy.shape[1]), cell, activation)


def torch_layer(module: Any, layer: int, cell: str) -> dict[str, Array]:
    """Return the parameters of one layer, counted from 1; torch counts from 0."""
    W_xh, W_hh = (torch_array(module, f"weight_{name}_l{layer - 1}").T for name in ("ih", "hh"))
    b_x, b_h = (torch_array(module, f"bias_{name}_l{layer - 1}", W_xh.shape[1]) for name in ("ih", "hh"))
    return {"W_xh": W_xh, "W_hh": W_hh, **biases(b_x, b_h, module.hidden_size if cell == "gru" else 0)}


def torch_array(module: Any, name: str, size: int = 0) -> Array:
    """Return a tensor of a module as a float64 copy, or ``size`` zeros where the module has none (``bias=False``)."""
    tensor = getattr(module, name, None)
    return np.zeros(size) if tensor is None else tensor.detach().double().cpu().numpy().copy()


def from_keras(layer: Any, readout: Any = None) -> dict[str, Any]:
    """Return a Keras ``SimpleRNN``, ``LSTM`` or ``GRU`` and its readout as arguments of `trace` and ``Dashboard``.

    Parameters
    ----------
    layer : a built layer; a GRU with ``reset_after=True``, gates with a sigmoid.
    readout : the built ``Dense`` that turns the state into O classes, without an activation or with softmax.

    Returns
    -------
    dict ``params`` (float64 copies), ``cell``, ``activation``.

    Raises
    ------
    ValueError : for another layer, one that is not built, computes something else, or lacks a readout.
    """
    if not hasattr(layer, "recurrent_initializer") or not hasattr(layer, "get_weights"):
        raise ValueError(_("from_keras takes a SimpleRNN, LSTM or GRU; got {received}.").format(received=kind(layer)))
    check_limits(layer, KERAS_LIMITS)
    cell = "gru" if hasattr(layer, "reset_after") else "lstm" if hasattr(layer, "unit_forget_bias") else "rnn"
    activation = keras_activation(layer, "activation", SAME)
    if cell != "rnn":
        keras_activation(layer, "recurrent_activation", ("sigmoid",))
    if not hasattr(readout, "kernel"):
        needed = _("from_keras also needs the built Dense layer that reads the state: from_keras(layer, readout).")
        raise ValueError(needed)
    keras_activation(readout, "activation", ("linear", "softmax"))
    W_hy, *b_y = keras_arrays(readout)
    params = keras_recurrent(keras_arrays(layer), cell)
    return collected(params, W_hy, b_y[0] if b_y else np.zeros(W_hy.shape[1]), cell, activation)


def keras_recurrent(weights: list[Array], cell: str) -> dict[str, Array]:
    """Return kernel, recurrent kernel and perhaps bias of a layer as ``W_xh``, ``W_hh`` and biases."""
    W_xh, W_hh, *bias = weights
    size, wide = W_hh.shape
    if cell != "gru":
        return {"W_xh": W_xh, "W_hh": W_hh, "b_h": bias[0] if bias else np.zeros(wide)}
    pair = bias[0] if bias else np.zeros((2, wide))
    W_xh, W_hh, (b_x, b_h) = (regrouped(each, KERAS_GATES, size) for each in (W_xh, W_hh, pair))
    return {"W_xh": W_xh, "W_hh": W_hh, **biases(b_x, b_h, size)}


def keras_arrays(layer: Any) -> list[Array]:
    """Return a layer's weights as float64 copies; ValueError where it has none yet."""
    weights = layer.get_weights()
    if not weights:
        raise ValueError(_("{received} has no weights yet: call it once, or its build().").format(received=kind(layer)))
    return [np.array(each, dtype=float) for each in weights]


def keras_activation(layer: Any, name: str, allowed: tuple[str, ...]) -> str:
    """Return the name of a layer's activation; ValueError for one that is computed otherwise here."""
    value = getattr(getattr(layer, name), "__name__", "")
    if value not in allowed:
        raise ValueError(explain_choice(name, value, allowed))
    return value


def regrouped(a: Array, order: tuple[int, ...], size: int) -> Array:
    """Return an array (..., kH) with its k blocks of ``size`` columns in another order.

    >>> regrouped(np.arange(6), (1, 0, 2), 2)
    array([2, 3, 0, 1, 4, 5])
    """
    return np.concatenate([a[..., k * size : (k + 1) * size] for k in order], axis=-1)


def biases(b_x: Array, b_h: Array, apart: int) -> dict[str, Array]:
    """Return the sum of two biases as ``b_h``; of the last ``apart`` entries, a GRU's n, the second one is ``b_hn``."""
    if not apart:
        return {"b_h": b_x + b_h}
    return {"b_h": np.append((b_x + b_h)[:-apart], b_x[-apart:]), "b_hn": b_h[-apart:].copy()}


def collected(params: dict[str, Array], W_hy: Array, b_y: Array, cell: str, activation: str) -> dict[str, Any]:
    """Return the arguments of `trace`; ValueError where the readout reads another number of units."""
    size = params["W_hh"].shape[0]
    if len(W_hy) != size:
        text = _("The readout takes {received} numbers, but the state has {size}.")
        raise ValueError(text.format(received=len(W_hy), size=size))
    return {"params": params | {"W_hy": W_hy, "b_y": b_y}, "cell": cell, "activation": activation}


def check_limits(module: Any, limits: dict[str, Any]) -> None:
    """Raise a ValueError for a module that computes what these functions do not translate."""
    for name, wanted in limits.items():
        value = getattr(module, name, wanted)
        if value != wanted:
            text = _("{name} must be {wanted}; got {received}.")
            raise ValueError(text.format(name=name, wanted=wanted, received=shorten(value)))


def kind(thing: Any) -> str:
    return type(thing).__name__
