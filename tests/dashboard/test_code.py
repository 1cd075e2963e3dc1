"""The code that a page gives is run, and makes the same page, arrays and pictures again."""

import ast
import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import PATIENCE
from exported import (
    CASES,
    CHOSEN,
    CONFIGS,
    HOSTILE,
    SCHEMES,
    SMALL,
    assert_same,
    take,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

import rnnviz as rv
from rnnviz.dashboard.code import code, computation
from rnnviz.views import OPTIONS, VIEWS

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture(params=CASES)
def trace(request):
    return rv.compare(*CASES[request.param])


def run_cell(source, **names):
    """Run code as a notebook's cell would, with some names; return all names, and the value of the last expression."""
    assert TransformerManager().transform_cell(source) == source, "nothing in it is a notebook's magic"
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    return names, last and eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


def arguments(trace, options, views):
    return trace.config, trace.schemes, trace.seeds, options, views


def test_the_code_shows_the_same_page(trace, monkeypatch):
    monkeypatch.delenv("QUERY_STRING", raising=False)
    options = {"quantity": "saturation", "theory": False, "precision": ""}
    _, page = run_cell(code(*arguments(trace, options, ("state", "units"))))
    assert_same(page.trace, trace)
    assert list(page.pictures.canvases) == ["state", "units"]
    assert page.controls.choices["quantity"].value == "saturation"
    page.close()


def test_the_computation_gives_the_same_arrays_and_pictures(trace):
    views = [name for name, view in VIEWS.items() if not view.slow]
    names, _ = run_cell(computation(*arguments(trace, CHOSEN, views)))
    assert_same(names["trace"], trace)
    assert list(names["pictures"]) == views
    for name, data in names["pictures"].items():
        expected = take(VIEWS[name], trace)
        assert VIEWS[name].frame(data) == VIEWS[name].frame(expected)
        assert VIEWS[name].describe(data) == VIEWS[name].describe(expected)


def test_the_code_says_only_what_is_not_as_usual():
    options = {name: option.choices[0][1] for name, option in OPTIONS.items()}
    assert code(rv.Config(), ("xavier", "he"), range(8), options, ("state", "gradient")) == (
        'from rnnviz import Dashboard\n\nDashboard("state", "gradient", scheme=["xavier", "he"], seeds=8)\n'
    )
    chosen = code(rv.Config(hidden_size=128, seed=3), ["he"], range(3, 6), CHOSEN, ["gradient"])
    assert chosen.splitlines()[-8:] == [
        "Dashboard(",
        '    "gradient",',
        '    scheme="he",',
        "    seeds=3,",
        '    options={"theory": True, "precision": "float16"},',
        "    hidden_size=128,",
        "    seed=3,",
        ")",
    ]
    assert 'rv.Config()\ntrace = rv.compare(config, ["xavier"], seeds=[1, 5])' in computation(
        rv.Config(), ["xavier"], np.array([1, 5]), {}, []
    )


def called(source):
    """Return what the code gives to Dashboard, without making one."""
    head = "from rnnviz import Dashboard\n"
    assert source.startswith(head)
    return run_cell(source.removeprefix(head).lstrip(), Dashboard=lambda *views, **settings: (views, settings))[1]


def compared(source):
    """Return what the code gives to compare, without computing anything."""
    ast.parse(source)
    head, source = "import rnnviz as rv\n", source.partition("trace.second_moment,")[0]
    assert source.startswith(head)
    instead = SimpleNamespace(Config=rv.Config, compare=lambda *given, seeds: (*given, seeds))
    return run_cell(source.removeprefix(head).lstrip(), rv=instead)[0]["trace"]


@settings(max_examples=60)
@given(CONFIGS, SCHEMES, st.integers(1, 100), st.sampled_from([{}, CHOSEN]))
@example(rv.Config(text=HOSTILE, seed=2**32 - 1), ["he"], 8, CHOSEN)
@example(rv.Config(text="''' \"\"\" \\"), ["he"], 1, {})
def test_code_for_any_settings(config, schemes, count, options):
    first = min(config.seed, 2**32 - count)
    seeds = range(first, first + count)
    views, given = called(code(config, schemes, seeds, options, list(VIEWS)))
    scheme = given.pop("scheme")
    assert views == tuple(VIEWS)
    assert ([scheme] if isinstance(scheme, str) else scheme) == schemes
    assert given.pop("seeds") == count
    assert given.pop("options", {}) == options
    assert rv.Config(**given) == config.replace(scheme="xavier")
    trace = compared(computation(config, schemes, seeds, options, list(VIEWS)))
    assert trace == (config.replace(scheme="xavier"), schemes, seeds)


@pytest.mark.parametrize("seeds", [(0, 2), (3, 2, 1), ()])
def test_a_page_cannot_show_seeds_that_are_not_counted_up(seeds):
    with pytest.raises(ValueError, match="counted up one by one"):
        code(rv.Config(), ("xavier",), seeds, {}, ("state",))


@pytest.mark.parametrize(("options", "views"), [({"theroy": True}, ["state"]), ({}, ["stat"])])
@pytest.mark.parametrize("make", [code, computation])
def test_an_unknown_name_is_one_sentence(make, options, views):
    with pytest.raises(ValueError, match="Did you mean"):
        make(rv.Config(), ("xavier",), (0,), options, views)


DIGEST = """
import hashlib
for each in (page.trace, trace):
    arrays = (each.second_moment, each.variance, each.saturation, each.log10_grad_norm, each.units)
    print(hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest())
"""


@pytest.mark.slow
def test_the_code_runs_in_a_new_notebook(tmp_path):
    """A real kernel, the cells pasted, and the trace of this process in both."""
    import nbformat
    from nbclient import NotebookClient

    config = SMALL.replace(inputs="text", text=HOSTILE, gain=1.25)
    trace = rv.compare(config, ("xavier", "he"), range(2))
    given = arguments(trace, {"theory": True}, ("state", "gradient"))
    cells = [code(*given), "page = _", computation(*given), DIGEST]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(tmp_path)}}).execute()
    arrays = (trace.second_moment, trace.variance, trace.saturation, trace.log10_grad_norm, trace.units)
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    assert notebook.cells[-1].outputs[0].text.split() == [digest, digest]
    assert "application/vnd.jupyter.widget-view+json" in notebook.cells[0].outputs[-1].data
