"""Views of several layers: what is drawn are the layers' own states and gradients, and titles say which."""

import numpy as np
import pytest
from drawn import SMALL, figure

import rnnviz as rv
from rnnviz.views import OPTIONS, VIEWS

DEEP = SMALL.replace(layers=3, seq_len=9)


def of_seeds(config, seeds=(0, 1, 2)):
    """Return log10 of E h^2 and of the gradients' norms relative to the top layer's at the end, (R, L, T+1) each."""
    found = []
    for seed in seeds:
        drawn = config.replace(seed=seed)
        g = rv.bptt(rv.init_params(drawn), *rv.run(drawn).inputs(), truncate=config.truncate)
        norms = np.linalg.norm(g.d_h_by_layer, axis=(2, 3))
        found.append((np.square(g.h_by_layer).mean(axis=(2, 3)), norms / norms[-1, -1]))
    with np.errstate(divide="ignore"):
        return np.log10(np.array(found)).swapaxes(0, 1)


def test_heat_maps_have_the_medians_of_every_layer_the_first_at_the_foot():
    for truncate in (0, 4):
        config = DEEP.replace(truncate=truncate)
        trace = rv.compare(config, ("xavier", "he"), range(3))
        moments, norms = (np.median(each, axis=0) for each in of_seeds(config))
        for name, values, first in (("layers_state", moments, 1), ("layers_gradient", norms, 0)):
            made = figure(name, VIEWS[name].data(trace))
            image = made.artists["image"][0]
            shown, zero = np.ma.getdata(image.get_array()), np.isneginf(values[:, first:])
            np.testing.assert_allclose(shown[~zero], values[:, first:][~zero], atol=1e-9, err_msg=name)
            assert (shown[zero] < image.get_clim()[0]).all()
            assert zero.any() == (truncate > 0 and name == "layers_gradient")
            assert image.get_extent() == [first - 0.5, 9.5, 0.5, 3.5]
            assert image.origin == "lower"


def test_one_layer_is_one_row_that_says_how_to_see_more():
    trace = rv.compare(SMALL, ("xavier",), (0,))
    for name in ("layers_state", "layers_gradient"):
        made, text = figure(name, VIEWS[name].data(trace)), VIEWS[name].describe(VIEWS[name].data(trace))
        assert made.artists["image"][0].get_array().shape[0] == 1
        assert made.artists["hint"][0].get_text() in text
        assert "raise Layers" in text
        assert [tick for tick in made.axes.get_yticks() if 0.5 <= tick <= 1.5] == [1]


def test_with_one_step_curves_of_every_scheme_run_over_the_layers():
    config = SMALL.replace(layers=5, seq_len=1)
    trace = rv.compare(config, ("glorot_uniform", "pytorch"), range(3))
    for name, k in (("layers_state", 0), ("layers_gradient", 1)):
        data = VIEWS[name].data(trace)
        made = figure(name, data)
        for line, scheme in zip(made.artists["lines"], trace.schemes, strict=True):
            values = np.median(of_seeds(config.replace(scheme=scheme))[k][..., 1], axis=0)
            np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4, 5])
            np.testing.assert_allclose(line.get_ydata(), values, atol=1e-9)
        assert made.axes.get_xlabel() == "layer"
        assert not data.timed
        assert "PyTorch" in VIEWS[name].describe(data)


def test_an_exact_zero_is_not_said_to_be_no_gradient():
    flat = rv.compare(DEEP.replace(seq_len=1, gain=0.0, activation="tanh"), ("xavier",), (0, 1))
    assert "in layer 1, 0 in layer 3" in VIEWS["layers_state"].describe(VIEWS["layers_state"].data(flat))
    assert "0 in layer 1, 1 in layer 3" in VIEWS["layers_gradient"].describe(VIEWS["layers_gradient"].data(flat))
    cut = rv.compare(DEEP.replace(seq_len=400, layers=1, truncate=1, batch_size=1), ("xavier",), (0,))
    assert "in 99% of the picture" in VIEWS["layers_gradient"].describe(VIEWS["layers_gradient"].data(cut))


@pytest.mark.parametrize("name", ["state", "gradient", "gates", "units", "unit_gradients", "weight_gradients"])
def test_titles_say_which_layer_is_shown(name):
    view, trace = VIEWS[name], rv.compare(DEEP.replace(cell="gru"), ("xavier",), (0,))
    titles = [view.data(trace, layer=layer).title for layer in (0, 1, 2, 3, 9)]
    assert [title.rpartition(", ")[2] for title in titles] == [f"layer {shown} of 3" for shown in (3, 1, 2, 3, 3)]
    alone = rv.compare(DEEP.replace(cell="gru", layers=1), ("xavier",), (0,))
    assert "layer" not in view.data(alone).title


def test_curves_of_a_layer_are_its_own_and_relative_to_the_top_layers_gradient_at_the_end():
    trace = rv.compare(DEEP, ("xavier",), range(3))
    moments, norms = (np.median(each, axis=0) for each in of_seeds(DEEP))
    for layer in (1, 2, 3):
        state, gradient = (VIEWS[name].data(trace, layer=layer).curves[0].median for name in ("state", "gradient"))
        np.testing.assert_allclose(state[1:], moments[layer - 1, 1:], atol=1e-9)
        np.testing.assert_allclose(gradient, norms[layer - 1], atol=1e-9)
    narrow = VIEWS["gradient"].data(trace, layer=2, precision="float32").overlays[0].values
    g = rv.bptt(trace.parameters(), *trace.inputs()).log10_grad_norm_by_layer
    np.testing.assert_allclose(narrow, g[1] - g[2, -1], atol=1e-3)


def test_gradients_by_unit_and_of_weights_are_the_layers_own():
    trace = rv.compare(DEEP, ("xavier",), (0,))
    g = rv.bptt(trace.parameters(), *trace.inputs())
    for layer, ending in ((1, ""), (2, "_2"), (0, "_3")):
        units = VIEWS["unit_gradients"].data(trace, layer=layer).values
        d_h = g.d_h_by_layer[layer - 1, :, 0]
        np.testing.assert_allclose(10.0**units.T, np.abs(d_h) / np.linalg.norm(g.d_h[-1, 0]), rtol=1e-9)
        weights = VIEWS["weight_gradients"].data(trace, layer=layer)
        assert weights.labels == [f"W_hh{ending}", f"W_xh{ending}", "W_hy"]
        wholes = [10 ** each.values[0] for each in weights.overlays]
        np.testing.assert_allclose(wholes, [np.linalg.norm(g.d_params[name]) for name in weights.labels], rtol=1e-9)


def test_only_the_layers_of_the_network_are_offered():
    layer = OPTIONS["layer"]
    offered = [value for _label, value in layer.choices if layer.applies(value, DEEP.to_dict())]
    assert offered == [0, 1, 2, 3]
    assert [value for _label, value in layer.choices if layer.applies(value, SMALL.to_dict())] == [0]
