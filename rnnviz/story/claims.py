"""The claims of the note from which this project grew, each with its verdict and figures from networks run anew."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..engine.precision import PRECISIONS
from ..network.schemes import sample
from ..text.language import N_
from ..theory.mean_field import critical_gain, fixed_point
from ..theory.spectrum import eigenvalues
from .claim_entry import CLAIMS, FAILS, FIRST, GATES, HOLDS, PARTLY, SPECTRUM, Claim, claim
from .measured import factor, left, radius, run, size

__all__ = ["CLAIMS", "Claim"]


@claim(
    1,
    N_("Xavier initialisation draws W from N(0, 1/fan_in)."),
    PARTLY,
    N_(
        "That is the paper's condition for the forward pass (eq. 10); its compromise with the backward pass is "
        "2/(fan_in + fan_out) (eq. 12). A W_hh with 256 units has the variance {square} or {square_glorot}, a W_xh "
        "with 32 inputs {input} or {input_glorot}."
    ),
    f"{FIRST}?beside=glorot_normal",
)
def which_variance():
    rng = np.random.default_rng(0)
    names = {"": "xavier", "_glorot": "glorot_normal"}
    square = {f"square{end}": sample(name, rng, 256, 256).var() for end, name in names.items()}
    return square | {f"input{end}": sample(name, rng, 32, 256).var() for end, name in names.items()}


@claim(
    2,
    N_("Gradients explode if Var(W_hh) > 1 and vanish if Var(W_hh) < 1."),
    FAILS,
    N_(
        "What counts is H · Var(W_hh). Over 10 steps of a linear network the gradient changes by ×{below} per step at "
        "a variance of 0.81/H, by ×{above} at 1.21/H, and by ×{twelfth} at 1/12: three variances far below 1."
    ),
    f"{FIRST}?activation=linear&gain=1.1&beside=uniform_centered",
)
def threshold():
    linear: dict[str, Any] = {"activation": "linear", "seq_len": 10}
    found = {"below": run(gain=0.9, **linear), "above": run(gain=1.1, **linear)}
    found["twelfth"] = run("uniform_centered", **linear)
    return {name: factor(trace) for name, trace in found.items()}


@claim(
    3,
    N_("Xavier keeps the variance of the hidden state near 1."),
    FAILS,
    N_(
        "With tanh, E h² settles at {noise} if the input is noise, and at {text} if it is one-hot text. Without input "
        "it decays: after 200 steps it is {kick}."
    ),
    f"{FIRST}?beside=orthogonal&inputs=text",
)
def kept_variance():
    traces = {"noise": run(), "text": run(inputs="text"), "kick": run(inputs="none", seq_len=200)}
    return {name: size(trace) for name, trace in traces.items()}


@claim(
    4,
    N_("So Xavier prevents vanishing gradients."),
    FAILS,
    N_(
        "With noise the state keeps its size, but the gradient changes by ×{factor} per step: {left} of it is left "
        "after 100."
    ),
    f"{FIRST}?hidden_size=256&seq_len=100",
)
def vanishing():
    trace = run(seq_len=100)
    return {"factor": factor(trace), "left": left(trace)}


@claim(
    5,
    N_("Weights from U[0, 1] have the mean 0.5, so states drift."),
    HOLDS,
    N_(
        "The mean makes one large eigenvalue: {outlier} at H = 256, about H/2. The others stay within {bulk}, about "
        "√(H/12)."
    ),
    f"{SPECTRUM}?scheme=uniform01&hidden_size=256",
)
def drift():
    values = np.abs(eigenvalues(sample("uniform01", np.random.default_rng(0), 256, 256)))
    return {"outlier": float(values[0]), "bulk": float(values[1])}


@claim(
    6,
    N_("The variance 1/12 of U[0, 1] is too small for large layers, so signals vanish."),
    FAILS,
    N_(
        "At H = 256 it is {times} times Xavier's. With U[0, 1] tanh saturates, E h² = {size} at step 3, and the "
        "gradient dies of that: ×{saturated} per step. U[−½, ½] has the same variance and makes it grow: ×{centred} "
        "per step."
    ),
    f"{FIRST}?scheme=uniform01&beside=uniform_centered&input_scheme=xavier&hidden_size=256",
)
def a_twelfth():
    rng, trace = np.random.default_rng(0), run("uniform01", input_scheme="xavier")
    times = sample("uniform01", rng, 256, 256).var() / sample("xavier", rng, 256, 256).var()
    growing = factor(run("uniform_centered", input_scheme="xavier"))
    return {"times": times, "size": size(trace, 3), "saturated": factor(trace), "centred": growing}


@claim(
    7,
    N_("A scale of √(1/vocabulary) normalises what W_xh hands on."),
    PARTLY,
    N_(
        "For dense inputs it does: a unit gets a variance of {noise}. Of one-hot characters, {characters} different "
        "ones, each unit reads one weight at a time and gets {text}."
    ),
    f"{FIRST}?inputs=text",
)
def dense_or_one_hot():
    first: dict[str, Any] = {"activation": "linear", "seq_len": 1, "batch_size": 32}
    noise, text = run(inputs="gaussian", **first), run(inputs="text", **first)
    return {"noise": size(noise), "text": size(text), "characters": text.config.sizes[0]}


@claim(
    8,
    N_("U[0, 1] overwhelms large layers."),
    HOLDS,
    N_("The largest eigenvalue grows with H: {small} at H = 16, {middle} at 64, {large} at 256."),
    f"{SPECTRUM}?scheme=uniform01&hidden_size=128",
)
def large_layers():
    return {name: radius("uniform01", units) for name, units in {"small": 16, "middle": 64, "large": 256}.items()}


@claim(
    9,
    N_("U[0, 1] is too weak for small layers."),
    FAILS,
    N_(
        "Only for a single unit. The largest eigenvalue has a median of {one} at H = 1, {two} at H = 2, {three} at H ="
        " 3 and {four} at H = 4."
    ),
    f"{SPECTRUM}?scheme=uniform01&hidden_size=4",
)
def small_layers():
    return {name: radius("uniform01", k + 1, 4000) for k, name in enumerate(("one", "two", "three", "four"))}


@claim(
    10,
    N_("LSTM and GRU exist because gradients vanish."),
    PARTLY,
    N_(
        "Gates alone do not help: after its first step back, the gradient of an LSTM with 64 units and forget bias 0 "
        "changes by ×{bias_0} per step, much as in a plain RNN (×{plain}). At bias 1 it is ×{bias_1}, at 2 ×{bias_2}, "
        "at 4 ×{bias_4}."
    ),
    f"{GATES}?cell=lstm&forget_bias=0",
)
def gates():
    lstm = {f"bias_{bias}": run(cell="lstm", forget_bias=float(bias), hidden_size=64) for bias in (0, 1, 2, 4)}
    return {name: factor(trace, skip=1) for name, trace in lstm.items()} | {"plain": factor(run(hidden_size=64))}


@claim(
    11,
    N_("By Glorot & Bengio, Xavier needs 2 to 10 times fewer epochs, in deep and in recurrent networks."),
    FAILS,
    N_(
        "The paper has no such numbers and no recurrent network: it reports test errors and faster convergence of "
        "feed-forward ones. Measure it yourself: train the schemes side by side."
    ),
    "06_watch_it_learn.ipynb",
)
def epochs():
    return {}


@claim(
    12,
    N_("U[0, 1] may do for toy problems."),
    PARTLY,
    N_("A toy of 4 units keeps {toy} of its gradient over 5 steps; 64 units keep {usual}."),
    f"{FIRST}?scheme=uniform01&hidden_size=4&seq_len=5",
)
def toys():
    return {name: left(run("uniform01", hidden_size=n, seq_len=5)) for name, n in {"toy": 4, "usual": 64}.items()}


@claim(
    13,
    N_("Elsewhere U[0, 1] makes the loss explode or become NaN."),
    PARTLY,
    N_(
        "tanh bounds the state, so the loss is finite: with text and 256 units it starts at {loss}, and a guess costs "
        "{guess}. ReLU does not: its state leaves float32 at step {step}."
    ),
    f"{FIRST}?scheme=uniform01&activation=relu&hidden_size=256",
)
def explosion():
    states = run("uniform01", activation="relu").second_moment[0] ** 0.5
    step = np.median(np.argmax(states > 10 ** PRECISIONS["float32"].log10_largest, axis=1))
    text = run("uniform01", inputs="text")
    return {"loss": float(np.median(text.loss)), "guess": float(np.log(text.config.sizes[1])), "step": float(step)}


@claim(
    14,
    N_("He initialisation is right for ReLU."),
    PARTLY,
    N_(
        "By theory it keeps the gradient: ×{theory} per step. Single networks do not: after 100 steps, one of eight "
        "with 128 units has {least} of it left, another {most}."
    ),
    f"{FIRST}?scheme=he&beside=&activation=relu&hidden_size=128&seq_len=100",
)
def he_for_relu():
    trace = run("he", activation="relu", hidden_size=128, seq_len=100)
    ends = 10 ** trace.log10_relative_norm[0, :, 0]
    theory = fixed_point("relu", 2**0.5, 1.0).chi ** 0.5
    return {"theory": theory, "least": float(ends.min()), "most": float(ends.max())}


@claim(
    15,
    N_("Orthogonal weights preserve norms exactly."),
    PARTLY,
    N_(
        "Only in a linear network: ×{linear} per step. With tanh and no input, {kick} of the gradient is left after 60"
        " steps; with noise it changes by ×{noise} per step, with Xavier by ×{xavier}."
    ),
    f"{FIRST}?scheme=orthogonal&beside=xavier&input_scheme=xavier",
)
def orthogonal():
    linear, kick = (run("orthogonal", activation=name, inputs="none") for name in ("linear", "tanh"))
    noise = factor(run("orthogonal", input_scheme="xavier"))
    return {"linear": factor(linear), "kick": left(kick), "noise": noise, "xavier": factor(run())}


@claim(
    16,
    N_("Xavier is a safe default for the sigmoid."),
    FAILS,
    N_(
        "The gradient changes by ×{kick} per step without input and by ×{noise} with noise. By theory the sigmoid "
        "needs a gain of {critical_kick} or {critical_noise}."
    ),
    f"{FIRST}?activation=sigmoid",
)
def sigmoid():
    found = {"kick": run(activation="sigmoid", inputs="none"), "noise": run(activation="sigmoid")}
    critical = {f"critical_{name}": critical_gain("sigmoid", float(name == "noise")) for name in found}
    return {name: factor(trace) for name, trace in found.items()} | critical


@claim(
    17,
    N_("Zaremba et al. (2014) is about how to initialise RNNs."),
    FAILS,
    N_(
        "It is about dropout. It draws its weights from U[−r, r]: r = 0.1 with 200 units, 0.05 with 650, 0.04 with "
        "1500, which is σ_w = {small}, {medium} and {large}."
    ),
    f"{FIRST}?hidden_size=200&gain=0.82",
)
def zaremba():
    ranges = {"small": (0.1, 200), "medium": (0.05, 650), "large": (0.04, 1500)}
    return {name: r * (units / 3) ** 0.5 for name, (r, units) in ranges.items()}
