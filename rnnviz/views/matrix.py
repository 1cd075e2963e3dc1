"""What the views of W_hh, its eigenvalues and its singular values, have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from ..engine.trace import Trace
from ..numerics.progress import Progress
from ..text.language import _
from ..text.number_format import number
from ..theory.spectrum import Expected, expected
from . import legend, scale
from .styles import STYLES, Style
from .view import Artists, View

Array = np.ndarray


@dataclass(frozen=True)
class Frame:
    """The axes: how far they reach to the right and upwards, the laws drawn into them, the names of the schemes."""

    reach: tuple[float, float]
    laws: tuple[Expected, ...]
    legend: tuple[str, ...]


@dataclass(frozen=True)
class Values:
    """One picture: each scheme's values, largest first, and words for those that lie outside the axes."""

    frame: Frame
    values: tuple[Array, ...]
    words: tuple[str, ...]


class MatrixView(View):
    """A view of the W_hh of every scheme's first seed; of an LSTM or GRU, of its first gate's block.

    Attributes
    ----------
    title, law : the picture's title, and the last entry of its legend.
    look : what differs from a curve's style.
    values : ``values(W)``, what is drawn of a matrix (H, H), largest first.
    reach : ``reach(values, laws)``, where the axes end on the right and at the top.
    furthest : ``furthest(values, frame)``, an arrow to the furthest value outside the axes, its size, and how many.
    draw_laws : ``draw_laws(ax, frame)``, which sets up the axes and returns the looks of the laws' lines.
    points : ``points(values, frame)``, x and y of what is drawn.
    """

    title: str
    law: str
    look: Style
    values: Callable[[Array], Array]
    reach: Callable[[Sequence[Array], Sequence[Expected]], tuple[float, float]]
    furthest: Callable[[Array, Frame], tuple[str, float, int]]
    draw_laws: Callable[[Axes, Frame], list[Style]]
    points: Callable[[Array, Frame], tuple[Array, Array]]
    slow = True

    def computing(self, trace: Trace) -> Progress[Values]:
        trace, found, laws = trace.as_comparison(), [], []
        for k in range(len(trace.schemes)):
            yield k / len(trace.schemes)
            W = trace.parameters(k)["W_hh"][:, : trace.config.hidden_size]
            found.append(self.values(W))
            laws.append(law_of(trace, k, W))
        frame = Frame(self.reach(found, laws), tuple(laws), trace.names)
        said = [outlier_words(name, *self.furthest(each, frame)) for name, each in zip(trace.names, found, strict=True)]
        return Values(frame, tuple(found), tuple(said))

    def head(self, data: Values, width: float) -> float:
        return legend.height([*data.frame.legend, _(self.law)], width)

    def draw(self, ax: Axes, data: Values) -> Artists:
        frame = data.frame
        scale.write_ticks(ax)
        scale.draw_grid(ax)
        looks = self.draw_laws(ax, frame)
        curves = [(name, [style]) for name, style in zip(frame.legend, STYLES, strict=False)]
        legend.add(ax, _(self.title), [*curves, (_(self.law), looks)])
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


def law_of(trace: Trace, k: int, W: Array) -> Expected:
    """Return what theory expects of the k-th scheme's W_hh; of an own one, of independent entries of its variance."""
    if trace.own is None:
        return expected(trace.schemes[k], trace.config.hidden_size, trace.config.gain)
    radius = float(np.sqrt(len(W)) * W.std())
    return Expected(radius, False, None, 2.0 * radius)


def outlier_words(name: str, arrow: str, value: float, count: int) -> str:
    """Say which value of a scheme, the furthest of ``count``, lies outside the axes."""
    text = _("{value} and {count} more") if count > 1 else "{value}"
    return text.format(value=f"{name}: {arrow} {number(value)}", count=count - 1) if count else ""
