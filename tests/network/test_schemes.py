"""Schemes against their formulas in every shape, and the defaults of frameworks against the frameworks."""

from __future__ import annotations

import dataclasses
import re
from itertools import product

import numpy as np
import pytest
from scipy import stats

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs
from rnnviz.network.schemes import SCHEMES, sample

SHAPES = [(96, 96), (40, 120), (120, 40)]
DRAWS = 12
SIGMAS = 5.0  # a right scheme fails one check in two million


def draws(name, fan_in, fan_out, gain=1.0):
    return np.stack([sample(name, np.random.default_rng(seed), fan_in, fan_out, gain) for seed in range(DRAWS)])


def moment_error(W):
    """Return the standard errors of the mean and of E W^2 from the spread between draws: entries may be dependent."""
    return [np.std(each.mean(axis=(1, 2)), ddof=1) / np.sqrt(len(W)) for each in (W, W * W)]


def test_mean_and_variance_are_those_of_the_draws():
    for (name, scheme), shape in product(SCHEMES.items(), SHAPES):
        W, mean, variance = draws(name, *shape), scheme.mean(*shape), scheme.variance(*shape)
        assert W.shape == (DRAWS, *shape), (name, shape)
        error_mean, error_square = moment_error(W)
        # Student's t has wide tails at 12 draws: 10 standard errors instead of 5, where a wrong factor still shows.
        assert abs(W.mean() - mean) <= 2 * SIGMAS * error_mean + 1e-12, (name, shape)
        assert abs(np.mean(W * W) - mean**2 - variance) <= 2 * SIGMAS * error_square + 1e-12, (name, shape)
        assert error_square < 0.02 * (variance + mean**2), f"{name}: too few draws to tell a wrong variance"


def test_gain_multiplies_every_entry():
    for name, shape in product(SCHEMES, [(12, 12), (5, 20), (20, 5)]):
        np.testing.assert_allclose(draws(name, *shape, 2.5), 2.5 * draws(name, *shape), atol=1e-15, err_msg=name)
        assert not draws(name, *shape, 0.0).any(), (name, shape)


def test_the_same_generator_draws_the_same_matrix_in_the_smallest_shapes_too():
    for name, shape in product(SCHEMES, [(7, 5), (1, 1), (1, 9), (9, 1)]):
        W = draws(name, *shape)
        np.testing.assert_array_equal(W, draws(name, *shape), err_msg=name)
        assert np.isfinite(W).all(), (name, shape)


def test_a_scheme_says_whether_its_recurrent_weights_are_random_and_orthogonal():
    """Keras draws W_xh with independent entries, and W_hh orthogonal."""
    for name, scheme in SCHEMES.items():
        assert scheme.orthogonal == (name in ("orthogonal", "identity", "keras")), name
        assert scheme.random == (name != "identity"), name
        assert scheme.independent == (name not in ("orthogonal", "identity", "keras", "uniform01")), name
    uniform = SCHEMES["uniform01"]
    assert SCHEMES[uniform.centred].variance(9, 9) == uniform.variance(9, 9)
    assert SCHEMES[uniform.centred].mean(9, 9) == 0


def same_distribution(W, distribution, name=""):
    """Compare draws with a distribution by the Kolmogorov-Smirnov test."""
    assert stats.kstest(W.ravel(), distribution.cdf).pvalue > 1e-6, name


def normal(variance):
    return stats.norm(scale=np.sqrt(variance))


def between(low, high):
    return stats.uniform(low, high - low)


def distributions(fan_in, fan_out):
    """Return the distribution of each scheme with independent entries."""
    glorot = np.sqrt(6 / (fan_in + fan_out))
    return {
        "xavier": normal(1 / fan_in),
        "glorot_normal": normal(2 / (fan_in + fan_out)),
        "glorot_uniform": between(-glorot, glorot),
        "he": normal(2 / fan_in),
        "uniform01": between(0, 1),
        "uniform_centered": between(-0.5, 0.5),
        "small_normal": normal(1e-4),
        "pytorch": between(-1 / np.sqrt(fan_out), 1 / np.sqrt(fan_out)),
        "keras": between(-glorot, glorot),
    }


def test_distributions():
    for shape in SHAPES:
        for name, distribution in distributions(*shape).items():
            same_distribution(draws(name, *shape), distribution, name)
    assert set(distributions(1, 1)) | {"orthogonal", "identity"} <= set(SCHEMES)


def test_orthogonal_keeps_norms_and_identity_is_one():
    for fan_in, fan_out in SHAPES:
        for W in draws("orthogonal", fan_in, fan_out):
            small = W.T @ W if fan_in >= fan_out else W @ W.T
            np.testing.assert_allclose(small, np.eye(min(fan_in, fan_out)), atol=1e-13)
        np.testing.assert_array_equal(draws("identity", fan_in, fan_out)[0], np.eye(fan_in, fan_out))


def test_orthogonal_is_uniform_over_rotations_and_reflections():
    """In 2 dimensions the angle of the first column is uniform, and half the matrices are reflections.

    QR without the sign of R's diagonal fails both.
    """
    rng = np.random.default_rng(0)
    W = np.stack([sample("orthogonal", rng, 2, 2) for _ in range(2000)])
    for column in (0, 1):
        same_distribution(np.arctan2(W[:, 1, column], W[:, 0, column]), between(-np.pi, np.pi))
    reflections = np.count_nonzero(np.linalg.det(W) < 0)
    assert stats.binomtest(reflections, 2000, 0.5).pvalue > 1e-6


def test_orthogonal_has_the_haar_measures_trace():
    """For Haar's measure E (trace Q)^2 = 1 and E trace Q = 0, whatever the size (Diaconis & Mallows 1986)."""
    rng = np.random.default_rng(1)
    traces = np.array([np.trace(sample("orthogonal", rng, 6, 6)) for _ in range(3000)])
    assert stats.ttest_1samp(traces, 0.0).pvalue > 1e-6
    assert stats.ttest_1samp(traces**2, 1.0).pvalue > 1e-6


def test_an_unknown_scheme_gets_a_suggestion():
    with pytest.raises(ValueError, match="Did you mean 'orthogonal'"):
        sample("ortogonal", np.random.default_rng(0), 2, 2)


# ---- whole networks

MODULES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


def drawn(config, seeds=6):
    """Return every parameter of networks of several seeds, stacked."""
    nets = [rv.init_params(config.replace(seed=seed)) for seed in range(seeds)]
    return {name: np.stack([net[name] for net in nets]) for name in nets[0]}


def torch_drawn(cell, inputs, hidden, classes, seeds=6):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    nets = []
    for _ in range(seeds):
        net, out = getattr(torch.nn, MODULES[cell])(inputs, hidden), torch.nn.Linear(hidden, classes)
        b_ih, b_hh = net.bias_ih_l0.detach().numpy(), net.bias_hh_l0.detach().numpy().copy()
        parts = {"W_xh": net.weight_ih_l0.T, "W_hh": net.weight_hh_l0.T, "W_hy": out.weight.T, "b_y": out.bias}
        parts = {name: value.detach().numpy() for name, value in parts.items()}
        if cell == "gru":
            parts["b_hn"] = b_hh[-hidden:].copy()
            b_hh[-hidden:] = 0.0
        nets.append(parts | {"b_h": b_ih + b_hh})
    return {name: np.stack([net[name] for net in nets]) for name in nets[0]}


@pytest.mark.parametrize("cell", MODULES)
def test_pytorch_draws_every_parameter_as_torch_does(cell):
    config = rv.Config(cell=cell, scheme="pytorch", input_size=24, hidden_size=48, output_size=30)
    ours, theirs = drawn(config), torch_drawn(cell, 24, 48, 30)
    assert set(ours) == set(theirs)
    bound = 1 / np.sqrt(48)
    for name, values in ours.items():
        assert values.shape == theirs[name].shape
        assert np.abs(values).max() <= (2 if name == "b_h" else 1) * bound
        assert stats.ks_2samp(values.ravel(), theirs[name].ravel()).pvalue > 1e-6
    if cell == "gru":  # r and z have two biases in one sum, n has one on either side of the product
        new = ours["b_h"][:, 96:]
        assert np.abs(new).max() <= bound < np.abs(ours["b_h"][:, :96]).max()
        same_distribution(new, between(-bound, bound))


def test_a_framework_names_the_forget_bias_that_it_starts_with():
    for name, scheme in SCHEMES.items():
        config = rv.Config(cell="lstm", scheme=name, hidden_size=8)
        own, other = (rv.init_params(config.replace(forget_bias=bias))["b_h"] for bias in (1.0, 2.0))
        assert np.array_equal(own, other) == (scheme.bias is not None), name
        assert scheme.forget_bias == (1.0 if name == "keras" else None), name
        assert bool(scheme.forget_note) == (name == "pytorch"), name
    assert "1 at an LSTM's forget gate" in SCHEMES["keras"].formula


def test_pytorchs_note_has_the_mean_forget_gates_that_torch_has():
    """By default 0.50; with 1 more in one of the two bias vectors 0.73, in both 0.87 (issue 14)."""
    torch = pytest.importorskip("torch")
    said = [float(number) for number in re.findall(r"about (0\.\d\d)", SCHEMES["pytorch"].forget_note)]
    config = rv.Config(cell="lstm", scheme="pytorch")
    size, x = config.hidden_size, draw_inputs(config)[0]
    for count, expected in enumerate(said):
        torch.manual_seed(0)
        net = torch.nn.LSTM(config.input_size, size)
        params = rv.init_params(config)
        params["b_h"][size : 2 * size] += count
        with torch.no_grad():
            for bias in (net.bias_ih_l0, net.bias_hh_l0)[:count]:
                bias[size : 2 * size] += 1
            read = torch.tensor(x, dtype=torch.float32)
            before = torch.cat([torch.zeros_like(read[:1, :, :1]).expand(1, -1, size), net(read)[0][:-1]])
            a = read @ net.weight_ih_l0.T + net.bias_ih_l0 + before @ net.weight_hh_l0.T + net.bias_hh_l0
            theirs = torch.sigmoid(a[..., size : 2 * size]).mean().item()
        ours = np.mean(rv.trace(params, *draw_inputs(config), cell="lstm").gates["f"][1:])
        assert [theirs, ours] == pytest.approx([expected] * 2, abs=0.011)
    assert said == [0.5, 0.73, 0.87]


@pytest.mark.parametrize(("cell", "blocks"), [("rnn", 1), ("lstm", 4), ("gru", 3)])
def test_keras_draws_every_parameter_as_its_documentation_says(cell, blocks):
    config = rv.Config(cell=cell, scheme="keras", input_size=24, hidden_size=48, output_size=30)
    ours = drawn(config)
    kernel, dense = np.sqrt(6 / (24 + 48 * blocks)), np.sqrt(6 / (48 + 30))
    same_distribution(ours["W_xh"], between(-kernel, kernel))
    same_distribution(ours["W_hy"], between(-dense, dense))
    for W in ours["W_hh"]:  # one matrix of all gates, its rows orthonormal
        np.testing.assert_allclose(W @ W.T, np.eye(48), atol=1e-13)
    expected = np.zeros(48 * blocks)
    if cell == "lstm":
        expected[48:96] = 1.0  # unit_forget_bias
    np.testing.assert_array_equal(ours["b_h"][0], expected)
    assert not ours["b_y"].any()


def test_other_schemes_draw_gate_by_gate_with_biases_of_zero():
    for name, cell in product(sorted(set(SCHEMES) - {"pytorch", "keras"}), MODULES):
        params = rv.init_params(
            rv.Config(cell=cell, scheme=name, hidden_size=20, input_size=20, forget_bias=2.5, gain=1.5)
        )
        for matrix, gain in (("W_hh", 1.5), ("W_xh", 1.0)):
            for block in np.split(params[matrix], params[matrix].shape[1] // 20, axis=1):
                check_block(name, block, gain)
        b = params["b_h"].copy()
        if cell == "lstm":
            np.testing.assert_array_equal(b[20:40], 2.5, err_msg=name)
            b[20:40] = 0.0
        assert not b.any(), (name, cell)


def check_block(name, block, gain):
    """Compare one gate's weights (20, 20) with what the scheme promises."""
    if name == "orthogonal":
        np.testing.assert_allclose(block @ block.T, gain**2 * np.eye(20), atol=1e-12)
    elif name == "identity":
        np.testing.assert_array_equal(block, gain * np.eye(20))
    else:
        assert np.std(block) == pytest.approx(np.sqrt(SCHEMES[name].variance(20, 20)) * gain, rel=0.25), name


def test_schemes_meet_the_same_random_numbers():
    config = rv.Config(hidden_size=16)
    normal = {name: rv.init_params(config.replace(scheme=name)) for name in ("xavier", "he", "small_normal")}
    np.testing.assert_allclose(normal["he"]["W_hh"], np.sqrt(2) * normal["xavier"]["W_hh"])
    np.testing.assert_allclose(normal["small_normal"]["W_hh"], 0.01 * 4 * normal["xavier"]["W_hh"])
    uniform = {name: rv.init_params(config.replace(scheme=name)) for name in ("uniform01", "uniform_centered")}
    np.testing.assert_allclose(uniform["uniform_centered"]["W_hh"], uniform["uniform01"]["W_hh"] - 0.5)


def test_sizes_other_than_the_configs_change_nothing_else():
    config = rv.Config(hidden_size=6, scheme="orthogonal")
    own, other = rv.init_params(config), rv.init_params(config, sizes=(2, 1))
    assert {name: value.shape for name, value in other.items() if own[name].shape != value.shape} == {
        "W_xh": (2, 6), "W_hy": (6, 1), "b_y": (1,),
    }  # fmt: skip
    assert (own["W_hh"] == other["W_hh"]).all()
    asked = config.replace(input_size=2, output_size=2)
    for name, value in rv.init_params(asked).items():
        assert (value == rv.init_params(config, sizes=(2, 2))[name]).all(), name


def test_changing_one_scheme_leaves_the_other_draws_alone():
    config = rv.Config(scheme="xavier", input_scheme="he")
    one, other = rv.init_params(config), rv.init_params(config.replace(scheme="orthogonal"))
    np.testing.assert_array_equal(one["W_xh"], other["W_xh"])
    assert not np.array_equal(one["W_hh"], other["W_hh"])
    third = rv.init_params(config.replace(input_scheme="orthogonal"))
    np.testing.assert_array_equal(one["W_hh"], third["W_hh"])
    assert not np.array_equal(one["W_xh"], third["W_xh"])
    np.testing.assert_array_equal(rv.init_params(config.replace(gain=2.0))["W_xh"], one["W_xh"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"fn": lambda rng, fan_in, fan_out: None},
            "gain); it raised TypeError",
        ),
        (
            {"fn": lambda rng, fan_in, fan_out, gain: rng.normal(size=(fan_out, fan_in))},
            "(3, 5); got (5, 3)",
        ),
        ({"fn": lambda rng, fan_in, fan_out, gain: rng.normal(size=(fan_in, fan_out))}, "doubled by gain=2"),
        (
            {"roles": {"recurrent": lambda rng, fan_in, fan_out, gain: np.eye(fan_in)}},
            "(3, 5); got (3, 3)",
        ),
        (
            {"variance": lambda fan_in, fan_out: 1 / fan_in**2},
            "E W^2 is 0.000244 with 64 x 64 entries; it is 0.01",
        ),
    ],
)
def test_a_scheme_that_contradicts_itself_is_not_registered(changes, words):
    with pytest.raises(ValueError, match="scheme 'mine'.*" + re.escape(words)):
        SCHEMES.add("mine", dataclasses.replace(SCHEMES["xavier"], name="mine", **changes))
    assert "mine" not in SCHEMES


def test_a_right_scheme_can_be_registered_again():
    for name, entry in list(SCHEMES.items()):
        assert SCHEMES.add(name, entry) is entry
