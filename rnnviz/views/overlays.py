"""What lies over the curves: theory, cell states, narrower floats, pins; the mark of √H; and the bands' words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..engine.trace import Trace
from ..numerics.quantiles import left_out
from ..text.language import _
from ..text.number_format import number
from ..theory.prediction import for_trace, tied_weights_show
from .styles import OVERLAYS, PINS, STYLES, TERM_OF, Style

Array = np.ndarray


@dataclass(frozen=True)
class Overlay:
    """One more line: a kind of ``OVERLAYS``, the index of its curve, its values (T+1,) and a name of its own.

    ``steps`` are the x values, where those are not 0, 1, 2, ... Lines that differ in values alone are equal.
    """

    kind: str
    curve: int
    values: Array = field(compare=False)
    name: str = ""
    steps: Array | None = field(default=None, compare=False)

    @property
    def term(self) -> str:
        """What defines it, a key of ``TERMS``."""
        return TERM_OF.get(self.kind, self.kind)

    @property
    def look(self) -> Style:
        return STYLES[self.curve] | OVERLAYS[self.kind]


def finite(values: Array) -> Array:
    """Return the values with nan, which is not drawn, in place of what is not finite."""
    return np.where(np.isfinite(values), values, np.nan)


def theory(trace: Trace, quantity: str, back: bool) -> list[Overlay]:
    """Return theory's line for each scheme, dashed where it is not to be trusted.

    Parameters
    ----------
    quantity : the attribute of a `Prediction` to draw.
    back : whether the signal, and with it the trust, starts from step T and not from step 0.
    """
    steps = np.arange(trace.config.seq_len + 1)
    lines = []
    for k in range(len(trace.schemes)):
        expected = for_trace(trace, k)
        values = getattr(expected, quantity)
        if values is None:
            continue
        valid = expected.validity
        trusted = steps[::-1] <= valid.backward if back else steps <= valid.forward
        values = finite(values)
        lines.append(Overlay("theory", k, np.where(trusted, values, np.nan)))
        if not trusted.all():
            # Both parts hold the last trusted point, so that the line has no gap there.
            doubted = ~trusted | ~np.roll(trusted, 1) | ~np.roll(trusted, -1)
            lines.append(Overlay("theory, not to be trusted", k, np.where(doubted, values, np.nan)))
    return lines


def pinned(pins: Sequence[tuple[str, Array]]) -> list[Overlay]:
    """Return the pinned curves, in grey: pairs of a name and values."""
    return [Overlay(kind, 0, values, name) for kind, (name, values) in zip(PINS, pins, strict=False)]


def looks(overlays: Sequence[Overlay]) -> dict[str, list[Style]]:
    """Return the legend's entries: each name with the styles of its lines."""
    found: dict[str, list[Style]] = {}
    for each in overlays:
        name = each.name or _(each.kind)
        if each.look["linestyle"] == "-":
            found.setdefault(name, []).append(each.look)
        else:  # markers would hide the dash
            found[name] = [each.look | {"marker": ""}]
    return found


def describe(overlays: Sequence[Overlay], labels: Sequence[str], step: int, log: bool) -> list[str]:
    """Say what theory expects at a step, and where each other line lies there, or at its end next to it."""
    said = []
    for each in overlays:
        known = np.flatnonzero(np.isfinite(each.values))
        if not known.size:
            continue
        at = int(known[np.argmin(np.abs(known - step))])
        text = _("{line}: {value} at step {step}.") if at == step else _("{line}: ends with {value} at step {step}.")
        if each.kind.startswith("theory"):
            text = _("Theory expects {value} at step {step} for {curve}.") if at == step else ""
        label, value = labels[each.curve], number(each.values[at], log10=log)
        line = each.name or f"{_(each.kind)}, {label}"
        said.append(text.format(line=line, value=value, step=at, curve=label))
    return [text for text in said if text]


def root(trace: Trace, back: bool) -> float | None:
    """Return sqrt(H), from where one W_hh, used again and again, raises the mean square over networks.

    None where it lies beyond T steps or no scheme departs from theory (``back``: in the gradient).
    """
    found = trace.config.hidden_size**0.5
    within = trace.own is None and 1 < found < trace.config.seq_len
    return found if within and tied_weights_show(trace.config, trace.schemes, back) else None


def root_words(step: float | None, back: bool) -> str:
    """Say what the mark means, "" where there is none."""
    if step is None:
        return ""
    where = _("A line marks √H steps back, at t = {step}.") if back else _("A line marks √H steps, t = {step}.")
    meaning = _(
        "By two to three times as many steps one W_hh, used again and again, has raised the mean square over networks; "
        "their median, which is drawn, follows more slowly."
    )
    return f"{where.format(step=number(step))} {meaning}"


def band_words(seeds: int) -> tuple[str, str]:
    """Return what picture and alt text say of bands over this many seeds, nothing for a single one."""
    inner = seeds - 2 * int(left_out(seeds))
    note = _("band: middle {inner} of {count}")
    said = _("Lines are medians of {count} draws; bands hold the middle {inner} of them at each step.")
    if inner == seeds:
        note = _("band: all {count} draws")
        said = _("Lines are medians of {count} draws; bands reach from the lowest to the highest of them at each step.")
    return (note.format(count=seeds, inner=inner), said.format(count=seeds, inner=inner)) if seeds > 1 else ("", "")
