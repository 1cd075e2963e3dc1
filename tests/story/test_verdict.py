"""The verdict on stories whose truth is known: constructed, or from a closed form."""

import itertools
import re
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs
from rnnviz.story import verdict
from rnnviz.story.diagnosis import cause, diagnose
from rnnviz.views import VIEWS

FLOAT = r"([0-9.]+(?:e-?\d+)?)"
SENTENCE = rf"E h² {FLOAT}\).*[ ×]{FLOAT} a step: {FLOAT} after 40 steps"


NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
SLOPES = {
    "tanh": lambda a: np.cosh(a) ** -2.0,
    "sigmoid": lambda a: np.cosh(a / 2) ** -2.0 / 4,
    "relu": lambda a: 1.0 * (a > 0),
    "linear": np.ones_like,
}
SCHEMES = ("xavier", "orthogonal", "identity", "uniform01", "small_normal")
GRID = [
    (rv.Config(activation=activation, gain=gain, hidden_size=16, seq_len=12, batch_size=4, **reads), SCHEMES)
    for activation, gain in itertools.product(SLOPES, (0.5, 1.0, 6.0))
    for reads in ({}, {"input_scale": 30.0}, {"inputs": "none"})
] + [(rv.Config(batch_size=4), ("identity",))]


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
    return rv.Trace(
        config, ("xavier",), tuple(range(shape[1])), loss=np.zeros(shape[:2]), log10_grad_norm_c=None, gates={},
        log10_relative_norm_c=None, gate_saturation={}, first_nonfinite=first,
        **{name: np.broadcast_to(value, shape) for name, value in values.items()},
    )  # fmt: skip


def seeds_of(config, scheme, seeds=3):
    return [config.replace(scheme=scheme, seed=seed) for seed in range(seeds)]


def story(config, scheme, seeds=3):
    """Return the Trace and the diagnosis of a real comparison."""
    trace = rv.compare(config, (scheme,), range(seeds))
    return trace, diagnose(trace, 0)


@given(st.floats(-3, 3), st.integers(1, 300))
def test_a_known_factor_a_step_is_found(factor, steps):
    diagnosis = diagnose(made(factor * np.arange(steps, -1, -1) - 7.0), 0)
    assert diagnosis.factor == pytest.approx(factor, abs=1e-9)
    assert diagnosis.decades == pytest.approx(factor * steps, abs=1e-6)
    if abs(abs(factor * steps) - 1.0) > 1e-6:
        expected = "survives" if abs(factor * steps) < 1 else "grows" if factor > 0 else "shrinks"
        assert diagnosis.backward == expected


@given(st.floats(-2, 2), st.integers(2, 300))
def test_the_state_is_judged_by_its_second_half(drift, steps):
    t = np.arange(steps + 1)
    half = (steps + 1) // 2
    moments = np.where(t < half, 4.0 - t, np.maximum(0, t - half) * drift / (steps - half))
    diagnosis = diagnose(made(np.zeros(steps + 1), moments), 0)
    if abs(abs(drift) - 0.15) > 1e-6:
        assert diagnosis.forward == ("keeps" if abs(drift) < 0.15 else "grows" if drift > 0 else "shrinks")


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
    assert (diagnosis.forward, diagnosis.overflow, diagnosis.overflowed) == ("overflows", 4, 2)
    assert diagnosis.decades == pytest.approx(-2.0)


@pytest.mark.parametrize("gain", [1.0, 0.5, 2.0])
def test_linear_orthogonal_multiplies_the_gradient_by_its_gain(gain):
    config = rv.Config(activation="linear", hidden_size=16, seq_len=20, batch_size=4, gain=gain)
    trace, diagnosis = story(config, "orthogonal")
    assert diagnosis.factor == pytest.approx(np.log10(gain), abs=1e-12)
    assert diagnosis.step_factor == pytest.approx(0.0, abs=1e-12)
    assert diagnosis.weight_factor == pytest.approx(np.log10(gain), abs=1e-12)
    words = {1.0: "survives, ×1.00 a step: 1", 0.5: "shrinks, ×0.50 a step: 1e-6", 2.0: "grows, ×2.0 a step: 1e6"}
    assert f"the gradient {words[gain]} after" in verdict.sentence(diagnosis)
    assert f"W_hh ×{gain:#.{3 if gain == 1 else 2}g}, φ′ ×1.00." in verdict.sentence(diagnosis)


def test_linear_orthogonal_keeps_its_state_after_an_impulse():
    config = rv.Config(activation="linear", hidden_size=16, seq_len=20, batch_size=4, inputs="none")
    trace, diagnosis = story(config, "orthogonal")
    moment = np.median(trace.second_moment[0, :, 1])
    assert diagnosis.forward == "keeps"
    assert 10**diagnosis.second_moment == pytest.approx(moment, rel=1e-12)


def test_uniform01_saturates_tanh_and_that_is_the_reason():
    trace, diagnosis = story(rv.Config(hidden_size=64, seq_len=30, batch_size=8), "uniform01")
    assert (diagnosis.forward, diagnosis.backward) == ("saturates", "shrinks")
    assert diagnosis.saturation == np.median(trace.saturation[0, :, -1]) > 0.9
    sentence = verdict.sentence(diagnosis)
    assert f"the state saturates ({np.median(trace.saturation[0, :, -1]):.0%} of the units" in sentence
    assert "saturated units pass almost nothing back" in sentence


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
    words = f"the state leaves the finite numbers at step {diagnosis.overflow}; so it has no gradient."
    assert verdict.sentence(diagnosis).endswith(words)


def test_gain_0_leaves_exactly_nothing():
    config = rv.Config(activation="relu", inputs="none", hidden_size=8, batch_size=2, gain=0.0, seq_len=6)
    _, diagnosis = story(config, "xavier")
    assert (diagnosis.forward, diagnosis.backward) == ("zero", "zero")
    words = "the state is exactly 0, as W_hh is 0 and hands nothing on; the gradient is exactly 0"
    assert words in verdict.sentence(diagnosis)


def test_a_loss_at_every_step_says_what_it_hides():
    trace = made(-0.1 * np.arange(20, -1, -1), loss_at="every")
    assert "every step adds a loss of its own" in verdict.sentences(trace)[0]
    assert "every step" not in verdict.sentences(made(-0.1 * np.arange(20, -1, -1)))[0]
    assert "every step" not in verdict.sentences(made([-0.5, 0.0], loss_at="every"))[0], "one step has one loss"


@pytest.mark.parametrize("scheme", ["identity", "orthogonal"])
def test_losses_that_add_up_are_not_blamed_on_the_weights(scheme):
    config = rv.Config(activation="linear", loss_at="every", hidden_size=16, seq_len=20, batch_size=4)
    sentence = verdict.sentence(story(config, scheme)[1])
    assert sentence.endswith("every step adds a loss of its own.")


def test_growth_beyond_what_losses_add_has_its_own_cause():
    config = rv.Config(activation="linear", loss_at="every", hidden_size=16, seq_len=20, batch_size=4, gain=2.0)
    assert "its weights are large: W_hh ×2.0" in verdict.sentence(story(config, "orthogonal")[1])


@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.0))
def test_the_two_factors_of_a_step_multiply_to_it(factor, slope):
    norms = factor * np.arange(30, -1, -1)
    diagnosis = diagnose(made(norms, log10_step_factor=np.r_[np.nan, np.full(30, slope)]), 0)
    assert diagnosis.step_factor == pytest.approx(slope)
    assert diagnosis.weight_factor + slope == pytest.approx(factor, abs=1e-9)


def factors_of(config):
    """Return log10 of a step's factor, of phi' and of any direction's W_hh, from the states and weights themselves."""
    params, (x, targets) = rv.init_params(config), draw_inputs(config)
    g = rv.bptt(params, x, targets, "rnn", config.activation)
    a = x @ params["W_xh"] + g.h[:-1] @ params["W_hh"] + params["b_h"]
    with np.errstate(divide="ignore"):
        slopes = 0.5 * np.log10(np.mean(SLOPES[config.activation](a) ** 2, axis=(1, 2)))
    any_direction = np.linalg.norm(params["W_hh"]) / np.sqrt(config.hidden_size)
    return (g.log10_grad_norm[0] - g.log10_grad_norm[-1]) / config.seq_len, slopes.mean(), np.log10(any_direction)


def rounded(text):
    """Return the least and the greatest number that is written so."""
    value = Decimal(text)
    half = Decimal(5).scaleb((value.adjusted() - 1 if value >= 100 else value.as_tuple().exponent) - 1)
    return np.array([float(value - half), float(value + half)])


def check_factors(sentence, config):
    """Hold the factors that a sentence gives against those of the states and weights themselves."""
    assert len(sentence) < 255, "more than two lines of 1280 px below the pictures would move what stands below"
    given = re.search(rf"×{NUMBER} a step.*W_hh ×{NUMBER}, φ′ ×{NUMBER}", sentence)
    assert given, sentence
    (low, high), weights, slopes = map(rounded, given.groups())
    factor, slope, any_direction = factors_of(config)
    assert low <= 10**factor <= high, sentence
    assert slopes[0] <= 10**slope <= slopes[1], sentence
    if "flatter" in sentence:
        np.testing.assert_allclose(weights.mean(), 10**any_direction, rtol=0.2, err_msg=sentence)
    else:
        assert (weights * slopes)[0] <= high, sentence
        assert (weights * slopes)[1] >= low, sentence


def test_a_sentence_gives_both_factors_of_a_step_and_their_product():
    causes = set()
    for config, schemes in GRID:
        trace = rv.compare(config, schemes, (0,))
        for k, scheme in enumerate(schemes):
            diagnosis = diagnose(trace, k)
            if diagnosis.backward not in ("zero", "undefined"):
                causes.add(cause(diagnosis))
                check_factors(verdict.sentence(diagnosis), config.replace(scheme=scheme))
    assert {"saturated", "saturated, flatter", "saturated by input", "flatter", "small", "large"} <= causes


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("scheme", ["xavier", "small_normal", "uniform_centered"])
def test_the_sentences_numbers_are_the_traces(cell, scheme):
    config = rv.Config(cell=cell, hidden_size=32, seq_len=40, batch_size=8)
    trace = rv.compare(config, ("orthogonal", scheme), range(5))
    for k, sentence in enumerate(verdict.sentences(trace)):
        moment = np.median(trace.second_moment[k, :, -1])
        relative = np.median(trace.log10_grad_norm[k, :, 0] - trace.log10_grad_norm[k, :, -1])
        given = [float(value) for value in re.search(SENTENCE, sentence).groups()]
        assert given[0] == pytest.approx(moment, rel=0.35 if moment < 1e-3 else 0.06)
        assert np.log10(given[1]) == pytest.approx(relative / 40, abs=0.03)
        assert np.log10(given[2]) == pytest.approx(relative, abs=0.18)


def test_with_losses_at_every_step_the_gradient_is_followed_back_to_step_1():
    """With W = 0 every dL/dh_t is that of its own loss, and dL/dh_0, which has none, is 0."""
    config = rv.Config(hidden_size=16, seq_len=20, batch_size=4, loss_at="every", gain=0.0)
    trace, diagnosis = story(config, "xavier")
    assert np.isneginf(trace.log10_grad_norm[0, :, 0]).all()
    assert (diagnosis.steps, diagnosis.backward) == (19, "survives")
    own = np.median(trace.log10_grad_norm[0, :, 1] - trace.log10_grad_norm[0, :, -1])
    assert diagnosis.decades == pytest.approx(own)
    assert "after 19 steps – every step adds a loss of its own, which hides what fades" in verdict.sentences(trace)[0]


def test_flat_units_that_explain_only_a_part_are_reported_as_such():
    trace, diagnosis = story(rv.Config(hidden_size=64, batch_size=8), "uniform01")
    assert diagnosis.step_factor > diagnosis.factor + 1, "nothing is tested"
    assert "and those that the gradient meets are flatter still" in verdict.sentences(trace)[0]
    norms = -2.0 * np.arange(30, -1, -1)
    alone = made(norms, saturation=np.ones(31), log10_step_factor=np.r_[np.nan, -0.1, np.full(29, -2.0)])
    assert "saturated units pass almost nothing back" in verdict.sentences(alone)[0]
    assert "flatter still" not in verdict.sentences(alone)[0]


def test_a_sentence_for_each_scheme_by_its_name():
    trace = rv.compare(rv.Config(hidden_size=8, seq_len=5, batch_size=2), ("he", "uniform01", "keras"), range(2))
    names = [sentence.partition(":")[0] for sentence in verdict.sentences(trace)]
    assert names == ["He", "U[0, 1]", "Keras"]
