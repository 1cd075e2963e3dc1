"""Glorot & Bengio 2010: what layers do to activations, gradients and directions, standard and normalised weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import rnnviz as rv

from ..engine.layer_jacobians import layer_jacobians
from ..network.sampling import draw_inputs
from .entry import REPRODUCTIONS, Picture, Reproduction, Row, between

Array = np.ndarray
LAYERS = 5
STANDARD = 3.0**-0.5  # U(+-1/sqrt n) is Glorot's uniform distribution of a square matrix, U(+-sqrt(3/n)), times this


class Measured(NamedTuple):
    """Of each layer: spread of the activations (L,), size of dL/dh (L,), mean singular value of its Jacobian (L-1,)."""

    spread: Array
    gradient: Array
    singular: Array


def measured(gain: float, hidden_size: int, seed: int) -> Measured:
    """Return what five layers do at T = 1, the singular values for one of the inputs."""
    config = rv.Config(
        layers=LAYERS, seq_len=1, hidden_size=hidden_size, input_size=hidden_size, scheme="glorot_uniform",
        gain=gain, input_scale=gain, batch_size=100, seed=seed,
    )  # fmt: skip
    params = rv.init_params(config)
    x, targets = draw_inputs(config)
    g = rv.bptt(params, x, targets)
    h = g.h_by_layer[:, 1]
    singular = [rv.spectrum.singular_values(J).mean() for J in layer_jacobians(params, x[:, :1], "tanh")]
    return Measured(h.std(axis=(1, 2)), 10.0 ** g.log10_grad_norm_by_layer[:, 1], np.array(singular))


def ratio(values: Array) -> float:
    """Return the mean factor per layer from the first to the last."""
    return float((values[-1] / values[0]) ** (1.0 / (len(values) - 1)))


def reproduce(hidden_size: int = 1000, seed: int = 0) -> tuple[list[Row], Picture]:
    """Measure one network of each kind."""
    normalised, standard = (measured(gain, hidden_size, seed) for gain in (1.0, STANDARD))
    back = {"standard": 1.0 / ratio(standard.gradient), "normalised": 1.0 / ratio(normalised.gradient)}
    rows = [
        between("mean singular value, normalised", "about 0.8", normalised.singular.mean(), 0.7, 0.9),
        between("mean singular value, standard", "0.5", standard.singular.mean(), 0.45, 0.55),
        between("gradient per layer back, standard", "√(n Var W) = 0.577", back["standard"], 0.52, 0.62),
        between("gradient per layer back, normalised", "closer to 1", back["normalised"], 0.8, 1.05),
        between("activations per layer, standard", "shrink layer by layer", ratio(standard.spread), 0.5, 0.65),
        between("activations per layer, normalised", "closer to 1", ratio(normalised.spread), 0.8, 1.05),
    ]
    layers = np.arange(1, LAYERS + 1)
    curves = {
        f"{what}, {name}": (layers, getattr(found, field) / getattr(found, field)[at])
        for name, found in (("normalised", normalised), ("standard", standard))
        for what, field, at in (("activations", "spread", 0), ("gradient", "gradient", -1))
    }
    return rows, Picture(curves, {"xlabel": "layer", "ylabel": "size, where it enters: 1", "yscale": "log"})


REPRODUCTIONS.add(
    "glorot_2010",
    Reproduction(
        name="glorot_2010",
        paper="Glorot & Bengio 2010",
        figure="section 4.2.1 and figures 6 and 7",
        states="In five tanh layers of 1000 units, the mean singular value of a layer's Jacobian is about 0.8 with "
        "normalised weights and 0.5 with the standard U[−1/√n, 1/√n]. With the standard ones, activations shrink from "
        "layer to layer and gradients shrink on the way back; with the normalised ones, both change far less.",
        differs="The networks are as large as the paper's; they read 1000 Gaussian numbers instead of the paper's "
        "images of 32 x 32 pixels, which changes how far tanh saturates and thereby the 0.8. Only initial weights.",
        fn=reproduce,
    ),
)
