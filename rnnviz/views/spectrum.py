"""The eigenvalues of W_hh in the complex plane: what one more step does to a direction that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from ..text.language import N_, _
from ..text.number_format import number, percent
from ..theory import spectrum
from . import scale
from .matrix import Frame, Laws, MatrixView, Values, law_words
from .styles import STYLES, Style
from .view import register

Array = np.ndarray
ROUNDING = 1e-9
FAR = 4.0  # an eigenvalue this many times further out than the law's radius leaves the picture, with an arrow
UNIT: Style = {"color": "#1a1a1a", "linewidth": 1.4, "linestyle": "-"}


@register
class Spectrum(MatrixView):
    """The eigenvalues, with the unit circle and the circle that a law of random matrices expects."""

    name = "spectrum"
    label = N_("Eigenvalues")
    help = N_("the eigenvalues of W_hh, with the unit circle and the circle that theory expects")
    question = N_("Where do the eigenvalues of W_hh lie?")
    terms = ("eigenvalue", "unit circle")
    title = N_("Eigenvalues of W_hh")
    gate_title = N_("Eigenvalues of W_hh, gate {gate}")
    look = {"linestyle": "", "markersize": 3.5, "alpha": 0.75}
    values = staticmethod(spectrum.eigenvalues)
    law_name = staticmethod(attrgetter("disc"))
    always = {N_("unit circle"): UNIT}

    def reach(self, values: Sequence[Array], laws: Laws) -> tuple[float, float]:
        most = 1.0
        for sizes, law in zip(map(np.abs, values), laws, strict=True):
            usual = law.radius if law else float(np.median(sizes))
            most = max(most, float(sizes[sizes <= FAR * max(usual, 1.0)].max(initial=0.0)))
        return (scale.snap(1.04 * most),) * 2

    def furthest(self, values: Array, frame: Frame) -> tuple[str, float, int]:
        limit = frame.reach[0]
        far = values[(np.abs(values.real) > limit) | (np.abs(values.imag) > limit)]
        real = float(far[np.argmax(np.abs(far))].real) if far.size else 0.0
        return "→" if real > limit else "←" if real < -limit else "↕", real, far.size

    def draw_laws(self, ax: Axes, frame: Frame) -> None:
        ax.set_aspect("equal", adjustable="box", anchor="W")
        limits = (-frame.reach[0], frame.reach[0])
        ax.set(xlim=limits, ylim=limits, xlabel=_("real part"), ylabel=_("imaginary part"))
        ax.add_patch(Circle((0, 0), 1.0, fill=False, **UNIT))
        for law, style in zip(frame.laws, STYLES, strict=False):
            if law:
                ax.add_patch(Circle((0, 0), law.radius, fill=False, **self.law_look(style)))

    def law_look(self, style: Style) -> Style:
        return {"color": style["color"], "linestyle": style["linestyle"], "linewidth": 1.3}

    def points(self, values: Array, frame: Frame) -> tuple[Array, Array]:
        return values.real, values.imag

    def describe(self, data: Values) -> str:
        words = [_("{title} in the complex plane, with the unit circle.").format(title=data.frame.title)]
        text = _("{curve}: the largest has magnitude {largest}, {share} lie inside the unit circle and {on} on it.")
        for name, values, law in zip(data.frame.legend, data.values, data.frame.laws, strict=True):
            sizes = np.abs(values)
            inside, on = (percent(np.mean(each)) for each in (sizes < 1 - ROUNDING, abs(sizes - 1) <= ROUNDING))
            words.append(text.format(curve=name, largest=number(float(sizes[0])), share=inside, on=on))
            words += [law_words(law.law.eigenvalues, law)] if law else []
        return " ".join(words)
