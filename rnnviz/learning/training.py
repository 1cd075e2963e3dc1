"""Train networks, one step at a time.

A `Training` holds the weights of all runs, S schemes x R seeds, in one array (N, P), a row for each run; the matrices
that the `Networks` compute with are views of it. One step draws a batch for each seed, which all schemes read; goes
forward and back; clips; and lets the optimiser change the weights:

    problem.draw -> Networks.learn -> norms, clip -> optimiser.fn -> weights

`Training.advance` does one step, `Training.advancing` the same as a generator that yields within the step, so that a
worker can leave it at any time: nothing changes before the step is complete. A batch depends on the seed and on the
number of the step alone. So whatever happens between two steps (a pause, `save` and `load`, `rewind`) leaves the curve
as it would have been, bit for bit. A run whose numbers overflow ends there, and the others go on.

`train`, the public function, yields the `TrainingProgress` of its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ..engine.batching import LANES, available_cores, side_by_side
from ..network.cells import State
from ..network.config import Config
from ..network.sampling import init_params, stream
from ..numerics.progress import Progress, finish, unwarned
from ..text.language import _
from . import saving
from .clipping import clip_by_norm, clip_by_value, norms
from .divergence import is_too_large, said, worst
from .evaluation import Score, score
from .history import Curve, Snapshots
from .network import Networks, Rooms
from .problem import Batch
from .progress import TrainingProgress
from .settings import TrainingSettings, settle, whole
from .stack import Stack, parts

Array = np.ndarray
WINDOW = 20  # steps whose mean loss has to reach the target


class Training:
    """Networks that learn a problem; the arguments are those of `train`.

    Attributes
    ----------
    settings : what was asked for, with the problem's own values in place of None.
    step : how many steps are done.
    losses, grad_norms : (step, S, R), a row for each step.
    diverged : (S, R), the step at which a run's numbers overflowed, counted from 1; 0 where none did.
    reached : (S, R), the first step at which the mean loss of 20 steps was at or below ``target``; 0 for never.
    chance, solved, target : losses of the problem: the best guess without reading, solved (or None), worth waiting for.
    """

    def __init__(
        self, config: Config | None = None, problem: str = "adding", schemes: Sequence[str] | str | None = None,
        seeds: Iterable[int] | int | None = None, optimiser: str | None = None, learning_rate: float | None = None,
        clip_norm: float | None = None, clip_value: float | None = None,
    ):  # fmt: skip
        self.begin(settle(config, problem, schemes, seeds, optimiser, learning_rate, clip_norm, clip_value))

    def begin(self, settings: TrainingSettings) -> None:
        """Draw the initial weights, and forget all that was."""
        self.settings, self.problem, self.config = settings, settings.problem, settings.config
        sizes = self.problem.sizes(self.config)
        self.stack = Stack([init_params(each, sizes) for each in settings.configs])
        runs = len(self.stack.weights)
        self.parts = parts(self.config, runs)
        self.networks = [self.network(part) for part in self.parts]
        self.rooms = Rooms(self.config, self.problem, max(part.stop - part.start for part in self.parts))
        self.states: list[list[State]] = [each.initial() for each in self.networks]
        self.optimiser_memory = [np.zeros_like(self.stack.weights) for _ in range(settings.optimiser.kept)]
        self.chance = float(self.problem.chance(self.config))
        self.solved = None if self.problem.solved is None else float(self.problem.solved(self.config))
        self.target = self.problem.target * self.chance
        self.step = 0
        self.loss_curve, self.norm_curve = Curve(runs), Curve(runs)
        self.diverged_at, self.reached_at = np.zeros(runs, dtype=int), np.zeros(runs, dtype=int)
        self.overflowed = [""] * runs
        self.snapshots = Snapshots(self.stack.weights.nbytes)
        self.snapshots.offer(0, self.stack.weights)

    def network(self, part: slice) -> Networks:
        return Networks(self.stack.views(part), self.stack.views(part, gradients=True), self.config, self.problem)

    def __repr__(self) -> str:
        schemes, seeds = self.shape
        return f"Training({self.problem.name!r}, {schemes} x {seeds} runs, step {self.step})"

    # ---- one step

    def advance(self) -> TrainingProgress:
        """Do one step."""
        return finish(self.advancing())

    def advancing(self) -> Progress[TrainingProgress]:
        """Do one step, and yield now and then within it; where it is left, nothing has changed."""
        continues = self.problem.continues
        goes_on = continues is not None and continues(self.config, self.step)
        batches = [self.draw(seed) for seed in self.settings.seeds]
        x, targets = (np.stack(each) for each in zip(*batches, strict=True))
        jobs, seeds = [], np.arange(len(self.stack.weights)) % len(batches)
        for networks, states, part in zip(self.networks, self.states, self.parts, strict=True):
            begin = states if goes_on else networks.initial()
            job = networks.learn(x[seeds[part]], targets[seeds[part]], begin, self.rooms)
            jobs.append(unwarned(job, all="ignore"))
        results = yield from side_by_side(jobs, min(len(jobs), LANES, available_cores()))
        self.states = [each.states for each in results]
        losses, is_finite = (
            np.concatenate([getattr(each, name) for each in results]) for name in ("losses", "is_finite")
        )
        with np.errstate(all="ignore"):
            self.update(losses, is_finite)
        return self.progress

    def draw(self, seed: int) -> Batch:
        """Return the next batch of a seed."""
        return self.problem.draw(stream(seed, "batches", self.step), self.config, self.step)

    def update(self, losses: Array, is_finite: Array) -> None:
        """Clip the gradients, change the weights of the runs that are well, and record the step."""
        g, change, settings = self.stack.gradient, self.stack.change, self.settings
        self.step += 1
        grad_norms = norms(g)
        self.end(~is_finite, lambda run: "state")
        self.end(~np.isfinite(losses), lambda run: "loss")
        self.end(~np.isfinite(grad_norms), partial(self.label, "gradient", g))
        g[self.diverged_at > 0] = 0.0
        if settings.clip_norm:
            clip_by_norm(g, grad_norms, settings.clip_norm)
        if settings.clip_value:
            clip_by_value(g, settings.clip_value)
        settings.optimiser.fn(g, self.optimiser_memory, self.step, change)
        change *= settings.learning_rate
        self.end(is_too_large(change), partial(self.label, "weights", change))
        for memory in self.optimiser_memory:
            self.end(is_too_large(memory), partial(self.label, "optimiser", memory))
        change[self.diverged_at > 0] = 0.0
        self.stack.weights -= change
        self.record(losses, grad_norms)

    def end(self, which: Array, label: Callable[[int], str]) -> None:
        """End the runs that overflowed just now; ``label(run)`` is what did."""
        for run in np.flatnonzero(which & (self.diverged_at == 0)):
            self.diverged_at[run], self.overflowed[run] = self.step, label(int(run))

    def label(self, what: str, rows: Array, run: int) -> str:
        return f"{what} {worst(rows[run], self.stack.columns)}"

    def record(self, losses: Array, grad_norms: Array) -> None:
        """Append a step to the curves, and look whether the target is reached."""
        ended = self.diverged_at > 0
        self.loss_curve.append(np.where(ended, np.nan, losses))
        self.norm_curve.append(np.where(ended, np.nan, grad_norms))
        if self.step >= WINDOW:
            mean = self.loss_curve.values[-WINDOW:].mean(axis=0)
            self.reached_at[(self.reached_at == 0) & (mean <= self.target)] = self.step
        self.snapshots.offer(self.step, self.stack.weights)

    # ---- what came of it

    @property
    def shape(self) -> tuple[int, int]:
        """(S, R)."""
        return len(self.settings.schemes), len(self.settings.seeds)

    @property
    def losses(self) -> Array:
        return self.loss_curve.values.reshape(-1, *self.shape)

    @property
    def grad_norms(self) -> Array:
        return self.norm_curve.values.reshape(-1, *self.shape)

    @property
    def diverged(self) -> Array:
        return self.diverged_at.reshape(self.shape)

    @property
    def reached(self) -> Array:
        return self.reached_at.reshape(self.shape)

    @property
    def overflow(self) -> Array:
        """(S, R), what overflowed, in words."""
        return np.array([said(code) for code in self.overflowed]).reshape(self.shape)

    @property
    def progress(self) -> TrainingProgress:
        """The record of the last step; numbers instead of arrays where neither schemes nor seeds were given."""
        values = [self.losses[-1], self.grad_norms[-1], self.diverged.copy(), self.overflow]
        if self.settings.is_single:
            values = [value.item() for value in values]
        loss, grad_norm, diverged, overflow = values
        return TrainingProgress(self.step, loss, grad_norm, diverged, overflow, self)

    def params(self, s: int = 0, r: int = 0, step: int | None = None) -> dict[str, Array]:
        """Return copies of one run's weights now, or at the last kept step up to ``step`` (see ``steps_kept``)."""
        rows = self.stack.weights if step is None else self.snapshots.kept[self.snapshots.nearest(step)]
        return self.stack.unpacked(rows[s * len(self.settings.seeds) + r])

    @property
    def steps_kept(self) -> list[int]:
        """The steps whose weights `params` still has, for going back to look."""
        return sorted(self.snapshots.kept)

    def tests(self, seed: int) -> dict[str, Batch]:
        """Return the sequences that runs of a seed are evaluated on, by name."""
        return self.problem.test_batches(stream(seed, "tests"), self.config)

    def evaluate(self) -> dict[str, Score]:
        """Return loss and accuracy (S, R) on sequences apart: "test", for digits also "train", for characters "train".

        Every run reads the sequences of its seed. nan for a network whose numbers overflow.
        """
        return finish(self.evaluating())

    def evaluating(self) -> Progress[dict[str, Score]]:
        """Compute what `evaluate` returns, and yield the share done after every run."""
        rows, batches = self.stack.weights.copy(), [self.tests(seed) for seed in self.settings.seeds]
        found: dict[str, list[Score]] = {name: [] for name in batches[0]}
        for k, row in enumerate(rows):
            for name, batch in batches[k % len(batches)].items():
                found[name].append(score(self.stack.unpacked(row), batch, self.config, self.problem))
            yield (k + 1) / len(rows)
        columns = {name: zip(*scores, strict=True) for name, scores in found.items()}
        return {name: Score(*(np.array(each).reshape(self.shape) for each in pair)) for name, pair in columns.items()}

    def write(
        self,
        length: int = 200,
        s: int = 0,
        r: int = 0,
        start: str | None = None,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> str:
        """Return text that one run writes, character by character; ValueError where the problem has no characters."""
        if self.problem.write is None:
            text = _("write needs a problem with characters; got {received}.")
            raise ValueError(text.format(received=repr(self.problem.name)))
        rng = np.random.default_rng(seed)
        return self.problem.write(self.params(s, r), self.config, whole("length", length), rng, start, temperature)

    # ---- again

    def rewind(self) -> None:
        """Go back to the same initial weights."""
        self.begin(self.settings)

    def another_draw(self) -> Training:
        """Return a training with other seeds: the next ones that this one does not have."""
        first = max(self.settings.seeds) + 1
        seeds = range(first, first + len(self.settings.seeds))
        return self.of(self.settings.with_seeds(seeds))

    def save(self, path: str | Path) -> None:
        """Write the training to a file (.npz, without pickle), from which `load` goes on with the same curve."""
        saving.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> Training:
        """Return a saved training; ValueError for another file."""
        training = cls.__new__(cls)
        saving.restore(training, path)
        return training

    @classmethod
    def of(cls, settings: TrainingSettings) -> Training:
        """Return a new training with these settings."""
        training = cls.__new__(cls)
        training.begin(settings)
        return training

    def run(self, steps: int, every: int = 1) -> Iterator[TrainingProgress]:
        """Do so many steps, and yield the progress of each ``every``-th one and of the last."""
        for step in range(1, steps + 1):
            progress = self.advance()
            if step % every == 0 or step == steps:
                yield progress
