"""Suggestions help, as `compare` measures before and after, and over Configs of every kind."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.story import suggestions, verdict
from rnnviz.story.causes import cause
from rnnviz.story.diagnosis import diagnose

BASE = {"hidden_size": 64, "seq_len": 50, "batch_size": 8}


def look(config, seeds=8):
    """Return a Config's diagnosis, its suggestion, and by how many decades its gradient fades or grows."""
    trace = rv.compare(config, (config.scheme,), range(seeds))
    norms, first = trace.log10_grad_norm[0], int(config.loss_at == "every" and config.seq_len > 1)
    with np.errstate(invalid="ignore"):
        change = abs(np.median(norms[:, first] - norms[:, -1]))
    return diagnose(trace, 0), suggestions.suggest(trace, 0), change if np.isfinite(change) else np.inf


def follow(config, seeds, asks):
    """Apply suggestions until there is none; return (Config, its diagnosis, its change in decades) of each stop."""
    stops = []
    for _ in range(asks + 1):
        diagnosis, suggestion, change = look(config, seeds)
        stops.append((config, diagnosis, change))
        if suggestion is None:
            return stops
        config = config.replace(**suggestion.changes)
    raise AssertionError(f"still a suggestion after {asks}: {suggestion}, {stops}")


HELPED = {
    "fading for the input's sake": ({}, {"gain": 1.85}, 1.0),
    "small weights": ({"scheme": "pytorch"}, {"gain": 2.58}, 1.0),
    "no weights": ({"gain": 0.0}, {"gain": 1.85}, 1.0),
    "large weights": ({"gain": 20.0}, {"gain": 1.85}, 1.0),
    "one W_hh again and again": ({"activation": "linear"}, {"gain": 0.92}, 1.0),
    "ReLU": ({"activation": "relu", "scheme": "pytorch"}, {"scheme": "orthogonal", "gain": 1.41}, 1.0),
    "sigmoid": ({"activation": "sigmoid"}, {"gain": 10.3}, 1.0),
    "U[0, 1] and tanh": ({"scheme": "uniform01"}, {"scheme": "uniform_centered"}, 2.0),
    "U[0, 1] and ReLU": ({"scheme": "uniform01", "activation": "relu"}, {"scheme": "uniform_centered"}, 20.0),
    "identity": ({"scheme": "identity"}, {"scheme": "orthogonal", "gain": 1.68}, 1.0),
    "a drowning input": ({"input_scale": 30.0}, {"input_scale": 1.0}, 10.0),
    "LSTM": ({"cell": "lstm"}, {"forget_bias": 4.0}, 1.0),
    "LSTM that forgets": ({"cell": "lstm", "forget_bias": -5.0}, {"forget_bias": 4.0}, 1.0),
    "PyTorch's LSTM": ({"cell": "lstm", "scheme": "pytorch"}, {"scheme": "orthogonal", "forget_bias": 4.0}, 1.0),
    "GRU": ({"cell": "gru"}, {"gain": 3.0}, 1.0),
}


def test_each_kind_of_suggestion_helps():
    for case, (fields, changes, left) in HELPED.items():
        config = rv.Config(**BASE | fields)
        _, suggestion, before = look(config)
        assert suggestion.changes.keys() == changes.keys(), case
        for name, value in changes.items():
            near = pytest.approx(value, rel=0.03) if isinstance(value, float) else value
            assert suggestion.changes[name] == near, case
        trace = rv.compare(config.replace(**suggestion.changes), (suggestion.changes.get("scheme", config.scheme),))
        assert abs(diagnose(trace, 0).decades) < min(0.5 * before, left), case


def test_where_a_radius_is_set_a_radius_is_suggested():
    """The suggested radius means the gain that is suggested where the gain is read."""
    by_gain = rv.compare(rv.Config(**BASE), ("xavier",), range(4))
    by_radius = rv.compare(rv.Config(**BASE, spectral_radius=1.0), ("xavier",), range(4))
    gain, radius = (suggestions.suggest(trace, 0).changes for trace in (by_gain, by_radius))
    assert radius.keys() - gain.keys() == {"spectral_radius"}
    assert gain.keys() - radius.keys() == {"gain"}
    drawn = np.abs(np.linalg.eigvals(rv.init_params(rv.Config(**BASE))["W_hh"])).max()
    assert radius["spectral_radius"] == pytest.approx(gain["gain"] * drawn, rel=0.01)


def test_tanh_with_unit_input_gets_its_critical_gain():
    # 1.8556: the width at which chi = 1, by quadrature in another program (science.md, section 3: about 1.86).
    _, suggestion, _ = look(rv.Config(**BASE | {"input_size": 512, "batch_size": 32}), seeds=2)
    assert suggestion.changes == {"gain": pytest.approx(1.8556, rel=0.005)}
    words = (
        f"Try gain {suggestion.changes['gain']:g}: the critical gain of mean-field theory; in a trial with 2 seeds, the"
    )
    assert suggestion.text.startswith(words)


def test_a_suggestion_promises_what_its_trial_showed():
    """A chaotic ReLU: theory's critical gain leaves runs that differ by decades, and the text says so."""
    trace = rv.compare(rv.Config(activation="relu", scheme="uniform_centered"), ("uniform_centered",))
    suggestion = suggestions.suggest(trace, 0)
    config = trace.drawn().replace(batch_size=4, **suggestion.changes)
    norms = rv.compare(config, (config.scheme,), range(4)).log10_grad_norm[0]
    changes = 10.0 ** (norms[:, 0] - norms[:, -1])
    low, high = map(float, re.search(r"([\d.]+) to ([\d.]+) by run", suggestion.text).groups())
    np.testing.assert_allclose((low, high), (changes.min(), changes.max()), rtol=0.05)
    assert f"{(changes < 0.1).sum()}" in suggestion.text


def test_where_all_is_well_nothing_is_suggested():
    for fields in (
        {"activation": "linear", "scheme": "orthogonal"},
        {"inputs": "none", "scheme": "orthogonal"},
        {"gain": 1.85},
        {"cell": "lstm", "forget_bias": 4.0},
        {"activation": "linear", "scheme": "orthogonal", "loss_at": "every", "seq_len": 1},
        {"activation": "linear", "scheme": "orthogonal", "seq_len": 1},
    ):
        diagnosis, suggestion, _ = look(rv.Config(**BASE | fields))
        assert (diagnosis.backward, suggestion) == ("survives", None), fields


def test_a_loss_at_every_step_is_dropped_to_show_what_it_hides():
    config = rv.Config(**BASE, loss_at="every")
    diagnosis, suggestion, shown = look(config)
    assert (diagnosis.backward, suggestion.changes) == ("survives", {"loss_at": "last"})
    diagnosis, _, hidden = look(config.replace(loss_at="last"))
    assert diagnosis.backward == "fades"
    assert hidden > 8 > 1 > shown


def test_without_an_input_one_is_suggested():
    config = rv.Config(**BASE, input_scale=0.0, activation="relu")
    diagnosis, suggestion, _ = look(config)
    assert (diagnosis.forward, suggestion.changes) == ("zero", {"input_scale": 1.0})
    assert look(config.replace(input_scale=1.0))[0].forward == "keeps"


def test_a_run_that_overflows_is_brought_back():
    config = rv.Config(**BASE | {"seq_len": 400, "batch_size": 2}, activation="linear", gain=20.0)
    diagnosis, suggestion, _ = look(config, 2)
    assert (diagnosis.forward, diagnosis.backward) == ("overflows", "undefined")
    assert look(config.replace(**suggestion.changes), 2)[2] < 1.0


def test_no_forget_bias_is_suggested_where_the_framework_draws_it():
    config = rv.Config(**BASE, cell="lstm", scheme="pytorch")
    _, suggestion, change = look(config)
    assert change == look(config.replace(forget_bias=4.0))[2]
    assert "scheme" in suggestion.changes


def test_a_suggestion_is_for_the_scheme_asked_about():
    trace = rv.compare(rv.Config(**BASE), ("uniform01", "xavier"), range(3))
    assert suggestions.suggest(trace, 0).changes == {"scheme": "uniform_centered"}
    assert suggestions.suggest(trace, 1).changes.keys() == {"gain"}


def test_trials_yield_a_growing_share_and_can_be_abandoned():
    trace = rv.compare(rv.Config(**BASE | {"seed": 7, "seq_len": 40}), ("xavier",), range(2))
    progress = suggestions.suggesting(trace, 0)
    shares = [next(progress) for _ in range(60)]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] < 1.0
    kept = dict(suggestions.TRIED)
    progress.close()
    assert kept == suggestions.TRIED


CONFIGS = st.builds(
    rv.Config,
    cell=st.sampled_from(["rnn", "rnn", "lstm", "gru"]),
    activation=st.sampled_from(list(rv.activations.ACTIVATIONS)),
    scheme=st.sampled_from(list(rv.schemes.SCHEMES)),
    gain=st.sampled_from([0.0, 0.1, 1.0, 2.0]) | st.floats(0, 20),
    spectral_radius=st.just(0.0) | st.sampled_from([0.1, 1.0, 2.0]) | st.floats(0, 20),
    hidden_size=st.integers(1, 16),
    input_size=st.integers(1, 6),
    seq_len=st.integers(1, 20),
    batch_size=st.integers(1, 4),
    inputs=st.sampled_from(["gaussian", "none", "text"]),
    input_scale=st.sampled_from([0.0, 1.0, 30.0]) | st.floats(0, 100),
    forget_bias=st.floats(-20, 20),
    loss_at=st.sampled_from(["last", "every"]),
).filter(lambda config: config.cell == "rnn" or rv.activations.ACTIVATIONS[config.activation].bounded)
# Gated cells with an unbounded activation reach gates of exp(-1e17), where the exact backward pass is very slow.


@settings(max_examples=15)
@given(CONFIGS)
def test_suggestions_are_new_valid_help_and_end(config):
    check_walk(config)


@pytest.mark.slow
@settings(max_examples=200)
@given(CONFIGS)
def test_many_suggestions_are_new_valid_help_and_end(config):
    check_walk(config)


def check_walk(config):
    # With 2 seeds and batches of up to 4, the small run that tests a suggestion is this very run.
    stops = follow(config, 2, asks=9)  # each leaves at most half of the decades, and 0.3 may be too many
    assert len({config.to_query() for config, _, _ in stops}) == len(stops)
    kinds = []
    for (old, story, before), (new, _, after) in zip(stops, stops[1:], strict=False):
        woken, shown = story.input == "nothing" and new.input_scale == 1.0, old.loss_at != new.loss_at
        kinds.append("wakes" if woken else "shows" if shown else "improves")
        assert kinds[-1] != "improves" or after <= 0.5 * before
    assert all(kinds.count(kind) <= most for kind, most in {"wakes": 1, "shows": 1, "improves": 7}.items())


NAMES = {
    "orthogonal": "orthogonal weights",
    "uniform_centered": "U[−½, ½] weights",
    "tanh": "tanh",
    "last": "last step",
}
LABELS = (*NAMES.values(), "gain ", "spectral radius ", "input scale ", "forget bias ")


@settings(max_examples=15)
@given(CONFIGS)
def test_a_text_names_every_change_and_nothing_else(config):
    _, suggestion, _ = look(config, 2)
    if suggestion is None:
        return
    settings = config.to_dict()
    assert suggestion.changes
    assert all(settings[name] != value for name, value in suggestion.changes.items())
    offer, _, why = suggestion.text.removeprefix("Try ").partition(": ")
    assert why
    for value in suggestion.changes.values():
        assert NAMES.get(value) or (f"{value:.3g}" in offer and value == pytest.approx(float(f"{value:.3g}")))
        assert NAMES.get(value, "") in offer
    assert sum(label in offer for label in LABELS) == len(suggestion.changes)


FEW = {"activation": "linear", "gain": 0.95, "seq_len": 100, "hidden_size": 8}
STORIES = {
    "": {"activation": "linear", "scheme": "orthogonal"},
    "balance": {"gain": 1.85},
    "small": {"scheme": "small_normal"},
    "contracts": {**FEW, "seed": 7},
    "both": {"gain": 0.5},
    "saturated": {"scheme": "uniform01"},
    "saturated by input": {"input_scale": 10.0},
    "ceiling": {"activation": "sigmoid"},
    "switched off": {"activation": "relu", "scheme": "orthogonal"},
    "input": {},
    "state": {"scheme": "identity", "gain": 3.0},
    "input and state": {"gain": 1.5},
    "below": {"layers": 2},
    "below and state": {"layers": 2, "gain": 1.5},
    "large": {"gain": 2.5},
    "one sign": {"activation": "relu", "scheme": "uniform01"},
    "stretches": {**FEW, "seed": 3},
    "outweighs": {"gain": 20.0},
    "flat": {"scheme": "pytorch", "gain": 2.0, "inputs": "none", "input_scale": 0.0, "hidden_size": 1},
    "path": {"cell": "gru"},
    "path alone": {"cell": "gru", "gain": 0.01},
    "open": {"cell": "lstm", "gain": 0.01, "forget_bias": 8.0},
    "hidden": {"loss_at": "every"},
    "added": {"activation": "linear", "scheme": "orthogonal", "loss_at": "every", "seq_len": 200},
    "alone": {"cell": "gru", "scheme": "orthogonal", "loss_at": "every", "gain": 4.0},
}


def test_what_changes_nothing_is_not_proposed():
    """At T = 1, c_0 = 0 and so the forget bias is nothing to dL/dh_0: fewer seeds only made it seem to help."""
    settings_ = {"hidden_size": 2, "seq_len": 1, "batch_size": 8, "inputs": "numbers", "input_scale": 0.3}
    config = rv.Config(cell="lstm", scheme="he", input_scheme="uniform01", gain=5.0, forget_bias=0.0, **settings_)
    for seeds in (range(1, 6), range(8)):
        found = suggestions.suggest(rv.compare(config, ("he",), seeds), 0)
        assert found is None or "forget_bias" not in found.changes


def test_theory_is_not_named_where_it_does_not_apply():
    for scheme in ("identity", "uniform01"):
        trace = rv.compare(rv.Config(scheme=scheme, gain=2.0, **BASE), (scheme,), range(2))
        proposals = suggestions.candidates(trace.drawn(0), diagnose(trace, 0))
        named = [each.changes for each in proposals if suggestions.CRITICAL in each.text]
        assert all("scheme" in changes for changes in named)


def test_each_story_has_its_own_cause():
    assert STORIES.keys() - {""} == verdict.CAUSES.keys()
    for expected, fields in STORIES.items():
        config = rv.Config(**BASE | fields)
        seeds = [config.seed] if config.seed else range(4)
        diagnosis = diagnose(rv.compare(config, (config.scheme,), seeds), 0)
        assert cause(diagnosis) == expected
        words = max(re.split(r"{\w+}", verdict.CAUSES.get(expected, "– W_hh ×{factor}")), key=len).strip()
        assert words in verdict.sentence(diagnosis), expected


def test_a_state_whose_square_no_float_holds_is_not_called_infinite():
    config = rv.Config(
        activation="linear", scheme="orthogonal", gain=20.0, seq_len=200, hidden_size=8, batch_size=2, inputs="none"
    )
    diagnosis, _, _ = look(config, 2)
    assert (diagnosis.forward, diagnosis.backward, diagnosis.second_moment) == ("grows", "grows", np.inf)
    assert "the state grows (E h² above 1e308)" in verdict.sentence(diagnosis)


def test_a_square_that_no_float_holds_is_not_called_zero():
    config = rv.Config(scheme="orthogonal", gain=0.1, seq_len=200, hidden_size=8, batch_size=2, inputs="none")
    diagnosis, _, _ = look(config, 2)
    assert "the state shrinks (E h² below 1e-308)" in verdict.sentence(diagnosis)
    assert "exactly 0" not in verdict.sentence(diagnosis)
