"""A run in floats of 64, 32 or 16 bits, and where its numbers overflow or underflow.

Both passes really run in that type, through the same cells: every operation rounds its result to the type. Matrix
products are accumulated in float32 before they are rounded, and the softmax of the loss is computed in a wider type,
both as the frameworks do. There is no loss scaling and no float32 master copy, the remedies of mixed-precision
training: this shows why they are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ..network.activations import ACTIVATIONS
from ..network.arithmetic import Plain
from ..network.cells import CELLS, Params, Step
from ..network.config import Config
from ..network.layers import count_layers
from ..network.losses import loss_weight
from ..network.sampling import draw_inputs, init_params
from ..numerics.progress import Progress, finish, rescaled, unwarned
from ..numerics.scaled import Scaled
from ..text.language import _, ngettext
from ..text.registry import Registry
from .layers import backward_through, forward_through
from .passes import cross_entropy

Array = np.ndarray
Floats = Any  # an array, or a `Rounded`, which acts like one


@dataclass(frozen=True)
class Precision:
    """A type of float: its name, ``rounded(array)``, and log10 of its smallest and largest positive numbers."""

    name: str
    rounded: Callable[[Array], Array]
    log10_smallest: float
    log10_largest: float


PRECISIONS: Registry[Precision] = Registry("dtype")


def to_bfloat16(a: Array) -> Array:
    """Return float32 numbers whose last 16 bits are 0: rounded to bfloat16, ties to even, also to infinity."""
    a = np.asarray(a, dtype=np.float32)
    bits = a.view(np.uint32)
    kept = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(a), a, kept.view(np.float32))


PRECISIONS.add("float64", Precision("float64", lambda a: a.astype(np.float64), -323.3, 308.3))
PRECISIONS.add("float32", Precision("float32", lambda a: a.astype(np.float32), -44.9, 38.5))
PRECISIONS.add("float16", Precision("float16", lambda a: a.astype(np.float16), -7.2, 4.8))
PRECISIONS.add("bfloat16", Precision("bfloat16", to_bfloat16, -40.0, 38.5))


class Rounded(NDArrayOperatorsMixin):
    """A float32 array; the result of every operation on it is rounded to a narrower type."""

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


class NarrowArithmetic(Plain):
    """Plain arithmetic on arrays of one type of float."""

    def __init__(self, precision: Precision):
        self.precision = precision

    def cast(self, a: Array) -> Floats:
        """Return ``a`` in the type: float64 and float32 as NumPy's own, narrower ones as `Rounded`."""
        rounded = self.precision.rounded
        if self.precision.name in ("float64", "float32"):
            return rounded(np.asarray(a))
        return Rounded(np.asarray(a, dtype=np.float32), rounded)

    def start(self, d: Scaled | Floats) -> Floats:
        return self.cast(d.to_float()) if isinstance(d, Scaled) else d

    def zeros(self, shape: tuple[int, ...]) -> Floats:
        return self.cast(np.zeros(shape))

    def log10_norm(self, d: Floats) -> Array:
        return super().log10_norm(np.asarray(d, dtype=float))


@dataclass(frozen=True)
class Narrow:
    """A run in one type of float.

    Attributes
    ----------
    config, dtype, layer : the experiment, the type, and the layer that the arrays by step belong to.
    log10_grad_norm : (T+1,), log10 ||dL/dh_t||; ``-inf`` where every number is 0, ``inf`` where one is not finite, nan
        throughout where the forward pass is not finite.
    second_moment : (T+1,), E h^2 of the states, ``inf`` where they are not finite.
    first_zero : the step from which on, further back, every number of the gradient is 0, or None; not where it is 0
        since the loss does not reach that far (``config.truncate``).
    forward_overflow : the first step at which the state of some layer is not finite, or None.
    backward_overflow : the first step on the way back whose gradient is not finite, or None.
    """

    config: Config
    dtype: str
    layer: int
    log10_grad_norm: Array
    second_moment: Array
    first_zero: int | None
    forward_overflow: int | None
    backward_overflow: int | None

    @property
    def words(self) -> str:
        """One sentence: where the numbers overflow or underflow, if they do."""
        steps = (self.forward_overflow, self.backward_overflow, self.first_zero)
        step = next((step for step in steps if step is not None), 0)
        back = self.config.seq_len - step
        reached = self.config.first_reached
        text = _("{dtype}: keeps a gradient all the way back to step 0.")
        if reached:
            text = _("{dtype}: keeps a gradient as far back as the loss reaches, to step {reached}.")
        if self.forward_overflow is not None:
            text = _("{dtype}: the state is no longer finite from step {step} on.")
        elif self.backward_overflow is not None:
            text = ngettext(
                "{dtype}: the gradient is no longer finite {back} step back, at step {step}.",
                "{dtype}: the gradient is no longer finite {back} steps back, at step {step}.",
                back,
            )
        elif self.first_zero is not None:
            text = ngettext(
                "{dtype}: the gradient is exactly 0 from {back} step back on, at step {step}.",
                "{dtype}: the gradient is exactly 0 from {back} steps back on, at step {step}.",
                back,
            )
        return text.format(dtype=self.dtype, step=step, back=back, reached=reached)


def held(config: Config, dtype: str = "float32", layer: int | None = None) -> Narrow:
    """Run one experiment in floats of one type, without loss scaling.

    Parameters
    ----------
    config : the experiment; weights and inputs are drawn in float64 and rounded.
    dtype : a key of ``PRECISIONS``.
    layer : whose gradients and states to show, counted from 1; None for the top one.

    Raises
    ------
    ValueError : for an unknown type or layer.

    >>> held(Config(scheme="uniform01", activation="relu"), "float16").words
    'float16: the state is no longer finite from step 4 on.'
    """
    return finish(holding(config, dtype, layer=layer))


def holding(
    config: Config,
    dtype: str = "float32",
    params: Params | None = None,
    data: tuple[Array, Array] | None = None,
    layer: int | None = None,
) -> Progress[Narrow]:
    """Compute what `held` returns, and yield the share done after every step.

    ``params`` and ``data`` (x, targets) are those that the Config draws, unless they are given.
    """
    num = NarrowArithmetic(PRECISIONS[dtype])
    params, data = params or init_params(config), data or draw_inputs(config)
    layers = count_layers(params)
    if layer is not None and not 1 <= layer <= layers:
        raise ValueError(f"layer must be a whole number from 1 to {layers}; got {layer}")
    passes = both_passes(config, params, *data, dtype, num, layer or layers)
    return unwarned(passes, over="ignore", under="ignore", invalid="ignore")


def both_passes(
    config: Config, params: Params, x: Array, targets: Array, dtype: str, num: NarrowArithmetic, layer: int
) -> Progress[Narrow]:
    """Go forward and, where all states are finite, back."""
    yield 0.0
    params = {name: num.cast(value) for name, value in params.items()}
    steps: list[list[Step]] = [[] for _layer in range(count_layers(params))]
    walk = forward_through(params, num.cast(x), CELLS[config.cell], ACTIVATIONS[config.activation], num)
    for done, (at, step) in enumerate(walk, 1):
        steps[at - 1].append(step)
        yield 0.5 * done / (len(steps) * len(x))
    moments = np.array([0.0, *(second_moment(step) for step in steps[layer - 1])])
    overflow = first(np.array([False, *(not all(map(is_finite, each)) for each in zip(*steps, strict=True))]))
    norms = np.full(len(moments), np.nan)
    if overflow is None:
        errors = output_gradients(config, params, steps[-1], targets)
        norms = yield from rescaled(gradient_norms(config, params, steps, errors, num, layer), 0.5, 0.5)
    zeros, too_large = int(np.argmin([*np.isneginf(norms), False])), first(np.isposinf(norms[::-1]))
    ends = {
        "first_zero": zeros - 1 if zeros > config.first_reached else None,
        "backward_overflow": None if too_large is None else config.seq_len - too_large,
    }
    return Narrow(config, dtype, layer, norms, moments, forward_overflow=overflow, **ends)


def output_gradients(config: Config, params: Params, steps: list[Step], targets: Array) -> list[Scaled | None]:
    """Return dL/dy_t of the steps 1..T, None where a step has no loss."""
    wide = {name: np.asarray(params[name], dtype=float) for name in ("W_hy", "b_y")}
    errors: list[Scaled | None] = [None] * len(steps)
    weight = loss_weight(config.loss_at, config.loss_reduction, len(steps))
    for t in range(len(steps)) if config.loss_at == "every" else (len(steps) - 1,):
        errors[t] = cross_entropy(wide, np.asarray(steps[t].state["h"], dtype=float), targets[t], weight)[1]
    return errors


def gradient_norms(
    config: Config, params: Params, steps: list[list[Step]], errors: list[Scaled | None], num: NarrowArithmetic,
    layer: int,
) -> Progress[Array]:  # fmt: skip
    """Return log10 ||dL/dh_t|| of one layer for t = 0..T, ``inf`` where a number is not finite."""
    norms: list[float] = []
    tapes = [[step.tape for step in each] for each in steps[layer - 1 :]]
    walk = backward_through(params, tapes, errors, CELLS[config.cell], num, config.truncate)
    length, above = len(errors) + 1, len(steps) - layer
    for done, (at, step) in enumerate(walk, 1):
        yield done / (length * (above + 1))
        if at > layer:
            continue
        totals = [np.asarray(d, dtype=float) for d in step.total.values()]
        norms.append(float(num.log10_norm(totals[0])) if np.isfinite(totals[0]).all() else np.inf)
        ahead = length - 1 - len(norms)
        is_fed = above or any(error is not None for error in errors[: max(ahead, 0)])
        if len(norms) == length or not (is_fed or any(map(np.any, totals))):
            norms += [-np.inf] * (length - len(norms))  # what is 0 stays 0
            break
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
