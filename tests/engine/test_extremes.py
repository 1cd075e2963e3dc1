"""Gradient norms far outside the range of float64, accurate to a millionth of a decade."""

from __future__ import annotations

import itertools

import mpmath as mp
import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs
from rnnviz.story.diagnosis import diagnose
from rnnviz.views import VIEWS

CELLS, ACTIVATIONS = rv.cells.CELLS, rv.activations.ACTIVATIONS
DECADES = 1e-6


def both(params, x, targets, cell, activation, loss_at="last"):
    """Return our log10 norms and mpmath's."""
    ours = rv.bptt(params, x, targets, cell, activation, loss_at).log10_grad_norm
    return ours, reference.exact_log10_grad_norms(params, x, targets, cell, activation, loss_at)


a_cell = pytest.mark.parametrize("cell", CELLS)
# 5000 decades in few steps of extreme factors, or in many steps of ordinary ones.
decades_a_step = pytest.mark.parametrize(
    ("steps", "decades"), [(100, 52), pytest.param(2000, 2.6, marks=pytest.mark.slow)]
)


@decades_a_step
@a_cell
def test_gradients_that_vanish_to_1e_5000(cell, steps, decades):
    for activation in ACTIVATIONS:
        params, x, targets = reference.network(cell, seed=1, steps=steps, batch=1, inputs=1, hidden=1)
        params["W_hh"] *= 10.0**-decades
        if activation == "relu":
            params["W_xh"], params["b_h"] = np.abs(params["W_xh"]) * 0.01, np.abs(params["b_h"])
        for gate in {"f", "z"} & set(CELLS[cell].gates):
            params["b_h"][CELLS[cell].block(gate, 1)] = -decades * np.log(10.0)
        ours, exact = both(params, x, targets, cell, activation)
        assert exact[0] < -5000, activation
        np.testing.assert_allclose(ours, exact, rtol=0, atol=DECADES, err_msg=activation)


@decades_a_step
@a_cell
def test_gradients_that_explode_to_1e_5000(cell, steps, decades):
    """W = w [[1, -1], [-1, 1]], w a power of two: exactly 0 from two equal units, 2 w times their difference."""
    weight = 2.0 ** np.ceil(1.2 * decades / np.log10(2.0) + 3)
    for activation in ACTIVATIONS:
        params, x, targets = reference.network(cell, seed=2, steps=steps, batch=1, inputs=2, hidden=2)
        params["W_hh"] = np.tile(weight * np.array([[1.0, -1.0], [-1.0, 1.0]]), len(CELLS[cell].gates))
        params["W_xh"] = np.zeros_like(params["W_xh"])
        params["b_h"] = np.full_like(params["b_h"], 0.5)
        if cell == "gru":
            params["b_hn"] = np.full(2, 0.25)
        ours, exact = both(params, x, targets, cell, activation)
        assert exact[0] > 5000, activation
        np.testing.assert_allclose(ours, exact, rtol=0, atol=DECADES, err_msg=activation)


@a_cell
def test_saturated_units_whose_slopes_leave_float64(cell):
    """Pre-activations of hundreds, and of thousands where no gate multiplies the states."""
    params, x, targets = reference.network(cell, seed=5, steps=25, batch=1, inputs=2, hidden=3)
    harder = 10 if cell == "rnn" else 1
    params["W_hh"], params["W_xh"] = 10 * harder * params["W_hh"], 100 * harder * params["W_xh"]
    for case in itertools.product([cell], ["tanh", "sigmoid"], ["last", "every"]):
        ours = rv.bptt(params, x, targets, *case).log10_grad_norm
        exact = reference.exact_log10_grad_norms(params, x, targets, *case, digits=400)
        np.testing.assert_allclose(ours, exact, rtol=0, atol=DECADES, err_msg=str(case))


def hard_network(cell, seed, largest):
    """Return a network of 1 to 3 units, each gate with biases of its own size up to ``largest``, and its batch."""
    rng = np.random.default_rng(seed)
    hidden, inputs, steps = rng.integers(1, 4), rng.integers(1, 4), rng.integers(2, 11)
    params, x, targets = reference.network(cell, seed, steps=steps, batch=1, inputs=inputs, hidden=hidden, classes=2)
    for name in ("W_xh", "W_hh", "b_h"):
        blocks = 10.0 ** rng.uniform(-2, np.log10(largest), len(CELLS[cell].gates))
        params[name] = params[name] * np.repeat(blocks, hidden)
    return params, (np.repeat(x[:1], steps, axis=0) if seed % 4 == 0 else x), targets


def assert_exact(cell, activation, seed, largest):
    params, x, targets = hard_network(cell, seed, largest)
    sizes = [np.abs(params["W_hh"]).sum(axis=0), np.abs(x[:, 0] @ params["W_xh"] + params["b_h"])]
    digits = 60 + int(sum(size.max() for size in sizes))  # 1 - tanh(a) needs 2 a / log(10) of them
    ours = rv.bptt(params, x, targets, cell, activation).log10_grad_norm
    exact = reference.exact_log10_grad_norms(params, x, targets, cell, activation, digits=digits)
    errors = np.abs(ours - exact)
    # In c = f c + i g saturated terms may cancel, which leaves rounding; it shows in the gradient of that step alone.
    worst = np.median(errors) if (cell, activation) == ("lstm", "tanh") else errors.max()
    assert worst < DECADES, (activation, seed)


@a_cell
@settings(max_examples=10, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_small_networks_with_weights_of_any_size(cell, seed):
    for activation in ("tanh", "sigmoid"):
        assert_exact(cell, activation, seed, largest=100.0)


@pytest.mark.slow
@a_cell
@settings(max_examples=100, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_small_networks_with_weights_up_to_1000(cell, seed):
    for activation in ("tanh", "sigmoid"):
        assert_exact(cell, activation, seed, largest=1000.0)


@pytest.mark.parametrize("saturation", [25.0, 100.0, 400.0])
def test_a_gru_whose_states_floats_round_to_1(saturation):
    """h - n is a difference of 1 - n: rounding where floats hold both as 1, yet all that reaches the other unit.

    The first unit is saturated. Its z shuts at step 3, which ends its own path: what came to the second unit is left.
    """
    zeros = np.zeros((2, 2))
    from_second = np.array([[0.0, 0.0], [3.0, 0.0]])
    params = {
        "W_xh": np.array([[0.0, 0.0, -3.0 * saturation, 0.0, 0.0, 0.0], [0.0] * 4 + [saturation / 3, 0.0]]),
        "W_hh": np.hstack([zeros, from_second, zeros]),
        "b_h": np.array([0.0, 0.0, 0.0, 3.0, saturation, 0.2]),
        "b_hn": np.zeros(2), "W_hy": np.array([[1.0, -1.0], [0.0, 0.0]]), "b_y": np.zeros(2),
    }  # fmt: skip
    x = np.zeros((8, 1, 2))
    x[2, 0, 0], x[::2, 0, 1] = 1.0, 1.0
    ours = rv.bptt(params, x, np.zeros((8, 1), dtype=int), "gru").log10_grad_norm
    exact = reference.exact_log10_grad_norms(
        params, x, np.zeros((8, 1), dtype=int), "gru", "tanh", digits=100 + int(2 * saturation)
    )
    assert exact[0] < exact[3] - 0.8 * saturation / np.log(10.0)
    np.testing.assert_allclose(ours, exact, rtol=0, atol=DECADES)


def test_an_lstm_whose_memory_is_below_float64():
    """i g = 1e-350 is 0 in floats, and with it tanh(c), which the output gate's gradient is in proportion to."""
    for activation, (cut, candidate) in itertools.product(ACTIVATIONS, [(-800.0, 0.5), (-500.0, 1e-140)]):
        params, x, targets = reference.network("lstm", seed=3, steps=6, batch=1, inputs=1, hidden=1)
        params["W_xh"][0, 0], params["W_xh"][0, 2] = 0.0, 0.0
        params["W_hh"][0, 0], params["W_hh"][0, 2] = 0.0, 1e-3 * candidate
        params["b_h"][0], params["b_h"][2] = cut, candidate
        ours, exact = both(params, x, targets, "lstm", activation)
        np.testing.assert_allclose(ours, exact, rtol=0, atol=DECADES, err_msg=f"{activation}, {cut}")


def test_rows_so_wide_that_each_unit_needs_an_exponent_of_its_own():
    """With W = I the units stay apart: one that is 1e-10000 of the largest at half way is the largest in the end."""
    steps = 60
    drive = np.zeros((steps, 1, 3))
    drive[steps // 2 :, 0, 0], drive[: steps // 2, 0, 0] = 400.0, 0.3
    drive[steps // 2 :, 0, 1], drive[: steps // 2, 0, 1] = 0.2, 500.0
    drive[:, 0, 2] = 1000.0
    params = {"W_xh": np.eye(3), "W_hh": np.eye(3), "b_h": np.zeros(3), "W_hy": np.ones((3, 2)), "b_y": np.zeros(2)}
    params["W_hy"][:, 1] = [-1.0, 2.0, 0.5]
    ours, exact = both(params, drive, np.zeros((steps, 1), dtype=int), "rnn", "tanh")
    assert exact.min() < -10000
    np.testing.assert_allclose(ours, exact, rtol=0, atol=DECADES)


def log_domain_norms(config):
    """Return log10 ||dL/dh_t|| of a tanh RNN from signs and logarithms, each sum relative to its largest term."""
    params = rv.init_params(config)
    x, targets = draw_inputs(config)
    a, h = [], np.zeros((config.batch_size, config.hidden_size))
    for x_t in x:
        a.append(x_t @ params["W_xh"] + h @ params["W_hh"] + params["b_h"])
        h = np.tanh(a[-1])
    y = h @ params["W_hy"] + params["b_y"]
    y -= y.max(axis=-1, keepdims=True)
    p = np.exp(y) / np.exp(y).sum(axis=-1, keepdims=True)
    d = (p - np.eye(p.shape[-1])[targets[-1]]) / len(p) @ params["W_hy"].T
    log, norms = np.zeros((len(d), 1)), []
    for a_t in reversed([np.zeros_like(h), *a]):
        rows = 2 * log[:, 0] + np.log(np.sum(d * d, axis=-1))
        norms.append((rows.max() + np.log(np.exp(rows - rows.max()).sum())) / np.log(100))
        logs = np.log(np.abs(d)) + np.log(4) - 2 * np.abs(a_t) - 2 * np.log1p(np.exp(-2 * np.abs(a_t)))
        top = logs.max(axis=-1, keepdims=True)
        d, log = np.sign(d) * np.exp(logs - top) @ params["W_hh"].T, log + top
    return np.array(norms[::-1])


@pytest.mark.parametrize(
    ("hidden_size", "seq_len"),
    [(512, 10), *(pytest.param(*sizes, marks=pytest.mark.slow) for sizes in [(512, 100), (1024, 20)])],
)
def test_uniform01_where_float64_says_zero(hidden_size, seq_len):
    config = rv.Config(scheme="uniform01", hidden_size=hidden_size, seq_len=seq_len, batch_size=4)
    expected = log_domain_norms(config)
    assert expected[0] < -150 * seq_len
    np.testing.assert_allclose(rv.run(config).log10_grad_norm, expected, rtol=0, atol=DECADES)


def test_tiny_weights_behind_slopes_at_the_end_of_float64():
    for drive, power in [(347.0, -90), (347.0, -60), (350.5, -18), (354.0, -19), (100.0, -90)]:
        params = {
            "W_xh": np.full((1, 4), drive), "b_h": np.zeros(4),
            "W_hh": np.linspace(0.5, 1.0, 16).reshape(4, 4) * 2.0**power,
            "W_hy": np.linspace(-1.0, 1.0, 8).reshape(4, 2), "b_y": np.zeros(2),
        }  # fmt: skip
        ours, exact = both(params, np.ones((12, 1, 1)), np.zeros((12, 1), dtype=int), "rnn", "tanh")
        np.testing.assert_allclose(ours, exact, rtol=0, atol=DECADES, err_msg=f"{drive}, {power}")


def test_a_gain_of_1e_200_is_followed_down():
    """Linear, W = g I: dL/dh_t = g**(T - t) dL/dh_T exactly."""
    config = rv.Config(scheme="identity", activation="linear", gain=1e-200, hidden_size=4, seq_len=50, input_scale=0.0)
    norms = rv.run(config).log10_grad_norm
    np.testing.assert_allclose(np.diff(norms), 200.0, rtol=1e-12)
    dense = rv.run(config.replace(scheme="xavier")).log10_grad_norm
    unit = rv.run(config.replace(scheme="xavier", gain=1.0)).log10_grad_norm
    np.testing.assert_allclose(np.diff(dense) - 200.0, np.diff(unit), rtol=0, atol=DECADES)


def test_gain_0_is_a_true_zero():
    trace = rv.run(rv.Config(gain=0.0))
    assert np.all(np.isneginf(trace.log10_grad_norm[:-1]))
    assert np.isfinite(trace.log10_grad_norm[-1])


def test_parameter_gradients_keep_what_float64_can_hold():
    """A state of 1e+250 times a gradient of 1e-400 is a parameter's gradient of 1e-150."""
    params = {"W_xh": [[1.0]], "W_hh": [[1e-200]], "b_h": [0.0], "W_hy": [[1e-200, -1e-200]], "b_y": [0.0, 0.0]}
    x = np.array([1e250, 0.0]).reshape(2, 1, 1)
    g = rv.bptt(params, x, np.array([1]), activation="linear")
    with mp.workdps(30):
        h2 = mp.mpf(10) ** 250 * mp.mpf("1e-200")
        d_h2 = mp.mpf("1e-200") * 2 * mp.mpf(1) / (1 + mp.exp(-2 * h2 * mp.mpf("1e-200")))
        expected = d_h2 * mp.mpf("1e-200") * mp.mpf(10) ** 250
    assert g.d_params["W_xh"].item() == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize(("gain", "word"), [(3.0, "grows"), (1.0, "survives"), (2.9, "grows")])
def test_relative_norms_keep_their_digits_where_the_loss_is_surer_than_float64_can_count(gain, word):
    """An orthogonal W times g makes every gradient g times as long a step, however small what the loss hands back."""
    config = rv.Config(
        scheme="orthogonal", activation="linear", gain=gain, seq_len=60, batch_size=1, output_size=2, input_scale=100.0
    )
    trace = rv.compare(config, ("orthogonal",), range(8))
    sure = trace.log10_grad_norm[0, :, -1] < (-1e20 if gain > 1 else -50)
    assert 0 < sure.sum() < 8
    expected = np.log10(gain) * np.arange(60, -1, -1)
    np.testing.assert_allclose(trace.log10_relative_norm[0], np.broadcast_to(expected, (8, 61)), rtol=0, atol=1e-9)
    assert diagnose(trace, 0).backward == word
    shown = VIEWS["gradient"].data(trace).curves[0]
    np.testing.assert_allclose(shown.median, expected, rtol=0, atol=1e-9)
