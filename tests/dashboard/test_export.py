"""What is taken away is what was shown: files are read back, and code is run, against the trace that they came from."""

import ast
import csv
import dataclasses
import hashlib
import io
import itertools
import json
import re
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from IPython.core.inputtransformer2 import TransformerManager
from matplotlib import rc_context
from PIL import Image

import rnnviz as rv
from rnnviz.dashboard import export
from rnnviz.dashboard.code import code, computation
from rnnviz.dashboard.csv_file import csv_text
from rnnviz.network.config import FIELDS
from rnnviz.views import OPTIONS, VIEWS, Canvas, figure_export

pytestmark = pytest.mark.usefixtures("no_loop")
HOSTILE = (
    "=cmd|' /C calc'!A0,@SUM(1+1);-2\t+3 \"'''\"\"\" \\ \r\n# x: 1\n%%bash\n!ls ?"
    "\x00\x0b\x85\u2028\u202e\ufffe <&]]> $\\frac$ hä 你 🎈"
)
SMALL = rv.Config(hidden_size=12, input_size=6, seq_len=11, batch_size=4)
KICK = SMALL.replace(inputs="none", activation="relu", input_scheme="xavier")
CASES = {
    "plain": (SMALL, ("xavier", "uniform01"), range(3)),
    "lstm": (SMALL.replace(cell="lstm", gain=1.25, forget_bias=-2.0), ("he", "xavier", "keras"), range(2, 4)),
    "gru, hostile text": (SMALL.replace(cell="gru", inputs="text", text=HOSTILE), ("xavier",), range(2)),
    "exact zeros": (KICK.replace(gain=0.0), ("xavier", "identity"), range(2)),
    "not finite": (KICK.replace(gain=20.0, seq_len=260, hidden_size=4), ("identity", "xavier"), range(2)),
    "mean": (SMALL.replace(loss_at="every", loss_reduction="mean"), ("xavier",), range(2)),
    "last seeds": (SMALL.replace(seed=2**32 - 1), ("xavier",), range(2**32 - 3, 2**32)),
}
CHOSEN = {"quantity": "variance", "theory": True, "precision": "float16"}
SIGNS = tuple("=+-@")


@pytest.fixture(params=CASES)
def trace(request):
    return rv.compare(*CASES[request.param])


@pytest.fixture(params=VIEWS)
def view(request):
    return VIEWS[request.param]


def value_of(name):
    """Return a strategy for one field of Config."""
    meta = FIELDS[name].metadata
    if meta["kind"] == "choice":
        names = st.sampled_from(list(meta["allowed"]))
        return st.none() | names if meta["optional"] else names
    if "check" in meta:
        return st.sampled_from(["sine 25", "x;y\n1;0,5\n2;3", "a b\n1 -2e3\n 4.5 0\r\n"])
    if meta["kind"] == "text":
        hard = st.sampled_from("=+-@,;|\t\r\n\"'\\#%!?{}\x00\u2028")
        return st.text(st.characters(exclude_categories=["Cs"]) | hard, min_size=2, max_size=60).filter(
            lambda text: len(set(text)) > 1
        )
    return (st.integers if meta["kind"] == "int" else st.floats)(meta["low"], meta["high"])


CONFIGS = st.fixed_dictionaries({}, optional={name: value_of(name) for name in FIELDS}).map(lambda d: rv.Config(**d))
SCHEMES = st.lists(st.sampled_from(list(rv.schemes.SCHEMES)), min_size=1, max_size=6, unique=True)


def per_step(trace):
    """Return name -> array of everything that a trace holds for each step."""
    found = {}
    for field in dataclasses.fields(trace):
        value = getattr(trace, field.name)
        if field.metadata.get("per_step") and value is not None:
            found |= (
                {f"{field.name}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {field.name: value}
            )
    return found


def assert_same(one, other):
    """Hold two traces to be the same, bit for bit."""
    assert (one.schemes, one.seeds) == (other.schemes, other.seeds)
    mine, theirs = per_step(one) | {"units": one.units}, per_step(other) | {"units": other.units}
    assert mine.keys() == theirs.keys()
    for name, array in mine.items():
        assert array.tobytes() == theirs[name].tobytes(), name


# PNG and SVG


@pytest.fixture(scope="module")
def shown():
    return rv.compare(*CASES["gru, hostile text"]), rv.compare(SMALL.replace(gain=1.25), ("xavier", "he"), range(3))


def take(view, trace, options=CHOSEN):
    return view.data(trace, **{name: options[name] for name in view.options if name in options})


def check_description(text, view, trace):
    said = json.loads(text)
    assert said["view"] == view.name
    assert rv.Config(**{name: said[name] for name in FIELDS}) == trace.config
    assert said["schemes"] == list(trace.schemes)
    assert said["seeds"] == list(trace.seeds)
    assert said["options"] == {name: CHOSEN[name] for name in CHOSEN if name in view.options}
    assert said["shows"] == view.describe(take(view, trace))


def test_a_png_has_its_size_its_words_and_a_caption(view, shown):
    trace = shown[0]
    drawn = export.png(view, take(view, trace), 501, 383, 1.5, trace=trace, options=CHOSEN)
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.size == (751, 574)
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)
        assert image.text["Title"].startswith(f"rnnviz: {view.label}, ")
        check_description(image.text["Description"], view, trace)
        pixels = np.asarray(image.convert("L"))
    assert pixels[-24:].min() < 140, "there is a caption"
    assert pixels[:, -8:].min() == 255, "which does not leave the picture"


def test_an_svg_is_xml_with_text_as_text(view, shown):
    trace = shown[0]
    root = ET.fromstring(export.svg(view, take(view, trace), 640, 420, trace=trace, options=CHOSEN))
    assert (root.get("width"), root.get("height")) == ("640", "420")
    assert [float(side) for side in root.get("viewBox").split()] == pytest.approx([0, 0, 640 * 0.72, 420 * 0.72])
    said = " ".join(each.text for each in root.iter("{http://www.w3.org/2000/svg}text"))
    for words in ("Xavier", "seeds 0 to 1", "Cell: GRU", "Hidden size: 12", "Sequence length: 11"):
        assert words in said
    dublin = {each.tag.partition("}")[2]: each.text for each in root.iter() if "purl.org/dc" in each.tag}
    assert root.find("{http://www.w3.org/2000/svg}title").text.startswith(f"rnnviz: {view.label}, ")
    check_description(dublin["description"], view, trace)
    assert "date" not in dublin


def test_the_title_of_the_picture_is_text():
    trace = rv.compare(*CASES["plain"])
    drawn = export.svg(VIEWS["state"], take(VIEWS["state"], trace), 640, 420, trace=trace, options=CHOSEN).decode()
    assert ">Variance over units and batch of the hidden state</text>" in drawn
    assert "State: Variance over units and batch · Theory: show</text>" in drawn


def test_the_same_picture_gives_the_same_bytes(view, shown, monkeypatch):
    trace = shown[1]
    first = export.svg(view, take(view, trace), 500, 380, trace=trace)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    with rc_context({"savefig.bbox": "tight", "savefig.transparent": True, "svg.fonttype": "path"}):
        assert export.svg(view, take(view, trace), 500, 380, trace=trace) == first


def test_a_person_s_own_style_leaves_size_and_paper():
    trace, view = rv.compare(*CASES["plain"]), VIEWS["state"]
    with rc_context({"savefig.bbox": "tight", "savefig.transparent": True}):
        drawn = export.png(view, view.data(trace), 400, 300, 1.0, trace=trace)
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.size == (400, 300)
        assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def test_without_a_caption_it_is_the_picture_of_the_page(view, shown):
    trace = shown[1]
    data = view.data(trace)
    page = np.asarray(Image.open(io.BytesIO(Canvas(view).png(data, 580, 380, 1.0))), float)
    drawn = np.asarray(
        Image.open(io.BytesIO(figure_export.png(view, data, 580, 380, 1.0, "", {}))).convert("RGB"), float
    )
    # Only what lies over what may differ: the page paints all that moves above all that stays.
    assert np.mean(np.abs(page - drawn).max(axis=-1) > 8) < 0.01


@pytest.mark.parametrize("form", ["png", "svg"])
@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((100, 400), "width must be a number from 240 to 4000; got 100."),
        ((float("nan"), 400), "width must be"),
        ((400, 10**9), "height must be"),
        ((400, "400"), "height must be a number from 200 to 4000; got '400'."),
        ((240, 200), "leaves no room"),
    ],
)
def test_a_size_out_of_bounds_is_one_sentence(form, size, words):
    trace = rv.compare(SMALL, tuple(rv.schemes.SCHEMES)[:6], (0,))
    view = VIEWS["state"]
    with pytest.raises(ValueError, match=re.escape(words)):
        getattr(export, form)(view, view.data(trace), *size, trace=trace)


def test_a_scale_out_of_bounds_is_one_sentence():
    trace = rv.compare(*CASES["plain"])
    with pytest.raises(ValueError, match="scale must be a number from 0.5 to 4; got 1000."):
        export.png(VIEWS["state"], VIEWS["state"].data(trace), 400, 300, 1000, trace=trace)


# CSV


def read(text):
    """Read a CSV back as anybody would: comment lines apart, the rest by the csv module."""
    lines = text.split("\n")
    comments = [line for line in lines if line.startswith("# ")]
    told = {key: json.loads(value) for key, _, value in (line[2:].partition(": ") for line in comments)}
    assert lines[: len(comments)] == comments, "all comments come first, and none is broken into lines"
    return told, list(csv.DictReader(lines[len(comments) :]))


def check_values(text, trace):
    told, rows = read(text)
    expected = {
        re.sub(r"^gates\.(\w+)$", r"gate_\1", re.sub(r"^gate_saturation\.(\w+)$", r"gate_\1_saturation", name)): array
        for name, array in per_step(trace).items()
    }
    keys = ["scheme", "seed", "step"]
    assert set(rows[0]) == {*keys, *expected}
    assert {f"column {name}" for name in rows[0]} == {key for key in told if key.startswith("column ")}
    steps = range(trace.config.seq_len + 1)
    assert [tuple(row[key] for key in keys) for row in rows] == [
        (scheme, str(seed), str(t)) for scheme, seed, t in itertools.product(trace.schemes, trace.seeds, steps)
    ]
    for name, array in expected.items():
        values = np.array([float(row[name]) for row in rows]).reshape(array.shape)
        unknown = np.isnan(array)
        assert np.array_equal(np.isnan(values), unknown), name
        assert values[~unknown].tobytes() == array[~unknown].tobytes(), name


def check_settings(text, trace):
    told, _ = read(text)
    assert told["rnnviz"] == rv.__version__
    config = rv.Config(**{name: told[name] for name in FIELDS if name in told})
    kept = {name: getattr(trace.config, name) for name in ("scheme", "seed", "text", "numbers")}
    assert config.replace(**kept) == trace.config
    for name in ("text", "numbers"):
        assert (name in told) == (trace.config.inputs == name)
        assert name not in told or told[name] == getattr(trace.config, name)
    assert (told["D"], told["O"]) == trace.config.sizes
    assert told["schemes"].split() == list(trace.schemes)
    assert [int(seed) for seed in told["seeds"].split()] == list(trace.seeds)


def check_cells(text):
    """Hold that no spreadsheet, whatever it splits at, finds a formula in the settings."""
    assert text.isascii()
    for line in itertools.takewhile(lambda line: line.startswith("# "), text.split("\n")):
        for sign in ",;\t| ":
            for cell in [*line.split(sign), *next(csv.reader([line], delimiter=sign), [])]:
                bare = cell.strip(" \"'")
                assert not bare.startswith(SIGNS) or re.fullmatch(r"-[\d.e+-]+", bare), line


def test_csv_reads_back_bit_for_bit(trace):
    text = csv_text(trace)
    check_values(text, trace)
    check_settings(text, trace)
    check_cells(text)


def test_csv_has_the_columns_in_this_order():
    header = next(line for line in csv_text(rv.compare(*CASES["lstm"])).splitlines() if not line.startswith("#"))
    assert header.startswith(
        "scheme,seed,step,second_moment,variance,mean,saturation,log10_grad_norm,log10_grad_norm_c,"
    )
    assert header.endswith(",gate_i,gate_f,gate_g,gate_o," + ",".join(f"gate_{g}_saturation" for g in "ifgo"))


def test_csv_writes_zeros_and_the_undefined_by_name():
    zero, lost = (csv_text(rv.compare(*CASES[name])) for name in ("exact zeros", "not finite"))
    assert ",-inf," in zero
    assert ",nan," in lost
    assert ",inf," in lost


def test_csv_of_one_run():
    _, rows = read(csv_text(rv.run(SMALL)))
    assert [float(row["mean"]) for row in rows] == rv.run(SMALL).mean.tolist()


EXTREMES = arrays(float, (1, 2, 3), elements=st.floats(width=64))


@settings(max_examples=30)
@given(CONFIGS, EXTREMES, EXTREMES)
@example(rv.Config(inputs="text", text=HOSTILE), np.full((1, 2, 3), -0.0), np.full((1, 2, 3), 5e-324))
@example(rv.Config(inputs="text", text="=1+1" * 5000), np.zeros((1, 2, 3)), np.zeros((1, 2, 3)))
def test_any_settings_and_any_numbers_read_back(config, mean, norms):
    tiny = rv.compare(SMALL.replace(seq_len=2), ("xavier",), (0, 7))
    text = csv_text(dataclasses.replace(tiny, config=config, mean=mean, log10_grad_norm=norms))
    check_settings(text, dataclasses.replace(tiny, config=config))
    check_cells(text)
    check_values(text, dataclasses.replace(tiny, mean=mean, log10_grad_norm=norms))


# The code


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
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    arrays = (trace.second_moment, trace.variance, trace.saturation, trace.log10_grad_norm, trace.units)
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
    assert notebook.cells[-1].outputs[0].text.split() == [digest, digest]
    assert "application/vnd.jupyter.widget-view+json" in notebook.cells[0].outputs[-1].data


# File names


@settings(max_examples=60)
@given(CONFIGS, SCHEMES, st.sampled_from(["csv", ".png"]), st.sampled_from(["", *VIEWS]))
def test_file_names_are_short_and_safe_anywhere(config, schemes, ending, view):
    name = export.filename(config, schemes, ending, view)
    assert re.fullmatch(r"rnnviz-[A-Za-z0-9._-]+\.(csv|png)", name)
    assert len(name) < 130
    assert ".." not in name
    assert config.cell in name
    assert schemes[0] in name


def test_file_names_tell_settings_apart():
    make = export.filename
    assert (
        make(SMALL, ("xavier", "uniform01"), "svg", "state") == "rnnviz-state-rnn-tanh-xavier-vs-uniform01-H12-T11.svg"
    )
    assert make(SMALL.replace(gain=1.5), ("he",), "csv") == "rnnviz-rnn-tanh-he-gain1.5-H12-T11.csv"
    assert make(SMALL, list("abcde"), "csv") == "rnnviz-rnn-tanh-a-vs-b-vs-c-and-2-more-H12-T11.csv"
    assert make(SMALL, ["../../etc"], "csv") == "rnnviz-rnn-tanh-.._.._etc-H12-T11.csv"
