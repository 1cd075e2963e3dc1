"""rv.plot draws any view of any Trace on any Axes, and fits title and legend into their box."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from drawn import SMALL, data_of, trace_of
from IPython.core.formatters import DisplayFormatter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from test_views import LossView

import rnnviz as rv
from rnnviz.views import VIEWS, View, register


def artists_of(ax):
    """Return the lines' values, which tell what is drawn."""
    return [np.array(line.get_xydata()) for line in ax.get_lines() if len(line.get_xydata())]


def test_a_plot_holds_what_the_page_draws():
    for name, view in VIEWS.items():
        ax = rv.plot(trace_of("plain"), name)
        data = data_of(name, "plain")
        reference = Figure().subplots()
        view.draw(reference, data)
        for label in ("get_xlabel", "get_ylabel", "get_xlim", "get_ylim"):
            assert getattr(ax, label)() == getattr(reference, label)(), (name, label)
        assert ax.get_title(loc="left") == reference.get_title(loc="left") != ""
        for ours, theirs in zip(artists_of(ax), artists_of(reference), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_title_and_legend_lie_within_the_box_of_the_axes_at_any_size():
    trace = trace_of("six schemes")
    for size in ((3, 2.2), (6, 4), (14, 10)):
        for name, options in (("state", {"theory": True}), ("gradient", {"precision": "float16"}), ("spectrum", {})):
            figure = Figure(figsize=size, dpi=120)
            FigureCanvasAgg(figure)
            ax = figure.add_axes((0.2, 0.15, 0.7, 0.8))
            box = ax.get_window_extent().frozen()
            assert rv.plot(trace, name, ax, **options) is ax
            figure.canvas.draw()
            for part in (ax.get_legend(), ax._left_title):
                drawn = part.get_window_extent()
                assert drawn.y1 <= box.y1 + 2, (size, name, part)
                assert drawn.x1 <= box.x1 + 3, (size, name, part)
                assert drawn.y0 >= ax.get_window_extent().y1 - 2, (size, name, part)
            assert ax.get_window_extent().height >= 0.4 * box.height


def test_a_layout_engine_makes_the_room_itself():
    for layout in ("constrained", "tight"):
        figure = Figure(figsize=(8, 6), layout=layout)
        FigureCanvasAgg(figure)
        places = zip(("state", "spectrum", "units", "gradient"), figure.subplots(2, 2).flat, strict=True)
        axes = [rv.plot(trace_of("plain"), name, ax) for name, ax in places]
        figure.canvas.draw()
        for above, below in zip(axes[:2], axes[2:], strict=True):
            assert above.get_window_extent().y0 > below._left_title.get_window_extent().y1, layout
            assert below.get_position().y0 >= 0


def test_axes_of_pyplot_and_subfigures_serve_as_well():
    figure, ax = plt.subplots()
    rv.plot(trace_of("plain"), "units", ax)
    plt.close(figure)
    part = Figure().subfigures(1, 2)[1]
    assert rv.plot(trace_of("plain"), "gradient", part.subplots()).figure is part


def test_a_notebook_shows_what_plot_returns():
    ax = rv.plot(rv.run(SMALL), "gradient")
    for shown in (ax, ax.figure):
        formats, _ = DisplayFormatter().format(shown)
        picture = Image.open(io.BytesIO(formats["image/png"]))
        assert picture.size == (580, 380)
        assert len(np.unique(np.asarray(picture).reshape(-1, 4), axis=0)) > 20


def test_an_unknown_view_is_named():
    with pytest.raises(ValueError, match="view must be one of .*got 'gradeint'. Did you mean 'gradient'"):
        rv.plot(rv.run(SMALL), "gradeint")


def test_a_registered_view_is_plotted_by_its_name():
    register(LossView)
    assert rv.plot(rv.run(SMALL), "loss").patches[0].get_height() == rv.run(SMALL).loss


@pytest.mark.parametrize(("missing", "words"), [("describe", "must have a describe"), ("data", "must have a data")])
def test_a_view_that_lacks_what_only_it_knows_is_not_registered(missing, words):
    mine = {"name": "mine", "label": "Mine", "data": LossView.data, "describe": LossView.describe}
    with pytest.raises(ValueError, match=f"view 'mine' {words}"):
        register(type("Mine", (View,), {name: part for name, part in mine.items() if name != missing}))
    assert "mine" not in VIEWS
