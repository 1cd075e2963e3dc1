"""Lines over the curves: theory, an LSTM's cell state, narrower floats, pinned comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..engine.trace import Trace
from ..text.language import _
from ..text.number_format import number
from ..theory.prediction import for_trace
from .styles import OVERLAYS, PINS, STYLES, TERM_OF, Style

Array = np.ndarray


@dataclass(frozen=True)
class Overlay:
    """One more line: a kind of ``OVERLAYS``, the index of its curve, its values (T+1,) and a name of its own."""

    kind: str
    curve: int
    values: Array
    name: str = ""

    @property
    def key(self) -> tuple[str, int, str]:
        """What a frame holds of it."""
        return self.kind, self.curve, self.name

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
