"""Named entries that menus, tests, docs and share links read."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TypeVar

from .language import _

T = TypeVar("T")


def explain_choice(kind: str, received: object, allowed) -> str:
    """Return a sentence with the allowed names, the value received and the name that was probably meant."""
    names = [str(name) for name in allowed]
    near = difflib.get_close_matches(shorten(received).strip("'\"").lower(), names, n=1)
    said = {"kind": kind, "names": ", ".join(names), "received": shorten(received)}
    if not near:
        return _("{kind} must be one of {names}; got {received}.").format(**said)
    return _("{kind} must be one of {names}; got {received}. Did you mean {near}?").format(**said, near=repr(near[0]))


def shorten(value: object, width: int = 60) -> str:
    """Return ``repr(value)``, cut to ``width`` characters so that a hostile value cannot flood a message."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print an integer of thousands of digits
        text = _("a {type} too long to show").format(type=type(value).__name__)
    return text if len(text) <= width else text[: width - 1] + "…"


class Registry(dict[str, T]):
    """A dict from name to entry; looking up an unknown name is a ValueError with a suggestion.

    What is computed from an entry may be cached by the entry, never by its name: a name can be registered again.

    >>> colours = Registry("colour")
    >>> colours.add("red", "#f00")
    '#f00'
    >>> colours["rde"]
    Traceback (most recent call last):
    ...
    ValueError: colour must be one of red; got 'rde'. Did you mean 'red'?
    """

    def __init__(self, kind: str, check: Callable[[T], None] | None = None):
        super().__init__()
        self.kind, self.check = kind, check

    def add(self, name: str, entry: T) -> T:
        """Register ``entry`` under ``name``, replacing an earlier one, and return it.

        Raises
        ------
        ValueError : from ``check``, for an entry that contradicts itself; an earlier one then stays.
        """
        if self.check:
            self.check(entry)
        self[name] = entry
        return entry

    def __missing__(self, name: object) -> T:
        raise ValueError(explain_choice(self.kind, name, self))
