"""What is kept of runs: every statistic by step, and how to get at the networks behind it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..network.config import Config
from ..network.sampling import draw_inputs, init_params
from ..network.schemes import SCHEMES
from ..text.language import _

Array = np.ndarray


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


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened in one run, or in S schemes x R seeds: then every array has the leading axes (S, R).

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
    first_nonfinite : the first step whose state is not finite, or None; in a comparison an array (S, R), -1 for none.
    units : (T+1, H), the state of the first sequence.
    own : the network of `trace`; None where a Config drew the networks.
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
    own: Network | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What a legend calls each scheme, or the own network."""
        return (self.own.name,) if self.own else tuple(_(SCHEMES[name].short) for name in self.schemes)

    def drawn(self, scheme_index: int = 0, seed_index: int = 0) -> Config:
        """Return the Config that drew one of the networks; ValueError for an own network, which none did."""
        if self.own:
            text = _("{name} was not drawn by a Config, which this needs.")
            raise ValueError(text.format(name=self.own.name))
        return self.config.replace(scheme=self.schemes[scheme_index], seed=self.seeds[seed_index])

    def parameters(self, scheme_index: int = 0, seed_index: int = 0) -> dict[str, Array]:
        """Return the parameters of one of the networks, as `init_params` does."""
        return self.own.params if self.own else init_params(self.drawn(scheme_index, seed_index))

    def inputs(self, scheme_index: int = 0, seed_index: int = 0) -> tuple[Array, Array]:
        """Return what one of the networks read: ``x`` (T, B, D) and the targets (T, B)."""
        return (self.own.x, self.own.targets) if self.own else draw_inputs(self.drawn(scheme_index, seed_index))

    def only(self, scheme: int = 0) -> Trace:
        """Return the comparison of a single scheme: the same, with S = 1."""

        def cut(value):
            if isinstance(value, dict):
                return {key: cut(item) for key, item in value.items()}
            return value[scheme : scheme + 1] if isinstance(value, np.ndarray) else value

        if self.own:
            return self
        values = {spec.name: cut(getattr(self, spec.name)) for spec in fields(self)}
        name = self.schemes[scheme]
        return Trace(**values | {"config": self.config.replace(scheme=name), "schemes": (name,)})

    def one(self, scheme: int = 0, seed: int = 0) -> Trace:
        """Return the Trace of a single run, without the leading axes."""
        index = (scheme, seed)

        def pick(value):
            if isinstance(value, dict):
                return {key: item[index] for key, item in value.items()}
            return value[index] if isinstance(value, np.ndarray) else value

        values = {spec.name: pick(getattr(self, spec.name)) for spec in fields(self)}
        config = self.config if self.own else self.drawn(scheme, seed)
        step = int(values["first_nonfinite"])
        values |= {"config": config, "schemes": (self.schemes[scheme],), "seeds": (self.seeds[seed],)}
        scalars = {name: float(values[name]) for name in ("loss", "log10_weight_size")}
        return Trace(**values | scalars | {"first_nonfinite": None if step < 0 else step})

    def as_comparison(self) -> Trace:
        """Return the Trace of a single run as a comparison of one, the inverse of `one`; a comparison as it is."""
        if self.second_moment.ndim > 1:
            return self

        def lead(value):
            if isinstance(value, dict):
                return {key: lead(item) for key, item in value.items()}
            return value[None, None] if isinstance(value, np.ndarray) else value

        values = {spec.name: lead(getattr(self, spec.name)) for spec in fields(self)}
        step = -1 if self.first_nonfinite is None else self.first_nonfinite
        scalars = {name: np.array([[getattr(self, name)]]) for name in ("loss", "log10_weight_size")}
        return Trace(**values | scalars | {"first_nonfinite": np.array([[step]])})
