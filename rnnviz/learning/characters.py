"""Characters: predict the next character of a text, and write one, as in Karpathy's min-char-rnn."""

from __future__ import annotations

import numpy as np

from ..network.activations import ACTIVATIONS
from ..network.arithmetic import PLAIN
from ..network.cells import CELLS, Params
from ..network.config import Config
from ..network.inputs import alphabet
from ..network.layers import count_layers, layer_params
from ..text.language import N_, _
from ..text.registry import shorten
from .problem import Batch, Defaults, Problem

Array = np.ndarray
LONGEST_TEST = 2000  # characters


def codes_of(text: str) -> Array:
    """Return the place of every character of a text in its alphabet."""
    return np.searchsorted(alphabet(text), list(text))


def chunks(config: Config) -> int:
    """Return how many batches read the text once: B parts side by side, T characters at a time.

    One part is read as in min-char-rnn: what is left at the end, less than T + 2 characters, is not read.
    """
    return max(1, (len(config.text) // config.batch_size - 2) // config.seq_len)


def characters(rng: np.random.Generator, config: Config, step: int) -> Batch:
    """Read on in the text, T characters in each of B parts of it; the target is the next character."""
    steps, batch, text = config.seq_len, config.batch_size, config.text
    start = steps * (step % chunks(config)) + len(text) // batch * np.arange(batch)
    window = codes_of(text)[(start + np.arange(steps + 1)[:, None]) % len(text)]
    return Batch(config.input_scale * np.eye(len(alphabet(text)))[window[:-1]], window[1:])


def whole_text(rng: np.random.Generator, config: Config) -> dict[str, Batch]:
    """Return the text, or the beginning of a long one, as one sequence: it is the text that is trained on."""
    length = min(len(config.text), LONGEST_TEST) - 1
    return {"train": characters(rng, config.replace(batch_size=1, seq_len=length), 0)}


def frequencies_entropy(config: Config) -> float:
    """Return ``-sum p ln p`` over the frequencies of the characters: the loss of the best guess without reading."""
    p = np.bincount(codes_of(config.text)) / len(config.text)
    return float(-np.sum(p * np.log(p)))


def write(
    params: Params, config: Config, length: int, rng: np.random.Generator, start: str | None, temperature: float
) -> str:
    """Return ``length`` characters that the network writes after reading ``start``, by default the text's first one.

    Each is drawn from ``softmax(y / temperature)`` and read at the next step.

    Raises
    ------
    ValueError : for a ``start`` with characters that the text does not have, or a temperature that is not positive.
    """
    letters = alphabet(config.text)
    start = config.text[0] if start is None else start
    if not start or not set(start) <= set(letters):
        raise ValueError(
            _("start must be made of characters of the text; got {received}.").format(received=shorten(start))
        )
    if not temperature > 0:
        text = _("temperature must be a positive number; got {received}.")
        raise ValueError(text.format(received=shorten(temperature)))
    read = Reader(params, config)
    for letter in start:
        y = read.next(letters.index(letter))
    written = []
    for _k in range(length):
        # The largest of y / temperature plus Gumbel noise is a draw from the softmax, without its overflow.
        code = int(np.argmax(y + temperature * rng.gumbel(size=len(letters))))
        written.append(letters[code])
        y = read.next(code)
    return "".join(written)


class Reader:
    """One network that reads symbol after symbol."""

    def __init__(self, params: Params, config: Config):
        self.cell, self.phi, self.scale = CELLS[config.cell], ACTIVATIONS[config.activation], config.input_scale
        self.layers = [layer_params(params, layer + 1) for layer in range(count_layers(params))]
        self.readout = params["W_hy"], params["b_y"]
        size = params["W_hh"].shape[0]
        self.states = [{name: np.zeros((1, size)) for name in self.cell.states} for _ in self.layers]

    def next(self, code: int) -> Array:
        """Read a symbol and return the outputs (O,)."""
        h = None
        for layer, params in enumerate(self.layers):
            projected = self.scale * params["W_xh"][[code]] if h is None else h @ params["W_xh"]
            self.states[layer], _kept, _gates = self.cell.step(
                params, projected + params["b_h"], self.states[layer], self.phi, PLAIN
            )
            h = self.states[layer]["h"]
        W_hy, b_y = self.readout
        return (h @ W_hy + b_y)[0]


CHARACTERS = Problem(
    name="characters",
    label=N_("Characters"),
    help=N_("predict the next character of a text, as min-char-rnn does"),
    loss="cross-entropy",
    draw=characters,
    sizes=lambda config: (len(alphabet(config.text)),) * 2,
    chance=frequencies_entropy,
    target=0.7,
    defaults=Defaults(
        seq_len=25, batch_size=1, hidden_size=100, steps=5000,
        optimiser="adagrad", learning_rate=0.1, clip_norm=0.0, clip_value=5.0,
    ),
    tests=whole_text,
    is_summed=True,
    continues=lambda config, step: step % chunks(config) > 0,
    write=write,
)  # fmt: skip
