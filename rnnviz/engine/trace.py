"""What is kept of runs: every statistic by step, and how to get at the networks behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.cells import CELLS
from ..network.config import Config
from ..network.layers import first_layers
from ..network.sampling import draw_inputs, init_params
from ..network.schemes import SCHEMES
from ..text.language import _
from .layers import forward_through

Array = np.ndarray
NUMBERS = ("loss", "log10_weight_size")  # one for each run


def per_step(**metadata):
    """Declare an array with a value for each step 0..T."""
    return field(metadata={"per_step": True, **metadata})


@dataclass(frozen=True, eq=False)
class Network:
    """A network that no Config draws, and the batch it read: arguments as of `bptt`, ``targets`` (T, B)."""

    params: dict[str, Array]
    x: Array
    targets: Array
    cell: str
    activation: str
    loss_at: str
    name: str
    loss_reduction: str = "sum"
    truncate: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name,)

    def parameters(self, s: int = 0, r: int = 0) -> dict[str, Array]:
        return self.params

    def read(self, r: int = 0) -> Array:
        return self.x

    def inputs(self, s: int = 0, r: int = 0) -> tuple[Array, Array]:
        return self.x, self.targets

    def only(self, s: int, r: int | None = None) -> Network:
        return self


@dataclass(frozen=True, eq=False)
class OwnRuns:
    """Networks by scheme and seed that no Config draws, such as trained ones, and the batch that each seed read.

    Attributes
    ----------
    names : what legends call the schemes (S,).
    params : name -> (S, R, ...). x : (R, T, B, D).
    targets : (R, T, B), None where the loss is not the cross-entropy of classes.
    step_loss : seeds by their places -> the loss of a stack of networks that read their batches.
    """

    names: tuple[str, ...]
    params: dict[str, Array]
    x: Array
    targets: Array | None
    step_loss: Callable[[list[int]], Any]

    def parameters(self, s: int = 0, r: int = 0) -> dict[str, Array]:
        return {name: value[s, r] for name, value in self.params.items()}

    def read(self, r: int = 0) -> Array:
        return self.x[r]

    def inputs(self, s: int = 0, r: int = 0) -> tuple[Array, Array]:
        if self.targets is None:
            raise ValueError(_("This picture needs a loss on classes, which this problem does not have."))
        return self.x[r], self.targets[r]

    def only(self, s: int, r: int | None = None) -> OwnRuns:
        """Return the networks of one scheme, or of one scheme and seed."""
        seeds = slice(None) if r is None else slice(r, r + 1)
        params = {name: value[s : s + 1, seeds] for name, value in self.params.items()}
        targets = None if self.targets is None else self.targets[seeds]
        return replace(self, names=self.names[s : s + 1], params=params, x=self.x[seeds], targets=targets)


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened in one run, or in S schemes x R seeds: then every array has the leading axes (S, R).

    Of several layers, arrays by step are the top layer's, and `second_moment_by_layer` and the like have all of them.

    Attributes
    ----------
    config : the Config that was run (of a comparison: the one that the schemes and seeds were put into).
    schemes, seeds : what the leading axes stand for.
    loss : (), mean over the batch, sum or mean over the steps that have a loss (``config.loss_reduction``).
    log10_weight_size : (), log10 of ||W_hh|| / sqrt(H), the factor by which W_hh changes the length of any direction, a
        root mean square.
    second_moment, variance, mean : (T+1,), E h^2, E (h - E h)^2 and E h over units and batch; 0 at step 0;
        inf where a state that is finite itself has squares beyond float64, and from ``first_nonfinite`` on (nan there,
        but for the second moment).
    saturation : (T+1,), share of units that the activation calls saturated (see its ``saturation_label``).
    log10_grad_norm : (T+1,), log10 ||dL/dh_t||, exact at any magnitude; ``-inf`` for a true zero, nan where the forward
        pass left the finite numbers, so that no gradient is defined.
    log10_grad_norm_c : the same for dL/dc_t of an LSTM, else None.
    log10_relative_norm : (T+1,), log10 of ||dL/dh_t|| over ||dL/dh_T||, where that is not 0 (else nan): exact too where
        the loss is so sure that ``log10_grad_norm`` has no digits left for it; log10_relative_norm_c : of ||dL/dc_t||
        over ||dL/dh_T||.
    log10_relative_norm_last : as log10_relative_norm, of the last step's loss alone; None where there is no other.
    log10_step_factor : (T+1,), log10 of what the slopes of an RNN do at step t to the gradient g of the last step's
        loss, ``||g * phi'|| / ||g||``: W_hh does the rest. With gates, of what the gate alone does to what it has left
        of dL/dc_T (an LSTM's forget gate) or dL/dh_T (a GRU's update gate); nan at step 0.
    gates : name -> (T+1,), the mean value of each gate; gate_saturation : share of its values that are
        saturated, for a sigmoid those below 0.015 or above 0.985.
    first_nonfinite : the first step whose state (in this layer or one below) is not finite, or None; in a comparison an
        array (S, R), -1 for none.
    units : (T+1, H), the state of the first sequence.
    own : the network of `trace`, or trained networks; None where a Config drew them.
    by_layer : what is stated above for each layer, from the first to the top: field -> array; see `of_layer`.
    layer : whose arrays by step these are, counted from 1; 0 for the top one's.
    """

    config: Config
    schemes: tuple[str, ...]
    seeds: tuple[int, ...]
    loss: Array
    log10_weight_size: Array
    second_moment: Array = per_step()
    variance: Array = per_step()
    mean: Array = per_step()
    saturation: Array = per_step()
    log10_grad_norm: Array = per_step()
    log10_grad_norm_c: Array | None = per_step()
    log10_relative_norm: Array = per_step()
    log10_relative_norm_c: Array | None = per_step()
    log10_relative_norm_last: Array | None = per_step()
    log10_step_factor: Array = per_step()
    gates: dict[str, Array] = per_step()
    gate_saturation: dict[str, Array] = per_step()
    first_nonfinite: Any = None
    units: Any = None
    own: Network | OwnRuns | None = None
    by_layer: tuple[dict[str, Any], ...] = ()
    layer: int = 0

    @property
    def second_moment_by_layer(self) -> Array:
        """(L, T+1), E h^2 of every layer, in a comparison (S, R, L, T+1); the next four properties likewise."""
        return self._stacked("second_moment")

    @property
    def variance_by_layer(self) -> Array:
        return self._stacked("variance")

    @property
    def mean_by_layer(self) -> Array:
        return self._stacked("mean")

    @property
    def saturation_by_layer(self) -> Array:
        return self._stacked("saturation")

    @property
    def log10_grad_norm_by_layer(self) -> Array:
        return self._stacked("log10_grad_norm")

    def _stacked(self, name: str) -> Array:
        return np.stack([layer[name] for layer in self.by_layer], axis=-2)

    def of_layer(self, layer: int) -> Trace:
        """Return a Trace whose arrays by step are those of one layer, counted from 1; ValueError for one beyond L.

        Its ``log10_relative_norm`` is relative to the top layer's dL/dh_T, as everywhere.
        """
        if not 1 <= layer <= len(self.by_layer):
            raise ValueError(f"layer must be a whole number from 1 to {len(self.by_layer)}; got {layer}")
        return replace(self, layer=layer, **self.by_layer[layer - 1])

    @property
    def names(self) -> tuple[str, ...]:
        """What a legend calls each scheme, or the own network."""
        return self.own.names if self.own else tuple(_(SCHEMES[name].short) for name in self.schemes)

    @property
    def has_classes(self) -> bool:
        """Whether the loss is the cross-entropy of classes, at the last step or at every one, as `bptt` computes it."""
        return self.own is None or self.own.targets is not None

    def drawn(self, scheme_index: int = 0, seed_index: int = 0) -> Config:
        """Return the Config that drew one of the networks; ValueError for an own network, which none did."""
        if self.own:
            text = _("{name} was not drawn by a Config, which this needs.")
            raise ValueError(text.format(name=self.own.names[0]))
        return self.config.replace(scheme=self.schemes[scheme_index], seed=self.seeds[seed_index])

    def parameters(self, scheme_index: int = 0, seed_index: int = 0) -> dict[str, Array]:
        """Return the parameters of one of the networks, as `init_params` does."""
        if self.own:
            return self.own.parameters(scheme_index, seed_index)
        return init_params(self.drawn(scheme_index, seed_index))

    def inputs(self, scheme_index: int = 0, seed_index: int = 0) -> tuple[Array, Array]:
        """Return what one of the networks read: ``x`` (T, B, D) and the targets (T, B)."""
        if self.own:
            return self.own.inputs(scheme_index, seed_index)
        return draw_inputs(self.drawn(scheme_index, seed_index))

    def layer_inputs(self, layer: int, scheme_index: int = 0, seed_index: int = 0) -> Array:
        """Return what a layer, counted from 1, of one of the networks read: (T, B, D), or (T, B, H) above the first."""
        # Not by `inputs`, which needs targets that are classes.
        x = self.own.read(seed_index) if self.own else self.inputs(scheme_index, seed_index)[0]
        if layer == 1:
            return x
        below = first_layers(self.parameters(scheme_index, seed_index), layer - 1)
        cell, phi = CELLS[self.config.cell], ACTIVATIONS[self.config.activation]
        with np.errstate(over="ignore", invalid="ignore"):
            steps = list(forward_through(below, x, cell, phi))[-len(x) :]
        return np.stack([step.state["h"] for _layer, step in steps])

    def only(self, scheme: int = 0) -> Trace:
        """Return the comparison of a single scheme: the same, with S = 1."""
        if len(self.schemes) == 1:
            return self
        name, own = self.schemes[scheme], self.own and self.own.only(scheme)
        cut = self._with_arrays(lambda array: array[scheme : scheme + 1])
        return replace(cut, config=self.config.replace(scheme=name), schemes=(name,), own=own)

    def one(self, scheme: int = 0, seed: int = 0) -> Trace:
        """Return the Trace of a single run, without the leading axes."""
        config = self.config if self.own else self.drawn(scheme, seed)
        picked = self._with_arrays(lambda array: array[scheme, seed], without_axes)
        own = self.own and self.own.only(scheme, seed)
        return replace(picked, config=config, schemes=(self.schemes[scheme],), seeds=(self.seeds[seed],), own=own)

    def as_comparison(self) -> Trace:
        """Return the Trace of a single run as a comparison of one, the inverse of `one`; a comparison as it is."""
        if self.second_moment.ndim > 1:
            return self
        return self._with_arrays(lambda array: array[None, None], with_axes)

    def _with_arrays(
        self, change: Callable[[Array], Any], scalars: Callable[[dict], dict] = lambda values: {}
    ) -> Trace:
        """Return a Trace with every array changed, and with what ``scalars`` makes of the numbers without steps."""

        def changed(value):
            if isinstance(value, dict):
                return {key: changed(item) for key, item in value.items()}
            return change(value) if isinstance(value, np.ndarray) else value

        def changed_fields(values: dict[str, Any]) -> dict[str, Any]:
            values = changed(values)
            return values | scalars(values)

        values = {spec.name: getattr(self, spec.name) for spec in fields(self)}
        by_layer = tuple(map(changed_fields, values.pop("by_layer")))
        return Trace(**changed_fields(values), by_layer=by_layer)


def without_axes(values: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers without steps of a single run, picked from a comparison."""
    step = int(values["first_nonfinite"])
    numbers = {name: float(values[name]) for name in NUMBERS if name in values}
    return numbers | {"first_nonfinite": None if step < 0 else step}


def with_axes(values: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers without steps of a single run as a comparison has them."""
    step = -1 if values["first_nonfinite"] is None else values["first_nonfinite"]
    numbers = {name: np.array([[values[name]]]) for name in NUMBERS if name in values}
    return numbers | {"first_nonfinite": np.array([[step]])}
