"""One step forward and one step back of a small RNN, its equations with the actual numbers."""

from __future__ import annotations

import html
import os
from typing import Any

import numpy as np

from ..engine.bptt import bptt
from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.config import Config
from ..network.sampling import draw_inputs, init_params
from ..text.language import _, settle
from ..text.number_format import number

Array = np.ndarray

STYLE = """<style>
.rnnviz-step { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em; margin: 0.6em 0 1.2em; }
.rnnviz-step table.rnnviz-matrix { width: auto; margin: 0 auto; border-collapse: collapse;
  font-variant-numeric: tabular-nums;
  border-left: 2px solid currentColor; border-right: 2px solid currentColor; border-radius: 6px; }
.rnnviz-step table.rnnviz-matrix td { padding: 0.1em 0.5em; border: none; text-align: right; background: none; }
.rnnviz-step figure { margin: 0; padding-top: 1.4em; text-align: center; }
.rnnviz-step figcaption { font-size: 0.85em; line-height: 1.4em; height: 1.4em; opacity: 0.85; }
</style>"""


class Shown:
    """HTML for a notebook."""

    def __init__(self, body: str):
        self.body = body

    def _repr_html_(self) -> str:
        return STYLE + self.body

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.body)} characters of HTML>"


def matrix(name: str, values: Array) -> str:
    """Return an array as an HTML matrix with its name as a caption."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{number(float(value), digits=3)}</td>" for value in row) + "</tr>"
        for row in np.atleast_2d(values)
    )
    caption = f"<figcaption>{html.escape(name)}</figcaption>"
    return f'<figure><table class="rnnviz-matrix">{rows}</table>{caption}</figure>'


def equation(text: str, *parts: Any) -> str:
    """Return an equation in symbols and in numbers: ``parts`` are signs or (name, array) pairs."""
    shown = "".join(f"<span>{html.escape(part)}</span>" if isinstance(part, str) else matrix(*part) for part in parts)
    return f'<p><strong>{html.escape(text)}</strong></p><div class="rnnviz-step">{shown}</div>'


class Walk:
    """A small RNN on one sequence, step by step.

    Parameters
    ----------
    **settings : fields of `Config`; by default 3 units, 2 inputs, 2 classes, 4 steps. One sequence, one layer, cell
        "rnn", and the loss at the last step, which reaches back all the way.
    lang : "en" or "de"; None keeps the current language. A link's ``lang`` takes precedence.

    Raises
    ------
    ValueError : as `Config`, and for another cell, loss or number of layers, a truncated gradient, or an unknown
        language.

    >>> walk = Walk()
    >>> walk.gradients.h.shape
    (5, 1, 3)
    """

    def __init__(self, *, lang: str | None = None, **settings: Any):
        settle(lang, os.environ.get("QUERY_STRING", ""))
        small = {"hidden_size": 3, "input_size": 2, "output_size": 2, "seq_len": 4}
        self.config = Config(**small | settings | {"batch_size": 1})
        self.refuse_others("cell", [name for name, cell in CELLS.items() if cell.has_matrix_jacobian])
        for name, only in {"loss_at": "last", "layers": 1, "truncate": 0}.items():
            self.refuse_others(name, [only])
        self.params = init_params(self.config)
        self.x, self.targets = draw_inputs(self.config)
        self.phi = ACTIVATIONS[self.config.activation]
        self.gradients = bptt(self.params, self.x, self.targets, self.config.cell, self.config.activation)

    def refuse_others(self, name: str, allowed: list[Any]) -> None:
        """Raise a ValueError unless a setting has one of the allowed values."""
        received = getattr(self.config, name)
        if received not in allowed:
            text = _("{name} must be {only} for a walk; got {received}.")
            raise ValueError(text.format(name=name, only=" / ".join(map(repr, allowed)), received=repr(received)))

    def __repr__(self) -> str:
        return f"Walk: {self.config}"

    def _repr_html_(self) -> str:
        return self.weights()._repr_html_()

    def check(self, t: int) -> None:
        """Raise a ValueError unless 1 <= t <= T."""
        if not isinstance(t, int) or not 1 <= t <= self.config.seq_len:
            text = _("{name} must be a whole number from {low} to {high}; got {received}.")
            raise ValueError(text.format(name="t", low=1, high=self.config.seq_len, received=repr(t)))

    def weights(self) -> Shown:
        """Show the initial weights."""
        names = ("W_xh", "W_hh", "W_hy")
        return Shown(equation(_("The weights, as drawn"), *((name, self.params[name]) for name in names)))

    def pre_activation(self, t: int) -> Array:
        """Return ``a_t = x_t W_xh + h_{t-1} W_hh + b_h``, (H,)."""
        self.check(t)
        h = self.gradients.h[t - 1, 0]
        return self.x[t - 1, 0] @ self.params["W_xh"] + h @ self.params["W_hh"] + self.params["b_h"]

    def forward(self, t: int) -> Shown:
        """Show step t forward: ``h_t = phi(x_t W_xh + h_{t-1} W_hh + b_h)``."""
        a, p = self.pre_activation(t), self.params
        sums = equation(
            f"a_{t} = x_{t} W_xh + h_{t - 1} W_hh + b_h",
            (f"x_{t}", self.x[t - 1, 0]), "·", ("W_xh", p["W_xh"]), "+", (f"h_{t - 1}", self.gradients.h[t - 1, 0]),
            "·", ("W_hh", p["W_hh"]), "+", ("b_h", p["b_h"]), "=", (f"a_{t}", a),
        )  # fmt: skip
        outputs = equation(f"h_{t} = φ(a_{t}),  {self.phi.formula}", "φ", (f"a_{t}", a), "=", (f"h_{t}", self.phi.f(a)))
        return Shown(sums + outputs)

    def loss(self) -> Shown:
        """Show the output of the last step and the gradient with which backpropagation starts."""
        last, p, g = self.config.seq_len, self.params, self.gradients
        y = g.h[last, 0] @ p["W_hy"] + p["b_y"]
        probability = np.exp(y - y.max()) / np.exp(y - y.max()).sum()
        target = np.eye(len(y))[self.targets[last - 1, 0]]
        scores = equation(
            f"y_{last} = h_{last} W_hy + b_y,  p = softmax y",
            (f"h_{last}", g.h[last, 0]), "·", ("W_hy", p["W_hy"]), "=", (f"y_{last}", y), "→", ("p", probability),
        )  # fmt: skip
        start = equation(
            _("∂L/∂h_{last} = (p − target) W_hyᵀ").format(last=last),
            "(", ("p", probability), "−", (_("target"), target), ") ·", ("W_hyᵀ", p["W_hy"].T), "=",
            (f"∂L/∂h_{last}", (probability - target) @ p["W_hy"].T),
        )  # fmt: skip
        return Shown(scores + start)

    def backward(self, t: int) -> Shown:
        """Show step t backward: ``dL/dh_{t-1} = (dL/dh_t * phi'(a_t)) W_hh^T``."""
        a, g = self.pre_activation(t), self.gradients
        slope = self.phi.slope(a)
        d_a = g.d_h[t, 0] * slope
        through = equation(
            f"∂L/∂a_{t} = ∂L/∂h_{t} ∘ φ′(a_{t})",
            (f"∂L/∂h_{t}", g.d_h[t, 0]), "∘", (f"φ′(a_{t})", slope), "=", (f"∂L/∂a_{t}", d_a),
        )  # fmt: skip
        back = equation(
            f"∂L/∂h_{t - 1} = ∂L/∂a_{t} W_hhᵀ",
            (f"∂L/∂a_{t}", d_a), "·", ("W_hhᵀ", self.params["W_hh"].T), "=", (f"∂L/∂h_{t - 1}", g.d_h[t - 1, 0]),
        )  # fmt: skip
        return Shown(through + back + f"<p>{self.change(t)}</p>")

    def change(self, t: int) -> str:
        """Return a sentence on what step t backward does to the gradient's norm, at any magnitude."""
        before, after = (float(self.gradients.log10_grad_norm[k]) for k in (t, t - 1))
        if before == -np.inf:
            return _("∂L/∂h_{t} is exactly 0: there is nothing to pass back.").format(t=t)
        values = {"before": before, "after": after, "factor": after - before}
        words = {name: number(value, log10=True) for name, value in values.items()}
        return _("The norm went from {before} to {after}: a factor of {factor}.").format(**words)

    def weight_gradient(self, t: int) -> Shown:
        """Show what step t adds to the gradient of W_hh, ``h_{t-1}^T dL/da_t``, and the sum over all steps."""
        d_a = self.gradients.d_h[t, 0] * self.phi.slope(self.pre_activation(t))
        h = self.gradients.h[t - 1, 0]
        share = equation(
            _("step {t}'s share of ∂L/∂W_hh = h_{before}ᵀ ∂L/∂a_{t}").format(t=t, before=t - 1),
            (f"h_{t - 1}ᵀ", h[:, None]), "·", (f"∂L/∂a_{t}", d_a), "=", (_("share"), np.outer(h, d_a)),
        )  # fmt: skip
        total = equation(_("∂L/∂W_hh, all steps together"), ("∂L/∂W_hh", self.gradients.d_params["W_hh"]))
        return Shown(share + total)
