"""What narrower floats hold, against torch computing in them and against their own limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.engine.precision import PRECISIONS, NarrowArithmetic, Rounded, held, holding
from rnnviz.network.sampling import draw_inputs
from rnnviz.numerics.progress import finish

NARROW = [name for name in PRECISIONS if name != "float64"]
MODULES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


def torch_norms(config, dtype):
    """Return log10 ||dL/dh_t|| and E h^2 by step as torch computes them in ``dtype``, of ready-made parameters."""
    torch = pytest.importorskip("torch")
    params = {name: torch.tensor(value.T.copy()) for name, value in rv.init_params(config).items()}
    net = getattr(torch.nn, MODULES[config.cell])(config.sizes[0], config.hidden_size)
    out = torch.nn.Linear(config.hidden_size, config.sizes[1])
    b_hh = torch.zeros_like(params["b_h"])
    if config.cell == "gru":
        b_hh[-config.hidden_size :] = params["b_hn"]
    names = {"weight_ih_l0": "W_xh", "weight_hh_l0": "W_hh", "bias_ih_l0": "b_h"}
    net.load_state_dict({key: params[name] for key, name in names.items()} | {"bias_hh_l0": b_hh})
    out.load_state_dict({"weight": params["W_hy"], "bias": params["b_y"]})
    net, out = net.to(getattr(torch, dtype)), out.to(getattr(torch, dtype))
    x, targets = (torch.tensor(each) for each in draw_inputs(config))
    state, states = None, []
    for x_t in x.to(getattr(torch, dtype)):
        _, state = net(x_t[None], state)
        for each in state if config.cell == "lstm" else (state,):
            each.retain_grad()
        states.append(state[0] if config.cell == "lstm" else state)
    torch.nn.functional.cross_entropy(out(states[-1][0]), targets[-1]).backward()
    norms = torch.stack([h.grad.double().norm() for h in states]).log10().numpy()
    return norms, torch.stack([h.detach().double().square().mean() for h in states]).numpy()


@pytest.mark.parametrize("dtype", NARROW)
@pytest.mark.parametrize("cell", MODULES)
def test_underflow_comes_where_torch_has_it(cell, dtype):
    gain = 1.0 if dtype == "float16" else 0.05
    steps = 60
    if cell == "gru":  # its update gate keeps one half of the gradient at each step, whatever W_hh is
        steps = 60 if dtype == "float16" else 160
    config = rv.Config(cell=cell, hidden_size=16, batch_size=4, seq_len=steps, gain=gain, forget_bias=-3.0)
    ours = held(config, dtype)
    norms, moments = torch_norms(config, dtype)
    np.testing.assert_allclose(ours.second_moment[1:], moments, rtol=0.05 if dtype != "float32" else 1e-5)
    theirs = np.flatnonzero(np.isneginf(norms))
    assert len(theirs), "torch holds every gradient here: the test tests nothing"
    assert abs(ours.first_zero - (theirs[-1] + 1)) <= 2
    normal = norms > PRECISIONS[dtype].log10_smallest + 4
    tolerance = {"float32": 1e-3, "float16": 0.05, "bfloat16": 0.3}[dtype]
    np.testing.assert_allclose(ours.log10_grad_norm[1:][normal], norms[normal], rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", NARROW)
def test_overflow_comes_where_the_type_ends(dtype):
    """One linear unit that doubles at each step leaves float16 at 2**16, float32 and bfloat16 at 2**128."""
    config = rv.Config(
        scheme="identity", activation="linear", gain=2.0, hidden_size=1, input_size=1, batch_size=1, seq_len=150,
        inputs="none",
    )  # fmt: skip
    x0 = draw_inputs(config)[0][0].item()
    ends = {"float16": 16, "float32": 128, "bfloat16": 128}[dtype]
    result = held(config, dtype)
    assert result.forward_overflow == int(np.ceil(ends - np.log2(abs(x0)))) + 1
    assert np.isnan(result.log10_grad_norm).all()


@pytest.mark.parametrize("dtype", NARROW)
def test_gradients_that_explode_overflow_where_the_type_ends(dtype):
    """dL/dh doubles at each step back, the state is 0."""
    config = rv.Config(
        scheme="identity", activation="linear", gain=2.0, hidden_size=1, input_size=1, batch_size=1, seq_len=150,
        input_scale=0.0,
    )  # fmt: skip
    exact = rv.run(config).log10_grad_norm
    ends = {"float16": 65504.0, "float32": 3.4e38, "bfloat16": 3.39e38}[dtype]
    fits = np.flatnonzero(exact <= np.log10(ends))
    result = held(config, dtype)
    assert result.forward_overflow is None
    assert result.backward_overflow == fits[0] - 1
    assert np.isposinf(result.log10_grad_norm[: fits[0]]).all()
    assert str(result.backward_overflow) in result.words


@pytest.mark.parametrize("dtype", NARROW)
def test_underflow_comes_where_the_type_ends(dtype):
    """dL/dh halves exactly at each step back until the smallest number of the type is halved to 0."""
    config = rv.Config(
        scheme="identity", activation="linear", gain=0.5, hidden_size=1, input_size=1, batch_size=1, seq_len=200,
        input_scale=0.0,
    )  # fmt: skip
    result = held(config, dtype)
    smallest = {"float16": 2.0**-24, "float32": 2.0**-149, "bfloat16": 2.0**-133}[dtype]
    step = result.first_zero
    assert np.isneginf(result.log10_grad_norm[: step + 1]).all()
    assert 10.0 ** result.log10_grad_norm[step + 1] == pytest.approx(smallest, rel=1e-9)
    assert str(step) in result.words


def test_float64_agrees_with_the_exact_pass():
    for cell, activation in itertools.product(rv.cells.CELLS, rv.activations.ACTIVATIONS):
        config = rv.Config(cell=cell, activation=activation, hidden_size=8, seq_len=12, batch_size=4, loss_at="every")
        for each in (config, config.replace(loss_reduction="mean")):
            ours, exact = held(each, "float64").log10_grad_norm, rv.run(each).log10_grad_norm
            np.testing.assert_allclose(ours, exact, atol=1e-9, err_msg=f"{cell}, {activation}")


def test_float64_agrees_with_the_exact_pass_in_every_layer_and_truncated():
    for cell, (loss_at, k) in itertools.product(rv.cells.CELLS, [("last", 0), ("last", 5), ("every", 5)]):
        config = rv.Config(cell=cell, hidden_size=8, seq_len=12, batch_size=4, layers=3, loss_at=loss_at, truncate=k)
        exact = rv.run(config)
        for layer in (1, 2, 3):
            ours = held(config, "float64", layer)
            np.testing.assert_allclose(ours.log10_grad_norm, exact.log10_grad_norm_by_layer[layer - 1], atol=1e-9)
            np.testing.assert_allclose(ours.second_moment, exact.second_moment_by_layer[layer - 1], atol=1e-12)
        assert held(config).layer == 3
        narrow = held(config, "float16", 1)
        assert (narrow.first_zero, narrow.forward_overflow) == (None, None), "the zeros of truncation are no underflow"
        back = f"as far back as the loss reaches, to step {12 - k}" if k and loss_at == "last" else "back to step 0"
        assert back in narrow.words
    with pytest.raises(ValueError, match="layer must be a whole number from 1 to 3; got 4"):
        held(config, "float32", 4)


def test_a_mean_over_steps_underflows_sooner_by_its_factor():
    config = rv.Config(hidden_size=16, seq_len=100, batch_size=4, gain=0.5, loss_at="every")
    both = [held(config.replace(loss_reduction=reduction), "float32") for reduction in ("sum", "mean")]
    np.testing.assert_allclose(both[0].log10_grad_norm - both[1].log10_grad_norm, 2.0, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_every_result_is_a_number_of_the_type(dtype):
    num = NarrowArithmetic(PRECISIONS[dtype])
    a, b = num.cast(np.linspace(0.1, 3, 12).reshape(3, 4)), num.cast(np.linspace(-1, 1, 8).reshape(4, 2))
    results = [a @ b, a * a, a + 1.0, np.tanh(a), a[..., :2], np.concatenate([a, a], axis=-1), np.where(a > 1, a, 0.3)]
    for result in results:
        assert isinstance(result, Rounded)
        np.testing.assert_array_equal(np.asarray(result), PRECISIONS[dtype].rounded(result.values).astype(np.float32))


def test_float16_adds_up_products_in_float32():
    """2048 + 1 is 2048 in float16, 2**11 ones are 2048 in float32 and in no float16 sum taken one by one beyond it."""
    num = NarrowArithmetic(PRECISIONS["float16"])
    ones = num.cast(np.ones((1, 4096)))
    assert np.asarray(ones @ num.cast(np.ones((4096, 1)))).item() == 4096.0


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_run_that_fits_says_so(dtype):
    result = held(rv.Config(hidden_size=4, seq_len=3, batch_size=2), dtype)
    assert (result.first_zero, result.forward_overflow, result.backward_overflow) == (None, None, None)
    assert dtype in result.words


def test_the_share_grows_with_every_step_of_both_passes():
    shares = list(holding(rv.Config(hidden_size=4, seq_len=9, batch_size=2), "float16"))
    assert shares == sorted(shares)
    assert (shares[0], shares[-1], len(shares)) == (0.0, 1.0, 1 + 9 + 10)


def test_an_unknown_type_gets_a_suggestion():
    with pytest.raises(ValueError, match="Did you mean 'float32'"):
        held(rv.Config(), "flot32")


def test_a_gradient_counts_as_lost_only_where_it_stays_0():
    """The loss is so sure of step 2 that float16 has no gradient there; the loss of step 1 has one again."""
    config = rv.Config(scheme="identity", activation="linear", hidden_size=1, input_size=1, output_size=2, batch_size=1,
                       seq_len=2, loss_at="every")  # fmt: skip
    params = {"W_xh": np.ones((1, 1)), "W_hh": np.ones((1, 1)), "b_h": np.zeros(1),
              "W_hy": np.array([[1.0, -1.0]]), "b_y": np.zeros(2)}  # fmt: skip
    data = np.array([[[0.5]], [[30.0]]]), np.zeros((2, 1), dtype=int)
    result = finish(holding(config, "float16", params, data))
    assert np.isneginf(result.log10_grad_norm).tolist() == [False, False, True]
    assert result.first_zero is None
    assert result.words == "float16: keeps a gradient all the way back to step 0."


def test_one_step_back_is_said_in_the_singular():
    assert held(rv.Config(scheme="uniform01", seq_len=9)).words == (
        "float32: the gradient is exactly 0 from 1 step back on, at step 8."
    )


def test_bfloat16_rounds_as_ml_dtypes_does():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    bits = np.random.default_rng(0).integers(0, 2**32, 100_000, dtype=np.uint32)
    halfway = np.arange(2**16, dtype=np.uint32) << 16 | 0x8000  # between two numbers of bfloat16
    numbers = np.concatenate([bits, halfway]).view(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):
        expected = numbers.astype(ml_dtypes.bfloat16).astype(np.float32)
    np.testing.assert_array_equal(PRECISIONS["bfloat16"].rounded(numbers), expected)
