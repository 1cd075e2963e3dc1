"""Config: every field round-trips bit for bit; invalid values raise a ValueError that helps."""

from __future__ import annotations

import ast
import inspect
import json
import re
import struct
from itertools import product
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.network.config import DEFAULTS, FIELDS, applies
from rnnviz.network.sampling import draw_inputs

SETTINGS = settings(max_examples=100)


def values(spec):
    """Return a strategy for the values of a field."""
    meta = spec.metadata
    if meta["kind"] == "choice":
        names = st.sampled_from(list(meta["allowed"]))
        return st.none() | names if meta["optional"] else names
    if "check" in meta:
        return st.sampled_from(["sine 25", "1;0,5\n2;3", "a b\n1 -2e3\n 4.5 0\r\n"])
    if meta["kind"] == "text":
        text = st.text(st.characters(exclude_categories=["Cs"]), min_size=meta["low"], max_size=60)
        return text.filter(lambda text: len(set(text)) > 1)
    make = st.integers if meta["kind"] == "int" else st.floats
    return make(meta["low"], meta["high"])


FIELD_VALUES = {name: values(spec) for name, spec in FIELDS.items()}
CONFIGS = st.fixed_dictionaries({}, optional=FIELD_VALUES).map(lambda d: rv.Config(**d))


def bits(config):
    """Return every field with its type, floats as their bits."""
    return {
        name: (type(value), struct.pack("<d", value) if isinstance(value, float) else value)
        for name, value in config.to_dict().items()
    }


@SETTINGS
@given(CONFIGS)
def test_a_dict_and_json_give_the_same_config_back(config):
    assert bits(rv.Config.from_dict(config.to_dict())) == bits(config)
    assert bits(rv.Config.from_dict(json.loads(json.dumps(config.to_dict())))) == bits(config)


@SETTINGS
@given(CONFIGS)
@example(rv.Config(gain=-0.0, input_scale=5e-324, forget_bias=0.1 + 0.2, text="a&b=c#%?+ é\n\0😀"))
def test_a_query_gives_the_same_config_back(config):
    query = config.to_query()
    assert bits(rv.Config.from_query(query)) == bits(config)
    assert bits(rv.Config.from_query("?" + query)) == bits(config)
    assert re.fullmatch(r"[\w.~%+=&-]*", query, re.ASCII), "safe inside a URL"


@SETTINGS
@given(CONFIGS)
@example(rv.Config(gain=-0.0, text="'\"\\\n\0😀"))
def test_a_repr_is_code_that_gives_the_same_config_back(config):
    assert bits(eval(repr(config), {"Config": rv.Config})) == bits(config)


def test_a_repr_names_only_what_differs():
    assert repr(rv.Config()) == "Config()"
    assert repr(rv.Config(hidden_size=128, scheme="he")) == "Config(scheme='he', hidden_size=128)"


def test_a_query_holds_only_what_differs():
    assert rv.Config().to_query() == ""
    assert rv.Config(hidden_size=128, scheme="he").to_query() == "scheme=he&hidden_size=128"


def test_every_field_has_a_label_a_help_text_and_a_default_within_its_bounds():
    for name, spec in FIELDS.items():
        meta = spec.metadata
        assert meta["label"], name
        assert meta["help"], name
        assert rv.Config(**{name: DEFAULTS[name]}) == rv.Config(), name
        if meta["kind"] in ("int", "float"):
            low, high = meta["slider"]
            assert meta["low"] <= low < high <= meta["high"], name


def test_the_docstring_lists_each_field_with_what_it_takes():
    """Every value listed is accepted, and a number beyond the bounds listed is not."""
    listed = re.sub(r"\s+", " ", inspect.getdoc(rv.Config).partition("Attributes")[2].partition("Raises")[0])
    for name, spec in FIELDS.items():
        entry = re.search(
            rf"\b{name} : (.*?); default (\S+|a paragraph in English) {re.escape(spec.metadata['help'])}", listed
        )
        assert entry, name
        bounds = re.fullmatch(r"(int|float) from (\S+) to (\S+)", entry[1])
        if bounds:
            low, high = (float(bound) for bound in bounds.groups()[1:])
            assert [getattr(rv.Config(**{name: bound}), name) for bound in (low, high)] == [low, high]
            for beyond in (low - 1, high + 1):
                complaint(lambda name=name, value=beyond: rv.Config(**{name: value}))
        if entry[1].startswith("one of"):
            values = [ast.literal_eval(value) for value in re.findall(r"'\w+'|None", entry[1])]
            assert set(values) == set(spec.metadata["allowed"]) | ({None} if spec.metadata["optional"] else set())
        if spec.metadata["kind"] != "text":
            assert ast.literal_eval(entry[2]) == getattr(rv.Config(), name), name


def complaint(make):
    with pytest.raises(ValueError) as caught:
        make()
    return str(caught.value)


def refused(name, value):
    """Return the complaint about a value of a field."""
    return complaint(lambda: rv.Config(**{name: value}))


HUGE = 10**5000  # Python refuses to print it
NUMBERS = [name for name, spec in FIELDS.items() if spec.metadata["kind"] in ("int", "float")]
CHOICES = [name for name, spec in FIELDS.items() if spec.metadata["kind"] == "choice"]


def test_numbers_out_of_bounds_name_field_value_and_bounds():
    for name in NUMBERS:
        meta = FIELDS[name].metadata
        for value in (meta["low"] - 1, meta["high"] + 1):
            words = refused(name, value)
            assert words.startswith(f"{name} must be a ")
            assert f"got {value!r}" in words
            assert f"from {meta['low']:.12g} to {meta['high']:.12g}" in words
        for bound in (meta["low"], meta["high"]):
            assert getattr(rv.Config(**{name: bound}), name) == bound


def test_other_types_and_values_that_are_not_finite_are_refused_as_numbers():
    wrong = (None, True, "5", [], {}, object(), 1j, float("nan"), float("inf"), HUGE, -1e400)
    for name, value in product(NUMBERS, wrong):
        assert refused(name, value).startswith(f"{name} must be")


def test_integers_take_whole_floats_and_no_others():
    for name in (name for name in NUMBERS if FIELDS[name].metadata["kind"] == "int"):
        assert "whole number" in refused(name, 2.5)
        value = getattr(rv.Config(**{name: 3.0}), name)
        assert (value, type(value)) == (3, int), name


def test_unknown_choices_list_the_allowed_ones():
    for name, value in product(CHOICES, (5, b"tanh", "", "x" * 10_000, ["xavier"], float("nan"), HUGE)):
        words = refused(name, value)
        assert words.startswith(f"{name} must be one of {', '.join(FIELDS[name].metadata['allowed'])}; got ")
        assert len(words) < 500


def test_near_misses_get_a_suggestion():
    for name, value, meant in (
        ("scheme", "Xavir", "xavier"), ("cell", "ltsm", "lstm"), ("activation", "RELU", "relu"),
        ("inputs", "txt", "text"), ("input_scheme", "orthogonl", "orthogonal"), ("loss_at", "lst", "last"),
        ("loss_reduction", "maen", "mean"),
    ):  # fmt: skip
        assert f"Did you mean {meant!r}?" in refused(name, value)
        assert f"Did you mean {meant!r}?" in complaint(lambda query=f"{name}={value}": rv.Config.from_query(query))
    for make in (rv.Config.from_dict, lambda d: rv.Config().replace(**d)):
        assert "Did you mean 'hidden_size'?" in complaint(lambda make=make: make({"hiden_size": 5}))


def test_texts_that_cannot_be_read():
    for text in ("", "a", "aaaa", "x" * 20_001, 5, None, "ab\ud800"):
        words = refused("text", text)
        assert words.startswith("text must be")
        words.encode()


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(st.sampled_from("&=?;%+[]{}\"'\\0123456789eE.-nulltruNaIfity"), max_size=80),
    st.sampled_from(["[" * 50_000, "{" * 50_000, "9" * 10_000, "1e999", "-0", "NaN", "Infinity"]),
    st.sampled_from(["null", "true", '"5"', "%ff"]),
)  # fmt: skip


def read_or_refused(query):
    """Return the complaint about a query, or None if it is read and round-trips."""
    try:
        config = rv.Config.from_query(query)
    except ValueError as error:
        return str(error)
    assert bits(rv.Config.from_query(config.to_query())) == bits(config)
    return None


@SETTINGS
@given(HOSTILE)
@example("&".join(f"seed={k}" for k in range(500)))
def test_a_hostile_query_is_read_or_refused(query):
    words = read_or_refused(query) or ""
    assert len(words.encode()) < 1000


@SETTINGS
@given(st.sampled_from(list(FIELDS)), HOSTILE)
def test_a_hostile_value_is_read_or_refused_by_the_name_of_its_field(name, value):
    words = read_or_refused(f"{name}={quote(value)}")
    assert words is None or words.startswith(name)


def test_sizes_are_those_of_the_data():
    assert rv.Config(input_size=7, output_size=5).sizes == (7, 5)
    assert rv.Config(inputs="text", text="abca").sizes == (3, 3)
    assert rv.Config(inputs="digits").sizes == (8, 10)


def test_a_field_applies_where_it_changes_what_is_drawn():
    other = {"forget_bias": 2.5, "text": "abcdab", "numbers": "1 2\n3 5\n2 3"}
    for cell, inputs in product(rv.cells.CELLS, rv.inputs.INPUTS):
        config = rv.Config(cell=cell, inputs=inputs, hidden_size=3, seq_len=4, text="abab")
        for name, value in other.items():
            changed = config.replace(**{name: value})
            pairs = [*zip(draw_inputs(config), draw_inputs(changed), strict=True)]
            pairs += zip(rv.init_params(config).values(), rv.init_params(changed).values(), strict=True)
            differs = any(not np.array_equal(one, two) for one, two in pairs)
            assert applies(name, config.to_dict()) == differs, (name, cell, inputs)
    assert all(applies(name, DEFAULTS) for name in FIELDS if name not in {*other, "loss_reduction"})


def test_a_reduction_applies_where_several_steps_have_a_loss():
    for loss_at, steps in product(("last", "every"), (1, 4)):
        config = rv.Config(hidden_size=3, seq_len=steps, loss_at=loss_at)
        differs = rv.run(config).loss != rv.run(config.replace(loss_reduction="mean")).loss
        assert applies("loss_reduction", config.to_dict()) == differs, (loss_at, steps)


def test_a_config_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        rv.Config().gain = 2.0
    assert rv.Config().replace(gain=2.0).gain == 2.0
