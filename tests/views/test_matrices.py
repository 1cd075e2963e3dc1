"""Views of matrices and units: what is drawn are the numbers of the first seed's W_hh and first sequence."""

import itertools
import re

import numpy as np
import pytest
from drawn import CASES, SMALL, figure, figure_of, hollow, trace_of
from matplotlib.lines import Line2D

import rnnviz as rv
from rnnviz.views import VIEWS, Canvas


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_eigenvalues_and_singular_values_are_those_of_the_first_seeds_matrix(cell):
    trace = rv.compare(SMALL.replace(cell=cell, hidden_size=20), ("he", "uniform_centered"), range(3, 5))
    shown = {name: figure(name, VIEWS[name].data(trace)) for name in ("spectrum", "singular")}
    for k, scheme in enumerate(trace.schemes):
        w = rv.init_params(trace.config.replace(scheme=scheme, seed=3))["W_hh"][:, :20]
        points = shown["spectrum"].artists["points"][k]
        drawn = np.sort_complex(np.round(points.get_xdata() + 1j * points.get_ydata(), 9))
        np.testing.assert_allclose(drawn, np.sort_complex(np.round(np.linalg.eigvals(w), 9)), atol=1e-8)
        x, density = shown["singular"].artists["points"][k].get_data()
        bins = shown["singular"].axes.get_xlim()[1] / 24
        counts = np.histogram(np.linalg.svd(w, compute_uv=False), 24, (0, 24 * bins))[0]
        np.testing.assert_allclose(x, (np.arange(24) + 0.5) * bins)
        np.testing.assert_allclose(density, counts / 20 / bins)


@pytest.mark.parametrize("name", ["spectrum", "singular"])
def test_what_lies_outside_the_axes_is_named_with_its_scheme(name):
    trace = rv.compare(SMALL.replace(hidden_size=40), ("orthogonal", "uniform01"), (0,))
    w = rv.init_params(trace.config.replace(scheme="uniform01", seed=0))["W_hh"]
    largest = np.linalg.norm(w, 2) if name == "singular" else np.abs(np.linalg.eigvals(w)).max()
    words = [text.get_text() for text in figure(name, VIEWS[name].data(trace)).artists["words"]]
    assert words == ["", f"U[0, 1]: → {largest:.0f}"]


@pytest.mark.parametrize("schemes", [("he", "pytorch", "orthogonal"), ("identity",)])
def test_each_quarter_circle_has_its_schemes_marker(schemes):
    made = figure("singular", VIEWS["singular"].data(rv.compare(SMALL, schemes, (0,))))
    laws = [line for line in made.axes.get_lines() if hollow(line)]
    # Xavier's circle ends at 2; He's variance is twice, PyTorch's a third of it. Orthogonal matrices have none.
    ends = {"o": 8**0.5, "s": 2 / 3**0.5} if len(schemes) > 1 else {}
    assert {line.get_marker(): line.get_xdata()[-1] for line in laws} == pytest.approx(ends)
    assert [line.get_marker() for line in made.axes.get_legend().findobj(Line2D) if hollow(line)] == list(ends)
    assert ("quarter-circle law" in names(made)) == bool(ends)


def names(made):
    return [text.get_text() for text in made.axes.get_legend().get_texts()]


def shown(name, config, *schemes):
    """Return figure and alt text of the comparison's view."""
    data = VIEWS[name].data(rv.compare(config, schemes, (0,)))
    return figure(name, data), VIEWS[name].describe(data)


@pytest.mark.parametrize(
    ("cell", "radius", "edge", "gate"),
    [("lstm", "0.5", "0.87", "i"), ("gru", "0.58", "0.94", "r"), ("rnn", "1", "1", "")],
)
def test_kerass_block_has_the_law_of_a_block(cell, radius, edge, gate):
    config = SMALL.replace(cell=cell, batch_size=1, seq_len=2)
    for name, number in (("spectrum", radius), ("singular", edge)):
        made, text = shown(name, config, "keras")
        law = "is one gate's block of an orthogonal matrix" if gate else "is orthogonal but for the gain"
        assert law in text
        assert re.search(rf"(radius|reach up to|all are) {re.escape(number)}[,.]", text), text
        assert not re.search("circular law|quarter", text)
        assert ("law for a block" in names(made)) == bool(gate)
        assert made.axes.get_title("left").endswith(f"W_hh, gate {gate}" if gate else "W_hh")
    circles = [patch.radius for patch in shown("spectrum", config, "keras")[0].axes.patches]
    assert circles == pytest.approx([1.0, {"lstm": 0.5, "gru": 3**-0.5, "rnn": 1.0}[cell]])
    assert len(shown("spectrum", config.replace(gain=0.0), "keras")[0].axes.patches) == 1


LIMITS = re.compile("circular law|quarter-circle law|gate's block of")


@pytest.mark.parametrize("name", ["spectrum", "singular"])
def test_no_law_is_named_where_it_does_not_hold(name):
    view = VIEWS[name]
    for cell, scheme in itertools.product(rv.cells.CELLS, rv.schemes.SCHEMES):
        orthogonal = scheme in ("orthogonal", "identity") or (scheme, cell) == ("keras", "rnn")
        for size, gain in ((1, 1.0), (2, 3.0), (40, 0.0), (40, 0.2)):
            config = rv.Config(cell=cell, hidden_size=size, gain=gain, batch_size=1, seq_len=1)
            data = view.data(rv.compare(config, (scheme,), (0,)))
            text, limit = view.describe(data), size > 2 and gain > 0 and not orthogonal
            said = (scheme, cell, size, gain, text)
            assert bool(LIMITS.search(text)) == limit, said
            assert ("circular" in text or "quarter" in text) == (limit and scheme != "keras"), said
            assert ("is orthogonal" in text) == (orthogonal and gain > 0), said
            assert any("law" in each for each in view.entries(data)) == limit, said
            assert (data.laws == (None,)) == (not limit and not (orthogonal and gain > 0)), said


def test_the_outlier_is_named_with_its_place():
    for size, gain in ((40, 1.0), (500, 2.0)):
        config = rv.Config(hidden_size=size, gain=gain, batch_size=1, seq_len=1)
        text = shown("spectrum", config, "uniform01")[1]
        said = re.search(
            r"all but one fill the disc of radius (\S+); the mean of the weights puts that one near (\S+)\.", text
        )
        assert [float(each) for each in said.groups()] == pytest.approx(
            [gain * (size / 12) ** 0.5, gain * size / 2], rel=0.03
        )
        text = shown("singular", config, "uniform01")[1]
        said = re.search(r"all but one reach up to (\S+); the mean of the weights puts that one near (\S+)\.", text)
        assert float(said[1]) == pytest.approx(gain * 2 * (size / 12) ** 0.5, rel=0.03)


def test_the_spike_of_equal_singular_values_does_not_squash_the_other_curves():
    made = shown("singular", rv.Config(batch_size=1, seq_len=1), "xavier", "orthogonal")[0]
    assert made.axes.get_ylim()[1] < 1.6  # the quarter circle is 0.64 high


def test_jacobians_are_products_along_the_first_sequence():
    config = SMALL.replace(hidden_size=6, seq_len=5, gain=1.5)
    trace = rv.compare(config, ("xavier",), (2,))
    params = rv.init_params(config.replace(seed=2))
    h, w = trace.units[0, 0], params["W_hh"]
    product, expected = np.eye(6), [np.ones(6)]
    for t in (5, 4, 3, 2, 1):  # dh_t/dh_{t-1} = W_hh diag(1 - h_t^2), rows first
        product = (w * (1 - h[t] ** 2)) @ product
        expected.append(np.linalg.svd(product, compute_uv=False))
    artists = figure("jacobian", VIEWS["jacobian"].data(trace)).artists
    expected = np.log10(expected)
    np.testing.assert_allclose(artists["lines"][0].get_ydata(), np.median(expected, axis=1), atol=1e-9)
    corners = artists["bands"][0].get_paths()[0].vertices[:12, 1]
    np.testing.assert_allclose(corners, np.r_[expected[:, -1], expected[::-1, 0]], atol=1e-9)


def test_units_are_the_first_sequences_from_step_1_on():
    for case in CASES:
        image = figure_of("units", case).artists["image"][0]
        values = trace_of(case).units[0, 0, 1:].T
        drawn = image.get_array()
        np.testing.assert_array_equal(np.ma.getmaskarray(drawn), ~np.isfinite(values), err_msg=case)
        np.testing.assert_array_equal(drawn.compressed(), values[np.isfinite(values)], err_msg=case)
        low, high = image.get_clim()
        assert high == -low >= np.abs(drawn.compressed()).max(initial=0.0), case


def test_a_jacobian_that_shows_some_distances_only_still_counts_them_from_the_last_step():
    data = VIEWS["jacobian"].data(trace_of("plain"), work=0.0)
    assert data.last_step == 5
    assert Canvas(VIEWS["jacobian"]).axes_box(data, 500, 340, 1.0)["back"] == 14


def test_gradients_by_unit_are_drawn_on_a_log_scale_with_zeros_in_a_colour_of_their_own():
    config = SMALL.replace(activation="relu", input_scheme="xavier")
    trace = rv.compare(config, ("identity", "he"), (2,))
    data = VIEWS["unit_gradients"].data(trace)
    d_h = rv.bptt(trace.parameters(), *trace.inputs(), activation="relu").d_h[:, 0].T
    image = figure("unit_gradients", data).artists["image"][0]
    drawn, (low, high) = image.get_array(), image.get_clim()
    zero = d_h == 0
    assert 0 < zero[:, 0].sum() > zero[:, -1].sum() > 0
    np.testing.assert_allclose(drawn[~zero], np.log10(abs(d_h[~zero]) / np.linalg.norm(d_h[:, -1])), atol=1e-9)
    assert low <= drawn[~zero].min()
    assert drawn.max() <= high
    colours = {tuple(image.to_rgba(image.get_array())[zero][k]) for k in range(zero.sum())}
    ladder = image.to_rgba(np.linspace(low, high, 500))[:, :3]
    assert len(colours) == 1
    assert np.abs(ladder - np.array(*colours)[:3]).max(axis=1).min() > 0.2, "the scale itself has another colour"
    text = VIEWS["unit_gradients"].describe(data)
    assert f"exactly 0 for {zero[:, 0].sum()} of 12 units at step 0, and for {zero[:, -1].sum()} at the last" in text


def test_gradients_beyond_floats_keep_their_colours_apart():
    trace = rv.compare(SMALL.replace(seq_len=60, hidden_size=64), ("uniform01",), (0,))
    made = figure("unit_gradients", VIEWS["unit_gradients"].data(trace))
    drawn, (low, high) = made.artists["image"][0].get_array(), made.artists["image"][0].get_clim()
    assert low < drawn[:, 0].max() < -1000
    assert high == 0
    assert (np.diff(drawn.max(axis=0))[1:] > 0).all()


def test_weight_gradients_are_drawn_by_step_with_the_whole_as_a_line_and_in_words():
    trace = rv.compare(SMALL, ("he", "xavier"), (1, 2))
    data = VIEWS["weight_gradients"].data(trace)
    made, text = figure("weight_gradients", data), VIEWS["weight_gradients"].describe(data)
    whole = rv.bptt(trace.parameters(), *trace.inputs()).d_params
    for k, name in enumerate(("W_hh", "W_xh", "W_hy")):
        norm = np.linalg.norm(whole[name])
        np.testing.assert_allclose(made.artists["overlays"][k].get_ydata(), np.log10(norm))
        said = f"all steps {norm:.2g}"
        assert said in text, name
        assert said in made.artists["words"][k].get_text(), name
    steps, line = made.artists["lines"][0].get_data()
    assert np.isnan(line[:2]).all()
    assert np.isfinite(line[2:]).all()
    assert steps[-1] == 14
    assert made.artists["lines"][2].get_xdata() == [14]  # W_hy is read by the last step's loss alone


@pytest.mark.parametrize("name", ["unit_gradients", "weight_gradients"])
def test_a_covered_gradient_is_nowhere_in_its_picture(name):
    view = VIEWS[name]
    pictures = {Canvas(view).png(view.covered(view.data(rv.compare(SMALL, ("he",), (seed,))))) for seed in (1, 2, 3)}
    assert len(pictures) == 1
