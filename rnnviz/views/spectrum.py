"""The eigenvalues and singular values of W_hh: what one more step does to a direction, and how much it can stretch."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from ..engine.trace import Trace
from ..network.cells import CELLS
from ..network.layers import name_in
from ..network.sampling import gain_of
from ..numerics.progress import Progress
from ..text.language import N_, _
from ..text.number_format import number, percent
from ..theory import spectrum
from ..theory.spectrum import LEAST_SIZE, Expected, expected
from . import legend, scale
from .styles import OVERLAYS, STYLES, Style
from .view import Artists, View, of_layer, register, shown_layer, titled

Array = np.ndarray
Laws = tuple[Expected | None, ...]
Reach = tuple[float, float]
ROUNDING = 1e-9
FAR = 4.0  # an eigenvalue this many times further out than the law's radius leaves the picture, with an arrow
UNIT: Style = {"color": "#1a1a1a", "linewidth": 1.4, "linestyle": "-"}
BINS, DIGITS = 24, 9


@dataclass(frozen=True)
class Values:
    """One picture: each scheme's name, law if any, and values, largest first, and words for those outside the axes.

    ``reach`` is where the axes end on the right and at the top.
    """

    title: str
    names: tuple[str, ...]
    laws: Laws
    reach: Reach
    values: tuple[Array, ...]
    words: tuple[str, ...]

    @property
    def frame(self) -> Hashable:
        return self.title, self.names, self.laws, self.reach


class MatrixView(View):
    """A view of one layer's W_hh of every scheme's first seed; of an LSTM or GRU, of its first gate's block.

    Attributes
    ----------
    title, gate_title, opens : the titles for a whole W_hh and for one gate's block, and the alt text's first sentence.
    look : what differs from a curve's style.
    values : ``values(W)``, what is drawn of a matrix (H, H), largest first.
    points : ``points(values, reach)``, x and y of that.
    reach : ``reach(values, laws)``, where the axes end on the right and at the top.
    furthest : ``furthest(values, reach)``, an arrow to the furthest value outside the axes, its size, and how many.
    draw_laws : ``draw_laws(ax, data)``, which sets up the axes and draws the laws into them.
    law_name, law_text : the fields of a `Law` with what the legend calls its line and what it says of the values.
    law_look : ``law_look(style)``, the look of a law's line beside its scheme's style.
    always : name -> look of the lines that every picture has.
    story : ``story(curve, values)``, a sentence on a scheme's values.
    """

    title: str
    gate_title: str
    opens: str
    look: Style
    values: Callable[[Array], Array]
    points: Callable[[Array, Reach], tuple[Array, Array]]
    reach: Callable[[Sequence[Array], Laws], Reach]
    furthest: Callable[[Array, Reach], tuple[str, float, int]]
    draw_laws: Callable[[Axes, Values], None]
    law_name: str
    law_text: str
    law_look: Callable[[Style], Style]
    always: dict[str, Style] = {}
    story: Callable[[str, Array], str]
    slow = True
    first_seed = True
    options = ("layer",)

    def computing(self, trace: Trace, layer: int = 0) -> Progress[Values]:
        trace, found = of_layer(trace, layer), []
        name, gates = name_in("W_hh", shown_layer(trace)), CELLS[trace.config.cell].gates
        for k in range(len(trace.schemes)):
            yield k / len(trace.schemes)
            found.append(self.values(trace.parameters(k)[name][:, : trace.config.hidden_size]))
        title = titled(_(self.gate_title if len(gates) > 1 else self.title).format(gate=gates[0]), trace)
        laws = tuple(law_of(trace, k) for k in range(len(trace.schemes)))
        reach, pairs = self.reach(found, laws), zip(trace.names, found, strict=True)
        words = tuple(outlier_words(name, *self.furthest(each, reach)) for name, each in pairs)
        return Values(title, trace.names, laws, reach, tuple(found), words)

    def entries(self, data: Values) -> dict[str, list[Style]]:
        """Return what the legend calls the lines that are no scheme's values, with their looks."""
        found = {_(name): [look] for name, look in self.always.items()}
        for law, style in zip(data.laws, STYLES, strict=False):
            if law and (name := getattr(law.law, self.law_name)):
                found.setdefault(_(name), []).append(self.law_look(style))
        return found

    def head(self, data: Values, width: float) -> float:
        return legend.height([*data.names, *self.entries(data)], width)

    def uses(self, data: Values) -> tuple[str, ...]:
        laws = [getattr(law.law, self.law_name) for law in data.laws if law]
        outside = ["→ ←"] if any(data.words) else []
        return tuple(dict.fromkeys(filter(None, [*self.terms, *laws, *outside])))

    def draw(self, ax: Axes, data: Values) -> Artists:
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(scale.Ticks())
        scale.draw_grid(ax)
        self.draw_laws(ax, data)
        curves = [(name, [style]) for name, style in zip(data.names, STYLES, strict=False)]
        legend.add(ax, data.title, [*curves, *self.entries(data).items()])
        artists: Artists = {"points": [], "words": []}
        for k, style in enumerate(STYLES[: len(data.names)]):
            artists["points"] += ax.plot([], [], **style | self.look)
            place: Style = {"transform": ax.transAxes, "ha": "right", "va": "top", "fontsize": "small"}
            artists["words"].append(ax.text(0.98, 0.98 - 0.06 * k, "", color=style["color"], **place))
        self.update(artists, data)
        return artists

    def update(self, artists: Artists, data: Values) -> None:
        for k, values in enumerate(data.values):
            artists["points"][k].set_data(*self.points(values, data.reach))
            artists["words"][k].set_text(data.words[k])

    def describe(self, data: Values) -> str:
        words = [_(self.opens).format(title=data.title)]
        for name, values, law in zip(data.names, data.values, data.laws, strict=True):
            words.append(self.story(name, values))
            if law:
                said = {"radius": law.radius, "edge": law.edge, "largest": law.largest_singular_value}
                said["outlier"] = 0.0 if law.outlier is None else law.outlier
                text = _(getattr(law.law, self.law_text))
                words.append(text.format(**{key: number(value) for key, value in said.items()}))
        return " ".join(words)


def law_of(trace: Trace, k: int) -> Expected | None:
    """Return what theory expects of the k-th scheme's matrix, None where it says nothing worth showing."""
    config = trace.config
    gain = 0.0 if trace.own is not None else gain_of(trace.drawn(k))
    if gain == 0:
        return None
    law = expected(trace.schemes[k], config.hidden_size, gain, len(CELLS[config.cell].gates))
    return law if law and (law.on_circle or config.hidden_size >= LEAST_SIZE) else None


def outlier_words(name: str, arrow: str, value: float, count: int) -> str:
    """Say which value of a scheme, the furthest of ``count``, lies outside the axes."""
    text = _("{value} and {count} more") if count > 1 else "{value}"
    return text.format(value=f"{name}: {arrow} {number(value)}", count=count - 1) if count else ""


@register
class Spectrum(MatrixView):
    """The eigenvalues in the complex plane, with the unit circle and the circle of the law that they follow."""

    name = "spectrum"
    label = N_("Eigenvalues")
    help = N_("the eigenvalues of W_hh, with the unit circle and the circle that theory expects")
    question = N_("Where do the eigenvalues of W_hh lie?")
    terms = ("eigenvalue", "unit circle")
    title = N_("Eigenvalues of W_hh")
    gate_title = N_("Eigenvalues of W_hh, gate {gate}")
    opens = N_("{title} in the complex plane, with the unit circle.")
    look = {"linestyle": "", "markersize": 3.5, "alpha": 0.75}
    values = staticmethod(spectrum.eigenvalues)
    law_name, law_text = "disc", "eigenvalues"
    always = {N_("unit circle"): UNIT}

    def reach(self, values: Sequence[Array], laws: Laws) -> Reach:
        most = 1.0
        for sizes, law in zip(map(np.abs, values), laws, strict=True):
            usual = law.radius if law else float(np.median(sizes))
            most = max(most, float(sizes[sizes <= FAR * max(usual, 1.0)].max(initial=0.0)))
        return (scale.snap(1.04 * most),) * 2

    def furthest(self, values: Array, reach: Reach) -> tuple[str, float, int]:
        limit, _top = reach
        far = values[(np.abs(values.real) > limit) | (np.abs(values.imag) > limit)]
        real = float(far[np.argmax(np.abs(far))].real) if far.size else 0.0
        return "→" if real > limit else "←" if real < -limit else "↕", real, far.size

    def draw_laws(self, ax: Axes, data: Values) -> None:
        ax.set_aspect("equal", adjustable="box", anchor="W")
        limits = (-data.reach[0], data.reach[0])
        ax.set(xlim=limits, ylim=limits, xlabel=_("real part"), ylabel=_("imaginary part"))
        ax.add_patch(Circle((0, 0), 1.0, fill=False, **UNIT))
        for law, style in zip(data.laws, STYLES, strict=False):
            if law:
                ax.add_patch(Circle((0, 0), law.radius, fill=False, **self.law_look(style)))

    def law_look(self, style: Style) -> Style:
        return {"color": style["color"], "linestyle": style["linestyle"], "linewidth": 1.3}

    def points(self, values: Array, reach: Reach) -> tuple[Array, Array]:
        return values.real, values.imag

    def story(self, curve: str, values: Array) -> str:
        text = _("{curve}: the largest has magnitude {largest}, {share} lie inside the unit circle and {on} on it.")
        sizes = np.abs(values)
        inside, on = (percent(np.mean(each)) for each in (sizes < 1 - ROUNDING, abs(sizes - 1) <= ROUNDING))
        return text.format(curve=curve, largest=number(float(sizes[0])), share=inside, on=on)


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
    opens = N_("{title}: their density.")
    look = {"drawstyle": "steps-mid", "linewidth": 1.8, "markersize": 4, "markevery": 4}
    values = staticmethod(spectrum.singular_values)
    law_name, law_text = "curve", "singular_values"

    def reach(self, values: Sequence[Array], laws: Laws) -> Reach:
        # Only the one value that a mean adds lies beyond a law's edge: it would squash the rest.
        ends = [law.edge if law else float(each[0]) for each, law in zip(values, laws, strict=True)]
        limit = scale.snap(1.1 * max(ends)) if max(ends) > 0 else 1.0
        tops = [float(density(each, limit)[1].max()) for each in values]
        # Values that are all equal have a spike as high as its bin is narrow: it leaves the picture rather than squash.
        lower = [top for top, law in zip(tops, laws, strict=True) if not (law and law.on_circle)]
        return limit, scale.snap(max(lower or tops))

    def furthest(self, values: Array, reach: Reach) -> tuple[str, float, int]:
        return "→", float(values[0]), int(np.count_nonzero(values > reach[0]))

    def draw_laws(self, ax: Axes, data: Values) -> None:
        right, top = data.reach
        ax.set(xlim=(0, right), ylim=(0, 1.04 * top), xlabel=_("singular value"), ylabel=_("density"))
        ax.spines[["top", "right"]].set_visible(False)
        for k, law in enumerate(data.laws):
            if law and law.law.curve:
                s = np.linspace(0.0, law.edge, 200)
                ax.plot(s, law.density(s), markevery=(7 * k + 7, 42), **self.law_look(STYLES[k]))

    def law_look(self, style: Style) -> Style:
        return style | OVERLAYS["theory"]

    def points(self, values: Array, reach: Reach) -> tuple[Array, Array]:
        return density(values, reach[0])

    def story(self, curve: str, values: Array) -> str:
        low, high = (number(float(value)) for value in values[[-1, 0]])
        return _("{curve}: from {low} to {high}.").format(curve=curve, low=low, high=high)


def density(values: Array, limit: float) -> tuple[Array, Array]:
    """Return the middles of the bins from 0 to ``limit`` and the density of the singular values in them."""
    # All singular values of an orthogonal matrix are 1 but for rounding, and 1 may be the edge of a bin.
    counts, edges = np.histogram(values.round(DIGITS), BINS, (0.0, limit))
    return (edges[1:] + edges[:-1]) / 2, counts / (len(values) * (edges[1] - edges[0]))
