"""Short summaries of results: text at a prompt, HTML with pictures in a notebook; imported when one is shown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from .engine.bptt import Gradients
from .engine.trace import Trace
from .network.activations import ACTIVATIONS
from .network.cells import CELLS
from .network.config import Config, applies, label_of
from .network.losses import LOSS_REDUCTIONS
from .numerics.quantiles import median
from .story.verdict import sentences
from .text.language import _
from .text.number_format import number
from .text.registry import shorten

Array = np.ndarray
PICTURES = ("gradient", "state")
SIZE = {"width": 450, "height": 320}  # CSS pixels
LINES = 12  # sentences shown; a comparison may have more schemes


def config_html(config: Config) -> str:
    """Return the settings that differ from their defaults, and the sizes."""
    rows = [(label_of(name), shorten(value)) for name, value in config.changed.items()]
    return table(rows) + paragraph(sizes(config))


def trace_text(trace: Trace) -> str:
    """Return what was run, its loss, and a sentence per scheme about the state and the gradient."""
    runs = f" of {len(trace.schemes)} schemes x {len(trace.seeds)} seeds" if np.ndim(trace.loss) else ""
    return "\n  ".join([f"Trace{runs}: {sizes(trace.config)}", *verdicts(trace), losses(trace)])


def trace_html(trace: Trace) -> str:
    """Return the same with pictures of the gradient and of the state."""
    lines = [*verdicts(trace), sizes(trace.config), losses(trace)]
    return "".join(map(paragraph, lines)) + "".join(pictures(trace))


def gradients_text(gradients: Gradients) -> str:
    """Return the loss, the shapes and norms of the gradients, and the norm of dL/dh at both ends."""
    rows = [f"{name:10} {shape:16} norm {size}" for name, shape, size in norms(gradients)]
    return "\n  ".join([f"Gradients: {gradients_line(gradients)}", *rows])


def gradients_html(gradients: Gradients) -> str:
    """Return the same as a table."""
    return paragraph(gradients_line(gradients)) + table(norms(gradients))


def sizes(config: Config) -> str:
    """Return cell, activation and sizes on one line.

    >>> sizes(Config(cell="lstm"))
    'LSTM, tanh, H = 64, D = 32, O = 10, T = 50, B = 32'
    """
    inputs, classes = config.sizes
    layers = {"L": config.layers} if config.layers > 1 else {}
    counts = layers | {"H": config.hidden_size, "D": inputs, "O": classes, "T": config.seq_len, "B": config.batch_size}
    names = [_(CELLS[config.cell].label), _(ACTIVATIONS[config.activation].label)]
    return ", ".join(names + [f"{name} = {count}" for name, count in counts.items()])


def verdicts(trace: Trace) -> list[str]:
    """Return the sentences about the state and the gradient of each scheme, the first `LINES` of them."""
    said = sentences(trace.as_comparison())
    return said[:LINES] + ["…"] * (len(said) > LINES)


def losses(trace: Trace) -> str:
    """Return the median loss over seeds of each scheme, and what it is of the losses of several steps."""
    whole, config = trace.as_comparison(), trace.config
    several = applies("loss_reduction", config.to_dict())
    how = f" ({_(LOSS_REDUCTIONS[config.loss_reduction].label)})" if several else ""
    found = [number(float(loss), digits=3) for loss in median(whole.loss.T)]
    if len(found) == 1:
        return f"L = {found[0]}{how}"
    pairs = [f"{name} {loss}" for name, loss in zip(whole.names, found, strict=True)]
    return f"L: {', '.join(pairs[:LINES])}" + ", …" * (len(pairs) > LINES) + how


def pictures(trace: Trace) -> list[str]:
    """Return the views of `PICTURES` as <img> elements; none where matplotlib is not installed."""
    try:
        from .views import VIEWS, Canvas
    except ModuleNotFoundError:
        return []
    whole = trace.as_comparison()
    shown = [(VIEWS[name], VIEWS[name].data(whole)) for name in PICTURES]
    return [image(Canvas(view).png(data, **SIZE, scale=2.0), view.describe(data)) for view, data in shown]


def image(png: bytes, words: str) -> str:
    """Return a picture as an <img> element with its alt text."""
    style = f"width: {SIZE['width']}px; max-width: 100%"
    return f'<img src="data:image/png;base64,{b64encode(png).decode()}" alt="{escape(words)}" style="{style}">'


def gradients_line(gradients: Gradients) -> str:
    """Return the loss and the norm of dL/dh at the last step and at the first."""
    last = len(gradients.log10_grad_norm) - 1
    first, end = (number(float(gradients.log10_grad_norm[t]), log10=True) for t in (0, last))
    return f"L = {number(gradients.loss, digits=3)}, ‖∂L/∂h_{last}‖ = {end}, ‖∂L/∂h_0‖ = {first}"


def norms(gradients: Gradients) -> list[tuple[str, str, str]]:
    """Return name, shape and norm of each state's and each parameter's gradient."""
    states = {"d_h": gradients.d_h_by_layer, "d_c": gradients.d_c_by_layer}
    arrays = {
        name if len(each) == 1 else f"{name}_by_layer[{k}]": values
        for name, each in states.items()
        if each is not None
        for k, values in enumerate(each)
    }
    arrays |= {f"d_{name}": value for name, value in gradients.d_params.items()}
    return [(name, str(each.shape), number(norm(each))) for name, each in arrays.items()]


def norm(a: Array) -> float:
    """Return the Frobenius norm, also where the squares leave float64."""
    top = float(np.abs(a).max(initial=0.0))
    return top * float(np.linalg.norm(a / top)) if 0.0 < top < np.inf else top


def paragraph(text: str) -> str:
    """Return a text as an HTML paragraph."""
    return f"<p>{escape(text)}</p>"


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of texts as an HTML table, or nothing for no rows."""
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table>{body}</table>" if body else ""
