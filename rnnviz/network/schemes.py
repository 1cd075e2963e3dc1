"""Initialisation schemes: how a weight matrix is drawn, with its formula and its source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..text.language import N_
from ..text.registry import Registry
from .scheme_check import check_scheme

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Scheme:
    """One initialisation scheme.

    Attributes
    ----------
    name, label, formula, source : its name in code, in menus and in formulas, and the paper it comes from.
    short : a shorter label for legends and sentences.
    fn : ``fn(rng, fan_in, fan_out, gain) -> W`` of shape (fan_in, fan_out).
    mean, variance : ``(fan_in, fan_out) -> float``, the moments of one entry at gain 1.
    whole : whether the gates of an LSTM or GRU are drawn as one matrix (fan_out = all gates), not gate by gate.
    iid : whether the entries of a random W_hh that is not orthogonal are independent and of one distribution.
    roles : another ``fn`` for W_hh ("recurrent") or W_hy ("output"), where a framework draws them differently.
    bias : ``bias(rng, fan_in, size) -> b``, or None for zeros.
    bias_variance : ``fan_in -> float``, the variance of one entry of b_h.
    forget_bias : the bias of the forget gate that is part of it, or None where it names none.
    forget_note : what to know about forget gates with biases that it draws itself, for a page; "" for nothing.
    phrase : what its weights are called inside a sentence; "" for "``short`` weights".
    centred : the name of the scheme with the same spread and mean 0, or "".
    """

    name: str
    label: str
    short: str
    formula: str
    source: str
    fn: Callable[..., Array]
    mean: Callable[[int, int], float]
    variance: Callable[[int, int], float]
    whole: bool = False
    iid: bool = True
    roles: Mapping[str, Callable[..., Array]] = field(default_factory=dict)
    bias: Callable[..., Array] | None = None
    bias_variance: Callable[[int], float] = lambda fan_in: 0.0
    forget_bias: float | None = None
    forget_note: str = ""
    phrase: str = ""
    centred: str = ""

    def fn_for(self, role: str) -> Callable[..., Array]:
        """Return the ``fn`` of W_xh ("input"), W_hh ("recurrent") or W_hy ("output")."""
        return self.roles.get(role, self.fn)

    @cached_property
    def random(self) -> bool:
        """Whether W_hh differs from seed to seed."""
        return not np.array_equal(self._small(0), self._small(1))

    @cached_property
    def orthogonal(self) -> bool:
        """Whether W_hh is orthogonal: ``W^T W = I`` at gain 1."""
        W = self._small(0)
        return bool(np.allclose(W.T @ W, np.eye(len(W))))

    @property
    def independent(self) -> bool:
        """Whether the entries of W_hh are random and independent, with mean 0."""
        return self.random and self.iid and not self.orthogonal and self.mean(8, 8) == 0

    @cached_property
    def input_entries(self) -> Array:
        """256 equally likely values of an entry of W_xh with a single input, scaled to variance 1."""
        drawn = self.fn_for("input")(np.random.default_rng(0), 1, 65_536, 1.0)
        each = np.quantile(drawn, (np.arange(256) + 0.5) / 256)
        return each / max(np.sqrt(np.mean(each**2)), np.finfo(float).tiny)

    def _small(self, seed: int) -> Array:
        """Return a W_hh of 8 units."""
        return self.fn_for("recurrent")(np.random.default_rng(seed), 8, 8, 1.0)


SCHEMES: Registry[Scheme] = Registry("scheme")


def scheme(name: str, label: str, short: str, formula: str, source: str, *, variance, mean=lambda i, o: 0.0, **more):
    """Register the decorated ``fn(rng, fan_in, fan_out, gain)`` as a scheme, replacing one of the same name."""

    def register(fn):
        SCHEMES.add(name, Scheme(name, label, short, formula, source, fn, mean, variance, **more))
        return fn

    return register


def sample(name: str, rng: np.random.Generator, fan_in: int, fan_out: int, gain: float = 1.0) -> Array:
    """Draw one weight matrix.

    Parameters
    ----------
    name : a key of ``SCHEMES``.
    rng : random number generator.
    fan_in, fan_out : units before and after; row vectors are multiplied by the matrix, ``x @ W``.
    gain : factor on every entry.

    Returns
    -------
    array (fan_in, fan_out), float64.

    Raises
    ------
    ValueError : for an unknown name; suggests the nearest one.

    >>> sample("identity", np.random.default_rng(0), 2, 3)
    array([[1., 0., 0.],
           [0., 1., 0.]])
    """
    return SCHEMES[name].fn(rng, fan_in, fan_out, gain)


def uniform(rng: np.random.Generator, shape: tuple[int, ...], bound: float) -> Array:
    """Draw ``U[-bound, bound]``, variance ``bound**2 / 3``."""
    return rng.uniform(-abs(bound), abs(bound), shape)  # a gain may be -0.0


@scheme(
    "xavier",
    N_("Xavier (normal, 1/fan_in)"),
    "Xavier",
    "W ~ N(0, 1/fan_in)",
    "Glorot & Bengio 2010, eq. 10",
    variance=lambda i, o: 1 / i,
)
def xavier(rng, fan_in, fan_out, gain=1.0):
    return rng.standard_normal((fan_in, fan_out)) * (gain / np.sqrt(fan_in))


@scheme(
    "glorot_normal",
    N_("Glorot (normal)"),
    N_("Glorot normal"),
    "W ~ N(0, 2/(fan_in + fan_out))",
    "Glorot & Bengio 2010, eq. 12",
    variance=lambda i, o: 2 / (i + o),
)
def glorot_normal(rng, fan_in, fan_out, gain=1.0):
    return rng.standard_normal((fan_in, fan_out)) * (gain * np.sqrt(2 / (fan_in + fan_out)))


@scheme(
    "glorot_uniform",
    N_("Glorot (uniform)"),
    N_("Glorot uniform"),
    "W ~ U[−√(6/(fan_in + fan_out)), +√(6/(fan_in + fan_out))]",
    "Glorot & Bengio 2010, eq. 16",
    variance=lambda i, o: 2 / (i + o),
)
def glorot_uniform(rng, fan_in, fan_out, gain=1.0):
    return uniform(rng, (fan_in, fan_out), gain * np.sqrt(6 / (fan_in + fan_out)))


@scheme(
    "he",
    N_("He (normal, 2/fan_in)"),
    "He",
    "W ~ N(0, 2/fan_in)",
    "He et al. 2015, eq. 10",
    variance=lambda i, o: 2 / i,
)
def he(rng, fan_in, fan_out, gain=1.0):
    return rng.standard_normal((fan_in, fan_out)) * (gain * np.sqrt(2 / fan_in))


@scheme(
    "orthogonal",
    N_("Orthogonal"),
    N_("Orthogonal"),
    N_("W = Q, uniform over rotations and reflections"),
    N_("Saxe et al. 2013; Mezzadri 2007 for the sign"),
    variance=lambda i, o: 1 / max(i, o),
    phrase=N_("orthogonal weights"),
)
def orthogonal(rng, fan_in, fan_out, gain=1.0):
    tall = rng.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    # Without the sign of R's diagonal, QR is not uniform over the orthogonal group.
    q *= np.where(np.diag(r) < 0, -1.0, 1.0)
    return gain * (q if fan_in >= fan_out else q.T)


@scheme(
    "identity",
    N_("Identity"),
    N_("Identity"),
    "W = I",
    "Le, Jaitly & Hinton 2015",
    mean=lambda i, o: 1 / max(i, o),
    variance=lambda i, o: 1 / max(i, o) - 1 / max(i, o) ** 2,
)
def identity(rng, fan_in, fan_out, gain=1.0):
    return gain * np.eye(fan_in, fan_out)


@scheme(
    "uniform01",
    N_("Uniform [0, 1]"),
    "U[0, 1]",
    "W ~ U[0, 1]",
    N_("A counter-example: no weight is negative"),
    mean=lambda i, o: 0.5,
    variance=lambda i, o: 1 / 12,
    centred="uniform_centered",
)
def uniform01(rng, fan_in, fan_out, gain=1.0):
    return gain * rng.random((fan_in, fan_out))


@scheme(
    "uniform_centered",
    N_("Uniform [−½, ½]"),
    "U[−½, ½]",
    "W ~ U[−1/2, 1/2]",
    N_("U[0, 1] minus its mean"),
    variance=lambda i, o: 1 / 12,
)
def uniform_centered(rng, fan_in, fan_out, gain=1.0):
    return gain * (rng.random((fan_in, fan_out)) - 0.5)


@scheme(
    "small_normal",
    N_("Small normal (0.01)"),
    N_("Small normal"),
    "W ~ N(0, 10⁻⁴)",
    "Krizhevsky et al. 2012, sect. 5",
    variance=lambda i, o: 1e-4,
)
def small_normal(rng, fan_in, fan_out, gain=1.0):
    return (0.01 * gain) * rng.standard_normal((fan_in, fan_out))


def pytorch_linear(rng, fan_in, fan_out, gain=1.0):
    return uniform(rng, (fan_in, fan_out), gain / np.sqrt(fan_in))


def pytorch_bias(rng, fan_in, size):
    return uniform(rng, (size,), 1 / np.sqrt(fan_in))


@scheme(
    "pytorch",
    N_("PyTorch's default"),
    "PyTorch",
    "W, b ~ U[−1/√H, +1/√H]",
    "torch.nn.RNN, LSTM, GRU, Linear: reset_parameters",
    variance=lambda i, o: 1 / (3 * o),
    roles={"output": pytorch_linear},
    bias=pytorch_bias,
    bias_variance=lambda i: 2 / (3 * i),
    forget_note=N_(
        "With default sizes and noise, PyTorch's forget gates average about 0.50; lstm.bias_ih_l0.data[H:2*H] += 1 "
        "lifts that to about 0.73, the same with bias_hh_l0 too to about 0.87."
    ),
)
def pytorch(rng, fan_in, fan_out, gain=1.0):
    return uniform(rng, (fan_in, fan_out), gain / np.sqrt(fan_out))


@scheme(
    "keras",
    N_("Keras's default"),
    "Keras",
    N_("W_xh: Glorot uniform; W_hh: orthogonal; b = 0, but 1 at an LSTM's forget gate"),
    "keras.layers.SimpleRNN, LSTM, GRU, Dense",
    variance=lambda i, o: 2 / (i + o),
    whole=True,
    roles={"recurrent": orthogonal},
    forget_bias=1.0,
)
def keras(rng, fan_in, fan_out, gain=1.0):
    return glorot_uniform(rng, fan_in, fan_out, gain)


SCHEMES.check = check_scheme  # set last, so that an import draws no weights; a test checks the schemes above
