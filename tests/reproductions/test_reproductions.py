"""The machinery of the reproductions: what passes, what is shown, and that each experiment runs and can fail."""

import json
import re

import numpy as np
import pytest
from conftest import NOTEBOOKS
from matplotlib.figure import Figure

import rnnviz as rv
from rnnviz.reproductions import REPRODUCTIONS, Outcome, glorot_2010
from rnnviz.reproductions.entry import Picture, Reproduction, Row, between, registered
from rnnviz.reproductions.linear_recurrence import NAME, linear_recurrence
from rnnviz.reproductions.pascanu_2013 import crossing
from rnnviz.reproductions.whole_digits import whole_digits

FOLDER = NOTEBOOKS / "reproductions"
LONGEST_CELL = 6
TINY = {
    "chen_2018": {"hidden_size": 4, "steps": 1, "seeds": 1, "gains": (0.5, 2.0), "lengths": (3, 3)},
    "glorot_2010": {"hidden_size": 1},
    "henaff_2016": {"hidden_size": 4, "copied_after": 2, "added_over": 4, "copying_steps": 1, "adding_steps": 1},
    "jozefowicz_2015": {"hidden_size": 4, "recalled_after": 3, "added_over": 4, "seeds": 1, "steps": 1},
    "le_2015": {"hidden_size": 4, "seq_len": 4, "seeds": 1, "steps": 1},
    "pascanu_2013": {"hidden_size": 3, "seq_len": 2, "seeds": 1, "times": 0},
    "saxe_2013": {"hidden_size": 4, "depths": (1, 2), "rates": (0.1,), "seeds": 1, "steps": 1},
    "schoenholz_2017": {"hidden_size": 4, "depths": (1, 2), "variances": (0.1, 0.5), "steps": 1},
}


def registries():
    kinds = rv.cells.CELLS, rv.schemes.SCHEMES, rv.problems.PROBLEMS, rv.activations.ACTIVATIONS
    return [dict(kind) for kind in kinds]


@pytest.fixture(scope="module")
def untrained():
    """Every experiment at sizes at which nothing is learnt, and no law of large numbers holds."""
    before = registries()
    found = {name: entry.run(**TINY[name]) for name, entry in REPRODUCTIONS.items()}
    assert registries() == before
    return found


def test_an_experiment_that_is_far_too_small_fails(untrained):
    for name, outcome in untrained.items():
        assert outcome.rows
        assert not outcome.passes, name


def test_every_experiment_shows_its_rows_and_curves(untrained):
    for outcome in untrained.values():
        ax = outcome.plot(Figure().subplots())
        assert len(ax.lines) == len(outcome.picture.curves) > 0
        assert outcome._repr_html_().count("<tr>") == len(outcome.rows) + 1
        for row in outcome.rows:
            assert row.what in repr(outcome)


@pytest.mark.parametrize(
    ("here", "low", "high", "passes"),
    [(1.0, 1.0, 2.0, True), (2.0, 1.0, 2.0, True), (0.99, 1.0, 2.0, False), (2.01, 1.0, 2.0, False),
     (np.nan, -np.inf, np.inf, False), (np.inf, 2.0, np.inf, True), (np.inf, 2.0, 9.0, False)],
)  # fmt: skip
def test_a_row_passes_within_its_bounds(here, low, high, passes):
    assert between("x", "1", here, low, high).passes is passes


def test_a_row_that_does_not_reproduce_says_so_and_can_fail():
    assert between("x", "1", 2.0, 1.5, 2.5, reproduces=False).verdict == "does not reproduce, as stated"
    assert between("x", "1", 1.0, 1.5, 2.5, reproduces=False).verdict == "FAILS"


def test_one_failing_row_fails_the_paper():
    rows = between("a", "1", 1.0, 0.5, 1.5), between("b <c>", "1", 9.0, 0.5, 1.5)
    entry = Reproduction("p", "Somebody 1999", "figure 1", "a = 1.", "", lambda: (list(rows), Picture({}, {})))
    outcome = entry.run()
    assert not outcome.passes
    assert repr(outcome).startswith("Somebody 1999: FAILS")
    assert "b &lt;c&gt;" in outcome._repr_html_()
    assert Outcome(entry, rows[:1], outcome.picture, 0.0).passes


def test_an_entry_is_registered_for_a_while():
    schemes, before = rv.schemes.SCHEMES, dict(rv.schemes.SCHEMES)
    for name in ("he", "new"):
        with registered(schemes, name, before["xavier"]):
            assert schemes[name] is before["xavier"]
        assert dict(schemes) == before


def loss_of(params, x, targets):
    """Return the loss of the linear recurrence after the last step, written out."""
    h = np.zeros((x.shape[1], len(params["W_hh"])))
    for x_t in x:
        h = np.tanh(x_t @ params["W_xh"] + params["b_h"]) + h @ params["W_hh"]
    y = h @ params["W_hy"] + params["b_y"]
    return np.mean(np.log(np.exp(y).sum(axis=1)) - y[np.arange(len(y)), targets[-1]])


def test_gradients_of_the_linear_recurrence_equal_differences():
    rng = np.random.default_rng(0)
    with registered(rv.cells.CELLS, NAME, linear_recurrence()):
        params = rv.init_params(rv.Config(cell=NAME, hidden_size=5, input_size=3, output_size=4))
        x, targets = rng.normal(size=(6, 2, 3)), rng.integers(4, size=(6, 2))
        g = rv.bptt(params, x, targets, cell=NAME, activation="tanh")
    assert np.isclose(g.loss, loss_of(params, x, targets))
    for name, value in params.items():
        along = 1e-5 * rng.normal(size=value.shape)
        ends = [loss_of({**params, name: value + k * along}, x, targets) for k in (1, -1)]
        assert np.isclose((ends[0] - ends[1]) / 2, np.vdot(g.d_params[name], along), rtol=1e-6), name


def test_singular_values_of_nearly_linear_layers_are_those_of_uniform_matrices():
    # The mean of the quarter circle law is 8 / (3 pi); the gain is small enough for tanh to be linear.
    found = glorot_2010.measured(gain=0.01, hidden_size=200, seed=0)
    assert np.allclose(found.singular / 0.01, 8 / (3 * np.pi), rtol=0.02)
    assert np.allclose(found.spread[1:] / found.spread[:-1], 0.01, rtol=0.1)


def test_whole_digits_are_read_at_once_and_tested_apart():
    problem, rng = whole_digits(), np.random.default_rng(0)
    batch = problem.draw(rng, rv.Config(seq_len=9, batch_size=7), 0)
    assert batch.x.shape == (1, 7, 64)
    assert batch.targets.shape == (1, 7)
    assert problem.test_batches(rng, rv.Config())["test"].x.shape == (1, 360, 64)


def test_crossing_is_found_by_bisection():
    assert np.isclose(crossing(lambda x: x - 3.0, 1.0, 16.0, 40), 3.0)


# ---- notebooks


def cells(path, kind):
    return [
        "".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == kind
    ]


def test_every_paper_has_a_notebook():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(REPRODUCTIONS) == sorted(TINY)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs_its_paper(path, untrained, monkeypatch):
    """Run the code with a stand-in for the experiment, which takes minutes."""
    outcome = untrained[path.stem]
    monkeypatch.setitem(
        REPRODUCTIONS, path.stem,
        Reproduction(path.stem, "Paper", "figure 1", "x.", "", lambda: (list(outcome.rows), outcome.picture)),
    )  # fmt: skip
    space = {}
    for code in cells(path, "code"):
        assert len(code.strip().splitlines()) <= LONGEST_CELL
        assert not re.search(r"^\s*(async def|def|class|global)\b", code, re.MULTILINE)
        exec(code, space)
    space["plt"].close("all")
    assert isinstance(space["found"], Outcome)
    assert isinstance(space["found"].rows[0], Row)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_has_a_title_prose_and_no_outputs(path):
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in found)
    title, _, rest = cells(path, "markdown")[0].partition("\n")
    assert title.startswith("# ")
    assert rest.strip()
    assert REPRODUCTIONS[path.stem].paper.rpartition(" ")[2] in title
