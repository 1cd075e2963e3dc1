"""Views of matrices and units: what is drawn are the numbers of the first seed's W_hh and first sequence."""

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
    assert Canvas(VIEWS["jacobian"]).time_axis(data, 500, 340, 1.0)["back"] == 14
