"""Views: what is painted is what the trace holds, and painting anew is the same as painting for the first time.

What the artists must hold is worked out here with NumPy from the trace, never with the package's own helpers.
"""

import io
import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image

import rnnviz as rv
from rnnviz.views import OPTIONS, VIEWS, Canvas, canvas, jacobian, scale
from rnnviz.views.agg import QuickCanvas
from rnnviz.views.lines import STYLES

SMALL = rv.Config(hidden_size=12, seq_len=14, batch_size=4)
ONE_KICK = SMALL.replace(inputs="none", activation="relu", input_scheme="xavier")
CASES = {
    "plain": (SMALL, ("xavier", "uniform01")),
    "lstm": (SMALL.replace(cell="lstm"), ("xavier", "orthogonal", "small_normal")),
    "gru": (SMALL.replace(cell="gru", activation="sigmoid"), ("keras",)),
    "one step": (SMALL.replace(seq_len=1), ("he", "identity")),
    "one unit": (SMALL.replace(hidden_size=1, input_size=1), ("pytorch", "identity")),
    "exactly 0": (ONE_KICK.replace(gain=0.0), ("xavier", "he")),
    "overflow": (ONE_KICK.replace(gain=20.0, seq_len=260, hidden_size=4), ("identity", "xavier")),
    "six schemes": (SMALL, ("xavier", "he", "orthogonal", "identity", "uniform_centered", "small_normal")),
}
LINES = ("state", "gradient", "gates")
SHORT = {name: entry.short for name, entry in rv.schemes.SCHEMES.items()}


@pytest.fixture(params=CASES)
def case(request):
    config, schemes = CASES[request.param]
    return rv.compare(config, schemes, range(4))


@pytest.fixture(params=VIEWS)
def view(request):
    return VIEWS[request.param]


def plate(view, data, width=560, height=360, scale=1.0):
    return canvas.Plate(view, data, width, height, scale)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def finite_or_nan(values):
    return np.where(np.isfinite(values), values, np.nan)


def log10(values):
    with np.errstate(divide="ignore"):
        return np.log10(values)


def numbers(text):
    """Return every number of a text, as far as floats go."""
    found = re.findall(r"[−-]?\d+(?:\.\d+)?(?:e-?\d+)?", text)
    return [float(each.replace("−", "-")) for each in found]


def near(text, value):
    """Tell whether a text says a number, rounded as words are."""
    return any(np.isclose(said, value, rtol=0.05 if 1e-3 <= abs(value) < 1e4 else 0.34) for said in numbers(text))


# Any view, any trace


def test_alt_text_is_sentences_without_holes(view, case):
    text = view.describe(view.data(case))
    assert text.endswith(".")
    assert not re.search(r"\bnan\b|\binf\b|None|undefined|, ?\.|\. ?\.|: ?\.|  ", text), text


@pytest.mark.parametrize("name", VIEWS)
def test_alt_text_names_what_is_drawn(name):
    trace = rv.compare(SMALL.replace(cell="lstm" if name == "gates" else "rnn"), ("he", "keras"), range(3))
    text = VIEWS[name].describe(VIEWS[name].data(trace))
    assert "He" in text
    assert ("Keras" in text) == (name not in ("gates", "units"))  # these show the first scheme alone
    assert numbers(text)


def test_the_same_frame_needs_only_its_artists_drawn_anew(view):
    config = SMALL.replace(cell="lstm" if view.name == "gates" else "rnn")
    traces = [rv.compare(config, ("xavier", "orthogonal"), range(k, k + 2)) for k in range(12)]
    many = [view.data(trace) for trace in traces]
    kept, first = Canvas(view), view.frame(many[0])
    alike = [data for data in many if view.frame(data) == first]
    assert len(alike) >= 2, "no two draws have the same axes: nothing was tested"
    for data in alike:
        np.testing.assert_array_equal(pixels(kept.png(data)), pixels(Canvas(view).png(data)))
    assert len(kept.plates) == 1
    assert len({kept.png(data) for data in alike}) == len(alike)


def test_a_blitted_picture_is_a_full_drawing(view, case):
    data = view.data(case)
    made = plate(view, data)
    blitted = np.asarray(made.paint(data))
    assert len(np.unique(blitted.reshape(-1, 4), axis=0)) > 20, "blank, or of one colour"
    with rc_context(canvas.STYLE):
        figure = Figure(figsize=(5.6, 3.6), dpi=100)
        QuickCanvas(figure)
        axes = figure.add_axes(made.axes.get_position(original=True) if view.name != "units" else before_colours(made))
        artists = view.draw(axes, data)
        for k, artist in enumerate(itertools.chain(*artists.values())):
            artist.set_zorder(100 + k)  # what moves is painted last
        figure.canvas.draw()
        np.testing.assert_array_equal(blitted, np.asarray(figure.canvas.buffer_rgba()))


def before_colours(made):
    """Return the axes' place before the scale of colours took some of its width."""
    box = made.axes.get_position(original=True)
    return (box.x0, box.y0, box.width / 0.87, box.height)


def test_other_names_are_another_frame(view):
    config = SMALL.replace(cell="lstm" if view.name == "gates" else "rnn")
    frames = {view.frame(view.data(rv.compare(config, (scheme,), range(2)))) for scheme in ("xavier", "keras")}
    assert len(frames) == 2


@pytest.mark.parametrize("name", LINES)
def test_a_longer_trace_is_another_frame(name):
    view = VIEWS[name]
    config = SMALL.replace(cell="lstm")
    frames = {view.frame(view.data(rv.compare(config.replace(seq_len=n), ("he",), range(2)))) for n in (14, 15, 16)}
    assert len(frames) == 2


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_picture_has_the_pixels_asked_for(view, ratio):
    data = view.data(rv.compare(SMALL, ("xavier",), range(2)))
    for width, height in [(280, 310), (583, 361), (900, 430)]:
        image = Image.open(io.BytesIO(Canvas(view).png(data, width, height, ratio)))
        assert image.format == "PNG"
        assert image.size == (int(width * ratio), int(height * ratio))


def test_only_so_many_plates_are_kept():
    trace = rv.compare(SMALL, ("xavier",), range(2))
    kept, view = Canvas(VIEWS["state"]), VIEWS["state"]
    for width in range(300, 300 + canvas.KEPT + 3):
        kept.png(view.data(trace), width, 310)
    assert len(kept.plates) == canvas.KEPT
    assert [key[1] for key in kept.plates] == list(range(303, 300 + canvas.KEPT + 3))


# Curves over time


def values_of(name, trace):
    """Return what a view of lines draws: label -> values of the seeds (R, T+1)."""
    if name == "state":
        return {SHORT[s]: log10(trace.second_moment[k]) for k, s in enumerate(trace.schemes)}
    if name == "gates":
        labels = {"i": "input i", "f": "forget f", "g": "candidate g", "o": "output o", "r": "reset r", "z": "update z"}
        return {labels.get(gate, "candidate n"): values[0] for gate, values in trace.gates.items()}
    with np.errstate(invalid="ignore"):
        return {
            SHORT[s]: trace.log10_grad_norm[k] - trace.log10_grad_norm[k][:, -1:] for k, s in enumerate(trace.schemes)
        }


def quantile(values, q):
    """Return a quantile over the seeds that are known, step by step; nan where none is, or where it is infinite."""
    found = np.full(values.shape[1], np.nan)
    for t, column in enumerate(values.T):
        known = np.sort(column[~np.isnan(column)])
        if known.size:
            at = q * (known.size - 1)
            low, high = known[int(np.floor(at))], known[int(np.ceil(at))]
            found[t] = low if low == high else low + (high - low) * (at - np.floor(at)) if np.isfinite(low) else np.nan
    return finite_or_nan(found)


@pytest.mark.parametrize("name", LINES)
def test_lines_are_medians_and_bands_quantiles(name, case):
    view = VIEWS[name]
    data = view.data(case)
    artists = plate(view, data).artists
    expected = values_of(name, case)
    assert len(artists["lines"]) == len(artists["bands"]) == len(expected)
    for line, band, values in zip(artists["lines"], artists["bands"], expected.values(), strict=True):
        median, low, high = (quantile(values, q) for q in (0.5, 0.1, 0.9))
        steps, drawn = line.get_data()
        np.testing.assert_array_equal(steps, np.arange(case.config.seq_len + 1))
        np.testing.assert_allclose(drawn, median, rtol=1e-9, atol=1e-9)
        known = np.flatnonzero(np.isfinite(median) & np.isfinite(low) & np.isfinite(high))
        if known.size < 2:
            assert not band.get_paths() or band.get_paths()[0].vertices.size == 0
            continue
        corners = band.get_paths()[0].vertices[: 2 * known.size]
        np.testing.assert_array_equal(corners[:, 0], np.r_[known, known[::-1]])
        np.testing.assert_allclose(corners[:, 1], np.r_[low[known], high[known][::-1]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", LINES)
def test_the_legend_names_the_curves_in_their_looks(name, case):
    view = VIEWS[name]
    made = plate(view, view.data(case))
    legend = made.axes.get_legend()
    looks = {text.get_text(): line for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)}
    drawn = dict(zip(values_of(name, case), made.artists["lines"], strict=True))
    assert set(drawn) == set(looks) - {"∂L/∂c"}
    for label, line in drawn.items():
        for look in ("get_color", "get_linestyle", "get_marker"):
            assert getattr(line, look)() == getattr(looks[label], look)()


@pytest.mark.parametrize("quantity", ["variance", "mean", "saturation"])
def test_every_quantity_of_the_state(quantity):
    trace = rv.compare(SMALL, ("orthogonal", "he"), range(5))
    data = VIEWS["state"].data(trace, quantity=quantity)
    values = getattr(trace, quantity)
    shown = log10(values) if quantity == "variance" else values
    for k, line in enumerate(plate(VIEWS["state"], data).artists["lines"]):
        np.testing.assert_allclose(line.get_ydata()[1:], np.median(shown[k], axis=0)[1:], rtol=1e-12)
        assert near(VIEWS["state"].describe(data), np.median(values[k, :, -1]))


def test_the_cell_states_gradient_lies_over_an_lstms():
    trace = rv.compare(SMALL.replace(cell="lstm"), ("xavier", "orthogonal"), range(3))
    artists = plate(VIEWS["gradient"], VIEWS["gradient"].data(trace)).artists
    for k, line in enumerate(artists["overlays"]):
        expected = np.median(trace.log10_grad_norm_c[k] - trace.log10_grad_norm[k][:, -1:], axis=0)
        np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-9)
        assert line.get_color() == STYLES[k]["color"]


@pytest.mark.parametrize("steps", [50, 9, 1])
@pytest.mark.parametrize(
    ("name", "settings", "options"),
    [("gradient", {"cell": "lstm"}, {}), ("gradient", {}, {"theory": True}), ("state", {}, {"theory": True})],
)
def test_lines_that_every_curve_has_are_told_apart_without_any_colour(name, settings, options, steps):
    trace = rv.compare(SMALL.replace(seq_len=steps, **settings), ("xavier", "pytorch", "orthogonal"), range(2))
    view = VIEWS[name]
    data = view.data(trace, **options)
    made = plate(view, data)
    assert {each.curve for each in data.overlays} == {0, 1, 2}
    seen = dict.fromkeys(range(3), False)
    for overlay, line in zip(data.overlays, made.artists["overlays"], strict=True):
        own = made.artists["lines"][overlay.curve]
        assert line.get_marker() == STYLES[overlay.curve]["marker"] == own.get_marker()
        assert hollow(line)
        assert not hollow(own)
        marked = [set(np.arange(steps + 1)[start::gap]) for start, gap in (line.get_markevery(), own.get_markevery())]
        assert steps < 6 or not marked[0] & marked[1], "a hollow marker may hide the curve's own"
        assert len(marked[0]) <= 10
        seen[overlay.curve] |= bool(marked[0] & set(np.flatnonzero(np.isfinite(overlay.values))))
    assert all(seen.values()) or steps < 6, "a line without any marker is nobody's"
    drawn = [STYLES[each.curve]["marker"] for each in data.overlays if each.kind in ("∂L/∂c", "theory")]
    assert [line.get_marker() for line in made.axes.get_legend().findobj(Line2D) if hollow(line)] == drawn


def hollow(line):
    return line.get_markerfacecolor() == "#ffffff" and line.get_marker() not in ("", "None")


def test_alt_texts_give_both_ends_of_the_curves():
    trace = rv.compare(SMALL, ("xavier", "uniform01"), range(4))
    state = VIEWS["state"].describe(VIEWS["state"].data(trace))
    gradient = VIEWS["gradient"].describe(VIEWS["gradient"].data(trace))
    for k, scheme in enumerate(trace.schemes):
        said = re.search(rf"{re.escape(SHORT[scheme])}: (\S+) at step 1, (\S+) at step 14", state)
        for text, t in zip(said.groups(), (1, 14), strict=True):
            assert near(text, 10 ** np.median(np.log10(trace.second_moment[k, :, t])))
        back = trace.log10_grad_norm[k, :, 0] - trace.log10_grad_norm[k, :, -1]
        said = re.search(rf"{re.escape(SHORT[scheme])}: (\S+) at step 0", gradient)[1]
        assert near(said, 10 ** np.median(back))


def test_alt_texts_tell_of_every_line_that_is_drawn():
    trace = rv.compare(SMALL.replace(cell="lstm"), ("xavier",), range(3))
    pin = rv.compare(SMALL.replace(seq_len=9, gain=0.5), ("xavier",), range(3))
    told = VIEWS["gradient"].describe(VIEWS["gradient"].data(trace, pins=[("pinned: Xavier", pin)]))
    for name, norms, end in (
        ("pinned: Xavier", pin.log10_grad_norm[0], pin.log10_grad_norm[0][:, -1]),
        ("∂L/∂c, Xavier", trace.log10_grad_norm_c[0], trace.log10_grad_norm[0][:, -1]),
    ):
        said = re.search(rf"{name}: (\S+) at step 0\.", told)[1]
        assert near(said, 10 ** np.median(norms[:, 0] - end))
    state = VIEWS["state"].describe(VIEWS["state"].data(trace, pins=[("pinned: Xavier", pin)]))
    said = re.search(r"pinned: Xavier: ends with (\S+) at step 9\.", state)[1]
    assert near(said, np.median(pin.second_moment[0, :, -1]))


def test_alt_texts_tell_where_a_narrow_float_ends():
    trace = rv.compare(SMALL.replace(activation="linear", gain=0.1), ("orthogonal",), range(3))
    data = VIEWS["gradient"].data(trace, precision="float16")
    last = np.flatnonzero(np.isfinite(data.overlays[0].values))[0]
    assert 0 < last < 14
    assert f"in float16, Orthogonal: ends with 1e-{14 - last} at step {last}." in VIEWS["gradient"].describe(data)


def test_one_step_has_no_ticks_between_its_ends():
    trace = rv.compare(SMALL.replace(seq_len=1), ("xavier",), range(2))
    for name in ("state", "gradient"):
        ax = plate(VIEWS[name], VIEWS[name].data(trace)).artists["lines"][0].axes
        assert list(ax.get_xticks()) == [0, 1, 2]


# Matrices and units


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_eigenvalues_and_singular_values_are_those_of_the_first_seeds_matrix(cell):
    trace = rv.compare(SMALL.replace(cell=cell, hidden_size=20), ("he", "uniform_centered"), range(3, 5))
    shown = {name: plate(VIEWS[name], VIEWS[name].data(trace)) for name in ("spectrum", "singular")}
    for k, scheme in enumerate(trace.schemes):
        w = rv.init_params(trace.config.replace(scheme=scheme, seed=3))["W_hh"][:, :20]
        points = shown["spectrum"].artists["points"][k]
        drawn = np.sort_complex(np.round(points.get_xdata() + 1j * points.get_ydata(), 9))
        np.testing.assert_allclose(drawn, np.sort_complex(np.round(np.linalg.eigvals(w), 9)), atol=1e-8)
        x, density = shown["singular"].artists["lines"][k].get_data()
        bins = shown["singular"].axes.get_xlim()[1] / 24
        counts = np.histogram(np.linalg.svd(w, compute_uv=False), 24, (0, 24 * bins))[0]
        np.testing.assert_allclose(x, (np.arange(24) + 0.5) * bins)
        np.testing.assert_allclose(density, counts / 20 / bins)


@pytest.mark.parametrize("name", ["spectrum", "singular"])
def test_what_lies_outside_the_axes_is_told_with_the_schemes_name(name):
    trace = rv.compare(SMALL.replace(hidden_size=40), ("orthogonal", "uniform01"), (0,))
    w = rv.init_params(trace.config.replace(scheme="uniform01", seed=0))["W_hh"]
    largest = np.linalg.norm(w, 2) if name == "singular" else np.abs(np.linalg.eigvals(w)).max()
    words = [text.get_text() for text in plate(VIEWS[name], VIEWS[name].data(trace)).artists["words"]]
    assert words == ["", f"U[0, 1]: → {largest:.0f}"]


@pytest.mark.parametrize("schemes", [("he", "pytorch", "orthogonal"), ("identity",)])
def test_each_quarter_circle_has_its_schemes_marker(schemes):
    made = plate(VIEWS["singular"], VIEWS["singular"].data(rv.compare(SMALL, schemes, (0,))))
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
    artists = plate(VIEWS["jacobian"], VIEWS["jacobian"].data(trace)).artists
    expected = np.log10(expected)
    np.testing.assert_allclose(artists["lines"][0].get_ydata(), np.median(expected, axis=1), atol=1e-9)
    corners = artists["bands"][0].get_paths()[0].vertices[:12, 1]
    np.testing.assert_allclose(corners, np.r_[expected[:, -1], expected[::-1, 0]], atol=1e-9)


def test_units_are_the_first_sequences_from_step_1_on(case):
    image = plate(VIEWS["units"], VIEWS["units"].data(case)).artists["image"][0]
    values = case.units[0, 0, 1:].T
    drawn = image.get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(drawn), ~np.isfinite(values))
    np.testing.assert_array_equal(drawn.compressed(), values[np.isfinite(values)])
    low, high = image.get_clim()
    assert high == -low
    assert high >= np.abs(drawn.compressed()).max(initial=0.0)


# Choices of the page


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        (name, option, value)
        for name, view in VIEWS.items()
        for option in view.options
        for _, value in OPTIONS[option].choices[1:]
        if (name, option) != ("gates", "quantity") or value == "saturation"
    ],
)
def test_every_choice_changes_the_picture(name, option, value):
    trace = rv.compare(SMALL.replace(cell="lstm" if name == "gates" else "rnn"), ("xavier", "orthogonal"), range(3))
    view = VIEWS[name]
    plain, chosen = view.data(trace), view.data(trace, **{option: value})
    assert Canvas(view).png(plain) != Canvas(view).png(chosen)
    # What was chosen comes and goes on a canvas that lives on.
    kept = Canvas(view)
    assert [kept.png(data) for data in (plain, chosen, plain)] == [Canvas(view).png(d) for d in (plain, chosen, plain)]


# What a curve cannot show


def marks(name, trace):
    """Return what is marked and where: (symbol, steps, edge) of every mark drawn, and the words beside them."""
    data = VIEWS[name].data(trace)
    artists = plate(VIEWS[name], data).artists
    drawn = [
        (line.get_marker(), list(line.get_xdata()), list(line.get_ydata()))
        for line in artists["marks"]
        if len(line.get_xdata())
    ]
    words = "\n".join(text.get_text() for text in artists["words"])
    return drawn, words, data.frame.y_limits, VIEWS[name].describe(data)


def test_exact_zeros_are_marked_where_they_begin():
    trace = rv.compare(ONE_KICK.replace(gain=0.0), ("xavier",), range(3))
    # W_hh = 0: the kick of step 1 is forgotten at step 2, and nothing goes back from the last step to the one before.
    drawn, words, (bottom, _), text = marks("state", trace)
    assert drawn == [("x", [2], [bottom])]
    assert "× exactly 0 at t = 2" in words
    assert "exactly 0 from step 2" in text
    drawn, words, (bottom, _), text = marks("gradient", trace)
    assert [each for each in drawn if each[0] == "x"] == [("x", [13], [bottom])]
    assert "exactly 0 from step 13 back" in text


def test_the_end_of_float32_is_marked():
    config = SMALL.replace(activation="linear", gain=1e-3, seq_len=40)
    trace = rv.compare(config, ("orthogonal",), range(3))
    last = np.median(trace.log10_grad_norm[0, :, -1])
    # Each step back divides the norm by 1000; float32's least number is 2^-149.
    steps = int(np.floor((last + 149 * np.log10(2)) / 3)) + 1
    drawn, words, (bottom, _), text = marks("gradient", trace)
    assert drawn == [("|", [40 - steps], [bottom])]
    assert f"| float32 ends at t = {40 - steps}" in words
    assert f"from step {40 - steps} back" in text


def test_overflow_is_marked_at_the_top_and_ends_the_curve():
    config, schemes = CASES["overflow"]
    trace = rv.compare(config, schemes[:1], range(4))
    first = int(trace.first_nonfinite[trace.first_nonfinite >= 0].min())
    drawn, words, (_, top), text = marks("state", trace)
    assert drawn == [("*", [first], [top])]
    assert f"★ not finite at t = {first}" in words
    assert f"not finite from step {first}" in text
    drawn, _, (_, top), text = marks("gradient", trace)
    assert ("*", [first], [top]) in drawn
    assert "no gradient" in text


@pytest.mark.parametrize(("cell", "gate"), [("lstm", "g"), ("gru", "n")])
def test_a_candidate_that_leaves_the_axes_gets_an_arrow(cell, gate):
    trace = rv.compare(SMALL.replace(cell=cell, activation="relu", gain=8.0), ("uniform01",), range(3))
    value = float(np.median(trace.gates[gate][0, :, -1]))
    assert value > 2
    drawn, words, limits, _ = marks("gates", trace)
    assert (drawn, limits) == ([], (0.0, 1.0))
    said = re.fullmatch(rf"candidate {gate}:\n↑ (\S+) at t = 14", words.strip())[1]
    assert near(said, value)
    assert marks("gates", rv.compare(SMALL.replace(cell=cell), ("xavier",), range(3)))[1].strip() == ""


def test_gates_end_where_the_state_is_not_finite():
    config = SMALL.replace(cell="lstm", activation="relu", gain=20.0, seq_len=200)
    trace = rv.compare(config, ("uniform01",), range(3))
    first = int(trace.first_nonfinite[trace.first_nonfinite >= 0].min())
    drawn, words, _, text = marks("gates", trace)
    assert drawn == [("*", [first], [1.0])]
    assert words.strip() == f"candidate g:\n★ not finite at t = {first}"
    assert re.search(rf"candidate g: [^.]*\..* not finite from step {first}\. output o", text)


def test_a_curve_that_would_squash_the_others_gets_an_arrow():
    trace = rv.compare(SMALL.replace(activation="linear", gain=1e-4), ("identity", "uniform01"), range(3))
    value = float(np.median(trace.log10_grad_norm[0, :, 0] - trace.log10_grad_norm[0, :, -1]))
    config = SMALL.replace(activation="linear")
    both = rv.compare(config, ("orthogonal",), range(3))
    assert value == pytest.approx(-56)
    assert marks("gradient", both)[1] == ""
    _, words, (bottom, top), _ = marks("gradient", trace)
    assert bottom > value
    assert re.search(r"Identity:\n↓ 1e-56 at t = 0", words)
    assert bottom <= 0 <= top


# Axes

distances = st.lists(st.floats(0, 1e6), min_size=1, max_size=6)


@given(st.floats(0, 1e300))
def test_snap_goes_up_to_the_next_rung(value):
    rung = scale.snap(value)
    assert rung >= value or value < 0.03
    mantissa = rung / 10 ** np.floor(np.log10(rung)) if rung else 0.0
    assert np.isclose(mantissa, [0, 1, 1.5, 2, 3, 4, 5, 6, 8, 10]).any()
    assert rung <= max(1.0, 1.51 * value)
    assert scale.snap(rung) == rung


@given(distances, distances, st.floats(0, 5), st.floats(0, 5))
def test_limits_hold_every_curve_or_leave_it_out_for_the_others_sake(lows, highs, down, up):
    bottom, top = scale.decades([-value for value in lows], highs, down, up)
    assert bottom <= -(down if down >= 0.03 else 0)
    assert top >= (up if up >= 0.03 else 0)
    for limit, values, least in ((-bottom, lows, down), (top, highs, up)):
        inside = [value for value in values if value <= limit]
        outside = [value for value in values if value > limit]
        # The axis is no longer than its longest curve needs, and no curve is left out that would not squash the rest.
        assert limit <= 1.51 * max([1.0, least, *inside])
        assert all(value > scale.SQUASH * max([5.0, least, *inside]) or value < 0.03 for value in outside)


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=5), st.lists(st.sampled_from([np.nan, np.inf, -np.inf])))
def test_limits_pass_over_what_is_not_finite(values, unknown):
    assert scale.decades([], values + unknown, 1.0, 1.0) == scale.decades([], values, 1.0, 1.0)


@given(st.integers(1, 10_000))
def test_the_time_axis_holds_all_steps(seq_len):
    assert seq_len <= scale.steps_limit(seq_len) <= max(2.0, 1.51 * seq_len)


@pytest.mark.parametrize(("zoom", "ratio"), [(1.0, 1.0), (1.35, 2.0)])
@pytest.mark.parametrize("seq_len", [14, 1])
@pytest.mark.parametrize("name", [name for name, view in VIEWS.items() if view.timed])
def test_the_page_finds_every_step_where_it_is_drawn(name, seq_len, zoom, ratio):
    view, width, height = VIEWS[name], 620, 384
    data = view.data(rv.compare(SMALL.replace(seq_len=seq_len), ("xavier", "he"), range(2)))
    kept = Canvas(view)
    kept.png(data, round(width / zoom), round(height / zoom), zoom * ratio)
    (made,) = kept.plates.values()
    told = kept.time_axis(data, width, height, zoom)
    assert len(kept.plates) == 1, "a plate more costs a whole drawing"
    drawn_width, drawn_height = made.figure.bbox.size
    for t in range(view.name == "units", seq_len + 1):
        at = seq_len - t if name == "jacobian" else t
        assert at == (told["back"] - t if "back" in told else t)
        across = (at - told["first"]) / (told["limit"] - told["first"])
        x = told["left"] + across * (told["right"] - told["left"])
        assert x / width == pytest.approx(made.axes.transData.transform((at, 0))[0] / drawn_width)
    low, high = made.axes.transAxes.transform([(0, 0), (1, 1)])[:, 1]
    assert [told["bottom"], told["top"]] == pytest.approx([height * (1 - y / drawn_height) for y in (low, high)])


def test_a_jacobian_that_shows_some_distances_only_still_counts_them_from_the_last_step(monkeypatch):
    monkeypatch.setattr(jacobian, "WORK", 0.0)
    data = VIEWS["jacobian"].data(rv.compare(SMALL, ("xavier",), (0,)))
    assert data.last_step == 5
    assert Canvas(VIEWS["jacobian"]).time_axis(data, 500, 340, 1.0)["back"] == 14


@given(st.floats(0, 2000), st.floats(0, 2000))
def test_decade_ticks_are_true_to_their_labels(down, up):
    bottom, top = -scale.snap(down), max(scale.snap(up), 1.0)
    ticks, labels = scale.decade_ticks(bottom, top)
    assert 2 <= len(ticks) == len(labels) <= 10
    assert all(bottom - 1e-9 <= tick <= top + 1e-9 for tick in ticks)
    assert np.all(np.diff(ticks) > 0)
    for tick, label in zip(ticks, labels, strict=True):
        assert read_power(label) == pytest.approx(tick, abs=1e-9)


def read_power(label):
    """Return log10 of a tick's label, read as a person does."""
    plain = label.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    if plain != label:
        assert plain.startswith("10")
        return float(plain[2:])
    return np.log10(float(label))


# Looks: line colours, told apart on white and by colour-blind eyes

# Machado, Oliveira & Fernandes 2009, table 1, severity 1, on linear RGB.
EYES = {
    "typical": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
SRGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Return CIE L*a*b* of a linear RGB colour."""
    x, y, z = np.cbrt(SRGB_TO_XYZ @ np.clip(rgb, 0.0, 1.0) / WHITE)  # dark colours' linear part changes little here
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style["color"])
def test_lines_stand_out_from_white(style):
    luminance = float(linear(style["color"]) @ SRGB_TO_XYZ[1])
    assert 1.05 / (luminance + 0.05) >= 4.5  # WCAG 2.2: 3 for a line, 4.5 for the words in its colour


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(("a", "b"), list(itertools.combinations(range(len(STYLES)), 2)))
def test_lines_are_told_apart(eyes, a, b):
    seen = [lab(np.array(EYES[eyes]) @ linear(STYLES[k]["color"])) for k in (a, b)]
    assert np.linalg.norm(seen[0] - seen[1]) >= 15  # 2.3 is just noticeable


def test_dash_and_marker_tell_lines_apart_without_any_colour():
    for look in ("linestyle", "marker"):
        assert len({str(style[look]) for style in STYLES}) == len(STYLES)


# The mark at sqrt(H)

REPEATING = {
    "linear units": {"activation": "linear"},
    "ReLU": {"activation": "relu", "scheme": "he"},
    "an output with a mean": {"activation": "sigmoid"},
    "one kick": {"inputs": "none"},
}
CHANGING = {
    "fresh input": {},
    "orthogonal weights": {"activation": "linear", "scheme": "orthogonal"},
    "one sign": {"activation": "linear", "scheme": "uniform01"},
    "gates": {"cell": "lstm", "inputs": "none"},
    "too short": {"activation": "linear", "seq_len": 4},
}


def marked_steps(settings):
    """Return where the line at sqrt(H) stands in the state and the gradient view, None where it is not seen."""
    config = rv.Config(**{"hidden_size": 25, "seq_len": 30, "batch_size": 2} | settings)
    trace = rv.compare(config, (config.scheme,), range(2))
    found = []
    for name in ("state", "gradient"):
        data = VIEWS[name].data(trace)
        line, words = Canvas(VIEWS[name]).plate(data, 500, 340, 1.0).artists["root"]
        assert line.get_visible() == words.get_visible() == ("√H" in VIEWS[name].describe(data))
        found.append(float(line.get_xdata()[0]) if line.get_visible() else None)
    return found


@pytest.mark.parametrize("settings", REPEATING.values(), ids=REPEATING)
def test_a_mark_stands_at_the_root_of_h_where_one_matrix_meets_the_same_slopes(settings):
    assert marked_steps(settings) == [5.0, 25.0]


@pytest.mark.parametrize("settings", CHANGING.values(), ids=CHANGING)
def test_no_mark_stands_where_it_would_mean_nothing(settings):
    assert marked_steps(settings) == [None, None]


@pytest.mark.parametrize("size", [16, 64, 256])
def test_networks_part_from_theory_beyond_the_root_and_not_before(size):
    root = int(size**0.5)
    config = rv.Config(activation="linear", inputs="none", hidden_size=size, seq_len=4 * root, batch_size=8)
    moments = rv.compare(config, ("xavier",), range(60)).second_moment[0]
    decades = np.log10(np.median(moments[:, 1:] / moments[:, 1:2], axis=0))  # theory says 0 at every step
    assert np.abs(decades[:root]).max() < 0.1
    assert decades[-1] > 0.4
