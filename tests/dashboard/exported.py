"""What the tests of files and code share: comparisons, any settings, and what a trace holds for each step."""

import dataclasses

from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.dashboard import export
from rnnviz.network.config import FIELDS

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


def taken_home(view, trace, kind, options=CHOSEN):
    """Return the file with a view's picture that a page sends."""
    data = {view.name: take(view, trace, options)}
    return export.KINDS[kind](export.Request(view.name, data, trace, options, [view.name]))[1][0]


def take(view, trace, options=CHOSEN):
    return view.data(trace, **{name: options[name] for name in view.options if name in options})
