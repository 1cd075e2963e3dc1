"""Stacks: every run in one, none too large, and two side by side with the numbers of one by one."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.engine import batching

LARGE = rv.Config(hidden_size=256, seq_len=3, batch_size=2)  # 8 runs' W_hh fill a stack


@pytest.fixture(params=[1, 2])
def cores(request, monkeypatch):
    """Let a job have so many cores, and each multiplication one."""
    monkeypatch.setattr(batching.os, "sched_getaffinity", lambda pid: set(range(request.param)), raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    return request.param


@given(
    runs=st.integers(1, 400), hidden_size=st.integers(1, 1024), seq_len=st.integers(1, 200),
    batch_size=st.integers(1, 128), input_size=st.integers(1, 256), cell=st.sampled_from(sorted(rv.cells.CELLS)),
)  # fmt: skip
def test_stacks_hold_every_run_once_and_fit_into_memory(runs, **sizes):
    config = rv.Config(**sizes)
    parts = batching.split(config, runs)
    assert [k for part in parts for k in range(runs)[part]] == list(range(runs))
    lengths = [len(range(runs)[part]) for part in parts]
    assert max(lengths) - min(lengths) <= 1
    tape = config.cell == "rnn" and 8 * config.seq_len * config.batch_size * config.hidden_size
    assert max(lengths) == 1 or max(lengths) * tape <= 128 * 2**20
    assert len(parts) == 1 or len(parts) % 2 == 0 or len(parts) == runs


def test_lanes_need_cores_and_multiplications_that_keep_to_one(monkeypatch):
    monkeypatch.setattr(batching.os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    for name in batching.BLAS_THREADS:
        monkeypatch.delenv(name, raising=False)
    assert batching.lanes(8) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert (batching.lanes(8), batching.lanes(1)) == (2, 1)


def test_jobs_are_done_in_as_many_threads_as_there_are_cores(cores):
    seen, meeting = set(), threading.Barrier(cores, timeout=20)

    def job(number, tick):
        meeting.wait()  # goes on only when all lanes are in it
        seen.add(threading.get_ident())
        tick(1.0)
        return number

    assert batching.side_by_side([partial(job, k) for k in range(4)], lambda share: None) == [0, 1, 2, 3]
    assert len(seen) == cores
    assert (cores == 1) == (seen == {threading.get_ident()})


def test_numbers_are_bit_for_bit_those_of_one_after_the_other(monkeypatch):
    traces = []
    for count in (1, 2):
        monkeypatch.setattr(batching, "lanes", lambda stacks, count=count: min(count, stacks))
        traces.append(rv.compare(LARGE, ("xavier", "orthogonal", "uniform01"), range(4)))
    for name in ("units", "log10_grad_norm", "second_moment", "loss"):
        one, two = (getattr(trace, name) for trace in traces)
        assert one.tobytes() == two.tobytes()
    single = rv.run(LARGE.replace(scheme="orthogonal", seed=3))
    np.testing.assert_allclose(traces[1].one(1, 3).units, single.units, rtol=1e-12)


def test_share_grows_to_the_whole_and_is_told_by_one_thread_at_a_time(cores):
    shares, inside = [], []

    def tick(share):
        inside.append(share)
        assert len(inside) == 1
        shares.append(share)
        inside.pop()

    rv.compare(LARGE, ("xavier", "uniform01"), range(8), tick)
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] == 1.0


def test_what_a_tick_raises_comes_out_and_ends_all_stacks(cores):
    calls = []

    def tick(share):
        calls.append(share)
        if len(calls) == 5:
            raise LookupError("enough")

    before = threading.active_count()
    with pytest.raises(LookupError, match="enough"):
        rv.compare(LARGE.replace(seq_len=50), ("xavier", "uniform01"), range(8), tick)
    assert len(calls) == 5
    assert threading.active_count() == before


def test_an_error_in_one_stack_ends_the_others(cores):
    begun = threading.Event()

    def fail(tick):
        if cores > 1:
            begun.wait(20)
        raise ArithmeticError("this one")

    def go_on(tick):
        begun.set()
        while True:
            tick(0.5)

    jobs = [go_on, fail] if cores > 1 else [fail, go_on]
    with pytest.raises(ArithmeticError, match="this one"):
        batching.side_by_side(jobs, lambda share: None)
