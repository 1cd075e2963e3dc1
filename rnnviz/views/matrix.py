"""What the views of W_hh, its eigenvalues and its singular values, have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from ..engine.trace import Trace
from ..network.cells import CELLS
from ..network.layers import name_in
from ..network.sampling import gain_of
from ..numerics.progress import Progress
from ..text.language import _
from ..text.number_format import number
from ..theory.spectrum import LEAST_SIZE, Expected, Law, expected
from . import legend, scale
from .layer_option import shown, titled
from .styles import STYLES, Style
from .view import Artists, View

Array = np.ndarray


Laws = tuple[Expected | None, ...]


@dataclass(frozen=True)
class Frame:
    """The axes: title, how far they reach to the right and upwards, each scheme's law if any, and its name."""

    title: str
    reach: tuple[float, float]
    laws: Laws
    legend: tuple[str, ...]


@dataclass(frozen=True)
class Values:
    """One picture: each scheme's values, largest first, and words for those that lie outside the axes."""

    frame: Frame
    values: tuple[Array, ...]
    words: tuple[str, ...]


class MatrixView(View):
    """A view of one layer's W_hh of every scheme's first seed; of an LSTM or GRU, of its first gate's block.

    Attributes
    ----------
    title, gate_title : the picture's title, of a whole W_hh and of one gate's block.
    look : what differs from a curve's style.
    values : ``values(W)``, what is drawn of a matrix (H, H), largest first.
    reach : ``reach(values, laws)``, where the axes end on the right and at the top.
    furthest : ``furthest(values, frame)``, an arrow to the furthest value outside the axes, its size, and how many.
    draw_laws : ``draw_laws(ax, frame)``, which sets up the axes and draws the laws into them.
    law_name, law_look : what the legend calls a law's line, "" for none, and its look beside a scheme's style.
    always : name -> look of the lines that every picture has.
    points : ``points(values, frame)``, x and y of what is drawn.
    """

    title: str
    gate_title: str
    look: Style
    values: Callable[[Array], Array]
    reach: Callable[[Sequence[Array], Laws], tuple[float, float]]
    furthest: Callable[[Array, Frame], tuple[str, float, int]]
    draw_laws: Callable[[Axes, Frame], None]
    law_name: Callable[[Law], str]
    always: dict[str, Style] = {}
    points: Callable[[Array, Frame], tuple[Array, Array]]
    slow = True
    first_seed = True
    options = ("layer",)

    def computing(self, trace: Trace, layer: int = 0) -> Progress[Values]:
        trace, found = trace.as_comparison(), []
        name = name_in("W_hh", shown(trace, layer))
        for k in range(len(trace.schemes)):
            yield k / len(trace.schemes)
            found.append(self.values(trace.parameters(k)[name][:, : trace.config.hidden_size]))
        gates = CELLS[trace.config.cell].gates
        title = _(self.gate_title if len(gates) > 1 else self.title).format(gate=gates[0])
        title = titled(title, trace, layer)
        laws = tuple(law_of(trace, k) for k in range(len(trace.schemes)))
        frame = Frame(title, self.reach(found, laws), laws, trace.names)
        said = [outlier_words(name, *self.furthest(each, frame)) for name, each in zip(trace.names, found, strict=True)]
        return Values(frame, tuple(found), tuple(said))

    def law_look(self, style: Style) -> Style:
        raise NotImplementedError

    def entries(self, frame: Frame) -> dict[str, list[Style]]:
        """Return what the legend calls the lines that are no scheme's values, with their looks."""
        found = {_(name): [look] for name, look in self.always.items()}
        for law, style in zip(frame.laws, STYLES, strict=False):
            if law and self.law_name(law.law):
                found.setdefault(_(self.law_name(law.law)), []).append(self.law_look(style))
        return found

    def head(self, data: Values, width: float) -> float:
        return legend.height([*data.frame.legend, *self.entries(data.frame)], width)

    def uses(self, data: Values) -> tuple[str, ...]:
        laws = [self.law_name(law.law) for law in data.frame.laws if law]
        outside = ["→ ←"] if any(data.words) else []
        return tuple(dict.fromkeys(filter(None, [*self.terms, *laws, *outside])))

    def draw(self, ax: Axes, data: Values) -> Artists:
        frame = data.frame
        scale.write_ticks(ax)
        scale.draw_grid(ax)
        self.draw_laws(ax, frame)
        curves = [(name, [style]) for name, style in zip(frame.legend, STYLES, strict=False)]
        legend.add(ax, frame.title, [*curves, *self.entries(frame).items()])
        artists: Artists = {"points": [], "words": []}
        for k, style in enumerate(STYLES[: len(frame.legend)]):
            artists["points"] += ax.plot([], [], **style | self.look)
            place: Style = {"transform": ax.transAxes, "ha": "right", "va": "top", "fontsize": "small"}
            artists["words"].append(ax.text(0.98, 0.98 - 0.06 * k, "", color=style["color"], **place))
        self.update(artists, data)
        return artists

    def update(self, artists: Artists, data: Values) -> None:
        for k, values in enumerate(data.values):
            artists["points"][k].set_data(*self.points(values, data.frame))
            artists["words"][k].set_text(data.words[k])


def law_of(trace: Trace, k: int) -> Expected | None:
    """Return what theory expects of the k-th scheme's matrix, None where it says nothing worth showing."""
    config = trace.config
    gain = 0.0 if trace.own is not None else gain_of(trace.drawn(k))
    if gain == 0:
        return None
    law = expected(trace.schemes[k], config.hidden_size, gain, len(CELLS[config.cell].gates))
    return law if law and (law.on_circle or config.hidden_size >= LEAST_SIZE) else None


def law_words(text: str, law: Expected) -> str:
    """Put a law's numbers into one of its sentences."""
    values = {"radius": law.radius, "edge": law.edge, "largest": law.largest_singular_value}
    values["outlier"] = 0.0 if law.outlier is None else law.outlier
    return _(text).format(**{name: number(value) for name, value in values.items()})


def outlier_words(name: str, arrow: str, value: float, count: int) -> str:
    """Say which value of a scheme, the furthest of ``count``, lies outside the axes."""
    text = _("{value} and {count} more") if count > 1 else "{value}"
    return text.format(value=f"{name}: {arrow} {number(value)}", count=count - 1) if count else ""
