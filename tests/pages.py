"""Small dashboards without a browser, and what they show."""

from __future__ import annotations

from conftest import SMALL

import rnnviz as rv
from rnnviz.dashboard import task

TEXT = "abracadabra, abracadabra"


def make(*views, **settings):
    return rv.Dashboard(*views, **{**SMALL, **settings})


def shown(dashboard):
    """Return name -> (PNG, alt text) of the pictures on the stage."""
    return {view["name"]: (view["png"], view["alt"]) for view in dashboard.stage.frame["views"]}


def is_one_sentence(text):
    return text.endswith((".", "?")) and "\n" not in text and "Traceback" not in text


def refuse(monkeypatch, which):
    """Let comparisons fail whose Config ``which`` picks out."""
    real = task.compare

    def compare(config, *arguments, **named):
        if which(config):
            raise MemoryError("too large")
        return real(config, *arguments, **named)

    monkeypatch.setattr(task, "compare", compare)
