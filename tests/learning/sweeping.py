"""Shared by the tests of sweeps: a small Config, and an executor that computes at once."""

import itertools
from concurrent.futures import Executor, Future

import rnnviz as rv

SMALL = rv.Config(hidden_size=8, seq_len=6, batch_size=4)


class Inline(Executor):
    """Computes within `submit`, after ``before(n)`` for the n-th item; with an ``answer``, it only counts."""

    def __init__(self, before=lambda n: None, answer=None):
        self.before, self.answer, self.count = before, answer, itertools.count()

    def submit(self, fn, /, *args, **kwargs):
        self.before(next(self.count))
        future = Future()
        future.set_result(self.answer or fn(*args, **kwargs))
        return future
