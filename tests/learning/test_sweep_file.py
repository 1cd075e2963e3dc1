"""`rnnviz sweep`: one table whatever computes it, also where it is stopped or killed on the way."""

import io
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psutil
import pytest
from conftest import PATIENCE, ROOT, wait_until
from sweeping import SMALL, Inline

import rnnviz as rv
from rnnviz.__main__ import main
from rnnviz.learning.grid_file import read_grid
from rnnviz.learning.journal import Journal
from rnnviz.learning.results import RunResult
from rnnviz.learning.sweep_file import Countdown, Stopped, sweep_file
from rnnviz.learning.workers import cluster, process_pool

GRID = """
schemes = ["xavier", "uniform01"]
seeds = 2
[config]
hidden_size = 8
batch_size = 4
seq_len = 20
[grid]
gain = { from = 0.5, to = 2, count = 3 }
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


def finished(grid, out):
    """Return the cells in the journal beside a table."""
    with closing(Journal(out.with_name(f"{out.name}.journal"), read_grid(grid).owner)) as journal:
        return journal.finished


def test_the_table_is_the_same_whatever_computes_it(grid, pool, tmp_path):
    tables = []
    with ThreadPoolExecutor(1) as one:
        for k, executor in enumerate((Inline(), one, pool)):
            assert sweep_file(grid, tmp_path / f"{k}.csv", executor, io.StringIO()) == 12 * 2 * 2
            tables.append((tmp_path / f"{k}.csv").read_bytes())
    assert tables[0] == tables[1] == tables[2]
    head, *rows = tables[0].decode().splitlines()
    assert head.startswith("hidden_size,batch_size,seq_len,gain,activation,cell,scheme,seed,loss,second_moment_T,")
    assert rows[0].startswith("8,4,20,0.5,tanh,rnn,xavier,0,")
    assert rows[-1].startswith("8,4,20,2.0,relu,lstm,uniform01,1,")
    config = SMALL.replace(seq_len=20, gain=2.0, activation="relu", cell="lstm", scheme="uniform01", seed=1)
    assert float(rows[-1].split(",")[8]) == rv.run(config).loss
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
        if n == 5:
            raise KeyboardInterrupt

    out = tmp_path / "a.csv"
    sentence = "^stopped with 5 of 12 cells finished; the same command goes on from there.$"
    with pytest.raises(Stopped, match=sentence):
        sweep_file(grid, out, Inline(interrupt), io.StringIO())
    assert not out.exists()
    assert len(finished(grid, out)) == 5
    rest = Inline()
    sweep_file(grid, out, rest, io.StringIO())
    assert next(rest.count) == 7
    sweep_file(grid, tmp_path / "b.csv", Inline(), io.StringIO())
    assert out.read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_another_grid_is_refused(grid, tmp_path, capsys):
    def interrupt(n):
        raise KeyboardInterrupt

    with pytest.raises(Stopped):
        sweep_file(grid, tmp_path / "a.csv", Inline(interrupt), io.StringIO())
    grid.write_text(GRID.replace("count = 3", "count = 4"))
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
    grid.write_text(GRID.replace("count = 3", "count = 1000"))
    out = tmp_path / "a.csv"
    process, journal = start(grid, out)
    wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 20, "cells are finished")
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert psutil.wait_procs(workers, timeout=PATIENCE)[1] == []
    kept = finished(grid, out)
    assert 20 <= len(kept) < 4000
    rest = Inline(answer=4 * (RunResult("other", 0, *7 * [0.5], None),))
    sweep_file(grid, out, rest, io.StringIO())
    assert next(rest.count) == 4000 - len(kept)
    rows = [line.split(",")[6:] for line in out.read_text().splitlines()[1:]]
    losses = {k: [row[2] for row in rows[4 * k : 4 * k + 4]] for k in range(4000)}
    assert {k: values for k, values in losses.items() if values != 4 * ["0.5"]} == {
        cell: [repr(row[2]) for row in runs] for cell, runs in kept.items()
    }


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C otherwise")
def test_ctrl_c_in_a_terminal_is_one_sentence(grid, tmp_path):
    grid.write_text(GRID.replace("count = 3", "count = 1000"))
    process, journal = start(grid, tmp_path / "a.csv")
    wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") > 20, "cells are finished")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    count = len(finished(grid, tmp_path / "a.csv"))
    assert (out, err) == (
        "",
        f"rnnviz: stopped with {count} of 4000 cells finished; the same command goes on from there.\n",
    )


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
