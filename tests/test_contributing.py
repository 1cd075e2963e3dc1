"""The recipes of CONTRIBUTING.md run as pasted into a notebook, and what they add is right."""

import re
import subprocess
import sys

import numpy as np
from conftest import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^### (Add .+?)$.+?^```python\n(.+?)^```", TEXT, re.MULTILINE | re.DOTALL))
CHECKS = """
from test_contributing import check_gradients, check_picture, check_scheme

check_scheme("lecun")
check_gradients(activation="arctan")
check_gradients(inputs="waves")
check_gradients(cell="ugrnn")
check_gradients(cell="ugrnn", activation="arctan", inputs="waves", scheme="lecun")
check_picture("last_step")
"""


def check_scheme(name):
    """Compare the moments of many weights with the declared ones."""
    import rnnviz as rv

    entry, weights = rv.schemes.SCHEMES[name], rv.schemes.sample(name, np.random.default_rng(0), 300, 400)
    assert abs(weights.mean()) < 4 * weights.std() / weights.size**0.5
    assert np.isclose(weights.var(), entry.variance(300, 400), rtol=0.02)


def check_gradients(**settings):
    """Compare the gradient with respect to every parameter, along a random direction, with finite differences."""
    import rnnviz as rv

    config = rv.Config(hidden_size=7, seq_len=6, batch_size=3, input_size=4, output_size=3, loss_at="every", **settings)
    rng, params = np.random.default_rng(1), rv.init_params(config)
    sizes = rv.inputs.Sizes(config.seq_len, config.batch_size, config.input_size, config.output_size)
    x, targets = rv.inputs.INPUTS[config.inputs].fn(rng, sizes, "")
    named = {"cell": config.cell, "activation": config.activation, "loss_at": config.loss_at}
    found = rv.bptt(params, x, targets, **named).d_params
    for name, value in params.items():
        direction = 1e-5 * rng.standard_normal(value.shape)
        ends = [rv.bptt({**params, name: value + k * direction}, x, targets, **named).loss for k in (1, -1)]
        expected = np.vdot(found[name], direction)
        assert np.isclose((ends[0] - ends[1]) / 2, expected, rtol=1e-6, atol=1e-12), (settings, name)


def check_picture(name):
    """Draw a view twice on the same axes, and compare its points and its words with the trace."""
    from matplotlib.figure import Figure

    import rnnviz as rv
    from rnnviz.views import VIEWS

    view = VIEWS[name]
    traces = [rv.compare(rv.Config(hidden_size=16, seed=seed), ("xavier", "he"), range(3)) for seed in (0, 5)]
    artists = view.draw(Figure().subplots(), view.data(traces[0]))
    view.update(artists, view.data(traces[1]))
    for k, line in enumerate(artists["points"]):
        np.testing.assert_allclose(line.get_ydata(), np.log10(traces[1].second_moment[k, :, -1]))
    assert all(label in view.describe(view.data(traces[1])) for label in ("Xavier", "He"))


def test_recipes_run_one_after_another_in_a_notebook(tmp_path):
    assert len(RECIPES) == 5
    cells = tmp_path / "cells.py"
    cells.write_text("\n".join([*RECIPES.values(), CHECKS]), encoding="utf-8")
    paths = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]!r}; "
    code = f"{paths}exec(compile(open({str(cells)!r}, encoding='utf-8').read(), {str(cells)!r}, 'exec'), globals())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
