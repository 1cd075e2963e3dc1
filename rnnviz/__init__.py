"""rnnviz: why the scale of the initial weights decides whether a recurrent network can learn over time."""

from .engine.bptt import Gradients, bptt
from .engine.runs import Trace, compare, run
from .network import activations, cells, inputs, schemes
from .network.config import Config
from .network.sampling import init_params

__version__ = "0.1.0"
__all__ = [
    "Config",
    "Dashboard",
    "Gradients",
    "Trace",
    "activations",
    "bptt",
    "cells",
    "compare",
    "init_params",
    "inputs",
    "run",
    "schemes",
    "spectrum",
    "theory",
]


LAZY = {"Dashboard": (".dashboard", "Dashboard"), "spectrum": (".theory.spectrum", ""), "theory": (".theory", "")}


def __getattr__(name: str):
    # Imported lazily: numerical users need neither matplotlib nor ipywidgets.
    from importlib import import_module

    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place, attribute = LAZY[name]
    module = import_module(place, __name__)
    return getattr(module, attribute) if attribute else module
