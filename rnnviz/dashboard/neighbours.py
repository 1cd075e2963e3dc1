"""What the next key will probably ask for: the settings one key away on the control that was moved last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ..network.config import FIELDS
from .settings import Settings
from .slider import DIGITS

KEYS = (1, -1, 5, -5)  # steps that the arrow keys and Page Up and Page Down move a slider


def neighbours(settings: Settings, name: str) -> Iterator[Settings]:
    """Yield the settings that one key leads to on the control ``name``, a field of Config, or "" for none.

    >>> [each.config.hidden_size for each in neighbours(Settings(), "hidden_size")]
    [65, 63, 69, 59]
    >>> [each.config.cell for each in neighbours(Settings(), "cell")]
    ['lstm']
    """
    for value in values_near(getattr(settings.config, name), FIELDS[name].metadata) if name else ():
        with suppress(ValueError):
            yield settings.replace(**{name: value})


def values_near(value: Any, meta: Any) -> list[Any]:
    """Return the values that one key leads to, for a field with this metadata."""
    if meta["kind"] == "choice":
        names = [*([None] if meta["optional"] else []), *meta["allowed"]]
        at = names.index(value)
        return names[max(at - 1, 0) : at] + names[at + 1 : at + 2]
    if "step" not in meta:
        return []
    (low, high), step = meta["slider"], meta["step"]
    steps = (round((value - low) / step) + by for by in KEYS)
    near = [float(f"{low + count * step:.{DIGITS}g}") for count in steps]
    return [type(value)(each) for each in near if low <= each <= high]
