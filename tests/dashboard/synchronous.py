"""What the tests of a dashboard without a loop share."""

import html
import re

import rnnviz as rv

START = rv.Config(hidden_size=12, seq_len=12, batch_size=4)


def words(dashboard):
    return [item["text"] for item in dashboard.stage.frame["words"]]


def put(dashboard, **values):
    """Set some controls."""
    for name, value in values.items():
        dashboard.controls.widgets[name].value = value


def text_of(*boxes):
    return html.unescape(re.sub("<[^>]*>", "", "".join(box.value for box in boxes)))
