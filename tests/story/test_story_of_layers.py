"""What is said of several layers, and of a gradient that is cut off, against `deep_replay` and other numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from deep_replay import deep_replay
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.network.layers import layer_params
from rnnviz.network.sampling import draw_inputs
from rnnviz.story import chaos, step_readout, suggestions, verdict
from rnnviz.story.causes import cause
from rnnviz.story.diagnosis import diagnose
from rnnviz.story.notes import notes
from rnnviz.theory import prediction

NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
SIZES = {"hidden_size": 24, "input_size": 8, "batch_size": 4, "seq_len": 12}


def compared(seeds=4, **settings):
    config = rv.Config(**SIZES | settings)
    return rv.compare(config, (config.scheme,), range(seeds))


def say(**settings):
    return verdict.sentences(compared(**settings))[0]


def numbers(phrase, text):
    found = re.search(re.escape(phrase).replace(r"\{\}", NUMBER), text)
    assert found, f"{phrase!r} is not in {text!r}"
    return [float(number) for number in found.groups()]


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.5])
def test_a_sentence_says_what_arrives_at_layer_1(gain):
    expected, said = deep_replay(seeds=4, layers=3, gain=gain, **SIZES), say(layers=3, gain=gain)
    assert "Xavier, layer 3 of 3: " in said
    assert numbers("at step 12, layer 1 gets ×{} at the same step", said)[0] == pytest.approx(
        expected.left(1, 12), rel=0.005
    )
    assert numbers("and ×{} at step 1 (", said)[0] == pytest.approx(expected.left(1, 1), rel=0.005)
    for decades, length, words in (
        (np.log10(expected.left(1, 12)), 2, said.split("through the layers it ")[1]),
        (np.log10(expected.left(1, 1)), 13, said.split("over layers and steps it ")[1]),
    ):
        near, within = abs(10 ** (decades / length) - 1) <= 0.05, abs(decades) <= 1
        runs = " of 4 runs" in words.split(")")[0]
        outcome = "survives" if near and within else "grows" if decades > 0 else "fades"
        assert words.startswith(outcome) or runs


def test_the_factors_of_the_top_layer_multiply_and_are_those_of_its_own_recurrence():
    """W_hh, and phi' of the top layer on its own gradient, by autograd."""
    expected, diagnosis = deep_replay(seeds=3, layers=3, **SIZES), diagnose(compared(3, layers=3), 0)
    d_h, slopes = expected.d_h[-1], 1 - expected.h[-1] ** 2
    changes = expected.norms[-1, 0] - expected.norms[-1, -1]
    run = int(np.argsort(changes)[1])
    met = np.log10([np.linalg.norm(d_h[t, run] * slopes[t, run]) for t in range(1, 13)])
    own = (met - expected.norms[-1, 1:, run]).mean()
    assert diagnosis.step_factor == pytest.approx(own, abs=1e-6)
    assert diagnosis.weight_factor == pytest.approx(changes[run] / 12 - own, abs=1e-6)


def test_the_layer_below_is_the_cause_only_where_the_top_layer_would_be_quiet_without_it():
    """The top layer, alone and without what it reads: at gain 1 its slopes come back to 1, at 2.5 they do not."""
    for gain, words in ((1.0, "the layer below pushes"), (1.5, "the layer below and the state's own size push")):
        trace = compared(layers=3, gain=gain, hidden_size=64, seq_len=30)
        assert words in verdict.sentences(trace)[0]
        top, h = layer_params(trace.parameters(), 3), np.full((1, 64), 0.5)
        for _step in range(60):
            h = np.tanh(h @ top["W_hh"])
        quiet = np.log10(np.mean(1 - h**2))
        assert (quiet > 0.25 * diagnose(trace, 0).step_factor) == (gain == 1.0)


def test_without_time_the_sentence_is_about_layers_alone():
    settings = {"layers": 5, "seq_len": 1, "scheme": "pytorch"}
    expected, said = deep_replay(seeds=4, **SIZES | settings), say(**settings)
    first, last, whole, each = numbers(
        "E h² {} in layer 1, E h² {} in layer 5; from there down to layer 1 the gradient fades, ×{} (×{} per layer).",
        said,
    )
    assert first == pytest.approx(expected.second_moment(1), rel=0.05)
    assert last == pytest.approx(expected.second_moment(5), rel=0.05)
    assert whole == pytest.approx(expected.left(1, 1), rel=0.005)
    assert each == pytest.approx(expected.per_layer(), rel=0.005)
    assert "per step" not in said
    assert verdict.parts(diagnose(compared(**settings), 0)) == (said, "")


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("steps", [1, 5, 11])
def test_what_is_cut_off_has_not_faded(layers, steps):
    cut, whole = compared(layers=layers, truncate=steps), compared(layers=layers)
    diagnosis, said = diagnose(cut, 0), verdict.sentences(cut)[0]
    assert diagnosis.steps == steps
    kept = whole.log10_relative_norm[0, :, 12 - steps]
    assert diagnosis.decades == pytest.approx(np.median(kept), abs=1e-9)
    assert ", where it is cut off" in said
    assert "exactly 0" not in said
    assert diagnosis.slopes / steps + diagnosis.weight_factor == pytest.approx(diagnosis.factor)
    assert diagnosis.backward.split()[0] in ("fades", "survives", "grows")
    assert cause(diagnosis) != "small"


@pytest.mark.parametrize("steps", [12, 13, 10_000])
def test_a_truncation_beyond_the_sequence_changes_no_word(steps):
    for changes in ({}, {"layers": 2}, {"loss_at": "every"}):
        assert say(truncate=steps, **changes) == say(**changes)


def test_with_a_loss_at_every_step_the_change_is_that_of_the_steps_which_all_losses_reach():
    cut, whole = (compared(loss_at="every", gain=2.5, truncate=k) for k in (5, 0))
    diagnosis = diagnose(cut, 0)
    assert diagnosis.decades == pytest.approx(np.median(whole.log10_relative_norm[0, :, 7]), abs=1e-9)
    assert "after 5 steps, as far back as each loss reaches" in verdict.sentences(cut)[0]
    assert diagnosis.weight_factor + diagnosis.step_factor + diagnosis.loss_factor == pytest.approx(diagnosis.factor)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": 2, "gain": 0.0}, "the state is exactly 0, as the weights between the layers are 0; the gradient"),
        ({"layers": 2, "gain": 0.0}, "layer 1 gets ×0 at the same step (through the layers it is exactly 0)"),
        ({"layers": 2, "input_scale": 0.0}, "the state is exactly 0, as there is no input"),
        ({"layers": 16, "gain": 20.0, "seq_len": 3}, "layer 16 of 16: the state saturates"),
        ({"layers": 3, "hidden_size": 1, "seq_len": 1}, "in layer 3; from there down to layer 1 the gradient"),
        ({"layers": 2, "cell": "lstm"}, "layer 2 of 2: the state keeps its size"),
        ({"layers": 2, "activation": "relu", "gain": 20.0, "seq_len": 400}, "the state is no longer finite"),
    ],
)
def test_corners(changes, words):
    assert words in say(**changes)


def test_an_own_network_is_judged_by_its_top_layer():
    config = rv.Config(**SIZES, layers=2)
    params, (x, targets) = rv.init_params(config), draw_inputs(config)
    params["W_hh"] = np.abs(params["W_hh"])
    diagnosis = diagnose(rv.trace(params, x, targets, cell="rnn", activation="tanh"), 0)
    assert (diagnosis.layers, diagnosis.one_sign, diagnosis.biased) == (2, False, False)
    assert "layer 2 of 2" in verdict.sentence(diagnosis)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_step_forward_has_the_numbers_of_its_layer(layer):
    trace, expected = compared(1, layers=3), deep_replay(seeds=1, layers=3, **SIZES)
    (said,) = step_readout.forward_equation(trace if layer == 3 else trace.of_layer(layer), 7)
    *terms, value = parts_of(said)
    assert value == pytest.approx(expected.h[layer - 1, 7, 0, 0, 0], rel=0.01)
    assert value == pytest.approx(np.tanh(sum(terms)), abs=0.01)
    assert (f"layer {layer}, unit 1" in said) == (layer > 1)
    assert (f"where x_7 is the state of layer {layer - 1}." in said) == (layer > 1)


def parts_of(said):
    """Return the three terms and the value of an equation."""
    inner, value = re.search(
        r"tanh\((−?[\d.e−-]+ [−+] [\d.e−-]+ [−+] [\d.e−-]+)\) = (−?\d(?:[\d.e-]*\d)?)", said
    ).groups()
    terms = re.findall(r"([−+]?) ?([\d.]+(?:e[−-]\d+)?)", inner)
    signed = [float(number.replace("−", "-")) * (-1 if sign == "−" else 1) for sign, number in terms]
    return [*signed, float(value.replace("−", "-"))]


def test_a_lower_layer_has_no_factors_since_the_layer_above_adds_to_its_gradient():
    trace = compared(layers=2)
    assert "(φ′) · ×" in step_readout.sentences(trace, 6)[0]
    (lower,) = step_readout.sentences(trace.of_layer(1), 6)
    assert "Xavier, layer 1: " in lower
    assert "‖∂L/∂h_6‖ / ‖∂L/∂h_12 of layer 2‖ = " in lower
    assert "one step back: ×" in lower
    assert "W_hh" not in lower


def test_a_step_at_which_the_gradient_is_cut_off_says_so():
    trace = compared(truncate=5)
    assert "one step back: cut off, as each loss reaches back 5 steps" in step_readout.sentences(trace, 7)[0]
    assert "(φ′) · ×" in step_readout.sentences(trace, 8)[0]
    assert "= 0" in step_readout.sentences(trace, 6)[0]
    assert "cut off" not in " ".join(step_readout.sentences(compared(truncate=5, loss_at="every"), 7))


def test_feed_forward_layers_get_glorots_and_bengios_numbers():
    """0.8 with their initialisation and 0.5 without, on pictures as theirs were."""
    settings = {"layers": 5, "seq_len": 1, "inputs": "digits"}
    config = rv.Config(scheme="glorot_uniform", **settings)
    trace = rv.compare(config, ("glorot_uniform", "pytorch"), range(2))
    (said,) = (note for note in notes(config, trace.schemes, trace) if "singular value" in note)
    found = numbers("{} with Glorot uniform and {} with PyTorch", said)
    for scheme, value, theirs in zip(trace.schemes, found, (0.8, 0.5), strict=True):
        assert value == pytest.approx(deep_replay(scheme=scheme, **settings).singular_value(), abs=0.005)
        assert value == pytest.approx(theirs, abs=0.05)
    for others in ({"seq_len": 2}, {"layers": 1}, {"cell": "gru"}, {"hidden_size": 400}):
        config = rv.Config(**settings | others)
        assert not [note for note in notes(config, ("xavier",), rv.run(config)) if "singular value" in note]


def test_a_critical_gain_is_proposed_for_the_top_layer():
    config = rv.Config(layers=4)
    assert suggestions.critical(config) == pytest.approx(2.31, abs=0.02)  # notebook 05 has it, for unit noise
    assert suggestions.critical(config.replace(layers=1)) == pytest.approx(1.86, abs=0.02)


@pytest.mark.slow
def test_a_suggestion_for_several_layers_helps_the_top_one():
    trace = rv.compare(rv.Config(layers=3, seq_len=40, batch_size=8), ("xavier",), range(4))
    found = suggestions.suggest(trace, 0)
    after = rv.compare(trace.config.replace(**found.changes), ("xavier",), range(4))
    assert abs(diagnose(after, 0).decades) < 0.5 * abs(diagnose(trace, 0).decades)


def test_chaos_in_a_lower_layer_or_behind_a_cut_counts():
    """At gain 4, errors grow tenfold within a few steps: by more than 1e10 over 150, of which a loss sees 10."""
    settings = {"gain": 4.0, "seq_len": 150, "hidden_size": 64, "batch_size": 2}
    for more in ({}, {"truncate": 10}, {"layers": 2, "truncate": 10}):
        assert chaos.sentences(compared(1, **settings, **more)), more
    assert not chaos.sentences(compared(1, layers=2, truncate=3))


@pytest.mark.parametrize(("name", "value"), [("layers", 2), ("truncate", 3)])
def test_a_walk_has_one_layer_and_is_not_cut(name, value):
    with pytest.raises(ValueError, match=f"{name} must be .* for a walk; got {value}"):
        rv.Walk(**{name: value})


ANY = st.fixed_dictionaries(
    {
        "layers": st.sampled_from([1, 2, 5]),
        "truncate": st.sampled_from([0, 1, 2, 5, 10_000]),
        "seq_len": st.sampled_from([1, 2, 7]),
        "hidden_size": st.sampled_from([1, 2, 9]),
        "gain": st.sampled_from([0.0, 1.0, 20.0]),
        "cell": st.sampled_from(list(rv.cells.CELLS)),
        "activation": st.sampled_from(list(rv.activations.ACTIVATIONS)),
        "scheme": st.sampled_from(["xavier", "uniform01", "pytorch", "keras", "identity"]),
        "inputs": st.sampled_from(["gaussian", "none"]),
        "input_scale": st.sampled_from([0.0, 1.0, 100.0]),
        "loss_at": st.sampled_from(["last", "every"]),
    }
)


@given(ANY)
@settings(max_examples=15, deadline=None)
def test_every_setting_has_its_sentences_and_its_theory(fields):
    config = rv.Config(input_size=2, batch_size=2, output_size=2, **fields)
    trace = rv.compare(config, (config.scheme,), (0, 1))
    said = [*verdict.sentences(trace), *notes(config, trace.schemes, trace), *chaos.sentences(trace)]
    for layer in range(1, config.layers + 1):
        shown, expected = trace.of_layer(layer), prediction.for_trace(trace.of_layer(layer))
        said += [*step_readout.sentences(shown, config.seq_len), *step_readout.forward_equation(shown, 1)]
        said += prediction.sentences(config, trace.schemes, layer)
        assert (expected.log10_grad_norm is None) or not np.isnan(expected.log10_grad_norm).any()
        assert -1 <= expected.validity.backward <= config.seq_len >= expected.validity.forward >= 0
    for text in said:
        assert text[-1] in ".;"
        assert "nan" not in re.findall(r"\b\w+\b", text)
        assert "{" not in text
