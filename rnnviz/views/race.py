"""The race: the losses of all schemes while they train."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..engine.trace import Trace
from ..text.language import N_, _, ngettext
from ..text.number_format import number
from . import overlays, scale
from .lines import Curve, CurveView, Lines, curve_of
from .overlays import Overlay
from .view import register

Array = np.ndarray
LEVELS = {"chance": N_("chance level"), "target": N_("target"), "solved": N_("solved")}


@dataclass(frozen=True, eq=False)
class Curves:
    """A training at one moment; nothing in it changes later.

    Attributes
    ----------
    training : the training itself, which goes on.
    problem, names : what the problem and the schemes are called.
    step, steps : how many steps are done, and how many there will be.
    at, losses : (K,) steps and (K, S, R) losses there, means over the steps since the point before; nan from the step
        on at which a run diverged.
    levels : the losses worth a line, by the keys of ``LEVELS``: what the best guess without reading has, and so on.
    diverged, overflow, reached : (S, R), as of `rnnviz.learning.training.Training`.
    kept : the steps whose weights are kept, in order.
    seconds_left : of computing, 0 where nobody knows.
    notes : sentences on what the networks have learnt.
    """

    training: Any
    problem: str
    names: tuple[str, ...]
    step: int
    steps: int
    at: Array
    losses: Array = field(repr=False)
    levels: dict[str, float]
    diverged: Array
    overflow: Array
    reached: Array
    kept: tuple[int, ...]
    seconds_left: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """The share done."""
        return self.step / self.steps


@register
class Race(CurveView):
    """The loss of every scheme over the steps of its training, with the levels that mean something."""

    name = "race"
    label = N_("Race")
    help = N_("the loss of every scheme while the networks are trained")
    question = N_("Which scheme learns first?")
    terms = ("training step", "line")
    options = ("problem", "optimiser", "learning_rate", "training_steps")
    timed = False
    trains = True
    opens = N_("{title}, at step {step}.")

    def data(self, trace: Trace, curves: Curves | None = None, **options: Any) -> Lines:
        if curves is None:  # nothing has been trained
            return Lines(_("Not trained yet: press Train"), _("training step"), _("loss"), 100.0, (-3.0, 1.0), 0, [])
        logs = np.log10(np.maximum(curves.losses, 1e-300))
        # A run that has diverged counts as infinite.
        runs = np.where(np.isnan(logs), np.inf, logs).transpose(1, 2, 0)
        lines = [replace(curve_of(*each, []), steps=curves.at) for each in zip(curves.names, runs, strict=True)]
        known = [logs[np.isfinite(logs)], np.log10([max(level, 1e-300) for level in curves.levels.values()])]
        values = np.concatenate([each for each in known if each.size])
        low, high = np.floor(values.min() * 2) / 2, np.ceil(min(values.max(), values.min() + 8) * 2) / 2
        limit = scale.snap(curves.steps)
        return Lines(
            title=_("{problem}: the loss while it trains").format(problem=curves.problem),
            x_label=_("training step"),
            y_label=_("loss"),
            x_limit=limit,
            y_limits=(float(low), float(max(high, low + 0.5))),
            last_step=curves.step,
            curves=lines,
            overlays=[
                Overlay(LEVELS[name], 0, np.log10([value] * 2), steps=np.array([0.0, limit]))
                for name, value in curves.levels.items()
            ],
            seeds=curves.losses.shape[2],
        )

    def describe(self, data: Lines) -> str:
        levels = [f"{_(each.kind)} {number(float(each.values[0]), log10=True)}" for each in data.overlays]
        text = _("Lines across the picture: {levels}.").format(levels=", ".join(levels)) if levels else ""
        stories = [self.story(curve, data) for curve in data.curves]
        return " ".join(filter(None, [self.opening(data), *stories, text, overlays.band_words(data.seeds)[1]]))

    def values(self, curve: Curve, data: Lines) -> list[str]:
        known = np.flatnonzero(np.isfinite(curve.median))
        if not known.size or curve.steps is None:
            return []
        text = _("loss {start} at first, {end} at step {last}")
        start, end = (number(float(curve.median[t]), log10=True) for t in known[[0, -1]])
        return [text.format(start=start, end=end, last=int(curve.steps[known[-1]]))]


def outcomes(curves: Curves) -> list[str]:
    """Say of each scheme after how many steps its runs reached the target, how many did not, and which diverged.

    There is nothing to say, "", while runs may still reach it.
    """
    parts = [[reached_words(curves, k), lost_words(curves, k)] for k in range(len(curves.names))]
    words = ["; ".join(filter(None, each)) for each in parts]
    return [f"{each[0].upper()}{each[1:]}." if each else "" for each in words]


def reached_words(curves: Curves, k: int) -> str:
    """Say after how many steps the runs of a scheme reached the target.

    A run that has not reached it counts as later than all others, so that the median may be "never".
    """
    reached, is_over = curves.reached[k], curves.step >= curves.steps
    runs, done = len(reached), np.sort(reached[reached > 0])
    if not done.size:
        text = ngettext("target not reached by {runs} run", "target not reached by any of {runs} runs", runs)
        return text.format(runs=runs) if is_over else ""
    low, high = done[0], done[-1]
    text = _("target reached after {low} steps") if low == high else _("target reached after {low} to {high} steps")
    said = text.format(low=low, high=high)
    if left := runs - done.size:
        missing = ngettext("not by {left} of {runs} run", "not by {left} of {runs} runs", runs)
        return f"{said}, {missing.format(left=left, runs=runs)}"
    return said + _(" (median {middle})").format(middle=f"{np.median(done):.0f}") if runs > 1 else said


def lost_words(curves: Curves, k: int) -> str:
    """Say how many runs of a scheme diverged, when first, and what overflowed there."""
    lost = np.flatnonzero(curves.diverged[k])
    if not lost.size:
        return ""
    first = lost[np.argmin(curves.diverged[k][lost])]
    text = _("{count} of {runs} diverged, first at training step {step}: {what} overflowed")
    what = curves.overflow[k][first]
    return text.format(count=lost.size, runs=curves.diverged.shape[1], step=curves.diverged[k][first], what=what)
