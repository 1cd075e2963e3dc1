"""Axis limits that snap, so that most moves of a slider leave the axes and their drawing unchanged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator, ScalarFormatter

from ..text.language import numeral
from ..text.number_format import plain

LADDER = [float(f"{mantissa}e{power}") for power in range(308) for mantissa in (1, 1.5, 2, 3, 4, 5, 6, 8)]
SQUASH = 6.0  # a curve that would make the axis this many times longer leaves the picture, with an arrow
SUPERSCRIPT = str.maketrans("-0123456789.", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹·")


def snap(value: float) -> float:
    """Return the first rung of 0, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, ... that is not below ``value``."""
    return 0.0 if value < 0.03 else LADDER[min(bisect_left(LADDER, value), len(LADDER) - 1)]


def reach(extremes: Iterable[float], least: float) -> float:
    """Return how far an axis must reach for these distances, leaving out those that would squash all others."""
    length = least
    for extreme in sorted(abs(value) for value in extremes if np.isfinite(value)):
        if extreme > SQUASH * max(length, 5.0):
            break
        length = max(length, extreme)
    return snap(length)


def decades(lows: Iterable[float], highs: Iterable[float], down: float, up: float) -> tuple[float, float]:
    """Return the limits of an axis in powers of ten, at least ``-down`` to ``up``."""
    below = [min(low, 0.0) for low in lows]
    above = [max(high, 0.0) for high in highs]
    return -reach(below, down), reach(above, up)


def steps_limit(seq_len: int) -> float:
    """Return where the time axis ends for T steps."""
    return max(snap(seq_len), 2.0)


def power_of_ten(exponent: float) -> str:
    """Return ``10`` with a raised exponent, as an axis writes it.

    >>> power_of_ten(-12), power_of_ten(0)
    ('10⁻¹²', '1')
    """
    return "1" if exponent == 0 else f"10{f'{exponent:g}'.translate(SUPERSCRIPT)}"


def decade_ticks(bottom: float, top: float, most: int = 7, fine: float = 2.0) -> tuple[list[float], list[str]]:
    """Return where a decade axis has its ticks, and how they are written: at most about ``most``.

    Up to ``fine`` decades they are those of the mantissas 1, 2 and 5.
    """
    if top - bottom <= fine:
        values = [mantissa * 10.0**power for power in range(int(bottom) - 1, int(top) + 1) for mantissa in (1, 2, 5)]
        shown = [value for value in values if bottom - 1e-9 <= np.log10(value) <= top + 1e-9]
        return [float(np.log10(value)) for value in shown], [plain(value) for value in shown]
    for step in (mantissa * 10**power for power in range(9) for mantissa in (1, 2, 5)):
        if (top - bottom) / step <= most - 1:
            break
    first, last = int(np.ceil(bottom / step)), int(np.floor(top / step))
    ticks = [float(k * step) for k in range(first, last + 1)]
    return ticks, [power_of_ten(tick) for tick in ticks]


class Ticks(ScalarFormatter):
    """Writes ticks as matplotlib does, with the decimal sign of the language."""

    def __call__(self, x, pos=None):
        return numeral(super().__call__(x, pos))


def count_on(axis: Axis) -> None:
    """Make an axis that counts steps, units or layers have its ticks at whole numbers."""
    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True, min_n_ticks=1))
    axis.set_major_formatter(Ticks())


def draw_grid(ax: Axes) -> None:
    """Draw a pale grid behind everything else."""
    ax.grid(True, color="#dddddd", linewidth=0.8)
    ax.set_axisbelow(True)
