"""Run experiments: draw the weights, go forward and back, keep what the views need and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from .activations import ACTIVATIONS, Activation
from .arithmetic import EXACT, SIGMOID, Arithmetic
from .bptt import backward, cross_entropy, forward, numbers
from .cells import CELLS, Cell, Step
from .config import Config
from .inputs import INPUTS, Sizes
from .scaled import Scaled
from .schemes import SCHEMES

Array = np.ndarray
TAPE_BYTES = 256 * 2**20  # runs are stacked as long as what the backward pass needs stays below this
STREAMS = ("W_xh", "W_hh", "W_hy", "bias", "inputs")


def streams(seed: int) -> dict[str, np.random.Generator]:
    """Return one generator for each thing drawn, so that changing one scheme leaves all other draws as they were."""
    return dict(zip(STREAMS, np.random.default_rng(seed).spawn(len(STREAMS)), strict=True))


def init_params(config: Config) -> dict[str, Array]:
    """Draw the parameters of one network.

    W_hh and W_hy and the biases follow ``config.scheme``, W_xh ``config.input_scheme`` (None: the same); the gates of
    an LSTM or GRU are drawn one by one, with H as their fan, unless a framework draws them as one matrix. Biases are
    zeros, and ``forget_bias`` at an LSTM's forget gate, unless a framework draws them.

    Returns
    -------
    dict ``W_xh (D, kH)``, ``W_hh (H, kH)``, ``b_h (kH,)``, a GRU's ``b_hn (H,)``, ``W_hy (H, O)``, ``b_y (O,)``.

    >>> {name: value.shape for name, value in init_params(Config(cell="gru", hidden_size=4)).items()}
    {'W_xh': (32, 12), 'W_hh': (4, 12), 'b_h': (12,), 'b_hn': (4,), 'W_hy': (4, 10), 'b_y': (10,)}
    """
    cell, rng = CELLS[config.cell], streams(config.seed)
    inputs, classes = config.sizes
    hidden, scheme = config.hidden_size, config.scheme
    params = {
        "W_xh": draw(config.input_scheme or scheme, "input", rng["W_xh"], inputs, hidden, len(cell.gates)),
        "W_hh": draw(scheme, "recurrent", rng["W_hh"], hidden, hidden, len(cell.gates), config.gain),
    }
    for name, shape in cell.shapes(inputs, hidden).items():
        if name not in params:
            params[name] = draw_bias(config, cell, name, shape, rng["bias"])
    params["W_hy"] = draw(scheme, "output", rng["W_hy"], hidden, classes, 1)
    params["b_y"] = draw_bias(config, cell, "b_y", (classes,), rng["bias"])
    return params


def draw(scheme: str, role: str, rng, fan_in: int, fan_out: int, blocks: int, gain: float = 1.0) -> Array:
    """Draw a matrix (fan_in, blocks * fan_out), gate by gate unless the scheme draws it whole."""
    entry = SCHEMES[scheme]
    fn = entry.roles.get(role, entry.fn)
    if entry.whole:
        return fn(rng, fan_in, blocks * fan_out, gain)
    return np.concatenate([fn(rng, fan_in, fan_out, gain) for _ in range(blocks)], axis=1)


def draw_bias(config: Config, cell: Cell, name: str, shape: tuple[int, ...], rng) -> Array:
    """Draw one bias vector; a framework's two biases of the same sum are drawn as their sum."""
    bias = SCHEMES[config.scheme].bias
    if bias is not None:
        parts = 2 if name == "b_h" else 1
        b = sum(bias(rng, config.hidden_size, shape[0]) for _ in range(parts))
        if name == "b_h" and cell.recurrent_bias:
            alone = cell.block(cell.recurrent_bias, config.hidden_size)
            b[alone] = bias(rng, config.hidden_size, config.hidden_size)
        return b
    b = np.zeros(shape)
    if name == "b_h" and "f" in cell.gates:
        b[cell.block("f", config.hidden_size)] = config.forget_bias
    return b


def draw_inputs(config: Config) -> tuple[Array, Array]:
    """Return ``x`` (T, B, D), scaled by ``input_scale``, and the targets (T, B)."""
    sizes = Sizes(config.seq_len, config.batch_size, *config.sizes)
    x, targets = INPUTS[config.inputs].fn(streams(config.seed)["inputs"], sizes, config.text)
    return config.input_scale * x, targets


def per_step(**metadata):
    """Declare an array with a value for each step 0..T."""
    return field(metadata={"per_step": True, **metadata})


@dataclass(frozen=True)
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
    log10_carry: Array = per_step()
    gates: dict[str, Array] = per_step()
    gate_saturation: dict[str, Array] = per_step()
    first_nonfinite: Array | int | None = None
    units: Array | None = None

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
    config: Config, schemes: Sequence[str] = ("xavier", "orthogonal"), seeds: Iterable[int] = range(8)
) -> Trace:
    """Run S schemes x R seeds of one experiment, stacked and multiplied together.

    With a seed all schemes meet the same inputs, and the same random numbers behind their weights.

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
    configs = [config.replace(scheme=scheme, seed=seed) for scheme in schemes for seed in seeds]
    data = {seed: draw_inputs(config.replace(seed=seed)) for seed in seeds}
    together = max(1, TAPE_BYTES // tape_bytes(config))
    parts = [run_stack(configs[k : k + together], data) for k in range(0, len(configs), together)]
    return assemble(config, schemes, seeds, parts)


def tape_bytes(config: Config) -> int:
    """Return how much the backward pass of one run must keep: a tape's arrays for each state and step."""
    return 8 * CELLS[config.cell].factors * config.seq_len * config.batch_size * config.hidden_size


def run_stack(configs: Sequence[Config], data: dict[int, tuple[Array, Array]]) -> dict[str, Array]:
    """Run N experiments of the same shape as one stack; every array returned has the leading axis N."""
    drawn = [init_params(config) for config in configs]
    params = {name: stack_params([each[name] for each in drawn]) for name in drawn[0]}
    x = np.stack([data[config.seed][0] for config in configs])
    targets = np.stack([data[config.seed][1] for config in configs])
    with np.errstate(over="ignore", invalid="ignore"):
        return Recorder(configs[0], len(configs)).record(params, x, targets)


def stack_params(values: Sequence[Array]) -> Array:
    stacked = np.stack(values)
    return stacked if stacked.ndim == 3 else stacked[:, None, :]


def assemble(config: Config, schemes, seeds, parts: Sequence[dict]) -> Trace:
    """Join the stacks' results and give them the axes (S, R)."""

    def join(values):
        if values[0] is None:
            return None
        if isinstance(values[0], dict):
            return {key: join([value[key] for value in values]) for key in values[0]}
        joined = np.concatenate(values)
        return joined.reshape((len(schemes), len(seeds), *joined.shape[1:]))

    return Trace(config, schemes, seeds, **{name: join([part[name] for part in parts]) for name in parts[0]})


class Recorder:
    """Goes forward and back once and writes down the statistics of every step."""

    def __init__(self, config: Config, runs: int, num: Arithmetic = EXACT):
        self.cell: Cell = CELLS[config.cell]
        self.phi: Activation = ACTIVATIONS[config.activation]
        self.config, self.num, self.runs = config, num, runs
        self.bounded = np.abs(self.phi.f(np.array([-1e300, 1e300]))).max() < 1e100
        shape = (runs, config.seq_len + 1)
        self.stats = {name: np.zeros(shape) for name in ("second_moment", "variance", "mean", "saturation")}
        self.gates = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.gate_saturation = {name: np.full(shape, np.nan) for name in self.gate_names}
        self.carry = np.full(shape, np.nan)
        self.units = np.zeros((*shape, config.hidden_size))
        self.first_nonfinite = np.full(runs, -1)

    @property
    def gate_names(self) -> tuple[str, ...]:
        return self.cell.gates if len(self.cell.gates) > 1 else ()

    def record(self, params, x: Array, targets: Array) -> dict[str, Array]:
        """Return everything a Trace holds, with a leading axis for the runs."""
        tapes, errors, loss = [], [], np.zeros(self.runs)
        last = x.shape[-3]
        for t, step in enumerate(forward(params, x, self.cell, self.phi, self.num), 1):
            self.keep_finite(step, t)
            self.note(step, t)
            tapes.append(step.tape)
            error = None
            if t == last or self.config.loss_at == "every":
                more, error = cross_entropy(params, step.state["h"], targets[:, t - 1])
                loss += more
            errors.append(error)
        loss[self.first_nonfinite >= 0] = np.nan
        norms = self.norms(params, tapes, self.silence(errors, loss))
        for values in norms.values():
            values[~np.isfinite(loss)] = np.nan
        self.forget_nonfinite()
        return {
            **self.stats,
            "loss": loss,
            "log10_grad_norm": norms["h"],
            "log10_grad_norm_c": norms.get("c"),
            "log10_carry": self.carry,
            "gates": self.gates,
            "gate_saturation": self.gate_saturation,
            "first_nonfinite": self.first_nonfinite,
            "units": self.units,
        }

    def keep_finite(self, step: Step, t: int) -> None:
        """Take a run whose numbers overflow out of the stack, in place: its zeros disturb nobody."""
        if self.bounded:
            return
        arrays = numbers(step)
        sums = sum(np.abs(array).sum(axis=(-2, -1)) for array in arrays)
        bad = ~np.isfinite(sums)
        if bad.any():
            bad &= ~np.logical_and.reduce([np.isfinite(array).all(axis=(-2, -1)) for array in arrays])
            self.first_nonfinite[bad & (self.first_nonfinite < 0)] = t
        for array in arrays:
            array[self.first_nonfinite >= 0] = 0.0

    def note(self, step: Step, t: int) -> None:
        """Write down the statistics of one step."""
        h = step.state["h"]
        flat = h.reshape(self.runs, -1)
        size = flat.shape[-1]
        mean = flat.mean(axis=-1)
        centred = flat - mean[:, None]
        self.stats["mean"][:, t] = mean
        self.stats["second_moment"][:, t] = np.einsum("ij,ij->i", flat, flat) / size
        self.stats["variance"][:, t] = np.einsum("ij,ij->i", centred, centred) / size
        self.stats["saturation"][:, t] = np.count_nonzero(self.phi.saturated(flat), axis=-1) / size
        self.units[:, t] = h[:, 0]
        carry = step.tape[self.cell.carry[1]]
        self.carry[:, t] = self.num.log10_norm(self.num.start(carry)) - 0.5 * np.log10(size)
        for name, value in step.gates.items():
            values = value.reshape(self.runs, -1)
            saturated = (self.phi if name == self.cell.candidate else SIGMOID).saturated(values)
            self.gates[name][:, t] = values.mean(axis=-1)
            self.gate_saturation[name][:, t] = np.count_nonzero(saturated, axis=-1) / size

    def silence(self, errors, loss: Array) -> list:
        """Return the errors with those of runs whose loss is not finite set to 0."""
        keep = np.isfinite(loss)[:, None, None]
        if keep.all():
            return errors
        return [error and Scaled(np.where(keep, error.m, 0.0), np.where(keep, error.e, 0.0)) for error in errors]

    def norms(self, params, tapes, errors) -> dict[str, Array]:
        """Go back and return log10 of the gradients' norms, (N, T+1) for each state."""
        steps = backward(params, tapes, errors, self.cell, self.num)
        norms = [{name: self.num.log10_norm(d) for name, d in step.total.items()} for step in steps][::-1]
        return {name: np.stack([norm[name] for norm in norms], axis=-1) for name in norms[0]}

    def forget_nonfinite(self) -> None:
        """Mark everything from a run's first non-finite step on."""
        for run, step in enumerate(self.first_nonfinite):
            if step >= 0:
                for values in (*self.stats.values(), self.carry, *self.gates.values(), *self.gate_saturation.values()):
                    values[run, step:] = np.nan
                self.stats["second_moment"][run, step:] = np.inf
                self.units[run, step:] = np.nan
