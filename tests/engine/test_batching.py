"""Stacks hold every run once and fit into memory; lanes change neither numbers nor errors."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from conftest import PATIENCE
from hypothesis import given
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.engine import batching
from rnnviz.engine.runs import comparing
from rnnviz.numerics.progress import finish, mapped

LARGE = rv.Config(hidden_size=256, seq_len=3, batch_size=2)  # W_hh of 8 runs fills a stack
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


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
    assert max(lengths) == 1 or max(lengths) * tape <= 192 * 2**20
    numbers = config.batch_size * config.hidden_size * (1 + len(rv.cells.CELLS[config.cell].gates))
    assert max(lengths) == 1 or max(lengths) * 8 * numbers <= 640 * 2**10, "a step stays in the cache"
    assert len(parts) == 1 or len(parts) % batching.LANES == 0 or len(parts) == runs


def test_lanes_need_threads_cores_and_multiplications_that_keep_to_one():
    assert batching.lanes(8, ONE_THREAD, cores=4) == batching.LANES
    assert batching.lanes(1, ONE_THREAD, cores=4) == 1
    assert batching.lanes(8, ONE_THREAD, cores=1) == 1
    assert batching.lanes(8, {}, cores=4) == 1
    assert batching.lanes(8, ONE_THREAD, cores=4, platform="emscripten") == 1


def counting(number, seen, meeting=None):
    """Yield twice and return a number; note the thread, and wait half way for the other lane's job."""
    yield 0.5
    if meeting:
        meeting.wait()
    seen.add(threading.get_ident())
    yield 1.0
    return number


@pytest.mark.parametrize("lanes", [1, 2])
def test_jobs_run_in_lanes_and_their_mean_share_grows(lanes):
    seen, meeting = set(), threading.Barrier(lanes, timeout=PATIENCE)
    shares, progress = [], batching.side_by_side([counting(k, seen, meeting) for k in range(4)], lanes)
    assert finish(mapped(progress, shares.append)) == [0, 1, 2, 3]
    assert len(seen) == lanes
    assert (lanes == 1) == (seen == {threading.get_ident()})
    assert shares == sorted(shares)
    assert all(0.0 <= share <= 1.0 for share in shares), "none where the jobs end before the first look"


class NoThread(threading.Thread):
    """A thread of a system that allows no more of them."""

    def start(self):
        raise RuntimeError("can't start new thread")


def test_without_threads_jobs_run_one_after_the_other():
    seen = set()
    jobs = [counting(k, seen) for k in range(3)]
    assert finish(batching.side_by_side(jobs, 2, NoThread)) == [0, 1, 2]
    assert seen == {threading.get_ident()}


def endless(begun, ended):
    try:
        while True:
            begun.set()
            time.sleep(0.001)
            yield 0.5
    finally:
        ended.set()


@pytest.mark.parametrize("lanes", [1, 2])
def test_an_error_in_one_job_ends_the_others(lanes):
    begun, ended = threading.Event(), threading.Event()

    def fail():
        yield 0.0
        if lanes > 1:
            assert begun.wait(PATIENCE)
        raise ArithmeticError("this one")

    jobs = [endless(begun, ended), fail()] if lanes > 1 else [fail(), endless(begun, ended)]
    with pytest.raises(ArithmeticError, match="this one"):
        finish(batching.side_by_side(jobs, lanes))
    assert ended.is_set() == begun.is_set() == (lanes > 1)


@pytest.mark.parametrize("lanes", [1, 2])
def test_closing_ends_all_jobs_and_threads(lanes):
    before, events = threading.active_count(), [threading.Event() for _ in range(4)]
    progress = batching.side_by_side([endless(*events[:2]), endless(*events[2:])], lanes)
    next(progress)
    assert threading.active_count() == before + (lanes if lanes > 1 else 0)
    assert all(event.wait(PATIENCE) for event in events[: 4 if lanes > 1 else 1 : 2])
    progress.close()
    assert threading.active_count() == before
    assert [event.is_set() for event in events] == ([True] * 4 if lanes > 1 else [True, True, False, False])


def test_numbers_do_not_depend_on_the_number_of_lanes():
    schemes, seeds = ("xavier", "orthogonal", "uniform01"), range(4)
    traces = [finish(comparing(LARGE, schemes, seeds, lanes)) for lanes in (1, 2)]
    assert len(batching.split(LARGE, 12)) > 1
    for name in ("units", "log10_grad_norm", "second_moment", "loss"):
        one, two = (getattr(trace, name) for trace in traces)
        assert one.tobytes() == two.tobytes()
    single = rv.run(LARGE.replace(scheme="orthogonal", seed=3))
    np.testing.assert_allclose(traces[1].one(1, 3).units, single.units, rtol=1e-12)


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_comparison_can_be_sliced_moved_and_closed_anywhere(lanes):
    """Its shares grow, its overflow leaves the caller's ``np.errstate`` alone, and another thread may close it."""
    config, errors, shares = LARGE.replace(activation="linear", gain=20.0, seq_len=400), np.geterr(), []
    progress = comparing(config, ("xavier", "uniform01"), range(4), lanes)
    for share in progress:
        shares.append(share)
        assert np.geterr() == errors
        if len(shares) == 30:
            break
    assert shares == sorted(shares)
    closing = threading.Thread(target=progress.close)
    closing.start()
    closing.join(20)
    assert next(progress, None) is None
