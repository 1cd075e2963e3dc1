"""What the tests of a dashboard in an event loop share: settings, waiting, and gates that hold work back."""

import threading
from contextlib import contextmanager

import pytest
from conftest import PATIENCE
from pages import made_up, reach

from rnnviz.network.schemes import SCHEMES

both_modes = pytest.mark.parametrize("mode", ["thread", "slices"])
DRAFTS, SLOW = 1e-8, 1.0  # paces: a draft comes first; nothing comes at once


async def whole(dashboard):
    """Wait until all of the settings is shown."""
    config = lambda: dashboard.trace and dashboard.trace.config  # noqa: E731
    await reach(dashboard.stage, lambda: dashboard.stage.frame.get("whole") and config() == dashboard.config)


def put(dashboard, pace=None, **values):
    """Set some controls, on a machine of a certain pace."""
    dashboard.results.pace = pace or dashboard.results.pace
    for name, value in values.items():
        dashboard.controls.widgets[name].value = value


def watch(dashboard):
    """Return a list that goes on collecting the hidden size and the seeds of what is shown."""
    seen = []
    note = lambda change: seen.append((dashboard.trace.config.hidden_size, len(dashboard.trace.seeds)))  # noqa: E731
    dashboard.stage.observe(note, "frame")
    return seen


def outbox(dashboard):
    """Return a list that goes on collecting the files that the page sends."""
    sent = []
    dashboard.stage.send = lambda content, buffers=None: sent.append((content, buffers))
    return sent


class Gate:
    """A function like another, which from a signal on waits before it returns, or raises."""

    def __init__(self, function, holds=lambda *arguments: True):
        self.function, self.holds = function, holds
        self.begun, self.go_on, self.error = threading.Event(), threading.Event(), None

    def __call__(self, *arguments, **named):
        if self.holds(*arguments, **named):
            self.begun.set()
            assert self.go_on.wait(PATIENCE)
            if self.error:
                raise self.error
        return self.function(*arguments, **named)


@contextmanager
def gated_scheme(holds):
    """Register a scheme that waits for its gate where ``holds(rng, fan_in, fan_out, gain)``."""
    gate = Gate(SCHEMES["xavier"].fn, holds)
    gate.go_on.set()
    with made_up(SCHEMES, "xavier", short="Made up", fn=gate):
        gate.go_on.clear()  # registering draws from it too
        gate.begun.clear()
        try:
            yield gate
        finally:
            gate.go_on.set()
