"""What floats of 64, 32 and 16 bits would have held of the same run.

Forward and backward really run in that type, through the same cells: every operation takes numbers of the type and
rounds its result to it. A multiplication of matrices adds up in float32 before it rounds, and the softmax of the loss
is taken in a wider type, both as the frameworks do. There is no loss scaling, which is what mixed-precision training
adds to keep float16 gradients from underflowing, and no float32 master copy: this is what it is needed for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..network.activations import ACTIVATIONS
from ..network.arithmetic import Plain
from ..network.cells import CELLS, Step
from ..network.config import Config
from ..network.sampling import draw_inputs, init_params
from ..numerics.scaled import Scaled
from ..text.language import _
from ..text.registry import Registry
from .bptt import backward, cross_entropy, forward

Array = np.ndarray


@dataclass(frozen=True)
class Precision:
    """A type of float: its name, ``rounded(array)``, and the exponents of 10 between which it holds numbers."""

    name: str
    rounded: Callable[[Array], Array]
    log10_smallest: float
    log10_largest: float


PRECISIONS: Registry[Precision] = Registry("dtype")


def to_bfloat16(a: Array) -> Array:
    import ml_dtypes

    return a.astype(ml_dtypes.bfloat16)


PRECISIONS.add("float64", Precision("float64", lambda a: a.astype(np.float64), -323.3, 308.3))
PRECISIONS.add("float32", Precision("float32", lambda a: a.astype(np.float32), -44.9, 38.5))
PRECISIONS.add("float16", Precision("float16", lambda a: a.astype(np.float16), -7.2, 4.8))
PRECISIONS.add("bfloat16", Precision("bfloat16", to_bfloat16, -40.0, 38.5))


class Rounded(NDArrayOperatorsMixin):
    """A float32 array of which every operation's result is rounded to a narrower type."""

    def __init__(self, values: Array, rounded: Callable[[Array], Array]):
        self.values, self.rounded = rounded(values).astype(np.float32), rounded
        self.shape, self.dtype, self.ndim = self.values.shape, self.values.dtype, self.values.ndim

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return self._wrap(getattr(ufunc, method)(*map(bare, inputs), **kwargs))

    def __array_function__(self, func, types, args, kwargs):
        return self._wrap(func(*map(bare, args), **{key: bare(value) for key, value in kwargs.items()}))

    def _wrap(self, result):
        is_float = isinstance(result, np.ndarray | np.generic) and result.dtype.kind == "f"
        return Rounded(np.asarray(result), self.rounded) if is_float else result

    def __getitem__(self, index):
        return self._wrap(self.values[index])

    @property
    def real(self) -> Rounded:
        return self

    def reshape(self, *shape) -> Rounded:
        return self._wrap(self.values.reshape(*shape))

    def swapaxes(self, *axes) -> Rounded:
        return self._wrap(self.values.swapaxes(*axes))


def bare(value):
    """Return the float32 arrays inside ``value``."""
    if isinstance(value, list | tuple):
        return type(value)(map(bare, value))
    return value.values if isinstance(value, Rounded) else value


class Narrow(Plain):
    """Plain arithmetic on arrays of one type of float."""

    def __init__(self, precision: Precision):
        self.precision = precision

    def cast(self, a: Array) -> Array | Rounded:
        """Return ``a`` in the type: float64 and float32 as NumPy's own, narrower ones as `Rounded`."""
        rounded = self.precision.rounded
        if self.precision.name in ("float64", "float32"):
            return rounded(np.asarray(a))
        return Rounded(np.asarray(a, dtype=np.float32), rounded)

    def start(self, d: Scaled) -> Array | Rounded:
        return self.cast(d.to_float())

    def zeros(self, shape: tuple[int, ...]) -> Array | Rounded:
        return self.cast(np.zeros(shape))

    def log10_norm(self, d: Array | Rounded) -> Array:
        return super().log10_norm(np.asarray(d, dtype=float))


@dataclass(frozen=True)
class Held:
    """What one type of float held of a run.

    Attributes
    ----------
    config, dtype : what was run, and in which type.
    log10_grad_norm : (T+1,), log10 ||dL/dh_t||; ``-inf`` where every number has become 0, ``inf`` where one is not
        finite, nan throughout where the forward pass was not finite already.
    second_moment : (T+1,), E h^2 of the states, ``inf`` where they are not finite.
    first_zero : the first step on the way back at which the whole gradient is 0, or None.
    forward_overflow : the first step whose state is not finite, or None.
    backward_overflow : the first step on the way back whose gradient is not finite, or None.
    """

    config: Config
    dtype: str
    log10_grad_norm: Array
    second_moment: Array
    first_zero: int | None
    forward_overflow: int | None
    backward_overflow: int | None

    @property
    def words(self) -> str:
        """Say in one sentence what became of the numbers."""
        steps = (self.forward_overflow, self.backward_overflow, self.first_zero)
        step = next((step for step in steps if step is not None), 0)
        text = _("{dtype}: holds the gradient of every step.")
        if self.forward_overflow is not None:
            text = _("{dtype}: the state is no longer finite from step {step} on.")
        elif self.backward_overflow is not None:
            text = _("{dtype}: the gradient is no longer finite {back} steps back, at step {step}.")
        elif self.first_zero is not None:
            text = _("{dtype}: the gradient is exactly 0 from {back} steps back on, at step {step}.")
        return text.format(dtype=self.dtype, step=step, back=self.config.seq_len - step)


def held(config: Config, dtype: str = "float32") -> Held:
    """Run one experiment in floats of one type, without loss scaling.

    Parameters
    ----------
    config : the experiment; weights and inputs are drawn in float64 and rounded.
    dtype : a key of ``PRECISIONS``.

    Raises
    ------
    ValueError : for an unknown type. ImportError : for bfloat16 without the package ml_dtypes.

    >>> held(Config(scheme="uniform01", activation="relu"), "float16").words
    'float16: the state is no longer finite from step 4 on.'
    """
    num = Narrow(PRECISIONS[dtype])
    params = {name: num.cast(value) for name, value in init_params(config).items()}
    x, targets = draw_inputs(config)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        steps = list(forward(params, num.cast(x), CELLS[config.cell], ACTIVATIONS[config.activation], num))
        moments = np.array([0.0, *(second_moment(step) for step in steps)])
        overflow = first(np.array([False, *(not is_finite(step) for step in steps)]))
        norms = np.full(len(moments), np.nan) if overflow is not None else go_back(config, params, steps, targets, num)
    back = norms[::-1]
    from_end = {"first_zero": first(np.isneginf(back)), "backward_overflow": first(np.isposinf(back))}
    ends = {name: None if step is None else config.seq_len - step for name, step in from_end.items()}
    return Held(config, dtype, norms, moments, forward_overflow=overflow, **ends)


def go_back(config: Config, params, steps: list[Step], targets: Array, num: Narrow) -> Array:
    """Return log10 ||dL/dh_t|| for t = 0..T, ``inf`` where a number is not finite."""
    wide = {name: np.asarray(params[name], dtype=float) for name in ("W_hy", "b_y")}
    errors: list[Scaled | None] = [None] * len(steps)
    for t in range(len(steps)) if config.loss_at == "every" else (len(steps) - 1,):
        errors[t] = cross_entropy(wide, np.asarray(steps[t].state["h"], dtype=float), targets[t])[1]
    norms = []
    for step in backward(params, [step.tape for step in steps], errors, CELLS[config.cell], num):
        d = np.asarray(step.total["h"], dtype=float)
        norms.append(num.log10_norm(d) if np.isfinite(d).all() else np.inf)
    return np.array(norms[::-1])


def is_finite(step: Step) -> bool:
    return all(np.isfinite(np.asarray(value)).all() for value in step.state.values())


def second_moment(step: Step) -> float:
    """Return E h^2, ``inf`` where a state is not finite."""
    h = np.asarray(step.state["h"], dtype=float)
    return float(np.mean(np.square(h))) if is_finite(step) else np.inf


def first(flags: Array) -> int | None:
    """Return the index of the first True, or None."""
    return int(np.argmax(flags)) if flags.any() else None
