"""Registries: unknown names are explained, and a name can be registered again."""

from __future__ import annotations

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.text.registry import Registry


def test_registering_a_name_again_replaces_the_entry_in_its_place():
    names = Registry("colour")
    assert [names.add(name, entry) for name, entry in (("red", 1), ("blue", 2), ("red", 3))] == [1, 2, 3]
    assert list(names.items()) == [("red", 3), ("blue", 2)]


@pytest.fixture
def mine():
    """Return a function that registers the scheme "mine", with all entries equal to a value."""

    def define(value):
        @rv.schemes.scheme("mine", "Mine", "Mine", "W = value", "", mean=lambda i, o: value, variance=lambda i, o: 0.0)
        def constant(rng, fan_in, fan_out, gain=1.0):
            return np.full((fan_in, fan_out), gain * value)

    return define


def test_a_cell_that_defines_a_scheme_can_be_run_again(mine):
    mine(0.5)
    config = rv.Config(scheme="mine", hidden_size=3)
    assert np.all(rv.init_params(config)["W_hh"] == 0.5)
    old = config.entries
    mine(0.25)
    assert np.all(rv.init_params(config)["W_hh"] == 0.25)
    assert rv.schemes.SCHEMES["mine"].random is False
    assert len({(config, old), (config, config.entries)}) == 2, "a cache must tell the two apart"


def test_a_config_knows_the_entries_that_its_fields_name():
    names = [entry.name for entry in rv.Config(cell="gru", input_scheme="he", inputs="none").entries]
    assert names == ["gru", "tanh", "xavier", "he", "none"]
    assert rv.Config().entries == rv.Config(gain=2.0).entries
