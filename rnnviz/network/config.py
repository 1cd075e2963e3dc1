"""The settings of an experiment, with bounds, labels and help texts."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from textwrap import fill, indent
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..text.language import N_, _
from ..text.registry import explain_choice
from .activations import ACTIVATIONS
from .cells import CELLS
from .checks import check, from_text
from .inputs import INPUTS, TEXT
from .losses import LOSS_REDUCTIONS
from .numbers import NUMBERS_HELP, table
from .schemes import SCHEMES

LOSS_AT = (N_("last"), N_("every"))
WIDTH = 100  # of a line in the docstring


def choice(default: str | None, allowed, label: str, help: str, *, optional: bool = False, **ui: Any) -> Any:
    """Declare a field that takes one of the names in ``allowed``, or None if ``optional``; ``ui`` as of `number`."""
    metadata = {"kind": "choice", "allowed": allowed, "optional": optional, "label": label, "help": help, **ui}
    return field(default=default, metadata=metadata)


def number(default: float, low: float, high: float, label: str, help: str, **ui: Any) -> Any:
    """Declare a number in [low, high], an integer if the default is one; ``ui`` is metadata for controls."""
    metadata = {"kind": type(default).__name__, "low": low, "high": high, "label": label, "help": help, **ui}
    return field(default=default, metadata=metadata)


def read(default: str, name: str, label: str, help: str, **more: Any) -> Any:
    """Declare a text that an input reads; ``check`` raises a ValueError for one that it cannot."""
    applies = lambda values: INPUTS[values["inputs"]].reads == name  # noqa: E731
    metadata = {"kind": "text", "low": 2, "high": 20_000, "label": label, "help": help, "applies": applies, **more}
    return field(default=default, metadata=metadata)


def is_radius_set(values: Mapping[str, Any]) -> bool:
    """Return whether the spectral radius, not the gain, decides how large W_hh is."""
    return values["spectral_radius"] > 0 and CELLS[values["cell"]].has_matrix_jacobian


@dataclass(frozen=True, kw_only=True, repr=False)
class Config:
    """One experiment: a cell, how its weights are drawn, what it reads, and where its loss is.

    ``inputs="text"``, ``"numbers"`` and ``"digits"`` bring sizes of their own for D and O (see `sizes`).

    Raises
    ------
    ValueError : naming the field, the value received and the values allowed.

    Examples
    --------
    >>> Config(hidden_size=0)
    Traceback (most recent call last):
    ...
    ValueError: hidden_size must be a whole number from 1 to 4096; got 0.
    >>> Config(scheme="xavir")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: scheme must be one of xavier, ...; got 'xavir'. Did you mean 'xavier'?
    """

    cell: str = choice("rnn", CELLS, N_("Cell"), N_("which recurrent cell"))
    activation: str = choice("tanh", ACTIVATIONS, N_("Activation"), N_("φ; it replaces tanh in the LSTM and GRU"))
    scheme: str = choice("xavier", SCHEMES, N_("Scheme"), N_("how W_hh and W_hy are drawn"))
    input_scheme: str | None = choice(
        None, SCHEMES, N_("Input scheme"), N_("how W_xh is drawn; by default by the same scheme"), optional=True
    )
    gain: float = number(
        1.0,
        0.0,
        20.0,
        N_("Gain"),
        N_("factor on W_hh, and on W_xh of the layers above the first"),
        slider=(0.0, 20.0),
        step=0.01,
        fine=(0.5, 2.5),
        applies=lambda values: not is_radius_set(values),
    )
    spectral_radius: float = number(
        0.0,
        0.0,
        20.0,
        N_("Spectral radius"),
        N_("each W_hh drawn for an RNN is scaled to this radius, and Gain is not read; 0: off"),
        slider=(0.0, 3.0),
        step=0.01,
        applies=lambda values: CELLS[values["cell"]].has_matrix_jacobian,
    )
    hidden_size: int = number(
        64, 1, 4096, N_("Hidden size"), N_("H, the number of hidden units"), slider=(1, 512), step=1
    )
    layers: int = number(
        1,
        1,
        16,
        N_("Layers"),
        N_("L, the number of layers; each reads the state of the one below"),
        slider=(1, 16),
        step=1,
    )
    input_size: int = number(
        32, 1, 4096, N_("Input size"), N_("D, how many numbers the network reads per step"), slider=(1, 256), step=1
    )
    output_size: int = number(10, 2, 4096, N_("Classes"), N_("O, the number of classes"), slider=(2, 100), step=1)
    seq_len: int = number(50, 1, 10_000, N_("Sequence length"), N_("T, the number of steps"), slider=(1, 200), step=1)
    batch_size: int = number(
        32, 1, 4096, N_("Batch size"), N_("B, the number of sequences computed together"), slider=(1, 128), step=1
    )
    inputs: str = choice("gaussian", INPUTS, N_("Input"), N_("what the network reads"))
    input_scale: float = number(
        1.0, 0.0, 100.0, N_("Input scale"), N_("factor on the input"), slider=(0.0, 3.0), step=0.01
    )
    loss_at: str = choice("last", LOSS_AT, N_("Loss at"), N_("at the last step only, or at every step"))
    loss_reduction: str = choice(
        "sum",
        LOSS_REDUCTIONS,
        N_("Loss is"),
        N_("the sum of the losses of all steps, which grows with T, or their mean"),
        applies=lambda values: values["loss_at"] == "every" and values["seq_len"] > 1,
    )
    truncate: int = number(
        0,
        0,
        10_000,
        N_("Truncate after"),
        N_("how many steps each loss reaches back (truncated BPTT); 0: all the way"),
        slider=(0, 200),
        step=1,
        applies=lambda values: values["seq_len"] > 1,
    )
    forget_bias: float = number(
        1.0,
        -20.0,
        20.0,
        N_("Forget bias"),
        N_("LSTM: the forget gate's bias at the start, unless the scheme draws its own"),
        slider=(-2.0, 6.0),
        step=0.1,
        applies=lambda values: CELLS[values["cell"]].has_forget_bias,
    )
    seed: int = number(
        0, 0, 2**32 - 1, N_("Seed"), N_("the same seed gives the same random numbers"), slider=(0, 99), step=1
    )
    text: str = read(TEXT, "text", N_("Text"), N_("the text that the input Text reads, character by character"))
    numbers: str = read("sine 25", "numbers", N_("Numbers"), NUMBERS_HELP, check=table)

    def __post_init__(self):
        for spec in fields(self):
            object.__setattr__(self, spec.name, check(spec, getattr(self, spec.name)))

    @property
    def sizes(self) -> tuple[int, int]:
        """The actual D and O, which a text's alphabet, own numbers or the scans of digits decide."""
        return INPUTS[self.inputs].sizes(self.input_size, self.output_size, self.source)

    @property
    def source(self) -> str:
        """The text or the numbers that the input reads, "" where it reads neither."""
        name = INPUTS[self.inputs].reads
        return getattr(self, name) if name else ""

    @property
    def first_reached(self) -> int:
        """The first step that a loss reaches: before it, truncation leaves a gradient of exactly 0."""
        is_cut = self.truncate and self.loss_at == "last"
        return max(0, self.seq_len - self.truncate) if is_cut else 0

    @property
    def noise_scale(self) -> float:
        """The ``input_scale`` at which the input is as large as noise is at 1: sqrt(D) where it is one-hot."""
        return math.sqrt(self.sizes[0]) if INPUTS[self.inputs].one_hot else 1.0

    @property
    def entries(self) -> tuple[Any, ...]:
        """The entries that the fields name now; a cache keyed by a Config and these serves no replaced entry."""
        chosen = ((allowed, getattr(self, name)) for name, allowed in REGISTRIES.items())
        return tuple(allowed[name] for allowed, name in chosen if name is not None)

    @property
    def changed(self) -> dict[str, Any]:
        """The fields that differ from their defaults, by name."""
        return {name: value for name, value in self.to_dict().items() if value != DEFAULTS[name]}

    def __repr__(self) -> str:
        """Return Python code for the same Config.

        >>> Config(hidden_size=128, scheme="he")
        Config(scheme='he', hidden_size=128)
        """
        return f"Config({', '.join(f'{name}={value!r}' for name, value in self.changed.items())})"

    def replace(self, **changes: Any) -> Config:
        """Return a copy with some fields changed; ValueError for invalid values and unknown fields."""
        check_names(changes)
        copied = copy.copy(self)  # whose other fields need no check
        for name, value in changes.items():
            object.__setattr__(copied, name, check(FIELDS[name], value))
        return copied

    def to_dict(self) -> dict[str, Any]:
        """Return all fields by name, in types that JSON has."""
        return {spec.name: getattr(self, spec.name) for spec in fields(self)}

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Config:
        """Return the Config of a dict; missing fields take their defaults, an unknown key is a ValueError."""
        check_names(d)
        return cls(**d)

    def to_query(self) -> str:
        """Return the fields that differ from their defaults as a URL's query string.

        >>> Config(gain=1.5, hidden_size=128).to_query()
        'gain=1.5&hidden_size=128'
        """
        return urlencode(self.changed)

    @classmethod
    def from_query(cls, query: str) -> Config:
        """Return the Config of a query string, with or without its ``?``; ValueError for invalid values."""
        pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=100)
        check_names(dict(pairs))
        return cls(**{name: from_text(FIELDS[name], value) for name, value in pairs})


FIELDS: dict[str, Field] = {spec.name: spec for spec in fields(Config)}
REGISTRIES = {
    name: spec.metadata["allowed"] for name, spec in FIELDS.items() if isinstance(spec.metadata.get("allowed"), dict)
}
DEFAULTS = {name: spec.default for name, spec in FIELDS.items() if spec.default is not MISSING}


def described(spec: Field) -> str:
    """Return a field's entry of the section "Attributes": name, type, values or bounds, default and meaning."""
    meta = spec.metadata
    default = repr(spec.default)
    if meta["kind"] == "choice":
        names = ", ".join(map(repr, meta["allowed"]))
        kind = f"one of {names}" + (" or None" if meta["optional"] else "")
    elif meta["kind"] == "text":
        kind, default = f"str of {meta['low']} to {meta['high']} characters", "a paragraph in English"
    else:
        kind = f"{meta['kind']} from {meta['low']:.12g} to {meta['high']:.12g}"
    head = fill(f"{spec.name} : {kind}; default {default}", WIDTH, subsequent_indent="    ")
    return f"{head}\n    {meta['help']}"


def with_attributes(doc: str) -> str:
    """Return a docstring of Config with the section "Attributes" before "Raises"."""
    before, raises, after = doc.partition("    Raises\n")
    section = "\n".join(["Attributes", "----------", *map(described, FIELDS.values())])
    return f"{before}{indent(section, '    ')}\n\n{raises}{after}"


Config.__doc__ = with_attributes(Config.__doc__ or "")


def label_of(name: str) -> str:
    """Return the label of a field in the current language."""
    label = FIELDS[name].metadata["label"]
    return _(label)


def applies(name: str, values: Mapping[str, Any]) -> bool:
    """Return whether a field changes anything, given the values of all fields.

    >>> applies("forget_bias", Config(cell="lstm").to_dict()), applies("forget_bias", Config(cell="gru").to_dict())
    (True, False)
    """
    condition = FIELDS[name].metadata.get("applies")
    return condition is None or condition(values)


def check_names(names) -> None:
    """Raise a ValueError for the first name that is not a field of Config."""
    for name in names:
        if name not in FIELDS:
            raise ValueError(explain_choice(_("a field of Config"), name, FIELDS))
