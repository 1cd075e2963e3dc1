"""W_hh scaled to a spectral radius: the matrix, the gain that it means, and what cannot be scaled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnnviz as rv
from rnnviz.network.config import applies
from rnnviz.network.sampling import gain_of, median_gain
from rnnviz.network.schemes import SCHEMES, Scheme


def radius(W):
    return np.abs(np.linalg.eigvals(W)).max()


@given(
    st.sampled_from(list(SCHEMES)),
    st.floats(1e-3, 20.0),
    st.integers(1, 24),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
    st.floats(0.0, 20.0),
)
@settings(max_examples=40)
def test_every_recurrent_matrix_has_the_radius_and_nothing_else_changes(scheme, rho, size, layers, seed, gain):
    config = rv.Config(scheme=scheme, hidden_size=size, layers=layers, seed=seed)
    drawn = rv.init_params(config)
    scaled = rv.init_params(config.replace(spectral_radius=rho, gain=gain))
    for name, W in drawn.items():
        if not name.startswith("W_hh"):
            np.testing.assert_array_equal(scaled[name], W, err_msg="the gain is not read")
            continue
        layer = int(name.removeprefix("W_hh_")) if name != "W_hh" else 1
        factor = gain_of(config.replace(spectral_radius=rho, gain=gain), layer)
        np.testing.assert_allclose(scaled[name], factor * W, rtol=1e-14, atol=1e-14 * rho)
        assert radius(scaled[name]) == pytest.approx(rho, rel=1e-6), "but for ill-conditioned eigenvalues to 1e-14"


def test_u01_at_radius_1_has_a_gain_of_about_2_over_h():
    """Its outlier lies near H/2 = 32: what is left for the bulk is a radius of 0.072."""
    config = rv.Config(scheme="uniform01", spectral_radius=1.0)
    gains = [gain_of(config.replace(seed=seed)) for seed in range(32)]
    assert median_gain(config, range(32)) == np.median(gains) == pytest.approx(2 / 64, rel=0.005)
    assert 0.030 < min(gains) < 0.0306
    assert 0.0315 < max(gains) < 0.0321
    sizes = np.sort(np.abs(np.linalg.eigvals(rv.init_params(config)["W_hh"])))
    assert sizes[-1] == pytest.approx(1.0, rel=1e-12)
    assert np.median(gains) * np.sqrt(64 / 12) == pytest.approx(0.072, abs=5e-4)
    assert sizes[-2] == pytest.approx(0.072, rel=0.15)


def test_the_radius_replaces_the_gain_of_an_rnn_only():
    for cell, radius, is_read in (("rnn", 0.0, True), ("rnn", 0.5, False), ("lstm", 0.5, True), ("gru", 0.5, True)):
        config = rv.Config(cell=cell, spectral_radius=radius, gain=1.5, hidden_size=4)
        assert applies("gain", config.to_dict()) == is_read
        assert gain_of(config) == 1.5 or not is_read
    same = (
        rv.init_params(rv.Config(cell="lstm", gain=1.5)),
        rv.init_params(rv.Config(cell="lstm", gain=1.5, spectral_radius=0.3)),
    )
    assert all(np.array_equal(same[0][name], same[1][name]) for name in same[0])


@pytest.mark.parametrize("W", [np.zeros((6, 6)), np.triu(np.ones((6, 6)), 1)], ids=["zero", "nilpotent"])
def test_a_matrix_of_radius_0_is_refused_in_words(W, monkeypatch):
    entry = Scheme("shift", "Shift", "Shift", "", "", lambda rng, i, o, gain: gain * np.resize(W, (i, o)),
                   lambda i, o: 0.0, lambda i, o: 1.0)  # fmt: skip
    monkeypatch.setitem(SCHEMES, "shift", entry)
    config = rv.Config(scheme="shift", hidden_size=6, spectral_radius=0.9)
    with pytest.raises(ValueError, match="spectral_radius cannot be 0.9: the W_hh of Shift at seed 0 has the radius 0"):
        rv.run(config)
    assert np.array_equal(rv.init_params(config.replace(spectral_radius=0.0))["W_hh"], W)


def test_theory_takes_the_median_gain():
    config = rv.Config(spectral_radius=1.0, hidden_size=64, seq_len=8, batch_size=4)
    trace = rv.compare(config, ("xavier",), range(5))
    from rnnviz.theory.prediction import for_trace, sigma_w

    gain = median_gain(config, range(5))
    assert sigma_w(config, (0, 1, 2, 3, 4)) == pytest.approx(gain, rel=1e-12)
    plain = rv.compare(config.replace(spectral_radius=0.0, gain=gain), ("xavier",), range(5))
    np.testing.assert_allclose(for_trace(trace).log10_grad_norm, for_trace(plain).log10_grad_norm, rtol=1e-12)
