"""Le, Jaitly & Hinton 2015: the IRNN, rectified linear units that begin with the identity, on the adding problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import rnnviz as rv

from ..network.schemes import SCHEMES, Scheme
from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between, registered

IRNN = "irnn"
WINDOW = 25  # steps whose mean loss is shown


def irnn() -> Scheme:
    """Return the paper's scheme: W_hh = I, all other weights N(0, 0.001**2)."""
    small = lambda rng, fan_in, fan_out, gain=1.0: 0.001 * rng.standard_normal((fan_in, fan_out))  # noqa: E731
    identity = SCHEMES["identity"]
    return replace(
        identity, name=IRNN, label="IRNN", short="IRNN", formula="W_hh = I, others N(0, 10⁻⁶)", fn=small,
        roles={"recurrent": identity.fn},
    )  # fmt: skip


def cases(config: rv.Config) -> dict[str, rv.Config]:
    """Return the networks that the paper compares."""
    return {
        "IRNN": config.replace(activation="relu", scheme=IRNN),
        "LSTM": config.replace(cell="lstm"),
        "tanh": config,
        "ReLU, Gaussian": config.replace(activation="relu", scheme="he"),
    }


def reproduce(seq_len: int = 100, hidden_size: int = 64, steps: int = 600, seeds: int = 2) -> tuple[list[Row], Picture]:
    """Train the four networks."""
    curves, last = {}, {}
    with registered(SCHEMES, IRNN, irnn()):
        for label, config in cases(rv.Config(seq_len=seq_len, hidden_size=hidden_size)).items():
            training = rv.Training(config, "adding", config.scheme, range(seeds), learning_rate=0.003)
            for _ in training.run(steps, every=steps):
                pass
            loss = np.median(training.losses[:, 0], axis=1) / training.chance
            width = min(WINDOW, steps)
            smooth = loss[steps % width :].reshape(-1, width).mean(axis=1)
            curves[label] = steps - width * np.arange(len(smooth))[::-1], smooth
            last[label] = smooth[-1]
    rows = [
        between("loss over chance, IRNN", "solved", last["IRNN"], 0.0, 0.4),
    ]
    return rows, Picture(curves, {"xlabel": "training step", "ylabel": "loss over chance", "ylim": (0.0, 2.0)})


REPRODUCTIONS.add(
    "le_2015",
    Reproduction(
        name="le_2015",
        paper="Le, Jaitly & Hinton 2015",
        figure="section 4.1 and figures 1 to 4",
        states="On the adding problem, the IRNN learns as long sequences as an LSTM does; RNNs with tanh or with "
        "Gaussian ReLUs fail from about 150 steps on.",
        differs="",
        fn=reproduce,
    ),
)
