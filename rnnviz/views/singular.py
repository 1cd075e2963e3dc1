"""The singular values of W_hh: how much one step can stretch or shrink."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ..text.language import N_, _
from ..text.number_format import number
from ..theory import spectrum
from . import scale
from .matrix import Frame, MatrixView, Values
from .styles import OVERLAYS, STYLES, Style
from .view import register

Array = np.ndarray
BINS = 24
DIGITS = 9


@register
class SingularValues(MatrixView):
    """The density of the singular values, with the quarter-circle law."""

    name = "singular"
    label = N_("Singular values")
    help = N_("how much one step of W_hh can stretch or shrink, beside the quarter-circle law")
    question = N_("How much can one step stretch or shrink a state?")
    title = N_("Singular values of W_hh")
    law = N_("quarter-circle law")
    look = {"drawstyle": "steps-mid", "linewidth": 1.8, "markersize": 4, "markevery": 4}
    values = staticmethod(spectrum.singular_values)

    def reach(self, values: Sequence[Array], laws: Sequence[spectrum.Expected]) -> tuple[float, float]:
        # Only the one value that a mean adds lies beyond 2 sigma_w: it would squash the rest.
        limit = scale.snap(max(1.0, *(2.2 * law.radius for law in laws)))
        return limit, scale.snap(max(1.0, *(float(density(each, limit)[1].max()) for each in values)))

    def furthest(self, values: Array, frame: Frame) -> tuple[str, float, int]:
        return "→", float(values[0]), int(np.count_nonzero(values > frame.reach[0]))

    def draw_laws(self, ax: Axes, frame: Frame) -> list[Style]:
        right, top = frame.reach
        ax.set(xlim=(0, right), ylim=(0, 1.04 * top), xlabel=_("singular value"), ylabel=_("density"))
        ax.spines[["top", "right"]].set_visible(False)
        looks = []
        for k, law in enumerate(frame.laws):
            if law.radius > 0 and not law.on_circle:
                s, look = np.linspace(0.0, 2.0 * law.radius, 200), STYLES[k] | OVERLAYS["theory"]
                ax.plot(s, spectrum.quarter_circle(s, law.radius), markevery=(7 * k + 7, 42), **look)
                looks.append(look)
        return looks or [OVERLAYS["theory"]]

    def points(self, values: Array, frame: Frame) -> tuple[Array, Array]:
        return density(values, frame.reach[0])

    def describe(self, data: Values) -> str:
        words = [_("Density of the singular values of W_hh, with the quarter-circle law.")]
        for name, values in zip(data.frame.legend, data.values, strict=True):
            ends = {"low": number(float(values[-1])), "high": number(float(values[0]))}
            words.append(_("{curve}: from {low} to {high}.").format(curve=name, **ends))
        return " ".join(words)


def density(values: Array, limit: float) -> tuple[Array, Array]:
    """Return the middles of the bins from 0 to ``limit`` and the density of the singular values in them."""
    # All singular values of an orthogonal matrix are 1 but for rounding, and 1 may be the edge of a bin.
    counts, edges = np.histogram(values.round(DIGITS), BINS, (0.0, limit))
    return (edges[1:] + edges[:-1]) / 2, counts / (len(values) * (edges[1] - edges[0]))
