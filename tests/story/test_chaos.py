"""Chaos is said where the last bit of the weights decides the states, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.network.sampling import draw_inputs
from rnnviz.story.chaos import sentences

CHAOS = {
    "gain 10": {"gain": 10.0},
    "another seed": {"gain": 20.0, "seed": 5, "loss_at": "every"},
}
CALM = {
    "default": {},
    "saturated": {"scheme": "uniform01"},
    "linear growth": {"activation": "linear", "gain": 5.0},
    "a state of 0": {"gain": 10.0, "input_scale": 0.0},
    "units that nothing reaches": {
        "scheme": "identity", "gain": 5.0, "seq_len": 100, "inputs": "text", "input_scale": 3.0, "loss_at": "every",
    },
    "one step": {"gain": 20.0, "seq_len": 1},
    "no weights": {"gain": 0.0},
}  # fmt: skip


def last_bit(config):
    """Return the change of log10 ||dL/dh_0|| over ||dL/dh_T|| when the last bit of every weight changes."""
    params, (x, targets) = rv.init_params(config), draw_inputs(config)
    other = {name: value * (1.0 + np.finfo(float).eps) for name, value in params.items()}
    one, two = (
        rv.bptt(each, x, targets, loss_at=config.loss_at, activation=config.activation) for each in (params, other)
    )
    with np.errstate(invalid="ignore"):
        return np.nanmax(np.abs(one.log10_grad_norm - two.log10_grad_norm), initial=0.0)


@pytest.mark.parametrize("case", [*CHAOS, *CALM])
def test_chaos_is_said_where_it_is(case):
    config = rv.Config(**{"batch_size": 4} | (CHAOS | CALM)[case])
    said = sentences(rv.compare(config, (config.scheme,), [config.seed]))
    assert bool(said) == (case in CHAOS)
    assert (last_bit(config) > 0.01) == (case in CHAOS)


def test_only_the_chaotic_schemes_are_named():
    (said,) = sentences(rv.compare(rv.Config(gain=10.0), ("xavier", "small_normal", "orthogonal"), range(3)))
    assert said.startswith("Chaos with Xavier and Orthogonal: ")
