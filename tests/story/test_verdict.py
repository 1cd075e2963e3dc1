"""The verdict on stories whose truth is known: constructed, from a closed form, or from states and weights."""

import dataclasses
import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.dashboard.bet import truth
from rnnviz.network.sampling import draw_inputs
from rnnviz.story import verdict
from rnnviz.story.diagnosis import diagnose
from rnnviz.story.judgement import judge_gradient
from rnnviz.views import VIEWS

NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
RATE = rf"×{NUMBER} (?:per step|in one step)"
AFTER = rf"{NUMBER} after (\d+) step"
FACTORS = rf"W_hh ×{NUMBER}, φ′ ×{NUMBER}(?:, the other losses ×{NUMBER})?"
ROUNDING = np.log10(1.02)  # per step: what a reader who multiplies the factors may miss
SCHEMES = ("xavier", "orthogonal", "identity", "uniform01", "small_normal")


def say(scheme, seeds=8, **settings_):
    """Return the sentence on one scheme."""
    return verdict.sentences(rv.compare(rv.Config(**settings_), [scheme], range(seeds)))[0]


def log10(text):
    """Return log10 of a number as written, at any magnitude."""
    mantissa, _, exponent = text.partition("e")
    with np.errstate(divide="ignore"):
        return float(np.log10(float(mantissa))) + int(exponent or 0)


def made(norms, moments=None, seeds=1, **known):
    """Return a comparison of one scheme with these log10 gradient norms and log10 second moments at steps 0..T."""
    norms = np.atleast_2d(norms)
    shape = (1, *norms.shape)
    steps = norms.shape[1]
    moments = np.zeros(steps) if moments is None else np.asarray(moments)
    values = {
        "second_moment": 10.0**moments,
        "variance": 10.0**moments,
        "mean": np.zeros(steps),
        "saturation": np.zeros(steps),
        "log10_step_factor": np.zeros(steps),
        "log10_grad_norm": norms,
        "log10_relative_norm": np.where(np.isneginf(norms[:, -1:]), np.nan, norms - np.nan_to_num(norms[:, -1:])),
    } | known
    config = rv.Config(seq_len=steps - 1, **{name: values.pop(name) for name in ("loss_at",) if name in values})
    first = values.pop("first_nonfinite", np.full(shape[:2], -1))
    last = values.pop("last", None)
    return rv.Trace(
        config, ("xavier",), tuple(range(shape[1])), loss=np.zeros(shape[:2]), log10_grad_norm_c=None, gates={},
        log10_weight_size=np.zeros(shape[:2]),
        log10_relative_norm_c=None, log10_relative_norm_last=last, gate_saturation={}, first_nonfinite=first,
        **{name: np.broadcast_to(value, shape) for name, value in values.items()},
    )  # fmt: skip


def seeds_of(config, scheme, seeds=3):
    return [config.replace(scheme=scheme, seed=seed) for seed in range(seeds)]


def story(config, scheme, seeds=3):
    """Return the Trace and the diagnosis of a real comparison."""
    trace = rv.compare(config, (scheme,), range(seeds))
    return trace, diagnose(trace, 0)


@given(st.floats(-3, 3), st.integers(1, 300))
def test_the_rule_of_survival_is_the_one_on_the_page(factor, steps):
    diagnosis = diagnose(made(factor * np.arange(steps, -1, -1) - 7.0), 0)
    assert diagnosis.factor == pytest.approx(factor, abs=1e-9)
    assert diagnosis.decades == pytest.approx(factor * steps, abs=1e-6)
    near, within = 0.95 <= 10**factor <= 1.05, 0.1 <= 10 ** np.clip(factor * steps, -300, 300) <= 10
    verb = "fades" if factor < 0 else "grows"
    if min(abs(10**factor - 0.95), abs(10**factor - 1.05), abs(abs(factor * steps) - 1)) > 1e-6:
        assert diagnosis.backward == (verb if not near else "survives" if within else f"{verb} slowly")
        assert truth(diagnosis) == diagnosis.backward.split()[0], "a bet and the verdict share the rule"


@pytest.mark.parametrize("seq_len", [5, 6])
def test_a_gradient_does_not_survive_for_want_of_steps(seq_len):
    assert "the gradient fades, ×0.6" in say("xavier", seq_len=seq_len)


@given(st.floats(-2, 2), st.integers(2, 300))
def test_the_state_is_judged_by_its_second_half(drift, steps):
    t = np.arange(steps + 1)
    half = (steps + 1) // 2
    moments = np.where(t < half, 4.0 - t, np.maximum(0, t - half) * drift / (steps - half))
    diagnosis = diagnose(made(np.zeros(steps + 1), moments), 0)
    if abs(abs(drift) - 0.15) > 1e-6:
        assert diagnosis.forward == ("keeps" if abs(drift) < 0.15 else "grows" if drift > 0 else "shrinks")


def test_ups_and_downs_from_step_to_step_are_no_growth():
    """One sequence of one number: E h_t^2 follows x_t^2, whose law is the same at every step."""
    config = rv.Config(scheme="small_normal", hidden_size=32, input_size=1, batch_size=1)
    trace = rv.compare(config, ["small_normal"], range(8))
    moments = np.log10(trace.second_moment[0, :, 25:])
    assert (np.abs(moments[:, -1] - moments[:, 0]) > 0.15).any()
    assert diagnose(trace, 0).forward_runs["keeps"] >= 7


def test_the_median_over_seeds_decides():
    slopes = np.array([[-0.1], [-0.2], [-3.0]])
    diagnosis = diagnose(made(slopes * np.arange(10, -1, -1)), 0)
    assert diagnosis.decades == pytest.approx(-2.0)


def test_each_run_is_relative_to_its_own_last_step_as_in_the_picture():
    """One run's loss hands back far less than the others': medians of the norms themselves would mix the runs."""
    ends = np.array([[0.0], [-40.0], [-3.0], [-80.0], [-50.0]])
    trace = made(ends + 0.2 * np.arange(10, -1, -1) * np.array([[1], [1], [1], [-30], [-30]]))
    assert diagnose(trace, 0).decades == pytest.approx(2.0)
    assert VIEWS["gradient"].data(trace).curves[0].median[0] == pytest.approx(2.0)


def test_the_state_after_an_impulse_shrinks():
    trace, diagnosis = story(rv.Config(inputs="none"), "xavier")
    moments = np.median(trace.second_moment[0], axis=0)
    assert moments[-1] < 0.5 * moments[1]
    assert diagnosis.forward == "shrinks"


def test_a_seed_without_a_gradient_is_left_out():
    norms = np.array([-0.2, np.nan, np.nan])[:, None] * np.arange(10, -1, -1)
    diagnosis = diagnose(made(norms, first_nonfinite=np.array([[-1, 9, 4]])), 0)
    assert (diagnosis.forward, diagnosis.overflow, diagnosis.forward_runs["overflows"]) == ("overflows", 4, 2)
    assert diagnosis.decades == pytest.approx(-2.0)


@pytest.mark.parametrize("gain", [1.0, 0.5, 2.0])
def test_linear_orthogonal_multiplies_the_gradient_by_its_gain(gain):
    config = rv.Config(activation="linear", hidden_size=16, seq_len=20, batch_size=4, gain=gain)
    trace, diagnosis = story(config, "orthogonal")
    assert diagnosis.factor == pytest.approx(np.log10(gain), abs=1e-12)
    assert diagnosis.step_factor == pytest.approx(0.0, abs=1e-12)
    assert diagnosis.weight_factor == pytest.approx(np.log10(gain), abs=1e-12)
    words = {1.0: "survives, ×1.00 per step: 1", 0.5: "fades, ×0.500 per step: 9.54e-7"}
    words[2.0] = "grows, ×2.00 per step: 1.05e6"
    assert f"the gradient {words[gain]} after" in verdict.sentence(diagnosis)
    assert f"W_hh ×{gain:.2f}{'0' * (gain == 0.5)}, φ′ ×1.00." in verdict.sentence(diagnosis)


def test_linear_orthogonal_keeps_its_state_after_an_impulse():
    config = rv.Config(activation="linear", hidden_size=16, seq_len=20, batch_size=4, inputs="none")
    trace, diagnosis = story(config, "orthogonal")
    moment = np.median(trace.second_moment[0, :, 1])
    assert diagnosis.forward == "keeps"
    assert 10**diagnosis.second_moment == pytest.approx(moment, rel=1e-12)


def test_uniform01_saturates_tanh_and_that_is_the_reason():
    trace, diagnosis = story(rv.Config(hidden_size=64, seq_len=30, batch_size=8), "uniform01")
    assert (diagnosis.forward, diagnosis.backward) == ("saturates", "fades")
    assert diagnosis.saturation == np.median(trace.saturation[0, :, -1]) > 0.9
    sentence = verdict.sentence(diagnosis)
    assert f"the state saturates ({np.median(trace.saturation[0, :, -1]):.0%} of the units" in sentence
    assert "saturated units pass little back" in sentence


def test_relu_overflows_at_the_step_where_powers_of_the_gain_do():
    config = rv.Config(
        activation="relu", inputs="none", input_scheme="xavier", hidden_size=4, batch_size=2, gain=20.0, seq_len=300
    )
    _, diagnosis = story(config, "identity")
    # h_t = 20^(t-1) h_1 element by element: the largest is the first that a float cannot hold.
    largest = max(np.max(draw_inputs(one)[0][0] @ rv.init_params(one)["W_xh"]) for one in seeds_of(config, "identity"))
    steps = (np.log10(np.finfo(float).max) - np.log10(largest)) / np.log10(20)
    assert diagnosis.overflow == int(np.floor(steps)) + 2
    assert (diagnosis.forward, diagnosis.backward) == ("overflows", "undefined")
    words = f"the state is no longer finite from step {diagnosis.overflow} on; so it has no gradient."
    assert verdict.sentence(diagnosis).endswith(words)


def test_gain_0_leaves_exactly_nothing():
    config = rv.Config(activation="relu", inputs="none", hidden_size=8, batch_size=2, gain=0.0, seq_len=6)
    _, diagnosis = story(config, "xavier")
    assert (diagnosis.forward, diagnosis.backward) == ("zero", "zero")
    words = "the state is exactly 0, as W_hh is 0 and passes nothing on; the gradient is exactly 0"
    assert words in verdict.sentence(diagnosis)


ISSUE = [
    ("identity", {}, r"W_hh ×1\.00"),
    ("orthogonal", {"gain": 20.0}, r"W_hh ×20\.0"),
    ("keras", {"cell": "lstm", "forget_bias": 4.0}, r"first step ×0\.11\d*, then ×1\.01 per step"),
    ("xavier", {"cell": "gru", "gain": 0.1, "inputs": "digits", "input_scale": 3.0}, r"paths through W_hh add next to"),
    ("xavier", {"gain": 1.5}, "the input and the state's own size push"),
    ("xavier", {}, "W_hh hardly changes it; the input pushes"),
    ("orthogonal", {"gain": 0.9, "activation": "linear", "seq_len": 200}, r"its weights are small: W_hh ×0\.900"),
    (
        "orthogonal",
        {
            "cell": "gru",
            "gain": 3.0,
            "inputs": "text",
            "input_scale": 3.0,
            "seq_len": 100,
            "batch_size": 8,
            "loss_at": "every",
        },
        r"grows.*that of the last loss alone grows slowly",
    ),
    (
        "he",
        {"activation": "linear", "gain": 2.0, "hidden_size": 16, "seq_len": 3, "input_scale": 0.0, "loss_at": "every"},
        r"its weights are large: W_hh ×2\.\d+, φ′ ×1\.00, the other losses ×1\.0",
    ),
    (
        "uniform_centered",
        {
            "gain": 10.0,
            "hidden_size": 8,
            "batch_size": 4,
            "inputs": "none",
            "input_scale": 3.0,
            "input_scheme": "xavier",
        },
        r"fades in 3 of 8 runs, grows in 3 and survives in 2 \(.*by run\)\.$",
    ),
]


def test_faults_once_found_stay_mended():
    for scheme, reads, pattern in ISSUE:
        sentence = say(scheme, **reads)
        assert re.search(pattern, sentence), sentence
    quiet = {"activation": "sigmoid", "seq_len": 1, "inputs": "digits", "input_scale": 10.0, "gain": 1.2}
    assert "balance" not in say("xavier", **quiet)


def test_what_a_kick_flattens_is_not_blamed_on_the_state():
    """Step 1 reads the kick and no state: at T = 1 and 4 its slopes are nearly all that shrinks the gradient."""
    for steps, verb in ((1, "survives|grows|fades"), (4, "fades")):
        kick = {"inputs": "none", "input_scale": 1.5 if steps == 1 else 100.0, "seq_len": steps}
        sentence = say("orthogonal", **kick)
        assert re.search(verb, sentence), sentence
        assert "state's own size" not in sentence, sentence
    assert "W_hh hardly changes it; the input pushes" in say("orthogonal", input_scale=1.5, seq_len=1)


def test_a_single_step_keeps_and_shrinks_nothing():
    for scheme, settings_ in (("xavier", {}), ("small_normal", {"inputs": "none"}), ("keras", {"cell": "lstm"})):
        assert "the state has one step only (E h²" in say(scheme, seq_len=1, **settings_)


def test_large_and_small_weights_are_so_by_their_size():
    """||W_hh|| / sqrt(H) must give at least half of what W_hh did in decades; else it is the directions that count."""
    linear = {"activation": "linear", "hidden_size": 8, "batch_size": 4, "seq_len": 20, "seeds": 1}
    for seed, gain in itertools.product(range(8), (0.8, 1.0, 1.25)):
        config = rv.Config(gain=gain, seed=seed, **{k: v for k, v in linear.items() if k != "seeds"})
        size = np.log10(np.linalg.norm(rv.init_params(config)["W_hh"]) / np.sqrt(8))
        trace = rv.run(config)
        rate = (trace.log10_grad_norm[0] - trace.log10_grad_norm[-1]) / 20
        sentence = verdict.sentences(trace.as_comparison())[0]
        by_size = size * np.sign(rate) >= 0.5 * abs(rate)
        for words in ("its weights are large", "its weights are small"):
            assert words not in sentence or by_size, sentence


def test_no_units_are_blamed_that_are_not_there():
    """With H = 1 or 38 % of the units unsaturated, "the few unsaturated units" are none or not few."""
    for settings_ in ({"hidden_size": 1, "gain": 20.0, "seq_len": 3}, {"gain": 10.0, "seq_len": 2}):
        assert "few" not in say("xavier", **settings_)
    trace = rv.run(rv.Config(activation="relu", hidden_size=16))
    switched = [dataclasses.replace(diagnose(trace, 0), saturation=share) for share in (0.0, 0.4)]
    assert ["units are off" in verdict.sentence(each) for each in switched] == [False, True]


def test_biases_are_not_called_the_states_own_size():
    """Without an input, and W_hh near 0, h = tanh(b): at H = 1 that alone takes up to 0.58 of the slope."""
    sentence = say("pytorch", hidden_size=1, gain=2.0, input_scale=0.0)
    assert "the units are where their slope is below 1" in sentence, sentence
    off = say("pytorch", seeds=1, hidden_size=1, gain=0.0, input_scale=0.0, activation="relu")
    b = rv.init_params(rv.Config(scheme="pytorch", hidden_size=1, activation="relu"))["b_h"][0]
    assert ("exactly 0, as every unit is off" in off) == (b < 0), off


def test_runs_that_end_at_different_steps_are_not_given_one_step():
    settings_ = {"activation": "relu", "hidden_size": 2, "batch_size": 1, "seq_len": 100}
    trace = rv.compare(rv.Config(**settings_), ["xavier"], range(40))
    zero = np.isneginf(trace.log10_relative_norm[0])
    chosen = [run for run in range(40) if zero[run, 0]][:5]
    ends = sorted(int(np.flatnonzero(zero[run])[-1]) for run in chosen)
    assert len(chosen) == 5
    assert ends[0] < ends[-1]
    sentence = verdict.sentences(rv.compare(rv.Config(**settings_), ["xavier"], chosen))[0]
    assert f"from step {ends[2]} ({ends[0]} to {ends[-1]} by run) back, as it meets only units that are off" in sentence


def test_the_gates_alone_are_the_same_where_W_hh_adds_nothing():
    reads = {"cell": "gru", "inputs": "digits", "input_scale": 3.0}
    for gain in (0.0, 0.1):
        trace = rv.compare(rv.Config(gain=gain, **reads), ["xavier"], (0,))
        diagnosis = diagnose(trace, 0)
        config = trace.drawn()
        g = rv.bptt(rv.init_params(config), *draw_inputs(config), "gru")
        h, params, (x, _) = g.h, rv.init_params(config), draw_inputs(config)
        a_z = (x @ params["W_xh"] + params["b_h"] + h[:-1] @ params["W_hh"])[..., 64:128]
        left = np.cumprod(1 / (1 + np.exp(-a_z[::-1])), axis=0) * g.d_h[-1]
        norms = np.log10(np.linalg.norm(left, axis=(1, 2)))
        assert diagnosis.path == pytest.approx((norms[-1] - norms[0]) / 49, abs=1e-9)
        assert 10**diagnosis.path == pytest.approx(0.91, abs=0.005)


def test_the_losses_of_other_steps_are_compared_with_the_last_alone():
    fading = made(np.zeros(21), loss_at="every", last=np.broadcast_to(-0.2 * np.arange(20, -1, -1), (1, 1, 21)))
    hidden = "every step adds a loss of its own, which hides that the gradient of the last loss alone fades, ×0.631 per"
    assert hidden in verdict.sentences(fading)[0]
    steady = made(0.1 * np.arange(20, -1, -1), loss_at="every", last=np.zeros((1, 1, 21)))
    assert "the gradient of the last loss alone survives, ×1.00 per step" in verdict.sentences(steady)[0]
    assert "every step" not in verdict.sentences(made(-0.1 * np.arange(20, -1, -1)))[0]
    assert "every step" not in verdict.sentences(made([-0.5, 0.0], loss_at="every"))[0], "one step has one loss"


def test_with_losses_at_every_step_the_gradient_is_followed_back_to_step_1():
    """With W = 0 every dL/dh_t is that of its own loss, and dL/dh_0, which has none, is 0."""
    config = rv.Config(hidden_size=16, seq_len=20, batch_size=4, loss_at="every", gain=0.0)
    trace, diagnosis = story(config, "xavier")
    assert np.isneginf(trace.log10_grad_norm[0, :, 0]).all()
    assert (diagnosis.steps, diagnosis.backward) == (19, "survives")
    own = np.median(trace.log10_grad_norm[0, :, 1] - trace.log10_grad_norm[0, :, -1])
    assert diagnosis.decades == pytest.approx(own)
    assert "hides that the gradient of the last loss alone is exactly 0" in verdict.sentences(trace)[0]


def factors_of(config):
    """Return log10 of what W_hh and phi' do to the gradient over all steps, from its own states and matrices."""
    params, (x, targets) = rv.init_params(config), draw_inputs(config)
    g = rv.bptt(params, x, targets, "rnn", config.activation)
    a = x @ params["W_xh"] + g.h[:-1] @ params["W_hh"] + params["b_h"]
    slope = {"tanh": lambda a: np.cosh(a) ** -2.0, "relu": lambda a: 1.0 * (a > 0), "linear": np.ones_like}
    slopes = weights = 0.0
    for t in range(config.seq_len, 0, -1):
        d_a = g.d_h[t] * slope[config.activation](a[t - 1])
        slopes += np.log10(np.linalg.norm(d_a) / np.linalg.norm(g.d_h[t]))
        weights += np.log10(np.linalg.norm(d_a @ params["W_hh"].T) / np.linalg.norm(d_a))
    return weights / config.seq_len, slopes / config.seq_len


@pytest.mark.parametrize("activation", ["tanh", "relu", "linear"])
def test_W_hh_and_the_slopes_are_what_they_did_to_this_gradient(activation):
    schemes = SCHEMES[:2] if activation == "relu" else SCHEMES[:3]  # an identity's gradient meets a unit that is off
    for scheme, gain in itertools.product(schemes, (0.5, 1.0, 2.0)):
        config = rv.Config(activation=activation, gain=gain, hidden_size=16, seq_len=12, batch_size=4, scheme=scheme)
        diagnosis = diagnose(rv.run(config), 0)
        expected = factors_of(config)
        np.testing.assert_allclose((diagnosis.weight_factor, diagnosis.step_factor), expected, rtol=0, atol=1e-9)


CONFIGS = st.builds(
    rv.Config,
    cell=st.sampled_from(["rnn", "rnn", "lstm", "gru"]),
    activation=st.sampled_from(list(rv.activations.ACTIVATIONS)),
    gain=st.sampled_from([0.0, 1.0, 20.0]) | st.floats(0.0, 20.0),
    hidden_size=st.sampled_from([1, 2, 16]),
    input_size=st.sampled_from([1, 8]),
    seq_len=st.sampled_from([1, 2, 3, 60]) | st.integers(1, 60),
    batch_size=st.integers(1, 4),
    inputs=st.sampled_from(list(rv.inputs.INPUTS)),
    input_scale=st.sampled_from([0.0, 1.0, 30.0]),
    loss_at=st.sampled_from(["last", "every"]),
    forget_bias=st.sampled_from([-20.0, 1.0, 4.0]),
)


def check_sentence(trace):
    """Hold a sentence against its own numbers: what it gives as factors multiplies to what it gives as a change."""
    diagnosis = diagnose(trace, 0)
    sentence = verdict.sentence(diagnosis)
    assert not re.search(r"nan|  |: [;.]|– \.|\(\)", sentence), sentence
    given_ = re.search(rf"×{NUMBER} per step: {AFTER}", sentence)
    if first := re.search(rf"first step ×{NUMBER}, then ×{NUMBER} per step: {AFTER}", sentence):
        steps = int(first[4])
        total = log10(first[1]) + (steps - 1) * log10(first[2])
        assert abs(total - log10(first[3])) <= ROUNDING * steps, sentence
    elif given_:
        assert abs(log10(given_[1]) - log10(given_[2]) / int(given_[3])) <= ROUNDING, sentence
    if factors := re.search(FACTORS, sentence):
        product = sum(log10(each) for each in factors.groups() if each)
        assert abs(product - log10(re.search(RATE, sentence)[1])) <= ROUNDING, sentence
        exact = diagnosis.weight_factor + diagnosis.step_factor + diagnosis.loss_factor
        assert exact == pytest.approx(diagnosis.factor, abs=1e-9)
    for run in range(len(trace.seeds)):
        assert diagnose(trace.one(0, run), 0).backward in diagnosis.backward_runs
    if trace.config.hidden_size == 1:
        assert "directions" not in sentence, sentence
    assert truth(diagnosis) in ("fades", "survives", "grows", "undefined")
    assert judge_gradient(diagnosis.decades, diagnosis.steps) == diagnosis.backward


@settings(max_examples=25)
@given(CONFIGS, st.sampled_from(list(rv.schemes.SCHEMES)), st.sampled_from([1, 4]))
def test_what_a_sentence_gives_multiplies_to_what_it_gives(config, scheme, seeds):
    check_sentence(rv.compare(config, (scheme,), range(seeds)))


@pytest.mark.slow
@settings(max_examples=400)
@given(CONFIGS, st.sampled_from(list(rv.schemes.SCHEMES)), st.sampled_from([1, 3, 8]))
def test_what_many_sentences_give_multiplies_to_what_they_give(config, scheme, seeds):
    check_sentence(rv.compare(config, (scheme,), range(seeds)))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_the_sentences_numbers_are_the_traces(cell):
    config = rv.Config(cell=cell, hidden_size=32, seq_len=40, batch_size=8)
    trace = rv.compare(config, ("orthogonal", "xavier", "small_normal"), range(5))
    for k, sentence in enumerate(verdict.sentences(trace)):
        moment = float(re.search(rf"E h² {NUMBER}", sentence)[1])
        assert moment == pytest.approx(np.median(trace.second_moment[k, :, -1]), rel=0.35 if moment < 1e-3 else 0.06)
        relative = np.median(trace.log10_grad_norm[k, :, 0] - trace.log10_grad_norm[k, :, -1])
        assert log10(re.search(AFTER, sentence)[1]) == pytest.approx(relative, abs=0.003), sentence


def test_a_sentence_for_each_scheme_by_its_name():
    trace = rv.compare(rv.Config(hidden_size=8, seq_len=5, batch_size=2), ("he", "uniform01", "keras"), range(2))
    names = [sentence.partition(":")[0] for sentence in verdict.sentences(trace)]
    assert names == ["He", "U[0, 1]", "Keras"]
