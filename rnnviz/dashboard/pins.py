"""Pins: curves that stay, in grey, while the settings go on changing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.trace import Trace
from ..network import config
from ..network.config import FIELDS
from ..text.language import _
from ..text.number_format import plain
from ..text.registry import shorten
from .results import Results, is_whole
from .settings import Comparison, Settings
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
    first, all_settings = values_of(start), [values_of(pin) for pin in pins]
    apart = [name for name in first if len({str(each[name]) for each in all_settings}) > 1]
    names: list[str] = []
    for pin, mine in zip(pins, all_settings, strict=True):
        changed = [name for name in first if mine[name] != first[name] and name not in apart]
        told = [f"{label_of(name)} {in_words(name, mine[name])}" for name in [*apart, *changed][:MOST_SETTINGS]]
        name = ", ".join([_("pinned: {scheme}").format(scheme=pin.name), *told])
        names.append(f"{name} ({len(names) + 1})" if name in names else name)
    return names


def values_of(settings: Settings) -> dict[str, Any]:
    """Return what may tell one pin from another, but for its scheme."""
    values = settings.config.to_dict() | {"seeds": settings.seeds}
    return {name: value for name, value in values.items() if name != "scheme"}


def label_of(name: str) -> str:
    """Return what the page calls a setting."""
    return _("Draws") if name == "seeds" else config.label_of(name)


def in_words(name: str, value: Any) -> str:
    """Return a setting's value as short as a legend needs it."""
    meta = FIELDS[name].metadata if name in FIELDS else {}
    allowed = meta.get("allowed")
    if meta.get("kind") == "text":
        return shorten(value)
    if value is None:
        return _("the same as W_hh")
    if isinstance(allowed, Mapping):
        return _(getattr(allowed[value], "short", allowed[value].label))
    return plain(value, ".4g") if isinstance(value, float) else _(str(value))
