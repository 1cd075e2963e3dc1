"""`rv.sweep`: the numbers of `run`, `compare` and `train`, whatever the executor."""

import itertools
import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest
from conftest import ROOT
from sweeping import SMALL, Inline

import rnnviz as rv
from rnnviz.learning.workers import process_pool


@pytest.fixture(scope="module")
def pool():
    """Two processes for all tests of this file."""
    with process_pool(2) as executor:
        yield executor


def test_results_are_those_of_run(pool):
    configs = [
        SMALL,
        SMALL.replace(cell="lstm", loss_at="every", seed=3),
        SMALL.replace(scheme="orthogonal", gain=0.0),  # no gradient at all
        SMALL.replace(activation="relu", gain=20, seq_len=400, scheme="uniform01"),  # overflows
    ]
    found = dict(rv.sweep(configs, pool))
    assert sorted(found) == [0, 1, 2, 3]
    for k, config in enumerate(configs):
        trace, result = rv.run(config), found[k]
        assert (result.scheme, result.seed) == (config.scheme, config.seed)
        assert result.first_nonfinite == trace.first_nonfinite
        alone = trace.log10_relative_norm_last
        for value, expected in {
            result.loss: trace.loss,
            result.second_moment_T: trace.second_moment[-1],
            result.variance_T: trace.variance[-1],
            result.saturation_T: trace.saturation[-1],
            result.log10_grad_norm_0: trace.log10_grad_norm[0],
            result.log10_grad_norm_T: trace.log10_grad_norm[-1],
            result.log10_survival: (trace.log10_relative_norm if alone is None else alone)[0],
        }.items():
            np.testing.assert_equal(value, float(expected))
    assert found[2].log10_survival == -np.inf
    assert found[3].first_nonfinite > 1


def test_a_comparison_gives_its_runs_scheme_by_scheme(pool):
    ((index, runs),) = rv.sweep([{"config": SMALL, "schemes": ("he", "xavier"), "seeds": range(2)}], pool)
    assert [(run.scheme, run.seed) for run in runs] == [("he", 0), ("he", 1), ("xavier", 0), ("xavier", 1)]
    assert [run.loss for run in runs] == rv.compare(SMALL, ("he", "xavier"), range(2)).loss.ravel().tolist()


def test_a_training_gives_what_train_ends_with(pool):
    config = SMALL.replace(seq_len=5, hidden_size=6)
    arguments = {"config": config, "problem": "recall", "schemes": ("xavier", "he"), "seeds": range(2), "steps": 30}
    relu = config.replace(activation="relu")
    diverging = {**arguments, "config": relu, "optimiser": "sgd", "learning_rate": 1e99, "clip_norm": 0}
    (_, kept), (_, lost) = sorted(rv.sweep([arguments, diverging], pool))
    curves = np.array([progress.loss for progress in rv.train(**arguments)])
    assert [(run.scheme, run.seed) for run in kept] == [("xavier", 0), ("xavier", 1), ("he", 0), ("he", 1)]
    assert [run.loss for run in kept] == curves[-20:].mean(axis=0).ravel().tolist()
    assert {(run.reached, run.diverged, run.overflow) for run in kept} == {(None, None, "")}
    assert all(0 <= run.test_accuracy <= 1 for run in kept)
    *_, last = rv.train(**diverging)
    assert [run.diverged for run in lost] == last.diverged.ravel().tolist()
    assert all(run.diverged > 0 and run.overflow and np.isnan(run.loss) for run in lost)


def test_an_endless_generator_is_read_as_far_as_it_is_needed():
    read = []
    configs = (read.append(seed) or SMALL.replace(seed=seed) for seed in itertools.count())
    with ThreadPoolExecutor(1) as one:
        assert [index for index, _ in itertools.islice(rv.sweep(configs, one), 3)] == [0, 1, 2]
    assert len(read) <= 1003
    read.clear()
    configs = (read.append(seed) or SMALL.replace(seed=seed) for seed in itertools.count())
    next(rv.sweep(configs, Inline()))
    assert read == [0]


def test_what_an_experiment_raises_names_it(pool):
    items = [{"config": SMALL, "schemes": ("xavir",)}, *[SMALL] * 5]
    with pytest.raises(ValueError, match="Did you mean 'xavier'") as error:
        list(rv.sweep(items, pool))
    assert error.value.__notes__ == [f"raised by item 0 of the sweep: {items[0]!r}"]
    assert len(list(rv.sweep(items[1:], pool))) == 5


def test_processes_have_one_blas_thread_and_know_nothing_of_the_caller(pool):
    assert pool.submit(os.getenv, "OPENBLAS_NUM_THREADS").result() == "1"
    assert not pool.submit(eval, "hasattr(__import__('__main__'), '__file__')").result()


def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
        import rnnviz as rv

        configs = [rv.Config(hidden_size=8, gain=gain) for gain in (0.5, 1.0, 2.0)]
        for index, result in rv.sweep(configs):
            assert result.loss == rv.run(configs[index]).loss
            print("done")
        """)
    )
    command = [sys.executable, "-W", "error", str(script)]
    ended = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n" * 3, "")


def test_leaving_a_sweep_ends_its_processes_in_the_middle():
    started, before = time.monotonic(), psutil.Process().children()
    big = rv.Config(hidden_size=512, seq_len=10_000, batch_size=64)
    for index, _ in rv.sweep([SMALL, *[big.replace(seed=seed) for seed in range(8)]]):
        assert index == 0
        break
    assert len(psutil.Process().children()) <= len(before) + 1  # the tracker of multiprocessing stays
    assert time.monotonic() - started < 60
