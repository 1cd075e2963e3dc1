"""Sweeps: the numbers of `run` whatever the executor, and a table that survives being killed."""

import io
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing

import numpy as np
import psutil
import pytest
from conftest import ROOT, wait_until

import rnnviz as rv
from rnnviz.__main__ import main
from rnnviz.learning.grid_file import read_grid
from rnnviz.learning.journal import Journal
from rnnviz.learning.results import RunResult
from rnnviz.learning.sweep_file import Countdown, Stopped, sweep_file
from rnnviz.learning.workers import cluster, process_pool

SMALL = rv.Config(hidden_size=8, seq_len=6, batch_size=4)
GRID = """
schemes = ["xavier", "uniform01"]
seeds = 3
[config]
hidden_size = 8
batch_size = 4
[grid]
gain = { from = 0.5, to = 2, count = 6 }
activation = ["tanh", "relu"]
cell = ["rnn", "lstm"]
"""


@pytest.fixture(scope="module")
def pool():
    """Two processes for all tests of this file."""
    with process_pool(2) as executor:
        yield executor


@pytest.fixture
def grid(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(GRID)
    return path


class Inline(Executor):
    """Computes within `submit`, after ``before(n)`` for the n-th item; with an ``answer``, it only counts."""

    def __init__(self, before=lambda n: None, answer=None):
        self.before, self.answer, self.count = before, answer, itertools.count()

    def submit(self, fn, /, *args, **kwargs):
        self.before(next(self.count))
        future = Future()
        future.set_result(self.answer or fn(*args, **kwargs))
        return future


def finished(grid, out):
    """Return the cells in the journal beside a table."""
    with closing(Journal(out.with_name(f"{out.name}.journal"), read_grid(grid).owner)) as journal:
        return journal.finished


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


def test_the_table_is_the_same_whatever_computes_it(grid, pool, tmp_path):
    tables = []
    with ThreadPoolExecutor(1) as one:
        for k, executor in enumerate((Inline(), one, pool)):
            assert sweep_file(grid, tmp_path / f"{k}.csv", executor, io.StringIO()) == 24 * 2 * 3
            tables.append((tmp_path / f"{k}.csv").read_bytes())
    assert tables[0] == tables[1] == tables[2]
    head, *rows = tables[0].decode().splitlines()
    assert head.startswith("hidden_size,batch_size,gain,activation,cell,scheme,seed,loss,second_moment_T,")
    assert rows[0].startswith("8,4,0.5,tanh,rnn,xavier,0,")
    assert rows[-1].startswith("8,4,2.0,relu,lstm,uniform01,2,")
    config = SMALL.replace(seq_len=50, gain=2.0, activation="relu", cell="lstm", scheme="uniform01", seed=2)
    assert float(rows[-1].split(",")[7]) == rv.run(config).loss
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "1.csv", "2.csv", "grid.toml"]


def test_a_grid_of_trainings(grid, pool, tmp_path):
    grid.write_text("""
        schemes = ["xavier", "he"]
        [config]
        hidden_size = 6
        [train]
        steps = 3
        [grid]
        problem = ["recall", "adding"]
        learning_rate = { from = 0.001, to = 0.1, count = 3, log = true }
        seq_len = [5, 6]
    """)
    assert sweep_file(grid, tmp_path / "a.csv", pool, io.StringIO()) == 12 * 2
    sweep_file(grid, tmp_path / "b.csv", Inline(), io.StringIO())
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    head, *rows = [line.split(",") for line in (tmp_path / "a.csv").read_text().splitlines()]
    assert head[:8] == ["hidden_size", "steps", "problem", "learning_rate", "seq_len", "scheme", "seed", "loss"]
    assert rows[0][:7] == ["6", "3", "recall", "0.001", "5", "xavier", "0"]
    *_, last = rv.train(
        rv.Config(hidden_size=6, seq_len=6, scheme="he"), "adding", steps=3, learning_rate=0.1
    )  # adding has the batch size of a Config
    assert float(rows[-1][7]) == last.training.losses.mean()


def test_ctrl_c_keeps_what_is_finished_and_nothing_is_run_twice(grid, tmp_path):
    def interrupt(n):
        if n == 10:
            raise KeyboardInterrupt

    out = tmp_path / "a.csv"
    sentence = "^stopped with 10 of 24 cells finished; the same command goes on from there.$"
    with pytest.raises(Stopped, match=sentence):
        sweep_file(grid, out, Inline(interrupt), io.StringIO())
    assert not out.exists()
    assert len(finished(grid, out)) == 10
    rest = Inline()
    sweep_file(grid, out, rest, io.StringIO())
    assert next(rest.count) == 14
    sweep_file(grid, tmp_path / "b.csv", Inline(), io.StringIO())
    assert out.read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_another_grid_is_refused(grid, tmp_path, capsys):
    def interrupt(n):
        raise KeyboardInterrupt

    with pytest.raises(Stopped):
        sweep_file(grid, tmp_path / "a.csv", Inline(interrupt), io.StringIO())
    grid.write_text(GRID.replace("count = 6", "count = 7"))
    assert main(["sweep", str(grid), "--out", str(tmp_path / "a.csv")]) == 2
    assert capsys.readouterr().err.startswith("rnnviz: a.csv.journal is of another grid or another version of rnnviz; ")


def test_the_countdown_goes_by_the_pace_since_the_first_cell():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    seconds, stream = iter([30.0, 40.0, 60.0]), Terminal()
    countdown = Countdown(400, 10, stream, lambda: next(seconds))
    for done in (11, 12, 13):
        countdown.show(done)
    countdown.end()
    lines = [line.removesuffix("\x1b[K") for line in stream.getvalue().split("\r")[1:]]
    left = ["12 of 400 cells, 1:04:40 left", "13 of 400 cells, 1:36:45 left", ""]
    assert lines == ["10 of 400 cells", "11 of 400 cells", *left]
    quiet = io.StringIO()
    Countdown(400, 10, quiet).end()
    assert quiet.getvalue() == ""


def start(grid, out):
    """Start the command in a process group of its own, and wait until it has finished some cells."""
    command = [sys.executable, "-m", "rnnviz", "sweep", str(grid), "--out", str(out), "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    process = subprocess.Popen(command, start_new_session=True, **pipes)
    return process, out.with_name(f"{out.name}.journal")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_sweep_loses_no_finished_cell_and_leaves_no_process(grid, tmp_path):
    grid.write_text(GRID.replace("count = 6", "count = 1000"))
    out = tmp_path / "a.csv"
    process, journal = start(grid, out)
    wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 20, "cells are finished")
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert psutil.wait_procs(workers, timeout=30)[1] == []
    kept = finished(grid, out)
    assert 20 <= len(kept) < 4000
    rest = Inline(answer=6 * (RunResult("other", 0, *7 * [0.5], None),))
    sweep_file(grid, out, rest, io.StringIO())
    assert next(rest.count) == 4000 - len(kept)
    rows = [line.split(",")[5:] for line in out.read_text().splitlines()[1:]]
    losses = {k: [row[2] for row in rows[6 * k : 6 * k + 6]] for k in range(4000)}
    assert {k: values for k, values in losses.items() if values != 6 * ["0.5"]} == {
        cell: [repr(row[2]) for row in runs] for cell, runs in kept.items()
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C otherwise")
def test_ctrl_c_in_a_terminal_is_one_sentence(grid, tmp_path):
    grid.write_text(GRID.replace("count = 6", "count = 1000"))
    process, journal = start(grid, tmp_path / "a.csv")
    wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 20, "cells are finished")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    count = len(finished(grid, tmp_path / "a.csv"))
    assert (out, err) == (
        "",
        f"rnnviz: stopped with {count} of 4000 cells finished; the same command goes on from there.\n",
    )


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
    assert time.monotonic() - started < 30


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bytes(grid, tmp_path):
    distributed = pytest.importorskip("distributed")
    sweep_file(grid, tmp_path / "serial.csv", Inline(), io.StringIO())
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        cluster(local.scheduler_address) as executor,
    ):
        sweep_file(grid, tmp_path / "dask.csv", executor, io.StringIO())
    assert (tmp_path / "dask.csv").read_bytes() == (tmp_path / "serial.csv").read_bytes()
