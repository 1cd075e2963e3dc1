"""Config: every field round-trips bit for bit; whatever is wrong is a ValueError that helps."""

from __future__ import annotations

import json
import re
import struct
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.network.config import DEFAULTS, FIELDS

SETTINGS = settings(max_examples=150)


def values(spec):
    """Return a strategy of all that a field may be."""
    meta = spec.metadata
    if meta["kind"] == "choice":
        names = st.sampled_from(list(meta["allowed"]))
        return st.none() | names if meta["optional"] else names
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


def test_a_query_holds_only_what_differs():
    assert rv.Config().to_query() == ""
    assert rv.Config(hidden_size=128, scheme="he").to_query() == "scheme=he&hidden_size=128"


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_a_label_a_help_text_and_a_default_within_its_bounds(name):
    meta = FIELDS[name].metadata
    assert meta["label"]
    assert meta["help"]
    assert rv.Config(**{name: DEFAULTS[name]}) == rv.Config()
    if meta["kind"] in ("int", "float"):
        low, high = meta["slider"]
        assert meta["low"] <= low < high <= meta["high"]


def complaint(make):
    with pytest.raises(ValueError) as caught:
        make()
    return str(caught.value)


HUGE = pytest.param(10**5000, id="huge")  # Python refuses to write it out
NUMBERS = [name for name, spec in FIELDS.items() if spec.metadata["kind"] in ("int", "float")]
CHOICES = [name for name, spec in FIELDS.items() if spec.metadata["kind"] == "choice"]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_out_of_bounds_name_field_value_and_bounds(name):
    meta = FIELDS[name].metadata
    for value in (meta["low"] - 1, meta["high"] + 1):
        words = complaint(lambda value=value: rv.Config(**{name: value}))
        assert words.startswith(f"{name} must be a ")
        assert f"got {value!r}" in words
        assert f"from {meta['low']:.12g} to {meta['high']:.12g}" in words
    for bound in (meta["low"], meta["high"]):
        assert getattr(rv.Config(**{name: bound}), name) == bound


@pytest.mark.parametrize("value", [None, True, "5", [], {}, object(), 1j, float("nan"), float("inf"), HUGE, -1e400])
@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_no_number_is_a_value_error(name, value):
    assert complaint(lambda: rv.Config(**{name: value})).startswith(f"{name} must be")


@pytest.mark.parametrize("name", [name for name in NUMBERS if FIELDS[name].metadata["kind"] == "int"])
def test_whole_numbers_take_no_halves_but_whole_floats(name):
    assert "whole number" in complaint(lambda: rv.Config(**{name: 2.5}))
    value = getattr(rv.Config(**{name: 3.0}), name)
    assert (value, type(value)) == (3, int)


@pytest.mark.parametrize("value", [5, b"tanh", "", "x" * 10_000, ["xavier"], float("nan"), HUGE])
@pytest.mark.parametrize("name", CHOICES)
def test_unknown_choices_list_the_allowed_ones(name, value):
    words = complaint(lambda: rv.Config(**{name: value}))
    assert words.startswith(f"{name} must be one of {', '.join(FIELDS[name].metadata['allowed'])}; got ")
    assert len(words) < 500


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [("scheme", "Xavir", "xavier"), ("cell", "ltsm", "lstm"), ("activation", "RELU", "relu"), ("inputs", "txt", "text"),
     ("input_scheme", "orthogonl", "orthogonal"), ("loss_at", "lst", "last")],
)  # fmt: skip
def test_near_misses_get_a_suggestion(name, value, meant):
    assert f"Did you mean {meant!r}?" in complaint(lambda: rv.Config(**{name: value}))
    assert f"Did you mean {meant!r}?" in complaint(lambda: rv.Config.from_query(f"{name}={value}"))


@pytest.mark.parametrize("make", [rv.Config.from_dict, lambda d: rv.Config().replace(**d)])
def test_unknown_fields_get_a_suggestion(make):
    assert "Did you mean 'hidden_size'?" in complaint(lambda: make({"hiden_size": 5}))


@pytest.mark.parametrize("text", ["", "a", "aaaa", "x" * 20_001, 5, None, "ab\ud800"])
def test_texts_that_cannot_be_read(text):
    words = complaint(lambda: rv.Config(text=text))
    assert words.startswith("text must be")
    words.encode()


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.text(st.sampled_from("&=?;%+[]{}\"'\\0123456789eE.-nulltruNaIfity"), max_size=80),
    st.sampled_from(["[" * 50_000, "{" * 50_000, "9" * 10_000, "1e999", "-0", "NaN", "Infinity"]),
    st.sampled_from(["null", "true", '"5"', "%ff"]),
)  # fmt: skip


def read_or_refused(query):
    """Return the complaint about a query, None where it is read and comes back the same."""
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


def test_a_config_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        rv.Config().gain = 2.0
    assert rv.Config().replace(gain=2.0).gain == 2.0
