"""A comparison as CSV reads back bit for bit, with its settings, and holds no formula."""

import csv
import dataclasses
import itertools
import json
import re

import numpy as np
import pytest
from exported import (
    CASES,
    CONFIGS,
    HOSTILE,
    SIGNS,
    SMALL,
    per_step,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import rnnviz as rv
from rnnviz.dashboard.csv_file import csv_text
from rnnviz.network.config import FIELDS

pytestmark = pytest.mark.usefixtures("no_loop")


@pytest.fixture(params=CASES)
def trace(request):
    return rv.compare(*CASES[request.param])


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


def test_csv_of_several_layers_has_a_row_for_each():
    trace = rv.compare(SMALL.replace(cell="gru", layers=3, loss_at="every"), ("xavier", "he"), range(2))
    told, rows = read(csv_text(trace))
    assert list(rows[0])[:4] == ["scheme", "seed", "layer", "step"]
    assert "column layer" in told
    assert len(rows) == 2 * 2 * 3 * 12
    by_layer = {"second_moment": trace.second_moment_by_layer, "log10_grad_norm": trace.log10_grad_norm_by_layer}
    for name, array in by_layer.items():
        assert [float(row[name]) for row in rows] == array.ravel().tolist(), name
    assert [float(row["gate_z"]) for row in rows[24:36]][1:] == trace.gates["z"][0, 0, 1:].tolist()
