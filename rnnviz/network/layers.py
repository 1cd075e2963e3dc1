"""The parameters of stacked layers: the first layer's names are those of a single one, ``W_xh_2`` is the second's."""

from __future__ import annotations

import numpy as np

from .cells import Cell, Params

Array = np.ndarray
READOUT = ("W_hy", "b_y")


def name_in(name: str, layer: int) -> str:
    """Return the name of a parameter of a layer, counted from 1.

    >>> name_in("W_hh", 1), name_in("W_hh", 2)
    ('W_hh', 'W_hh_2')
    """
    return name if layer == 1 else f"{name}_{layer}"


def layer_of(name: str) -> int:
    """Return the layer that a parameter belongs to, counted from 1; 0 for the readout."""
    number = name.rpartition("_")[2]
    return 0 if name in READOUT else int(number) if number.isdecimal() else 1


def count_layers(params: Params) -> int:
    """Return the number of layers that have a W_hh, at least 1."""
    count = 1
    while name_in("W_hh", count + 1) in params:
        count += 1
    return count


def layer_params(params: Params, layer: int) -> Params:
    """Return one layer's parameters, counted from 1, under the names that a single layer has."""
    return {name.removesuffix(f"_{layer}"): value for name, value in params.items() if layer_of(name) == layer}


def first_layers(params: Params, count: int) -> Params:
    """Return the parameters of the ``count`` lowest layers, without a readout."""
    return {name: value for name, value in params.items() if 1 <= layer_of(name) <= count}


def layers_above(params: Params, layer: int) -> Params:
    """Return the parameters of the layers above one as those of a network that reads its states."""
    above: Params = {}
    for number in range(layer + 1, count_layers(params) + 1):
        above |= {name_in(name, number - layer): value for name, value in layer_params(params, number).items()}
    return above | {name: params[name] for name in READOUT}


def network_shapes(cell: Cell, inputs: int, hidden: int, classes: int, layers: int = 1) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all parameters of a network; every layer above the first reads H numbers."""
    shapes = cell.shapes(inputs, hidden)
    for layer in range(2, layers + 1):
        shapes |= {name_in(name, layer): shape for name, shape in cell.shapes(hidden, hidden).items()}
    return shapes | {"W_hy": (hidden, classes), "b_y": (classes,)}


def has_gain(name: str) -> bool:
    """Return whether the gain is a factor on a parameter: on every W_hh, and on W_xh of the layers above the first."""
    return name.startswith("W_hh") or (name.startswith("W_xh") and layer_of(name) > 1)


def with_gain(params: Params, gain: float) -> Params:
    """Return the parameters with those that have a gain multiplied by ``gain``."""
    return {name: gain * value if has_gain(name) else value for name, value in params.items()}
