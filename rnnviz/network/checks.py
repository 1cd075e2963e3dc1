"""Checks of the values of a Config's fields; each error names the field, the value received and the values allowed."""

from __future__ import annotations

import json
import math
from dataclasses import Field
from typing import Any

from ..text.language import _
from ..text.number_format import plain
from ..text.registry import explain_choice, shorten
from .inputs import alphabet


def check(spec: Field, value: Any) -> Any:
    """Return ``value`` in the type of the field, or raise a ValueError that says what is allowed."""
    meta = spec.metadata
    if meta["kind"] == "choice":
        return check_choice(spec, value)
    if meta["kind"] == "text":
        return check_text(spec, value)
    whole = meta["kind"] == "int"
    try:
        if isinstance(value, bool | str):
            raise TypeError
        converted = int(value) if whole else float(value)
        valid = converted == value and meta["low"] <= converted <= meta["high"]
    except (TypeError, ValueError, OverflowError):
        valid = False
    if not valid:
        raise ValueError(out_of_bounds(spec, value))
    return converted


def out_of_bounds(spec: Field, value: Any) -> str:
    """Return a sentence with the bounds of a field and the value received."""
    whole = _("{name} must be a whole number from {low} to {high}; got {received}.")
    text = (
        whole if spec.metadata["kind"] == "int" else _("{name} must be a number from {low} to {high}; got {received}.")
    )
    low, high = (plain(spec.metadata[end], ".12g") for end in ("low", "high"))
    return text.format(name=spec.name, low=low, high=high, received=shorten(value))


def check_choice(spec: Field, value: Any) -> str | None:
    allowed = spec.metadata["allowed"]
    if value is None and spec.metadata["optional"]:
        return None
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(explain_choice(spec.name, value, allowed))
    return value


def check_text(spec: Field, value: Any) -> str:
    low, high = spec.metadata["low"], spec.metadata["high"]
    if not isinstance(value, str) or not low <= len(value) <= high or len(alphabet(value)) < 2:
        text = _("{name} must be a text of {low} to {high} characters, at least 2 of them different; got {received}.")
        raise ValueError(text.format(name=spec.name, low=low, high=high, received=shorten(value)))
    try:
        value.encode()
    except UnicodeEncodeError:
        text = _("{name} must be text that UTF-8 can encode; got {received}.")
        raise ValueError(text.format(name=spec.name, received=shorten(value))) from None
    spec.metadata.get("check", str)(value)
    return value


def from_text(spec: Field, text: str) -> Any:
    """Return the value of a field in a query string, not yet checked."""
    if spec.metadata["kind"] not in ("int", "float"):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, float) and spec.metadata["kind"] == "int" and math.isfinite(value) and value == int(value):
        return int(value)
    return value
