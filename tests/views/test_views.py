"""Any view of any trace: an updated picture is the same as a new one, and the alt text says what is drawn."""

import io
import itertools
import re
from dataclasses import dataclass

import numpy as np
import pytest
from drawn import ALL, CASES, LINES, SMALL, data_of, figure_of, numbers, own_cell, pixels, trace_of
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

import rnnviz as rv
from rnnviz import views
from rnnviz.engine.precision import PRECISIONS
from rnnviz.numerics.progress import finish
from rnnviz.views import OPTIONS, Canvas, View, canvas, heat_map, survival_map
from rnnviz.views.agg import QuickCanvas

VIEWS = {name: view for name, view in views.VIEWS.items() if not view.trains}  # see test_race_view for the others
BLITTED = {  # a view: the cases whose artists differ in kind
    "state": ("plain", "lstm", "exactly 0", "overflow", "one unit"),
    "gradient": ("plain", "lstm", "exactly 0", "overflow", "six schemes"),
    "gates": ("plain", "lstm", "gru"),
    "jacobian": ("plain", "lstm", "one step"),
    "spectrum": ("plain", "six schemes"),
    "singular": ("plain", "one unit"),
    "units": ("plain", "overflow"),
    "unit_gradients": ("plain", "exactly 0", "overflow"),
    "weight_gradients": ("plain", "lstm", "exactly 0", "overflow"),
    "layers_state": ("plain", "layers", "feed-forward"),
    "layers_gradient": ("layers", "feed-forward"),
    "map": ("plain", "lstm"),
}
# What these show:
KEYED = {"Units": heat_map.WIDTH, "HeatMap": heat_map.WIDTH, "Map": survival_map.WIDTH}  # shares of the width
FIRST_SCHEME = ("gates", "units", "map", "unit_gradients", "weight_gradients", "layers_state", "layers_gradient")


@pytest.mark.slow
def test_alt_texts_are_sentences_without_holes():
    for name, case in ALL:
        text = VIEWS[name].describe(data_of(name, case))
        assert text.endswith("."), (name, case, text)
        holes = re.search(r"\bnan\b|\binf\b|None|undefined|, ?\.|\. ?\.|: ?\.|  ", text)
        assert not holes, (name, case, text)


def test_alt_texts_name_what_is_drawn():
    for name, view in VIEWS.items():
        text = view.describe(view.data(rv.compare(own_cell(name), ("he", "keras"), range(3))))
        assert "He" in text, name
        assert ("Keras" in text) == (name not in FIRST_SCHEME), name
        assert numbers(text), name


@pytest.mark.parametrize("name", VIEWS)
def test_the_same_frame_needs_only_its_artists_drawn_anew(name):
    view, config, alike = VIEWS[name], own_cell(name), []
    for k in range(12):
        data = view.data(rv.compare(config, ("xavier", "orthogonal"), range(k, k + 2)))
        alike += [data] if not alike or view.frame(data) == view.frame(alike[0]) else []
        if len(alike) == 2:
            break
    kept = Canvas(view)
    shown = [kept.png(data) for data in alike]
    assert len(kept.figures) == 1
    assert len(set(shown)) == len(alike) == 2, "no two comparisons have the same axes: nothing was tested"
    np.testing.assert_array_equal(pixels(shown[1]), pixels(Canvas(view).png(alike[1])))


def test_every_view_has_cases_to_blit():
    assert set(BLITTED) == set(VIEWS)


@pytest.mark.parametrize("name", BLITTED)
def test_a_blitted_picture_is_a_full_drawing(name):
    for case in BLITTED[name]:
        data, made = data_of(name, case), figure_of(name, case)
        blitted = np.asarray(made.paint(data))
        assert len(np.unique(blitted.reshape(-1, 4), axis=0)) > 20, f"{case}: blank, or of one colour"
        with rc_context(canvas.STYLE):
            whole = Figure(figsize=made.figure.get_size_inches(), dpi=100)
            QuickCanvas(whole)
            left, bottom, width, height = made.axes.get_position(original=True).bounds
            # The scale of colours has taken some of the width.
            axes = whole.add_axes((left, bottom, width / KEYED.get(type(data).__name__, 1.0), height))
            artists = VIEWS[name].draw(axes, data)
            for k, artist in enumerate(itertools.chain(*artists.values())):
                artist.set_zorder(100 + k)  # what moves is painted last
            whole.canvas.draw()
            np.testing.assert_array_equal(blitted, np.asarray(whole.canvas.buffer_rgba()), err_msg=case)


def test_other_names_are_another_frame():
    for name, view in VIEWS.items():
        schemes = ("xavier", "keras")
        frames = {view.frame(view.data(rv.compare(own_cell(name), (scheme,), range(2)))) for scheme in schemes}
        assert len(frames) == 2, name


def test_a_longer_trace_is_another_frame():
    traces = [rv.compare(SMALL.replace(cell="lstm", seq_len=n), ("he",), range(2)) for n in (14, 15, 16)]
    for name in LINES:
        assert len({VIEWS[name].frame(VIEWS[name].data(trace)) for trace in traces}) == 2, name


def test_a_picture_has_the_pixels_asked_for():
    sizes = itertools.cycle([(280, 310, 1.0), (583, 361, 1.5), (900, 430, 2.0)])
    for (name, view), (width, height, ratio) in zip(VIEWS.items(), sizes, strict=False):
        image = Image.open(io.BytesIO(Canvas(view).png(data_of(name, "plain"), width, height, ratio)))
        assert (image.format, image.size) == ("PNG", (int(width * ratio), int(height * ratio))), name


def test_only_so_many_figures_are_kept():
    kept = Canvas(VIEWS["units"])
    for width in range(300, 300 + canvas.KEPT + 3):
        kept.png(data_of("units", "plain"), width, 310)
    assert [key[1] for key in kept.figures] == list(range(303, 300 + canvas.KEPT + 3))


@pytest.mark.parametrize("name", VIEWS)
def test_every_choice_changes_the_picture_and_can_be_taken_back(name):
    if name == "map":
        return  # its choices train networks: see test_gain_map and test_race
    config = own_cell(name).replace(layers=2)
    view, trace = VIEWS[name], rv.compare(config, ("xavier", "orthogonal"), range(3))
    plain, kept = view.data(trace), Canvas(view)
    first = kept.png(plain)
    for option in view.options:
        for _, value in OPTIONS[option].choices[1:]:
            if view.shows_gates and option == "quantity" and value != "saturation":
                continue  # gates only know their values and their saturation
            if option == "layer" and value > 1:
                continue  # the second layer is the top one
            chosen = view.data(trace, **{option: value})
            pictures = [kept.png(chosen), kept.png(plain)]
            assert pictures == [Canvas(view).png(chosen), first], (option, value)
            assert pictures[0] != first, (option, value)


@pytest.mark.parametrize("seq_len", [14, 1])
def test_the_page_finds_every_step_where_it_is_drawn(seq_len):
    trace = rv.compare(SMALL.replace(seq_len=seq_len), ("xavier", "he"), range(2))
    for name, view in VIEWS.items():
        for zoom, ratio in ((1.0, 1.0), (1.35, 2.0)) if view.timed else ():
            assert_steps_are_found(name, view.data(trace), seq_len, zoom, ratio)


def assert_steps_are_found(name, data, seq_len, zoom, ratio, width=620, height=384):
    kept = Canvas(VIEWS[name])
    kept.png(data, round(width / zoom), round(height / zoom), zoom * ratio)
    (made,) = kept.figures.values()
    axis = kept.axes_box(data, width, height, zoom)
    assert len(kept.figures) == 1, "another figure costs a whole drawing"
    drawn_width, drawn_height = made.figure.bbox.size
    for t in range(name in ("units", "layers_state"), seq_len + 1):
        at = seq_len - t if name == "jacobian" else t
        assert at == (axis["back"] - t if "back" in axis else t), name
        across = (at - axis["first"]) / (axis["limit"] - axis["first"])
        x = axis["left"] + across * (axis["right"] - axis["left"])
        assert x / width == pytest.approx(made.axes.transData.transform((at, 0))[0] / drawn_width), name
    low, high = made.axes.transAxes.transform([(0, 0), (1, 1)])[:, 1]
    assert [axis["bottom"], axis["top"]] == pytest.approx([height * (1 - y / drawn_height) for y in (low, high)])


def test_one_step_has_no_ticks_between_its_ends():
    for name in ("state", "gradient"):
        assert list(figure_of(name, "one step").axes.get_xticks()) == [0, 1, 2], name


# How a view is computed


def test_a_computation_yields_its_share_and_returns_the_data():
    for name, view in VIEWS.items():
        trace = trace_of("six schemes")
        shares, data = list(view.computing(trace)), finish(view.computing(trace))
        assert view.describe(data) == view.describe(data_of(name, "six schemes")), name
        whole = {round(k / 6, 9) for k in range(6)} if name in ("spectrum", "singular", "jacobian") else set()
        assert whole <= {round(share, 9) for share in shares}, name
        assert shares == sorted(shares), name


def test_others_wait_only_for_views_that_are_quick():
    large = rv.Config(hidden_size=512, seq_len=200)
    for name, view in VIEWS.items():
        if name == "map":  # slow until it has been computed
            assert view.is_slow(large)
            continue
        slow = name in ("spectrum", "singular", "jacobian", "weight_gradients")
        assert view.is_slow(SMALL) == slow, name
        assert view.is_slow(large, theory=True) == slow, name
    for dtype in PRECISIONS:
        assert VIEWS["gradient"].is_slow(large, precision=dtype, theory=False)
        assert not VIEWS["gradient"].is_slow(rv.Config(), precision=dtype)


def test_a_single_run_is_a_comparison_of_one():
    for case in ("lstm", "overflow"):
        config, schemes = CASES[case]
        run = rv.run(config.replace(scheme=schemes[0]))
        both = run, rv.compare(config, schemes[:1], (config.seed,))
        for name, view in VIEWS.items():
            kept = Canvas(view)
            pictures = [kept.png(finish(view.computing(trace))) for trace in both]
            assert pictures[0] == pictures[1], (name, case)
            assert len(kept.figures) == 1, (name, case)
        assert run.as_comparison().one().first_nonfinite == run.first_nonfinite


@dataclass(frozen=True)
class Loss:
    frame: str
    value: float


class LossView(View):
    """A view of a newcomer, whole in its definition."""

    name, label, help = "loss", "Loss", "the loss as a bar"

    def data(self, trace):
        return Loss("loss", float(trace.as_comparison().loss[0, 0]))

    def head(self, data, width):
        return 30

    def draw(self, ax, data):
        ax.set(title="Loss", ylim=(0, 10))
        return {"bar": list(ax.bar([0], [data.value]))}

    def update(self, artists, data):
        artists["bar"][0].set_height(data.value)

    def describe(self, data):
        return f"A loss of {data.value:.1f}."


def test_a_new_view_works_by_its_definition_alone():
    trace, view = trace_of("plain"), LossView()
    kept, data = Canvas(view), finish(view.computing(trace))
    one, two = kept.png(data), kept.png(Loss("loss", 9.0))
    assert one != two
    assert two == Canvas(view).png(Loss("loss", 9.0))
    assert len(kept.figures) == 1
    assert not view.is_slow(SMALL)
    assert view.describe(view.data(rv.run(SMALL))) == f"A loss of {rv.run(SMALL).loss:.1f}."
