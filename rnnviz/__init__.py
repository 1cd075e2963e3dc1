"""rnnviz: why the scale of the initial weights decides whether a recurrent network can learn over time."""

from .engine.bptt import Gradients, bptt
from .engine.runs import compare, run, trace
from .engine.trace import Trace
from .learning import optimisers, problems
from .learning.train import train
from .learning.training import Training
from .network import activations, cells, inputs, schemes
from .network.config import Config
from .network.frameworks import from_keras, from_torch
from .network.sampling import init_params

__version__ = "0.1.0"
__all__ = [
    "Config",
    "Dashboard",
    "Gradients",
    "Note",
    "Trace",
    "Training",
    "Walk",
    "activations",
    "bptt",
    "cells",
    "compare",
    "from_keras",
    "from_torch",
    "init_params",
    "inputs",
    "optimisers",
    "plot",
    "problems",
    "run",
    "schemes",
    "spectrum",
    "sweep",
    "theory",
    "trace",
    "train",
]

LAZY = {
    "Dashboard": (".dashboard", "Dashboard"),
    "Note": (".story.note", "Note"),
    "plot": (".views", "plot"),
    "spectrum": (".theory.spectrum", ""),
    "sweep": (".learning.sweep", "sweep"),
    "theory": (".theory", ""),
    "Walk": (".story.walkthrough", "Walk"),
}


def __dir__() -> list[str]:
    return sorted({*globals(), *LAZY})


def __getattr__(name: str):
    # Imported lazily: numerical users need neither matplotlib nor ipywidgets.
    from importlib import import_module

    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place, attribute = LAZY[name]
    module = import_module(place, __name__)
    return getattr(module, attribute) if attribute else module


def _summarise() -> None:
    """Give the public classes their summaries: here, so that no floor imports from one above."""

    def shown_by(function: str):
        def show(self) -> str:
            from . import summaries  # when something is shown: not every program shows anything

            return getattr(summaries, function)(self)

        return show

    for kind, methods in {
        Config: {"_repr_html_": "config_html"},
        Gradients: {"__repr__": "gradients_text", "_repr_html_": "gradients_html"},
        Trace: {"__repr__": "trace_text", "_repr_html_": "trace_html"},
    }.items():
        for method, function in methods.items():
            setattr(kind, method, shown_by(function))


_summarise()
