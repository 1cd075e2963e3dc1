"""Run experiments: draw the weights, go forward and back, keep what the views need and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import partial

import numpy as np

from ..network.config import Config
from ..network.sampling import draw_inputs, init_params
from .batching import side_by_side, split
from .statistics import Recorder

Array = np.ndarray


def per_step(**metadata):
    """Declare an array with a value for each step 0..T."""
    return field(metadata={"per_step": True, **metadata})


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened in one run, or in S schemes x R seeds: then every array has the leading axes (S, R).

    Attributes
    ----------
    config : the Config that was run (of a comparison: the one that the schemes and seeds were put into).
    schemes, seeds : what the leading axes stand for.
    loss : (), mean over the batch, summed over the steps that have a loss.
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
    log10_carry : (T+1,), log10 of the root mean square of the factor that hands the gradient on: phi' of an RNN, the
        forget gate of an LSTM, the update gate of a GRU; nan at step 0.
    gates : name -> (T+1,), the mean value of each gate; gate_saturation : share of its values that are
        saturated, for a sigmoid those below 0.015 or above 0.985.
    first_nonfinite : the first step whose state is not finite, or None; in a comparison an array (S, R), -1 for none.
    units : (T+1, H), the state of the first sequence.
    """

    config: Config
    schemes: tuple[str, ...]
    seeds: tuple[int, ...]
    loss: Array
    second_moment: Array = per_step()
    variance: Array = per_step()
    mean: Array = per_step()
    saturation: Array = per_step()
    log10_grad_norm: Array = per_step()
    log10_grad_norm_c: Array | None = per_step()
    log10_relative_norm: Array = per_step()
    log10_relative_norm_c: Array | None = per_step()
    log10_carry: Array = per_step()
    gates: dict[str, Array] = per_step()
    gate_saturation: dict[str, Array] = per_step()
    first_nonfinite: Array | int | None = None
    units: Array | None = None

    def only(self, scheme: int = 0) -> Trace:
        """Return the comparison of a single scheme: the same, with S = 1."""

        def cut(value):
            if isinstance(value, dict):
                return {key: cut(item) for key, item in value.items()}
            return value[scheme : scheme + 1] if isinstance(value, np.ndarray) else value

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
        config = self.config.replace(scheme=self.schemes[scheme], seed=self.seeds[seed])
        step = int(values["first_nonfinite"])
        values |= {"config": config, "schemes": (config.scheme,), "seeds": (config.seed,)}
        return Trace(**values | {"first_nonfinite": None if step < 0 else step, "loss": float(values["loss"])})


def run(config: Config) -> Trace:
    """Run one experiment: one scheme, one seed.

    >>> trace = run(Config(hidden_size=16, seq_len=5))
    >>> trace.second_moment.shape, trace.first_nonfinite
    ((6,), None)
    """
    return compare(config, (config.scheme,), (config.seed,)).one()


def compare(
    config: Config,
    schemes: Sequence[str] = ("xavier", "orthogonal"),
    seeds: Iterable[int] = range(8),
    tick: Callable[[float], None] = lambda share: None,
) -> Trace:
    """Run S schemes x R seeds of one experiment, stacked and multiplied together.

    With a seed all schemes meet the same inputs, and the same random numbers behind their weights. ``tick`` is called
    at every step with the share of the work done, 0 to 1, from one thread at a time; what it raises ends the run.

    Returns
    -------
    Trace whose arrays have the leading axes (S, R).

    Raises
    ------
    ValueError : for an unknown scheme, an invalid seed, or none at all.
    """
    schemes, seeds = tuple(schemes), tuple(seeds)
    if not schemes or not seeds:
        raise ValueError("compare needs at least one scheme and one seed")
    # Seed by seed, so that a stack draws the inputs of few seeds.
    configs = [config.replace(scheme=scheme, seed=seed) for seed in seeds for scheme in schemes]
    stacks = [configs[part] for part in split(config, len(configs))]
    parts = side_by_side([partial(run_stack, stack) for stack in stacks], tick)
    return assemble(config, schemes, seeds, parts)


def run_stack(configs: Sequence[Config], tick: Callable[[float], None]) -> dict[str, Array]:
    """Run N experiments of the same shape as one stack; every array returned has the leading axis N."""
    drawn = []
    for config in configs:
        tick(0.0)
        drawn.append(init_params(config))
    params = {name: stack_params([each[name] for each in drawn]) for name in drawn[0]}
    x, targets = stack_inputs(configs, tick)
    with np.errstate(over="ignore", invalid="ignore"):
        return Recorder(configs[0], len(configs), tick).record(params, x, targets)


def stack_params(values: Sequence[Array]) -> Array:
    stacked = np.stack(values)
    return stacked if stacked.ndim == 3 else stacked[:, None, :]


def stack_inputs(configs: Sequence[Config], tick: Callable[[float], None]) -> tuple[Array, Array]:
    """Draw each seed's inputs and targets once; return those of all runs."""
    data = {}
    for config in configs:
        tick(0.0)
        if config.seed not in data:
            data[config.seed] = draw_inputs(config)
    x, targets = zip(*(data[config.seed] for config in configs), strict=True)
    return np.stack(x), np.stack(targets)


def assemble(config: Config, schemes, seeds, parts: Sequence[dict]) -> Trace:
    """Join the stacks' results and give them the axes (S, R)."""

    def join(values):
        if values[0] is None:
            return None
        if isinstance(values[0], dict):
            return {key: join([value[key] for value in values]) for key in values[0]}
        joined = np.concatenate(values)
        return joined.reshape((len(seeds), len(schemes), *joined.shape[1:])).swapaxes(0, 1)

    return Trace(config, schemes, seeds, **{name: join([part[name] for part in parts]) for name in parts[0]})
