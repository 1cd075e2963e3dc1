"""Curves over time: artists hold the medians and bands of the trace, and marks what a curve cannot show."""

import re
from dataclasses import replace

import numpy as np
import pytest
from drawn import CASES, IMPULSE, LINES, SMALL, figure, figure_of, hollow, log10, near, trace_of
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.lines import Line2D

import rnnviz as rv
from rnnviz.engine.precision import held
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


def over_seeds(values, statistic):
    """Return a statistic of the seeds that are known, step by step; nan where none is, or where it is infinite."""
    found = np.full(values.shape[1], np.nan)
    for t, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        with np.errstate(invalid="ignore"):
            found[t] = statistic(known) if known.size else np.nan
    return np.where(np.isfinite(found), found, np.nan)


@pytest.mark.parametrize(("name", "case"), EVERY)
def test_lines_are_medians_and_bands_hold_all_of_a_few_seeds(name, case):
    artists, trace = figure_of(name, case).artists, trace_of(case)
    expected = values_of(name, trace)
    assert len(artists["lines"]) == len(artists["bands"]) == len(expected)
    for line, band, values in zip(artists["lines"], artists["bands"], expected.values(), strict=True):
        median, low, high = (over_seeds(values, each) for each in (np.median, np.min, np.max))
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


FLOAT32 = {  # where a run in float32 ends, and what the norms' own range would say
    "range": (SMALL.replace(activation="linear", gain=1e-3, seq_len=40), "orthogonal"),
    "rounded slopes": (rv.Config(), "uniform01"),
    "large batch": (rv.Config(hidden_size=32, gain=0.03, batch_size=128), "xavier"),
    "a gated cell": (rv.Config(cell="lstm", hidden_size=16, forget_bias=-9.0, gain=0.3), "orthogonal"),
}


@pytest.mark.parametrize("case", FLOAT32)
def test_the_end_of_float32_is_where_a_run_in_float32_ends(case):
    config, scheme = FLOAT32[case]
    trace = rv.compare(config, ("he", scheme), range(2))
    step = held(config.replace(scheme=scheme), "float32").first_zero
    drawn, words, (bottom, _), text = marks("gradient", trace)
    assert ("|", [step], [bottom]) in drawn
    assert f"| float32 ends at t = {step}" in words
    assert f"in float32 the first seed's run has only zeros from step {step} back" in text
    data = VIEWS["gradient"].data(trace.only(1), precision="float32")
    assert dict(data.curves[0].marks)["float32"] == step
    assert f"× 0 in float32 back from t = {step}" in data.curves[0].beyond
    line = data.overlays[-1].values
    assert np.isnan(line[: step + 1]).all()
    assert np.isfinite(line[step + 1 :]).all()


def test_saturated_units_end_float32_long_before_the_norm_leaves_its_range():
    # 1 - h^2 is 0 where float32 rounds h to 1: U[0, 1] loses its gradient in the first step back, at a norm of 1e-20.
    trace = rv.compare(rv.Config(), ("uniform01",), range(8))
    assert dict(VIEWS["gradient"].data(trace).curves[0].marks) == {"float32": 49}
    assert np.median(trace.log10_grad_norm[0, :, 49]) > -44


@settings(max_examples=25, deadline=None)
@given(
    cell=st.sampled_from(list(rv.cells.CELLS)),
    activation=st.sampled_from(list(rv.activations.ACTIVATIONS)),
    scheme=st.sampled_from(list(rv.schemes.SCHEMES)),
    gain=st.sampled_from([0.0, 1e-3, 0.05, 0.3, 1.0, 4.0, 20.0]),
    hidden_size=st.sampled_from([1, 2, 12]),
    seq_len=st.sampled_from([1, 20, 60]),
    inputs=st.sampled_from(["gaussian", "none"]),
    loss_at=st.sampled_from(["last", "every"]),
    forget_bias=st.sampled_from([-20.0, 1.0]),
)
def test_no_end_of_float32_is_missed_or_made_up(**fields):
    config = rv.Config(batch_size=3, **fields)
    found = dict(VIEWS["gradient"].data(rv.run(config)).curves[0].marks)
    assert found.get("float32", found.get("zero")) == held(config, "float32").first_zero


def test_bands_are_named_for_what_they_hold():
    config = SMALL.replace(seq_len=5, hidden_size=4)
    for seeds, low, note, words in [
        (1, 0, "", ""),
        (2, 0, "band: all 2 draws", "medians of 2 draws; bands reach from the lowest to the highest of them"),
        (8, 0, "band: all 8 draws", "medians of 8 draws; bands reach from the lowest to the highest of them"),
        (19, 1, "band: middle 17 of 19", "medians of 19 draws; bands hold the middle 17 of them"),
        (32, 2, "band: middle 28 of 32", "medians of 32 draws; bands hold the middle 28 of them"),
    ]:
        trace = rv.compare(config, ("he",), range(seeds))
        data = VIEWS["gradient"].data(trace)
        made = figure("gradient", data)
        assert made.artists["band"][0].get_text() == note
        text = VIEWS["gradient"].describe(data)
        assert words in text if seeds > 1 else "band" not in text
        ordered = np.sort(trace.log10_relative_norm[0], axis=0)
        np.testing.assert_allclose(data.curves[0].low, ordered[low], atol=1e-12)
        np.testing.assert_allclose(data.curves[0].high, ordered[-1 - low], atol=1e-12)
        assert VIEWS["gradient"].frame(data) == VIEWS["gradient"].frame(replace(data, seeds=1)), "a draft's axes jump"
    for width, seen in ((280, False), (600, True)):
        made = figure("gradient", data, width=width)
        note, label = made.artists["band"][0], made.axes.xaxis.label
        assert note.get_visible() == seen
    assert note.get_window_extent().x0 > label.get_window_extent().x1 + 10


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


def test_what_some_draws_do_is_not_said_of_all():
    config = rv.Config(activation="relu", gain=1.35, hidden_size=8, seq_len=2600, batch_size=1, inputs="none")
    trace = rv.compare(config, ("he",), range(4))
    over = trace.first_nonfinite[0]
    assert 0 < np.count_nonzero(over >= 0) < 4, "nothing is tested"
    first = over[over >= 0].min()
    drawn, words, (_, top), text = marks("state", trace)
    assert ("*", [first], [top]) in drawn
    assert f"★ in some draws not finite from t = {first}" in words
    assert f"in some draws not finite from step {first}" in text
    assert f"no gradient in the draws whose state is not finite (from step {first})" in marks("gradient", trace)[3]


def test_a_state_that_comes_back_from_0_is_0_only_at_times():
    trace = rv.compare(rv.Config(activation="relu", hidden_size=1, batch_size=1, seq_len=30), ("xavier",), range(1))
    zero = np.flatnonzero(trace.second_moment[0, 0, 1:] == 0) + 1
    assert trace.second_moment[0, 0, zero[0] :].any(), "nothing is tested"
    drawn, words, (bottom, _), text = marks("state", trace)
    assert ("x", [zero[0]], [bottom]) in drawn
    assert f"× at times exactly 0, first at t = {zero[0]}" in words
    assert f"at times exactly 0, first at step {zero[0]}" in text
