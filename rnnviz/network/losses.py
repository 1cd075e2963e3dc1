"""How the losses of several steps become one loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..text.language import N_
from ..text.registry import explain_choice


@dataclass(frozen=True, eq=False)
class Reduction:
    """One way to make a single loss of the losses of N steps.

    Attributes
    ----------
    label : its name in menus.
    weight : ``N -> float``, the factor on the loss of each step.
    note : what it means for a loss, in sentences for a page, from ``steps``, ``loss``, ``each`` and ``scheme``.
    """

    label: str
    weight: Callable[[int], float]
    note: str


# Read-only, not a registry: nobody replaces an entry, so that no cache has to know it.
LOSS_REDUCTIONS: Mapping[str, Reduction] = MappingProxyType(
    {
        "sum": Reduction(
            N_("sum over steps"),
            lambda steps: 1.0,
            N_(
                "The loss is the sum of {steps} losses, one for each step: {loss} with {scheme}, {each} per step. It "
                "grows with T, and so, as a rule, does the gradient of W_hh."
            ),
        ),
        "mean": Reduction(
            N_("mean over steps"),
            lambda steps: 1.0 / steps,
            N_(
                "The loss is the mean of {steps} losses, one for each step: {loss} with {scheme}. Every gradient is "
                "1/{steps} of what the sum gives; the curves, relative to the last step, are the same."
            ),
        ),
    }
)


def loss_weight(loss_at: str, loss_reduction: str, seq_len: int) -> float:
    """Return the factor on the loss of each step that has one; ValueError for an unknown reduction.

    >>> loss_weight("every", "mean", 50), loss_weight("last", "mean", 50), loss_weight("every", "sum", 50)
    (0.02, 1.0, 1.0)
    """
    if loss_reduction not in LOSS_REDUCTIONS:
        raise ValueError(explain_choice("loss_reduction", loss_reduction, LOSS_REDUCTIONS))
    return LOSS_REDUCTIONS[loss_reduction].weight(seq_len if loss_at == "every" else 1)
