"""rnnviz: why the scale of the initial weights decides whether a recurrent network can learn over time."""

from . import activations, cells, inputs, schemes
from .bptt import Gradients, bptt
from .config import Config
from .draws import init_params
from .runs import Trace, compare, run

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


def __getattr__(name: str):
    # The dashboard brings matplotlib and ipywidgets, which who only computes need not have.
    import importlib

    if name == "Dashboard":
        return importlib.import_module(".dashboard", __name__).Dashboard
    if name in ("spectrum", "theory"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
