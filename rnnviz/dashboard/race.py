"""A training on the page: what is trained, the job that trains it, and its curves."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..learning.gain_map import learning
from ..learning.optimisers import OPTIMISERS
from ..learning.problems import PROBLEMS
from ..learning.training import Training
from ..network.config import Config
from ..network.sampling import stream
from ..network.schemes import SCHEMES
from ..numerics.progress import showing
from ..text.language import N_, _
from ..text.number_format import percent, plain
from ..text.registry import Registry
from ..theory.drive import read_variances
from ..views import OPTIONS, Option
from ..views.race import Curves
from ..views.survival_map import LEARNING, Learning
from .settings import Settings

Array = np.ndarray
POINTS = 200  # of a curve
TOLD = 0.3  # seconds of training between two pictures
AVERAGED = 50  # steps over which the seconds of a step are averaged
PARTS = {"train": N_("in training"), "test": N_("on new sequences")}
WRITTEN = 120  # characters
MAP_STEPS, MAP_SIZE, MAP_SEQUENCES = 200, 64, 16  # of each training of the map
USUAL = (N_("as usual"), "")
RATES = USUAL, *((rate, rate) for rate in ("0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3"))
STEPS = USUAL, *((steps, steps) for steps in ("100", "300", "1000", "2000", "3000", "5000", "10000"))


class Entries(Sequence):
    """The entries of a registry as choices, also those that are registered later."""

    def __init__(self, registry: Registry[Any], *first: tuple[str, Any]):
        self.registry, self.first = registry, first

    def __len__(self) -> int:
        return len(self.first) + len(self.registry)

    def __getitem__(self, k):
        return (*self.first, *((entry.label, name) for name, entry in self.registry.items()))[k]


for option in (
    Option("problem", N_("Problem"), N_("what the networks are trained on"), Entries(PROBLEMS), apart=True),
    Option("optimiser", N_("Optimiser"), N_("how a gradient changes the weights"), Entries(OPTIMISERS, USUAL)),
    Option("learning_rate", N_("Learning rate"), N_("how far one training step goes"), RATES),
    Option("training_steps", N_("Training steps"), N_("how many batches the networks are trained on"), STEPS),
):
    OPTIONS.add(option.name, option)


def what_is_learnt(config: Config, problem: str, gains: Array, lengths: Array) -> Generator[Any, None, Array]:
    """Train networks on a problem at every gain and length, for as many steps as a class waits for."""
    small = config.replace(batch_size=MAP_SEQUENCES, hidden_size=min(config.hidden_size, MAP_SIZE))
    return learning(small, problem, gains, lengths, MAP_STEPS)


def sigma_in(config: Config, problem: str) -> float:
    """Return ``sqrt(Var(W_xh) E |x|**2 + Var(b))`` for the sequences of a problem."""
    x = PROBLEMS[problem].draw(stream(config.seed, "tests"), config.replace(batch_size=64), 0).x
    square = float(np.mean(np.sum(x * x, axis=-1)))
    weights, bias = read_variances(config, x.shape[-1])
    return float(np.sqrt(weights * square + bias))


LEARNING[:] = [Learning(sigma_in, what_is_learnt)]


def training_of(settings: Settings) -> Training:
    """Return a new training of what the controls say; ValueError where the problem cannot have it."""
    comparison, rate = settings.comparison, settings.option("learning_rate")
    return Training(
        settings.config,
        settings.option("problem"),
        schemes=comparison.schemes,
        seeds=comparison.drawn(settings.seeds),
        optimiser=settings.option("optimiser") or None,
        learning_rate=float(rate) if rate else None,
    )


def settings_of(training: Training, now: Settings) -> Settings:
    """Return what the controls said when a saved training was begun."""
    of, usual = training.settings, training.problem.defaults
    named = {
        "optimiser": "" if of.optimiser_name == usual.optimiser else of.optimiser_name,
        "learning_rate": "" if of.learning_rate == usual.learning_rate else plain(of.learning_rate),
    }
    for name, value in named.items():
        if value not in dict(OPTIONS[name].choices).values():
            named[name] = ""
    config = of.config.replace(scheme=of.schemes[0], seed=of.seeds[0])
    beside, seeds = of.schemes[1:], len(of.seeds)
    return now.replace(config=config, beside=beside, seeds=seeds, problem=of.problem_name, **named)


def steps_of(settings: Settings) -> int:
    """Return for how many steps the controls ask."""
    asked = settings.option("training_steps")
    return int(asked) if asked else PROBLEMS[settings.option("problem")].defaults.steps


ASKED = ("problem", "optimiser", "learning_rate", "training_steps")


def asked(settings: Settings) -> tuple[Any, ...]:
    """Return what decides a training, of all that the controls say."""
    return settings.comparison, *(settings.option(name) for name in ASKED)


@dataclass(frozen=True, eq=False)
class Race:
    """A training, for how many steps it is to go on, and what the controls asked for when it was begun."""

    training: Training
    steps: int
    asked: tuple[Any, ...]

    @classmethod
    def of(cls, settings: Settings, training: Training | None = None) -> Race:
        """Return what the controls say as a race, a new one by default; ValueError where the problem cannot have it."""
        return cls(training or training_of(settings), steps_of(settings), asked(settings))

    def compute(self) -> Generator[Curves, None, Curves]:
        """Train, and yield the curves; where it is left, `compute` goes on from there."""
        taken: list[float] = []
        curves, told = self.curves(), time.perf_counter()
        while self.training.step < self.steps and not self.training.diverged.all():
            begun = time.perf_counter()
            yield from showing(self.training.advancing(), curves)
            taken = [*taken[1 - AVERAGED :], time.perf_counter() - begun]
            if time.perf_counter() - told > TOLD:
                curves, told = self.curves(float(np.median(taken))), time.perf_counter()
            yield curves
        self.training.snapshots.keep(self.training.step, self.training.stack.weights)
        scores = yield from showing(self.training.evaluating(), curves)
        return self.curves(notes=self.right_answers(scores))

    def right_answers(self, scores: Mapping[str, Any]) -> tuple[str, ...]:
        """Return a sentence for each scheme on its share of right answers, the median over seeds."""
        said = []
        for k, name in enumerate(self.training.settings.schemes):
            known = {part: score.accuracy[k][np.isfinite(score.accuracy[k])] for part, score in scores.items()}
            words = [f"{_(PARTS[part])} {percent(float(np.median(each)))}" for part, each in known.items() if each.size]
            text = _("{scheme}: right answers {shares}.")
            said += [text.format(scheme=_(SCHEMES[name].short), shares=", ".join(words))] if words else []
        return tuple(said)

    def curves(self, seconds: float = 0.0, notes: tuple[str, ...] = ()) -> Curves:
        """Return the curves so far; a step takes so many seconds, and ``notes`` are sentences on the outcome."""
        training, done = self.training, self.training.step
        width = max(1, -(-done // POINTS))
        ends = np.append(np.arange(width, done, width), done) if done else np.zeros(0, dtype=int)
        counts = np.diff(ends, prepend=0)
        sums = np.add.reduceat(training.losses, ends - counts, axis=0) if done else training.losses
        levels = {"chance": training.chance, "target": training.target, "solved": training.solved}
        return Curves(
            training=training,
            problem=_(training.problem.label),
            names=tuple(_(SCHEMES[name].short) for name in training.settings.schemes),
            step=done,
            steps=self.steps,
            at=ends,
            losses=sums / counts[:, None, None],
            levels={name: level for name, level in levels.items() if level is not None},
            diverged=training.diverged.copy(),
            overflow=training.overflow,
            reached=training.reached.copy(),
            kept=tuple(training.steps_kept),
            seconds_left=(self.steps - done) * seconds,
            notes=(*notes, *self.written()),
        )

    def written(self) -> tuple[str, ...]:
        """Return what the first network writes, where the problem is about characters."""
        if self.training.problem.write is None or self.training.diverged[0, 0]:
            return ()
        text = self.training.write(WRITTEN, seed=self.training.step)
        return (_("It writes: {text}").format(text=" ".join(text.split())),)
