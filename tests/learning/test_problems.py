"""Problems: what they ask, and the losses that mean something, by closed form and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.learning.losses import LOSSES
from rnnviz.learning.problems import PROBLEMS
from rnnviz.network.inputs import scans

MANY = 2000
CHANCE = {
    "adding": lambda config: 1 / 6,
    "copying": lambda config: 10 * np.log(8) / (config.seq_len + 20),
    "recall": lambda config: np.log(8),
    "digits": lambda config: np.log(10),  # nearly: there are not quite as many of each
    "pixels": lambda config: np.log(10),
    "characters": lambda config: 3.0869,  # of the letters of Config's own text, counted below
}


def batch_of(name, **changes):
    problem = PROBLEMS[name]
    config = problem.config(**changes)
    return problem, config, problem.draw(np.random.default_rng(3), config, 0)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_batch_has_the_shapes_that_the_problem_says(name):
    problem, config, (x, targets) = batch_of(name, batch_size=5)
    inputs, outputs = problem.sizes(config)
    steps, where = problem.length(config.seq_len), problem.steps_with_loss(config)
    assert x.shape == (steps, 5, inputs)
    has_classes = LOSSES[problem.loss].has_classes
    assert targets.shape == ((len(where), 5) if has_classes else (len(where), 5, outputs))
    assert not has_classes or (targets.min() >= 0 and targets.max() < outputs)
    again = problem.draw(np.random.default_rng(3), config, 0)
    assert (again.x == x).all()
    assert (again.targets == targets).all()


@pytest.mark.parametrize("name", PROBLEMS)
def test_chance_is_the_loss_of_the_best_guess_without_reading(name):
    """Guess the mean, or the frequencies, at each step that has a loss, over many sequences."""
    problem, config, (_x, targets) = batch_of(name, batch_size=MANY)
    if name == "characters":
        targets = np.searchsorted(sorted(set(config.text)), list(config.text))[:, None]
    if LOSSES[problem.loss].has_classes:
        classes = problem.sizes(config)[1]
        p = np.stack([np.bincount(each, minlength=classes) for each in targets]) / targets.shape[1]
        p = p.mean(axis=0, keepdims=True) if name == "characters" else p
        found = -np.sum(p * np.log(np.where(p > 0, p, 1.0))) / len(p)
    else:
        found = targets.var(axis=1).mean()
    assert problem.chance(config) == pytest.approx(found, rel=0.05)
    assert problem.chance(config) == pytest.approx(CHANCE[name](config), rel=2e-3)


def test_solved_levels():
    """Errors of 0.04; or the right symbol with probability 0.9 and, in copying, every blank for certain."""
    _, config, (_x, targets) = batch_of("adding")
    near = targets + 0.04
    assert PROBLEMS["adding"].solved(config) == pytest.approx(LOSSES["squared error"].fn(near, targets)[0].mean())
    for name in ("copying", "recall"):
        problem, config, (_x, targets) = batch_of(name)
        classes = problem.sizes(config)[1]
        p = np.full((*targets.shape, classes), 0.1 / (classes - 1))
        np.put_along_axis(p, targets[..., None], 0.9, axis=-1)
        blank = targets == 8
        p[blank] = np.where(np.arange(classes) == 8, 1.0, 1e-300)
        loss = LOSSES["cross-entropy"].fn(np.log(p), targets)[0].mean()
        assert problem.solved(config) == pytest.approx(loss), name


@pytest.mark.parametrize("seq_len", [2, 3, 50])
def test_adding_marks_one_number_in_each_half(seq_len):
    _, _, (x, targets) = batch_of("adding", seq_len=seq_len, batch_size=300)
    numbers, marks = x[..., 0], x[..., 1]
    half = seq_len // 2
    assert (marks[:half].sum(axis=0) == 1).all()
    assert (marks[half:].sum(axis=0) == 1).all()
    np.testing.assert_allclose((numbers * marks).sum(axis=0), targets[0, :, 0])
    assert numbers.min() >= 0
    assert numbers.max() <= 1
    assert marks.sum(axis=1).min() > 0, "every place is marked at times"


@pytest.mark.parametrize("seq_len", [1, 7])
def test_copying_asks_for_the_symbols_after_the_signal(seq_len):
    _, _, (x, targets) = batch_of("copying", seq_len=seq_len)
    codes = x.argmax(axis=-1)
    assert (x.sum(axis=-1) == 1).all()
    assert (codes[:10] == targets[-10:]).all()
    assert (targets[:-10] == 8).all()
    assert (codes[10 + seq_len - 1] == 9).all(), "the signal comes 10 steps before the end"
    rest = np.delete(codes, [*range(10), 10 + seq_len - 1], axis=0)
    assert (rest == 8).all()


def test_recall_asks_for_the_first_symbol():
    _, _, (x, targets) = batch_of("recall", seq_len=9)
    assert (x[0].argmax(axis=-1) == targets[0]).all()
    assert len(targets) == 1


def test_characters_read_on_and_begin_again_as_min_char_rnn_does():
    problem = PROBLEMS["characters"]
    config = problem.config(text="abcdefghijklmnopqrstuvwxyz", seq_len=5)
    p, read = 0, []
    for step in range(12):
        starts_anew = step == 0 or p + 5 + 1 >= len(config.text)
        p = 0 if starts_anew else p
        x, targets = problem.draw(np.random.default_rng(0), config, step)
        assert problem.continues(config, step) is (not starts_anew)
        assert "".join(config.text[k] for k in x[:, 0].argmax(axis=-1)) == config.text[p : p + 5]
        assert "".join(config.text[k] for k in targets[:, 0]) == config.text[p + 1 : p + 6]
        p += 5
        read.append(p)
    assert len(set(read)) < len(read)


def test_every_scan_is_in_one_of_both_parts():
    images, target = scans()
    problem = PROBLEMS["digits"]
    tests = problem.test_batches(np.random.default_rng(0), problem.config())
    both = np.concatenate([batch.x.transpose(1, 0, 2).reshape(-1, 64) for batch in tests.values()])
    labels = np.concatenate([batch.targets[0] for batch in tests.values()])
    theirs = images.reshape(-1, 64)
    assert {name: batch.x.shape[1] for name, batch in tests.items()} == {"train": 1437, "test": 360}
    order, their_order = (np.lexsort(each.T.round(9)) for each in (both, theirs))
    np.testing.assert_allclose(both[order], theirs[their_order], atol=1e-9)
    assert (labels[order] == target[their_order]).mean() > 0.999, "but for equal scans"
    by_pixel = PROBLEMS["pixels"].test_batches(np.random.default_rng(0), problem.config())["test"]
    assert (by_pixel.x.transpose(1, 0, 2).reshape(-1, 64) == both[1437:]).all()


def test_inputs_are_scaled():
    for name in PROBLEMS:
        _, _, plain = batch_of(name)
        _, _, scaled = batch_of(name, input_scale=3.0)
        np.testing.assert_allclose(scaled.x, 3.0 * plain.x)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_has_the_gradient_of_its_differences(name):
    rng = np.random.default_rng(0)
    loss = LOSSES[name]
    y = rng.normal(size=(3, 4))
    targets = rng.integers(4, size=3) if loss.has_classes else rng.normal(size=(3, 4))
    _, d = loss.fn(y, targets)
    for k in np.ndindex(y.shape):
        bump = np.zeros_like(y)
        bump[k] = 1e-6
        difference = (loss.fn(y + bump, targets)[0] - loss.fn(y - bump, targets)[0]).sum() / 2e-6
        assert d[k] == pytest.approx(difference, abs=1e-8)


def test_too_short_a_sequence_is_refused():
    with pytest.raises(ValueError, match="seq_len must be at least 2 for the problem adding; got 1"):
        rv.Training(rv.Config(seq_len=1), "adding")
