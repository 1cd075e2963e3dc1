"""The singular values of W_hh: how much one step can stretch or shrink."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from matplotlib.axes import Axes

from ..text.language import N_, _
from ..text.number_format import number
from ..theory import spectrum
from . import scale
from .matrix import Frame, Laws, MatrixView, Values, law_words
from .styles import OVERLAYS, STYLES, Style
from .view import register

Array = np.ndarray
BINS = 24
DIGITS = 9


@register
class SingularValues(MatrixView):
    """The density of the singular values, with that of the law of random matrices that they follow."""

    name = "singular"
    label = N_("Singular values")
    help = N_("how much one step of W_hh can stretch or shrink, beside what theory expects")
    question = N_("How much can one step stretch or shrink a state?")
    terms = ("singular value",)
    title = N_("Singular values of W_hh")
    gate_title = N_("Singular values of W_hh, gate {gate}")
    look = {"drawstyle": "steps-mid", "linewidth": 1.8, "markersize": 4, "markevery": 4}
    values = staticmethod(spectrum.singular_values)
    law_name = staticmethod(attrgetter("curve"))

    def reach(self, values: Sequence[Array], laws: Laws) -> tuple[float, float]:
        # Only the one value that a mean adds lies beyond a law's edge: it would squash the rest.
        ends = [law.edge if law else float(each[0]) for each, law in zip(values, laws, strict=True)]
        limit = scale.snap(1.1 * max(ends)) if max(ends) > 0 else 1.0
        tops = [float(density(each, limit)[1].max()) for each in values]
        # Values that are all equal have a spike as high as its bin is narrow: it leaves the picture rather than squash.
        lower = [top for top, law in zip(tops, laws, strict=True) if not (law and law.on_circle)]
        return limit, scale.snap(max(lower or tops))

    def furthest(self, values: Array, frame: Frame) -> tuple[str, float, int]:
        return "→", float(values[0]), int(np.count_nonzero(values > frame.reach[0]))

    def draw_laws(self, ax: Axes, frame: Frame) -> None:
        right, top = frame.reach
        ax.set(xlim=(0, right), ylim=(0, 1.04 * top), xlabel=_("singular value"), ylabel=_("density"))
        ax.spines[["top", "right"]].set_visible(False)
        for k, law in enumerate(frame.laws):
            if law and law.law.curve:
                s = np.linspace(0.0, law.edge, 200)
                ax.plot(s, law.density(s), markevery=(7 * k + 7, 42), **self.law_look(STYLES[k]))

    def law_look(self, style: Style) -> Style:
        return style | OVERLAYS["theory"]

    def points(self, values: Array, frame: Frame) -> tuple[Array, Array]:
        return density(values, frame.reach[0])

    def describe(self, data: Values) -> str:
        words = [_("{title}: their density.").format(title=data.frame.title)]
        for name, values, law in zip(data.frame.legend, data.values, data.frame.laws, strict=True):
            ends = {"low": number(float(values[-1])), "high": number(float(values[0]))}
            words.append(_("{curve}: from {low} to {high}.").format(curve=name, **ends))
            words += [law_words(law.law.singular_values, law)] if law else []
        return " ".join(words)


def density(values: Array, limit: float) -> tuple[Array, Array]:
    """Return the middles of the bins from 0 to ``limit`` and the density of the singular values in them."""
    # All singular values of an orthogonal matrix are 1 but for rounding, and 1 may be the edge of a bin.
    counts, edges = np.histogram(values.round(DIGITS), BINS, (0.0, limit))
    return (edges[1:] + edges[:-1]) / 2, counts / (len(values) * (edges[1] - edges[0]))
