"""Pins: curves that stay, in grey, while the settings go on changing."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.trace import Trace
from ..text.language import _
from .export import in_words
from .results import Results, is_whole
from .settings import Comparison, Settings, label_of
from .state import PageState
from .work import Pin

MOST_SETTINGS = 3  # in a pin's name


def pinned(state: PageState, results: Results) -> tuple[tuple[str, Trace], ...]:
    """Return the names and comparisons of the pins whose curves are known."""
    names = names_of(state.pins, state.start)
    traces = [pinned_trace(pin.comparison, results) for pin in state.pins]
    return tuple((name, trace) for name, trace in zip(names, traces, strict=True) if trace is not None)


def pinned_trace(comparison: Comparison, results: Results) -> Trace | None:
    """Return a pin's comparison, also where it is the first scheme of one that is known as a whole."""
    pin = Pin(comparison)
    if results[pin].value is None:
        for key, result in results.known.items():
            is_its_own = isinstance(key, Comparison) and key.first_scheme == comparison
            if is_its_own and result.value is not None and is_whole(result.value, key):
                results.put(pin, value=result.value.only(0))
                break
    return results[pin].value


def names_of(pins: Sequence[Settings], start: Settings) -> list[str]:
    """Return what pins are called: the scheme and some settings, those first in which they differ from one another.

    Then come those that are others than where the page started, and a number where two would still be called the same.
    """
    first, all_values = start.alone.values, [pin.values for pin in pins]
    but_scheme = [name for name in first if name != "scheme"]
    apart = [name for name in but_scheme if len({str(each[name]) for each in all_values}) > 1]
    names: list[str] = []
    for pin, mine in zip(pins, all_values, strict=True):
        changed = [name for name in but_scheme if mine[name] != first[name] and name not in apart]
        told = [f"{label_of(name)} {in_words(name, mine[name])}" for name in [*apart, *changed][:MOST_SETTINGS]]
        name = ", ".join([_("pinned: {scheme}").format(scheme=pin.name), *told])
        names.append(f"{name} ({len(names) + 1})" if name in names else name)
    return names
