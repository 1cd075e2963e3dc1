"""What the tests of `render` share: comparisons, states, and what is known of them."""

from dataclasses import replace

import rnnviz as rv
from rnnviz.dashboard.results import Results
from rnnviz.dashboard.settings import Comparison, Settings
from rnnviz.dashboard.state import PageState
from rnnviz.dashboard.work import Part
from rnnviz.numerics.progress import finish

WIDE = {"width": 1120, "ratio": 1}
OLD = Settings(rv.Config(hidden_size=8, seq_len=6, batch_size=6), ("uniform01",), seeds=3)
NEW = OLD.replace(gain=1.5)
STOPPED = frozenset({"comparison"})
# Paces at which a draft comes at once, and at which nothing does.
QUICK, SLOW = 1e-8, 1.0


def traced(settings, seeds=None, sequences=None):
    """Compute a comparison, or a part of it."""
    comparison = settings.comparison
    return finish(Part(comparison, seeds or settings.seeds, sequences or settings.config.batch_size).compute())


OLD_TRACE, NEW_TRACE, NEW_DRAFT = traced(OLD), traced(NEW), traced(NEW, 1, 2)


def page(settings=NEW, **changes):
    return replace(PageState(settings, OLD, OLD), **changes)


def known(*pairs, pace=QUICK):
    """Return results that hold these values by their keys, of which the last comparison has been shown."""
    results = Results(pace)
    for key, value in pairs:
        results.put(key, value=value)
        results.shown = value if isinstance(key, Comparison) else results.shown
    return results


BEFORE = (OLD.comparison, OLD_TRACE)
DRAFT, WHOLE = ((NEW.comparison, trace) for trace in (NEW_DRAFT, NEW_TRACE))
