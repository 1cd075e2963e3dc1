"""Curves over time: artists hold the medians and quantiles of the trace, and marks what a curve cannot show."""

import re

import numpy as np
import pytest
from drawn import CASES, IMPULSE, LINES, SMALL, figure, figure_of, hollow, log10, near, trace_of
from matplotlib.lines import Line2D

import rnnviz as rv
from rnnviz.views import VIEWS, Canvas
from rnnviz.views.lines import STYLES

SHORT = {name: entry.short for name, entry in rv.schemes.SCHEMES.items()}
EVERY = [(name, case) for name in LINES for case in CASES]


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
    return np.where(np.isfinite(found), found, np.nan)


@pytest.mark.parametrize(("name", "case"), EVERY)
def test_lines_are_medians_and_bands_quantiles(name, case):
    artists, trace = figure_of(name, case).artists, trace_of(case)
    expected = values_of(name, trace)
    assert len(artists["lines"]) == len(artists["bands"]) == len(expected)
    for line, band, values in zip(artists["lines"], artists["bands"], expected.values(), strict=True):
        median, low, high = (quantile(values, q) for q in (0.5, 0.1, 0.9))
        steps, drawn = line.get_data()
        np.testing.assert_array_equal(steps, np.arange(trace.config.seq_len + 1))
        np.testing.assert_allclose(drawn, median, rtol=1e-9, atol=1e-9)
        known = np.flatnonzero(np.isfinite(median) & np.isfinite(low) & np.isfinite(high))
        if known.size < 2:
            assert not band.get_paths() or band.get_paths()[0].vertices.size == 0
            continue
        corners = band.get_paths()[0].vertices[: 2 * known.size]
        np.testing.assert_array_equal(corners[:, 0], np.r_[known, known[::-1]])
        np.testing.assert_allclose(corners[:, 1], np.r_[low[known], high[known][::-1]], rtol=1e-9, atol=1e-9)


def test_the_legend_names_the_curves_in_their_looks():
    for name, case in EVERY:
        made = figure_of(name, case)
        legend = made.axes.get_legend()
        looks = {text.get_text(): line for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)}
        drawn = dict(zip(values_of(name, trace_of(case)), made.artists["lines"], strict=True))
        assert set(drawn) == set(looks) - {"∂L/∂c"}, (name, case)
        for label, line in drawn.items():
            for look in ("get_color", "get_linestyle", "get_marker"):
                assert getattr(line, look)() == getattr(looks[label], look)(), (name, case, label, look)


def test_every_quantity_of_the_state():
    trace = rv.compare(SMALL, ("orthogonal", "he"), range(5))
    for quantity in ("variance", "mean", "saturation"):
        data = VIEWS["state"].data(trace, quantity=quantity)
        values = getattr(trace, quantity)
        shown = log10(values) if quantity == "variance" else values
        for k, line in enumerate(figure("state", data).artists["lines"]):
            expected = np.median(shown[k], axis=0)[1:]
            np.testing.assert_allclose(line.get_ydata()[1:], expected, rtol=1e-12, err_msg=quantity)
            assert near(VIEWS["state"].describe(data), np.median(values[k, :, -1])), quantity


def test_the_cell_states_gradient_lies_over_an_lstms():
    trace = rv.compare(SMALL.replace(cell="lstm"), ("xavier", "orthogonal"), range(3))
    artists = figure("gradient", VIEWS["gradient"].data(trace)).artists
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
    made = figure(name, data)
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


def test_alt_texts_describe_every_line_that_is_drawn():
    trace = rv.compare(SMALL.replace(cell="lstm"), ("xavier",), range(3))
    pin = rv.compare(SMALL.replace(seq_len=9, gain=0.5), ("xavier",), range(3))
    text = VIEWS["gradient"].describe(VIEWS["gradient"].data(trace, pins=[("pinned: Xavier", pin)]))
    for name, norms, end in (
        ("pinned: Xavier", pin.log10_grad_norm[0], pin.log10_grad_norm[0][:, -1]),
        ("∂L/∂c, Xavier", trace.log10_grad_norm_c[0], trace.log10_grad_norm[0][:, -1]),
    ):
        said = re.search(rf"{name}: (\S+) at step 0\.", text)[1]
        assert near(said, 10 ** np.median(norms[:, 0] - end))
    state = VIEWS["state"].describe(VIEWS["state"].data(trace, pins=[("pinned: Xavier", pin)]))
    said = re.search(r"pinned: Xavier: ends with (\S+) at step 9\.", state)[1]
    assert near(said, np.median(pin.second_moment[0, :, -1]))


def test_alt_texts_say_where_a_narrow_float_ends():
    trace = rv.compare(SMALL.replace(activation="linear", gain=0.1), ("orthogonal",), range(3))
    data = VIEWS["gradient"].data(trace, precision="float16")
    last = np.flatnonzero(np.isfinite(data.overlays[0].values))[0]
    assert 0 < last < 14
    assert f"in float16, Orthogonal: ends with 1e-{14 - last} at step {last}." in VIEWS["gradient"].describe(data)


# What a curve cannot show


def marks(name, trace):
    """Return what is marked and where: (symbol, steps, edge) of every mark drawn, and the words beside them."""
    data = VIEWS[name].data(trace)
    artists = figure(name, data).artists
    drawn = [
        (line.get_marker(), list(line.get_xdata()), list(line.get_ydata()))
        for line in artists["marks"]
        if len(line.get_xdata())
    ]
    words = "\n".join(text.get_text() for text in artists["words"])
    return drawn, words, data.y_limits, VIEWS[name].describe(data)


def test_exact_zeros_are_marked_where_they_begin():
    trace = rv.compare(IMPULSE.replace(gain=0.0), ("xavier",), range(3))
    # W_hh = 0: step 2 forgets the impulse of step 1, and no gradient gets from the last step to the one before.
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


def test_a_covered_gradient_gives_nothing_away():
    for name in ("gradient", "jacobian"):
        view, pictures = VIEWS[name], []
        for gain in (0.5, 2.0):
            data = view.covered(view.data(rv.compare(SMALL.replace(gain=gain), ("xavier", "he"), range(2))))
            pictures.append(Canvas(view).png(data))
        assert pictures[0] == pictures[1], name
