"""Scenes of a race: which networks learn, and how soon."""

from __future__ import annotations

from ..text.language import N_
from .scenes import SCENES, Scene

VIEWS = ("race", "gradient")
SCENES.add(
    "critical_gain",
    Scene(
        N_("Critical gain"),
        N_("Xavier at the gain that theory calls critical here: train, move Gain to either side, and train again."),
        ("orthogonal",),
        {"scheme": "xavier", "gain": 1.44, "seq_len": 20},
        ("gain",),
        VIEWS,
        {"problem": "recall"},
    ),
)
SCENES.add(
    "saved_steps",
    Scene(
        N_("2 to 10 times?"),
        N_("Xavier is said to save 2 to 10 times the epochs: how many times the training steps does each scheme need?"),
        ("uniform01", "small_normal", "pytorch"),
        {"scheme": "xavier", "seq_len": 8},
        views=VIEWS,
        options={"problem": "digits"},
    ),
)
SCENES.add(
    "text",
    Scene(
        N_("A text"),
        N_("One character per step, as in min-char-rnn: which scheme learns first, and what does the first one write?"),
        ("small_normal", "uniform01"),
        {"scheme": "xavier", "hidden_size": 100, "seq_len": 25, "batch_size": 1},
        views=VIEWS,
        options={"problem": "characters"},
    ),
)
SCENES.add(
    "lstm_recalls",
    Scene(
        N_("An LSTM recalls"),
        N_("30 steps are to be bridged: train, raise Forget bias, and train again. PyTorch draws its own bias."),
        ("pytorch",),
        {"scheme": "xavier", "cell": "lstm", "hidden_size": 32, "seq_len": 30, "forget_bias": 0.0},
        ("forget_bias",),
        VIEWS,
        {"problem": "recall"},
    ),
)
SCENES.add(
    "identity_relu",
    Scene(
        N_("Identity and ReLU"),
        N_("ReLU and small input weights, as Le et al. chose them: with which W_hh can a network recall 30 steps?"),
        ("xavier", "orthogonal"),
        {"scheme": "identity", "activation": "relu", "input_scheme": "small_normal", "seq_len": 30},
        views=VIEWS,
        options={"problem": "recall"},
    ),
)
