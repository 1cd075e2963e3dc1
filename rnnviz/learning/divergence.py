"""What overflowed where a run diverged."""

from __future__ import annotations

import numpy as np

from ..text.language import N_, _

Array = np.ndarray
LARGEST = 1e300  # a change of the weights beyond it counts as an overflow, so that the weights stay finite
SAID = {
    "": "",
    "state": N_("the state"),
    "loss": N_("the loss"),
    "gradient": N_("the gradient of {name}"),
    "optimiser": N_("what the optimiser remembers of {name}"),
    "weights": N_("the weights {name}"),
}


def said(code: str) -> str:
    """Return in words what overflowed.

    >>> said("gradient W_hh")
    'the gradient of W_hh'
    """
    what, _space, name = code.partition(" ")
    text = SAID[what]
    return _(text).format(name=name) if text else ""


def worst(row: Array, columns: dict[str, slice]) -> str:
    """Return the parameter that has a number which is not finite, or the largest one, in a row (P,)."""
    largest = {name: np.abs(row[column]).max() for name, column in columns.items()}
    return next(
        (name for name, value in largest.items() if not np.isfinite(value)), max(largest, key=largest.__getitem__)
    )


def is_too_large(rows: Array) -> Array:
    """Return for each row whether it holds a number beyond the largest, or nan."""
    squares = np.einsum("np,np->n", rows, rows)
    if np.isfinite(squares).all():
        return np.zeros(len(rows), dtype=bool)
    return ~(np.abs(rows).max(axis=1) <= LARGEST)
