"""What a prompt and a notebook show of a result: short, true, and safe to put on a page."""

from __future__ import annotations

import base64
import html
import io
import math
import re
import subprocess
import sys
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs
from rnnviz.story.verdict import sentences
from rnnviz.story.walkthrough import Walk

SMALL = rv.Config(hidden_size=12, seq_len=12, batch_size=4)
HOSTILE = "<script>alert('rnnviz')</script>\"&"
TAGS = {"p", "img", "table", "tr", "td"}


def gradients(config=SMALL):
    return rv.bptt(rv.init_params(config), *draw_inputs(config), cell=config.cell)


def tags(text):
    """Return the names of the elements in a piece of HTML."""
    found = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.add(tag)
    parser.feed(text)
    return found


def same(one, other):
    """Compare fields of a Trace, nan equal to nan."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, tuple):
        for each, theirs in zip(one, other, strict=True):
            same(each, theirs)
    elif isinstance(one, np.ndarray):
        assert one.shape == other.shape
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


@pytest.mark.parametrize(
    "changes", [{}, {"cell": "lstm", "seed": 3}, {"activation": "linear", "gain": 20.0, "seq_len": 400}]
)
def test_a_single_run_is_a_comparison_of_one_scheme_and_one_seed(changes):
    config = SMALL.replace(**changes)
    expected = rv.compare(config, (config.scheme,), (config.seed,))
    found = expected.one().as_comparison()
    for spec in fields(rv.Trace):
        same(getattr(found, spec.name), getattr(expected, spec.name))
    assert expected.as_comparison() is expected


def test_a_trace_of_ten_thousand_steps_prints_in_four_lines():
    trace = rv.run(rv.Config(hidden_size=4, seq_len=10_000, batch_size=1))
    assert repr(trace).count("\n") < 4
    assert len(repr(trace)) < 600
    assert "H = 4, D = 32, O = 10, T = 10000, B = 1" in repr(trace)
    assert f"L = {trace.loss:.3g}" in repr(trace)


def test_a_comparison_prints_a_sentence_for_each_scheme_and_never_a_flood():
    trace = rv.compare(SMALL, ("xavier", "he"), (0, 1, 2))
    assert "2 schemes x 3 seeds" in repr(trace)
    assert all(sentence in repr(trace) for sentence in sentences(trace))
    assert f"Xavier {np.median(trace.loss[0]):.3g}, He {np.median(trace.loss[1]):.3g}" in repr(trace)
    many = rv.compare(SMALL.replace(seq_len=2), list(rv.schemes.SCHEMES) * 3, (0,))
    assert repr(many).count("\n") < 16
    assert "…" in repr(many)


@pytest.mark.parametrize("trace", [rv.run(SMALL), rv.compare(SMALL, ("xavier", "he"), (0, 1))], ids=["run", "compare"])
def test_a_notebook_shows_verdict_and_pictures_of_a_trace(trace):
    shown = trace._repr_html_()
    assert tags(shown) == {"p", "img"}
    expected = rv.compare(SMALL, trace.schemes, trace.seeds)
    assert all(f"<p>{html.escape(sentence)}</p>" in shown for sentence in sentences(expected))
    images = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)"', shown)
    assert len(images) == 2
    for data, alt in images:
        with Image.open(io.BytesIO(base64.b64decode(data, validate=True))) as picture:
            assert picture.size == (900, 640)
            assert len(np.unique(np.asarray(picture))) > 10, "an empty picture"
        assert re.search(r"\d", alt), "an alt text has numbers"
    assert len(shown) < 300_000


def test_an_own_network_is_shown_under_its_name():
    own = rv.trace(rv.init_params(SMALL), *draw_inputs(SMALL), name="<mine>")
    assert sentences(own.as_comparison())[0] in repr(own)
    assert "&lt;mine&gt;: " in own._repr_html_()
    assert tags(own._repr_html_()) == {"p", "img"}


def test_gradients_show_loss_shapes_and_norms():
    found = gradients(SMALL.replace(cell="gru"))
    for shown in (repr(found), found._repr_html_()):
        assert f"L = {found.loss:.3g}, " in shown
        assert f"‖∂L/∂h_12‖ = {10 ** found.log10_grad_norm[-1]:.2g}," in shown
        for name, d in {"d_h": found.d_h, **{f"d_{name}": d for name, d in found.d_params.items()}}.items():
            row = rf"{name}\W.*{re.escape(str(d.shape))}\D+{math.hypot(*d.ravel()):.2g}\b"
            assert re.search(row, shown), name
    assert tags(found._repr_html_()) == {"p", "table", "tr", "td"}
    assert len(repr(found)) < 600


@pytest.mark.parametrize(("size", "text"), [(1e-200, "5e-200"), (1e200, "5e200"), (np.inf, "∞"), (0.0, "0")])
def test_a_norm_may_be_beyond_the_squares_of_floats(size, text):
    found = gradients()
    extreme = replace(found, d_params={"W_hh": np.array([[3.0, 4.0]]) * size if size else np.zeros((1, 2))})
    assert repr(extreme).endswith(text if np.isfinite(size) else "inf")


def test_a_config_shows_what_differs_and_the_sizes():
    shown = rv.Config(gain=1.5, inputs="digits")._repr_html_()
    assert "<td>Gain</td><td>1.5</td>" in shown
    assert "D = 8, O = 10" in shown
    assert shown.count("<tr>") == 2
    assert "<tr>" not in rv.Config()._repr_html_()


def test_a_hostile_text_is_escaped_and_cut():
    config = SMALL.replace(inputs="text", text=HOSTILE * 500)
    for shown in (config, rv.run(config), gradients(config)):
        assert tags(shown._repr_html_()) <= TAGS
        assert "<script" not in shown._repr_html_()
    assert len(config._repr_html_()) < 1000


def test_a_walk_shows_its_settings_and_weights():
    walk = Walk(activation="relu")
    assert eval(repr(walk).removeprefix("Walk: "), {"Config": rv.Config}) == walk.config
    assert walk._repr_html_().count("<figure>") == 3


def test_summaries_need_no_matplotlib_and_are_imported_only_when_shown():
    code = """
import sys
sys.modules["matplotlib"] = None  # as if it were not installed
import rnnviz as rv
trace = rv.run(rv.Config(hidden_size=4, seq_len=3))
assert not {"rnnviz.summaries", "rnnviz.story.verdict", "ipywidgets", "html"} & set(sys.modules)
shown = trace._repr_html_()
assert "the gradient" in shown and "<img" not in shown
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_completion_knows_what_is_imported_late():
    assert {"Dashboard", "plot", "run", "sweep", "theory"} <= set(dir(rv))
