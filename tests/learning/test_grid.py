"""Grid files: every cell once, in order; and what is wrong with one, with its line."""

import itertools
import json
import math
import re

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.learning.grid_file import GridError, read_grid
from rnnviz.learning.problems import PROBLEMS
from rnnviz.network.config import Config

VALUES = {
    "gain": st.floats(0, 20).map(lambda x: x or 0.0),  # -0.0 and 0.0 are one value
    "seq_len": st.integers(1, 10_000),
    "cell": st.sampled_from(["rnn", "lstm", "gru"]),
    "loss_at": st.sampled_from(["last", "every"]),
}
AXES = {name: st.lists(values, min_size=1, max_size=4, unique=True) for name, values in VALUES.items()}
NOISE = st.sampled_from(["", "# a comment = [", "\n"])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("grid") / "grid.toml"


def toml(name, values, wide):
    """Return a statement that gives a list, on one line or on several."""
    items = [json.dumps(value) for value in values]
    return f"{name} = [\n  # values\n  " + ",\n  ".join(items) + ",\n]" if wide else f"{name} = [{', '.join(items)}]"


def refusal(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GridError) as error:
        read_grid(path)
    return str(error.value)


@settings(max_examples=50)
@given(
    axes=st.lists(st.sampled_from(sorted(AXES)), unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: AXES[name] for name in names})
    ),
    seeds=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=3, unique=True),
    wide=st.booleans(),
    bad=st.integers(0, 3),
    noise=NOISE,
)
def test_a_grid_has_every_combination_once_and_a_fault_its_line(path, axes, seeds, wide, bad, noise):
    lines = [toml("seeds", seeds, wide), noise, "[grid]", *(toml(name, values, wide) for name, values in axes.items())]
    path.write_text("\n".join(lines), encoding="utf-8")
    grid = read_grid(path)
    expected = list(itertools.product(*axes.values()))
    assert grid.cells == expected
    assert grid.seeds == tuple(seeds)
    for k, values in enumerate(expected[:5]):
        assert grid.item(k)["config"] == Config(**dict(zip(axes, values, strict=True)))
    at = min(bad, len(axes))
    lines[3 + at : 3 + at] = [noise, toml("hidden_size", [1, 0], wide)]
    start = "\n".join(lines[: 4 + at]).count("\n") + 2
    sentence = "hidden_size must be a whole number from 1 to 4096; got 0."
    assert refusal(path, "\n".join(lines)) == f"grid.toml, line {start}: {sentence}"


def test_ranges(path):
    path.write_text(
        "[grid]\n"
        "gain = { from = 0.5, to = 2, count = 16 }\n"
        "seq_len = { from = 10, to = 1000, count = 5, log = true }\n"
        "hidden_size = { from = 1, to = 3, count = 9 }\n"
    )
    axes = read_grid(path).axes
    assert axes["gain"] == tuple(k / 10 for k in range(5, 21))
    assert axes["seq_len"] == (10, 32, 100, 316, 1000)
    assert axes["hidden_size"] == (1, 2, 3)


def test_the_grid_of_the_readme(path):
    (text,) = re.findall(r"```toml\n(.+?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    path.write_text(text, encoding="utf-8")
    grid = read_grid(path)
    assert len(grid.cells) == 16 * 7 * 2
    assert grid.item(0) == {
        "config": PROBLEMS["copying"].config(hidden_size=128, gain=0.5, seq_len=10),
        "problem": "copying",
        "steps": 2000,
        "learning_rate": 0.001,
        "schemes": ("xavier", "orthogonal"),
        "seeds": tuple(range(8)),
    }


def test_without_tables_there_is_one_cell_of_one_run(path):
    path.write_text("\ufeff", encoding="utf-8")  # the mark that editors on Windows put first
    grid = read_grid(path)
    assert grid.item(0) == {"config": Config(), "schemes": ("xavier",), "seeds": (0,)}
    path.write_text("seeds = 3")
    assert read_grid(path).seeds == (0, 1, 2)


BAD = [
    ("[grid]\ngian = [1]", 2, "a field in .grid. must be one of .*; got 'gian'. Did you mean 'gain'[?]"),
    ("[config]\n\ngain = 50", 3, "gain must be a number from 0 to 20; got 50."),
    ("config.gain = '1'", 1, "gain must be a number from 0 to 20; got '1'."),
    ("[grid]\ngain = [inf]", 2, "gain must be a number from 0 to 20; got inf."),
    ("[grid]\ngain = [1979-05-27]", 2, "gain must be a number from 0 to 20; got datetime.date.1979, 5, 27.."),
    ("[grid]\ngain = 2", 2, "gain must be a list, or a range like .*; got 2."),
    ("[grid]\ngain = []", 2, "gain must be a list, or a range like .*; got .*"),
    ("[grid]\nseq_len = { from = 0, to = 9, count = 3, log = true }", 2, "a range of seq_len must be like .*"),
    ("[grid]\ngain = { from = 1, to = inf, count = 3 }", 2, "a range of gain must be like .*"),
    ("[grid]\ngain = { from = 1, to = 2, step = 3 }", 2, "a range of gain must be like .*"),
    ("[grid]\ngain = { from = 1, to = 2, count = 2.5 }", 2, "a range of gain must be like .*"),
    ("[grid]\ngain = { from = '1', to = 2, count = 2 }", 2, "a range of gain must be like .*"),
    ("[config]\nscheme = 'he'", 2, r"scheme does not belong in \[config\]: write schemes = .* above the tables."),
    ("[grid]\ngain = [1]\nseeds = 8", 3, r"seeds does not belong in \[grid\]: write seeds = 8 above the tables."),
    ("schemes = ['xavir']", 1, "scheme must be one of .*; got 'xavir'. Did you mean 'xavier'[?]"),
    ("schemes = 'he'", 1, "schemes must be like .*; got 'he'."),
    ("\nseeds = 0", 2, "seeds must be like seeds = 8; got 0."),
    ("seeds = true", 1, "seeds must be like seeds = 8; got True."),
    ("seeds = [-1]", 1, "seed must be a whole number from 0 to 4294967295; got -1."),
    ("[config]\ngain = 1\n[grid]\ngain = [1, 2]", 4, r"gain has a value in \[config\] already."),
    ("\n[gird]", 2, "an entry of a grid file must be one of .*; got 'gird'. Did you mean 'grid'[?]"),
    ("[train]\nproblem = 'ading'", 2, "problem must be one of .*; got 'ading'. Did you mean 'adding'[?]"),
    ("[train]\nproblem = ['adding']", 2, r"problem cannot be \['adding'\]."),
    ("[train]\nsteps = 1.5", 2, "steps must be a whole number from 1 on; got 1.5."),
    ("[train]\ngain = 1", 2, r"a field in \[train\] must be one of problem, steps, .*; got 'gain'."),
    ("[train]\n[grid]\nlearning_rate = [0.1, -1]", 3, "learning_rate must be a positive number; got -1."),
    ("[grid]\nlearning_rate = [0.1]", 2, r"a field in \[grid\] must be one of .*; got 'learning_rate'."),
    ("[train]\nproblem = 'adding'\n[grid]\nseq_len = [5, 1]", 4, "seq_len must be at least 2 for .*; got 1."),
    ("config = 3", 1, r"config must be a table, below a line \[config\]."),
    ("\n[grid]" + "".join(f"\n{name} = {{ from = 1, to = 1001, count = 1001 }}" for name in ("seq_len", "batch_size")),
     2, "this grid has more than 1,000,000 cells."),
    ("[grid]\ngain = [1\n\nseeds = 3", 4, "this is not TOML: unclosed array at column 1."),
    ("[grid]\ngain = [1,\n", 2, "this is not TOML: invalid value at the end."),
    ("gain = 1\ngain = 2", 2, "this is not TOML: cannot overwrite a value at .*"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "sentence"), BAD, ids=[sentence[:30] for _, _, sentence in BAD])
def test_a_bad_file_is_one_sentence_with_its_line(path, text, line, sentence):
    found = refusal(path, text)
    assert re.fullmatch(f"grid.toml, line {line}: {sentence}", found), found


def test_a_file_in_another_encoding_is_one_sentence(path):
    path.write_bytes(b"# gain\n# \xfcber\n")
    with pytest.raises(GridError, match="^grid.toml, line 2: this is not UTF-8.$"):
        read_grid(path)


def test_a_grid_owns_its_journal_alone(path):
    def owner(text):
        path.write_text(text)
        return read_grid(path).owner

    grid = "seeds = 2\n[config]\nseq_len = 9\n[grid]\ngain = [1.0, 2.0]"
    assert owner(grid) == owner("# the same\n" + grid.replace("1.0, 2.0", "1, 2"))
    others = [
        grid.replace(*change) for change in (("seeds = 2", "seeds = 3"), ("= 9", "= 8"), ("1.0, 2.0", "2.0, 1.0"))
    ]
    assert len({owner(text) for text in [grid, *others, grid.replace("gain", "input_scale")]}) == 5


def test_log_ranges_have_equal_ratios(path):
    path.write_text("[grid]\ngain = { from = 0.001, to = 10, count = 9, log = true }")
    ratios = np.diff(np.log10(read_grid(path).axes["gain"]))
    np.testing.assert_allclose(ratios, 0.5, atol=1e-10)
    assert math.isclose(ratios.sum(), 4)
