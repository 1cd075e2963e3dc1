"""Roots of a function of one positive number, at any magnitude."""

from __future__ import annotations

import math
from collections.abc import Callable

LOWEST, HIGHEST = 1e-18, 1e300  # range searched
FAR, LONGEST = 1e9, 32  # factor from which strides grow, and log2 of the longest
ROUNDING = 4e-16  # relative width of a bracket that cannot shrink further


def solve(g: Callable[[float], float], start: float) -> float:
    """Return the first root of ``g`` above ``start`` where g(start) > 0, else the first below.

    Without a root, return inf or the lower end of the range.
    """
    return root(g, *bracket(g, start))


def bracket(g: Callable[[float], float], x: float) -> tuple[float, float]:
    """Double x while g(x) > 0, or halve it while g(x) < 0; return the last two, or the end of the range twice.

    Far from where it began, x takes longer strides.
    """
    is_up, power, near = g(x) > 0, 1, (x / FAR, x * FAR)
    while LOWEST < (after := x * 2.0 ** (power if is_up else -power)) < HIGHEST:
        before, x = x, after
        value = g(x)
        if (value > 0) != is_up or value == 0:
            return before, x
        if not near[0] < x < near[1]:
            power = min(2 * power, LONGEST)
    return (math.inf, math.inf) if is_up else (x, x)


def root(g: Callable[[float], float], a: float, b: float) -> float:
    """Return a root of ``g`` between ``a`` and ``b``.

    The Illinois method (Dowell & Jarratt 1971), with a bisection every third iteration.
    """
    if a == b:
        return b
    g_a, g_b = g(a), g(b)
    for iteration in range(200):
        if g_b == 0 or abs(b - a) <= ROUNDING * max(a, b):
            break
        x = b - g_b * ((b - a) / (g_b - g_a))
        if iteration % 3 == 2 or not min(a, b) < x < max(a, b):
            x = 0.5 * a + 0.5 * b
        g_x = g(x)
        if (g_x > 0) != (g_b > 0):
            a, g_a = b, g_b
        else:
            g_a *= 0.5
        b, g_b = x, g_x
    return b
