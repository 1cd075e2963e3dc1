"""Le, Jaitly & Hinton 2015: the IRNN, rectified linear units that begin with the identity, on the adding problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import rnnviz as rv

from ..network.schemes import SCHEMES, Scheme
from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between, registered

Array = np.ndarray
IRNN = "irnn"
PAPERS, LARGER = 0.001, 0.1  # standard deviations of the weights beside W_hh
WINDOW = 50  # steps whose mean loss counts
# By label: that standard deviation where it is an IRNN, what it changes of the tanh RNN, and its learning rate.
CASES: dict[str, tuple[float, dict[str, str], float]] = {
    "IRNN, N(0, 0.1²)": (LARGER, {"activation": "relu", "scheme": IRNN}, 0.001),
    "IRNN, N(0, 0.001²)": (PAPERS, {"activation": "relu", "scheme": IRNN}, 0.001),
    "LSTM": (0.0, {"cell": "lstm"}, 0.01),
    "tanh": (0.0, {}, 0.003),
    "ReLU, Gaussian": (0.0, {"activation": "relu", "scheme": "he"}, 0.001),
}


def irnn(deviation: float) -> Scheme:
    """Return the paper's scheme: W_hh = I, zero biases, all other weights N(0, deviation**2)."""

    def others(rng: np.random.Generator, fan_in: int, fan_out: int, gain: float = 1.0) -> Array:
        return deviation * gain * rng.standard_normal((fan_in, fan_out))

    identity = SCHEMES["identity"]
    return replace(identity, name=IRNN, label="IRNN", short="IRNN", fn=others, roles={"recurrent": identity.fn})


def losses(label: str, seq_len: int, hidden_size: int, steps: int, seeds: int) -> tuple[Array, Array]:
    """Return steps, and the loss over chance: the median over seeds, means of ``WINDOW`` steps."""
    deviation, changes, rate = CASES[label]
    with registered(SCHEMES, IRNN, irnn(deviation)):
        config = rv.Config(seq_len=seq_len, hidden_size=hidden_size, batch_size=32).replace(**changes)
        training = rv.Training(config, "adding", config.scheme, range(seeds), learning_rate=rate)
        for _ in training.run(steps, every=steps):
            pass
    loss = np.median(training.losses[:, 0], axis=1) / training.chance
    width = min(WINDOW, steps)
    means = loss[steps % width :].reshape(-1, width).mean(axis=1)
    return steps - width * np.arange(len(means))[::-1], means


def reproduce(seq_len: int = 100, hidden_size: int = 64, steps: int = 800, seeds: int = 2) -> tuple[list[Row], Picture]:
    """Train all networks on adding."""
    curves = {label: losses(label, seq_len, hidden_size, steps, seeds) for label in CASES}
    larger, papers, lstm, tanh, gaussian = (loss[-1] for _, loss in curves.values())
    rows = [
        between("loss over chance, IRNN, others N(0, 0.001²)", "learns", papers, 0.7, np.inf, reproduces=False),
        between("loss over chance, IRNN, others N(0, 0.1²)", "learns", larger, 0.0, 0.3),
        between("loss over chance, LSTM", "learns", lstm, 0.0, 0.3),
        between("loss over chance, tanh", "fails", tanh, 0.8, np.inf),
        between("loss over chance, ReLU with Gaussian weights", "fails", gaussian, 0.45, np.inf),
    ]
    return rows, Picture(curves, {"xlabel": "training step", "ylabel": "loss over chance", "ylim": (0.0, 2.0)})


REPRODUCTIONS.add(
    "le_2015",
    Reproduction(
        name="le_2015",
        paper="Le, Jaitly & Hinton 2015",
        figure="section 4.1",
        states="On the adding problem, the IRNN learns sequences as long as an LSTM does, where RNNs with tanh or with "
        "Gaussian ReLUs fail.",
        differs="T = 100, 64 units and 800 steps of Adam, instead of T from 150 on, 100 units and up to millions of "
        "steps of SGD. With the paper's N(0, 0.001²) beside the identity, nothing is learnt in so few steps; with N(0, "
        "0.1²), it is.",
        fn=reproduce,
    ),
)
