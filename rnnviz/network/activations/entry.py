"""What an activation function is: its value, its slope in three forms, and what units do at the ends of its range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...text.registry import Registry

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Activation:
    """One activation function, elementwise on arrays of any shape.

    Attributes
    ----------
    name, label, formula : its name in code, in menus and in formulas.
    f : ``a -> phi(a)``.
    slope : ``a -> phi'(a)``, to full relative precision as far as floats reach.
    log_slope : ``a -> log |phi'(a)|``, accurate at every ``a``; ``-inf`` where the slope is truly 0.
    saturated : ``h -> bool``: whether the unit hardly responds to its input.
    saturation_label : what ``saturated`` counts, in words.
    slope_of_output : ``h -> phi'(a)`` with ``h = phi(a)``, where an autograd engine computes it so: 0 for a saturated
        unit. None where engines keep ``a``.
    homogeneous : whether ``phi(k a) = k phi(a)`` for k > 0, so that the state can grow without bound.
    both : ``a -> (phi(a), phi'(a))`` for real arrays, where that is faster than two calls.
    ends : the values that phi approaches far on the left and on the right without reaching them, None for a side where
        there is no such value; None for neither.
    log_margin : ``a -> log |phi(a) - end|``, the distance from the end of ``ends`` on the side of ``a``, also where
        floats round phi onto it.
    kinks : where the slope jumps, apart from 0.
    switched_off : why a gradient fades at units that ``saturated`` counts, if they are off rather than saturated, so
        that half of them may be: a sentence with ``{saturation}`` and ``{factors}``; "" otherwise.
    torch_gain : what ``torch.nn.init.calculate_gain`` recommends, or None where it has no value.
    """

    name: str
    label: str
    formula: str
    f: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    log_slope: Callable[[Array], Array]
    saturated: Callable[[Array], Array]
    saturation_label: str
    slope_of_output: Callable[[Array], Array] | None = None
    homogeneous: bool = False
    both: Callable[[Array], tuple[Array, Array]] | None = None
    ends: tuple[float | None, float | None] | None = None
    log_margin: Callable[[Array], Array] | None = None
    kinks: tuple[float, ...] = ()
    switched_off: str = ""
    torch_gain: float | None = None

    @cached_property
    def bounded(self) -> bool:
        """Whether the output stays finite however large the pre-activation is."""
        with np.errstate(over="ignore"):
            return bool(np.abs(self.f(np.array([-1e300, 1e300]))).max() < 1e100)

    @cached_property
    def keeps_zero(self) -> bool:
        """Whether ``phi(0) = 0``, so that ``phi(a) = phi'(a) a`` for a tiny a."""
        return bool(self.f(np.zeros(1))[0] == 0)

    @cached_property
    def odd(self) -> bool:
        """Whether ``phi(-a) = -phi(a)``, so that the output has mean 0 for a symmetric input."""
        a = np.array([0.5, 1.0, 2.0])
        return bool(np.allclose(self.f(-a), -self.f(a), rtol=1e-12, atol=0.0))

    @cached_property
    def monotone(self) -> bool:
        """Whether no slope is negative."""
        return bool(np.all(self.slope(np.linspace(-20.0, 20.0, 4001)) >= 0))

    @cached_property
    def stops(self) -> bool:
        """Whether some slopes are exactly 0, so that a gradient can end there."""
        return bool(np.isneginf(self.log_slope(np.array([-1e3, 1e3]))).any())

    @cached_property
    def log10_steepest(self) -> float:
        """log10 of the largest slope."""
        return float(np.log10(self.slope(np.linspace(-20.0, 20.0, 4001)).max()))


def check_activation(phi: Activation) -> None:
    """Raise a ValueError for ends without the distance from them."""
    if phi.ends is not None and phi.log_margin is None:
        raise ValueError(f"log_margin of activation {phi.name!r} must be a function, since it has ends {phi.ends}")


ACTIVATIONS: Registry[Activation] = Registry("activation", check_activation)


def magnitude(a: Array) -> Array:
    """Return ``a * sign(Re a)``: |a| for real arrays, and analytic on either side of 0, for complex steps."""
    return np.abs(a) if np.isrealobj(a) else np.where(a.real >= 0, a, -a)
