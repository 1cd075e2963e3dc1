"""Run experiments: draw the weights, go forward and back, and keep what the views need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ..network.cells import CELLS
from ..network.config import Config
from ..network.layers import count_layers
from ..network.sampling import draw_inputs, init_params
from ..numerics.progress import Progress, finish
from ..text.language import N_, _
from .batching import side_by_side, split
from .shapes import check_shapes
from .statistics import Statistics, classified
from .trace import Network, OwnRuns, Trace

Array = np.ndarray
OWN = N_("Own network")


def run(config: Config) -> Trace:
    """Run one experiment: one scheme, one seed.

    Returns
    -------
    Trace with a value for each step 0..T. To read first:

    - ``second_moment``, ``variance``, ``saturation`` (T+1,): does the state keep its size?
    - ``log10_grad_norm`` (T+1,): log10 ||dL/dh_t||; its first entry minus its last is the change over all steps.
    - ``log10_step_factor`` (T+1,): what the slopes (or the gate) contribute to that at each step.
    - ``gates`` (name -> (T+1,)), ``units`` (T+1, H), ``loss``; ``first_nonfinite``: the step of an overflow, or None.

    >>> trace = run(Config(scheme="orthogonal", activation="linear", gain=0.1, hidden_size=16, seq_len=5))
    >>> trace.second_moment.shape, trace.first_nonfinite
    ((6,), None)
    >>> trace.log10_grad_norm - trace.log10_grad_norm[-1]  # each step back multiplies the gradient by 0.1
    array([-5., -4., -3., -2., -1.,  0.])
    """
    return compare(config, (config.scheme,), (config.seed,)).one()


def trace(
    params: dict[str, Array],
    x: Array,
    targets: Array,
    cell: str = "rnn",
    activation: str = "tanh",
    loss_at: str = "last",
    name: str | None = None,
    loss_reduction: str = "sum",
    truncate: int = 0,
) -> Trace:
    """Run any network on any batch, such as a trained one, and return what `run` returns.

    Parameters
    ----------
    params, x, targets, cell, activation, loss_at, loss_reduction, truncate : as in `bptt`.
    name : what legends and sentences call the network.

    Raises
    ------
    ValueError : as in `bptt`, for sizes beyond the bounds of `Config`, and for a number that is not finite.

    >>> config = Config(hidden_size=16, seq_len=5)
    >>> own = trace(init_params(config), *draw_inputs(config), name="mine")
    >>> own.names, bool(own.log10_grad_norm[0] == run(config).log10_grad_norm[0])
    (('mine',), True)
    """
    data = checked(params, x, targets, cell, loss_at)
    own = Network(*data, cell, activation, loss_at, name or _(OWN), loss_reduction, truncate)
    return finish(tracing(own, config_of(own))).one()


def checked(params, x, targets, cell: str, loss_at: str) -> tuple[dict[str, Array], Array, Array]:
    """Return copies of a network's arrays and its batch; ValueError for what does not fit or is not finite."""
    # Copies: training may go on in the caller's arrays, and views look at the matrices later.
    params, x = {key: np.array(value, dtype=float) for key, value in params.items()}, np.array(x, dtype=float)
    targets = check_shapes(params, x, np.array(targets), CELLS[cell], loss_at)
    for key, value in {**params, "x": x}.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{key} must hold finite numbers only")
    return params, x, targets


def tracing(own: Network, config: Config) -> Progress[Trace]:
    """Compute the comparison of an own network alone, whose batch this Config describes, and yield the share done."""
    stacked = {key: stack_params([value]) for key, value in own.params.items()}
    part = yield from Statistics(config, 1).collecting(stacked, own.x[None], classified(config, own.targets[None]))
    return replace(assemble(config, (own.name,), (config.seed,), [part]), own=own)


def config_of(own: Network) -> Config:
    """Return a Config with the network's sizes and what its batch is like; its scheme and seed mean nothing."""
    (steps, batch, inputs), (hidden, classes) = own.x.shape, own.params["W_hy"].shape
    return Config(
        cell=own.cell, activation=own.activation, loss_at=own.loss_at, loss_reduction=own.loss_reduction,
        layers=count_layers(own.params), truncate=own.truncate,
        input_size=inputs, hidden_size=hidden, output_size=classes, seq_len=steps, batch_size=batch,
        input_scale=float(own.x.any()), inputs="gaussian" if own.x[1:].any() or steps == 1 else "none",
    )  # fmt: skip


def compare(
    config: Config, schemes: Sequence[str] = ("xavier", "orthogonal"), seeds: Iterable[int] = range(8)
) -> Trace:
    """Run S schemes x R seeds of one experiment, stacked and multiplied together.

    For a given seed all schemes read the same inputs, and their weights are made of the same random numbers.

    Returns
    -------
    Trace with the fields of `run`, whose arrays have the leading axes (S, R): ``runs.log10_grad_norm[s, r]`` belongs to
    scheme s and seed r, ``runs.one(s, r)`` is the Trace of that run, ``runs.only(s)`` the comparison of one scheme.

    Raises
    ------
    ValueError : for an unknown scheme, an invalid seed, or none at all.

    >>> runs = compare(Config(hidden_size=16, seq_len=5), ("xavier", "uniform01"), seeds=range(3))
    >>> runs.log10_grad_norm.shape, runs.schemes
    ((2, 3, 6), ('xavier', 'uniform01'))
    >>> np.median(runs.saturation[:, :, -1], axis=1).round(1)  # saturated units at the last step, medians over seeds
    array([0.1, 0.9])
    """
    return finish(comparing(config, schemes, seeds))


def comparing(
    config: Config,
    schemes: Sequence[str] = ("xavier", "orthogonal"),
    seeds: Iterable[int] = range(8),
    lanes: int | None = None,
) -> Progress[Trace]:
    """Compute what `compare` returns, and yield the share done after every step.

    ``lanes`` stacks are computed at a time, by default as many as pay; the numbers do not depend on it.
    """
    schemes, seeds = tuple(schemes), tuple(seeds)
    if not schemes or not seeds:
        raise ValueError("compare needs at least one scheme and one seed")
    # Seed by seed, so that a stack draws the inputs of few seeds.
    configs = [config.replace(scheme=scheme, seed=seed) for seed in seeds for scheme in schemes]
    stacks = [configs[part] for part in split(config, len(configs))]
    parts = yield from side_by_side([run_stack(stack) for stack in stacks], lanes)
    return assemble(config, schemes, seeds, parts)


def run_stack(configs: Sequence[Config]) -> Progress[dict[str, Array]]:
    """Run N experiments of the same shape as one stack; every array returned has the leading axis N."""
    drawn = []
    for config in configs:
        yield 0.0
        drawn.append(init_params(config))
    params = {name: stack_params([each[name] for each in drawn]) for name in drawn[0]}
    data = {}
    for config in configs:
        if config.seed not in data:
            yield 0.0
            data[config.seed] = draw_inputs(config)
    x, targets = (np.stack(each) for each in zip(*(data[config.seed] for config in configs), strict=True))
    return (yield from Statistics(configs[0], len(configs)).collecting(params, x, classified(configs[0], targets)))


def tracing_runs(own: OwnRuns, config: Config, schemes: Sequence[str], seeds: Sequence[int]) -> Progress[Trace]:
    """Compute the comparison of networks that no Config drew, S schemes x R seeds, and yield the share done."""
    pairs = [(s, r) for r in range(len(seeds)) for s in range(len(schemes))]
    stacks = [pairs[part] for part in split(config, len(pairs))]
    parts = yield from side_by_side([run_pairs(own, config, stack) for stack in stacks])
    return replace(assemble(config, tuple(schemes), tuple(seeds), parts), own=own)


def run_pairs(own: OwnRuns, config: Config, pairs: Sequence[tuple[int, int]]) -> Progress[dict[str, Array]]:
    """Run some of these networks as one stack."""
    drawn = [own.parameters(s, r) for s, r in pairs]
    params = {name: stack_params([each[name] for each in drawn]) for name in drawn[0]}
    seeds = [r for _s, r in pairs]
    return (yield from Statistics(config, len(pairs)).collecting(params, own.x[seeds], own.step_loss(seeds)))


def stack_params(values: Sequence[Array]) -> Array:
    stacked = np.stack(values)
    return stacked if stacked.ndim == 3 else stacked[:, None, :]


def assemble(config: Config, schemes, seeds, parts: Sequence[dict]) -> Trace:
    """Join the results of the stacks into one Trace with the axes (S, R)."""

    def join(values):
        if values[0] is None:
            return None
        if isinstance(values[0], dict):
            return {key: join([value[key] for value in values]) for key in values[0]}
        if isinstance(values[0], list):
            return tuple(map(join, zip(*values, strict=True)))
        joined = np.concatenate(values)
        return joined.reshape((len(seeds), len(schemes), *joined.shape[1:])).swapaxes(0, 1)

    joined = join(parts)
    return Trace(config, schemes, seeds, **joined, **joined["by_layer"][-1])
