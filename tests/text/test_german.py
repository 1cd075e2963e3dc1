"""A German page says everything in German, with the same numbers as the English one, written with commas."""

import html
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from reading import assert_same_in_german, in_both, said

import rnnviz as rv
from rnnviz.dashboard import export
from rnnviz.dashboard.presets import PRESETS
from rnnviz.engine import gradient_check, precision
from rnnviz.story import step_readout, suggestions, verdict
from rnnviz.story.walkthrough import Walk
from rnnviz.text import language
from rnnviz.text.language import use
from rnnviz.theory import prediction
from rnnviz.views import VIEWS, figure_export
from rnnviz.views.canvas import Plate
from rnnviz.views.state import QUANTITIES

pytestmark = pytest.mark.usefixtures("no_loop")
PAGES = {
    "rnn": {},
    "lstm": {"cell": "lstm", "scheme": ["glorot_normal", "pytorch"], "forget_bias": 2.5},
    "gru": {"cell": "gru", "scheme": ["small_normal", "identity"], "inputs": "digits"},
    "sigmoid": {"activation": "sigmoid", "scheme": ["keras", "glorot_uniform"], "options": {"quantity": "saturation"}},
    "relu": {"activation": "relu", "gain": 20.0, "seq_len": 300, "options": {"precision": "float16"}},
    "linear": {"activation": "linear", "scheme": "orthogonal", "options": {"theory": True, "quantity": "variance"}},
    "kick": {"inputs": "none", "activation": "relu", "gain": 0.0, "options": {"quantity": "mean"}},
    "text": {"inputs": "text", "text": "abab", "loss_at": "every", "options": {"theory": True}},
    "silence": {"input_scale": 0.0, "seq_len": 1},
    "wide": {"hidden_size": 130, "scheme": ["uniform_centered", "he"], "options": {"precision": "bfloat16"}},
}


@pytest.mark.parametrize("views", [("state", "gradient", "gates"), ("units", "spectrum", "singular", "jacobian")])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_everything_in_german(opened, name, views):
    assert_same_in_german(*in_both(lambda: said(opened("", *views, **PAGES[name]))))


@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_titles_and_labels_fit_into_the_narrowest_picture(lang, name, quantity):
    use(lang)
    view, width, height = VIEWS[name], 280, 310
    trace = rv.compare(
        rv.Config(hidden_size=6, seq_len=5, batch_size=2, activation="sigmoid"), ("glorot_uniform",), (0,)
    )
    data = view.data(trace, **({"quantity": quantity} if "quantity" in view.options else {}))
    plate = Plate(view, data, width, height, 1.0)
    title = plate.axes.get_title(loc="left")
    box = plate.axes.findobj(lambda artist: isinstance(artist, Text) and artist.get_text() == title)[
        0
    ].get_window_extent()
    label = plate.axes.yaxis.label.get_window_extent()
    assert title
    assert box.x1 <= width
    assert label.y0 >= 0
    assert label.y1 <= height


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_and_its_pin_are_said_in_german(opened, name):
    def page():
        dashboard = opened("", gain=1.25)
        dashboard.pins.buttons[0].click()
        dashboard.presets.buttons[name].click()
        return said(dashboard)

    assert_same_in_german(*in_both(page))


@pytest.mark.parametrize("answer", ["shrinks", "survives", "grows", "undefined"])
def test_a_bet_is_placed_in_german(opened, answer):
    def page():
        dashboard = opened("predict=1")
        covered = said(dashboard)
        dashboard.attempt(lambda: dashboard.give({"kind": "csv"}))
        covered.append(dashboard.stage.message)
        dashboard.bet.buttons[answer].click()
        return covered + said(dashboard)

    assert_same_in_german(*in_both(page))


def test_suggestions_and_checks_are_said_in_german(opened):
    def page():
        dashboard = opened("", scheme=["uniform01", "xavier"], gain=2.5)
        dashboard.advice.show(suggestions.suggest(dashboard.trace, 0))
        dashboard.trust.start()
        return [dashboard.advice.words.value, dashboard.trust.words.value, *said(dashboard)]

    assert_same_in_german(*in_both(page))


MISTAKES = {
    "number": lambda: rv.Config(gain=-1),
    "whole": lambda: rv.Config(hidden_size=0),
    "name": lambda: rv.Config(scheme="xavir"),
    "far name": lambda: rv.Config(inputs="???"),
    "text": lambda: rv.Config(text="a"),
    "surrogate": lambda: rv.Config(text="a\ud800"),
    "field": lambda: rv.Config.from_dict({"nosuch": 1}),
    "long": lambda: rv.Config(gain=10**6000),
    "schemes": lambda: rv.Dashboard(scheme=[]),
    "seeds": lambda: rv.Dashboard(seeds=0),
    "option": lambda: rv.Dashboard(options={"quantity": "x"}),
    "walk": lambda: Walk(cell="lstm"),
    "step": lambda: Walk().forward(99),
    "kind": lambda: rv.dashboard.files.answer("exe", "", None, rv.compare(rv.Config(seq_len=2), ("he",), (0,)), {}, []),
    "size": lambda: figure_export.check_size("width", 1, (2, 3)),
    "gradient": lambda: gradient_check.check(rv.Config(activation="relu", gain=20.0, seq_len=300)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_explained_in_german(name):
    def explained():
        with pytest.raises((ValueError, FloatingPointError)) as caught:
            MISTAKES[name]()
        return [caught.value]

    assert_same_in_german(*in_both(explained))


def test_links_and_accidents_are_explained_in_german(opened):
    def page():
        notices = [opened(query).stage.notice for query in ("gain=x&beside=hee", "text=" + "a" * 300_000)]
        dashboard = opened()
        dashboard.attempt(lambda: {}["x"])
        accident = dashboard.stage.message
        dashboard.attempt(lambda: dashboard.give({"kind": "png", "view": "nosuch"}))
        return [*notices, accident, dashboard.stage.message]

    assert_same_in_german(*in_both(page))


def test_what_is_taken_home_is_in_german(opened):
    options = {"theory": True, "quantity": "mean"}

    def files():
        trace = opened("", gain=1.5, cell="gru", inputs="none", loss_at="every", scheme=["he", "identity"]).trace
        caption = export.caption(trace, options).partition(" · ")[2]
        alone = export.caption(trace.one(), {}).partition(" · ")[2]
        view = VIEWS["state"]
        title = export.description(view, view.data(trace), trace, options)["Title"].removeprefix("rnnviz: ")
        return [caption, alone, title]

    assert_same_in_german(*in_both(files))


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("settings", [{}, {"activation": "relu", "gain": 20.0, "seq_len": 60}, {"gain": 0.001}])
def test_what_floats_hold_is_said_in_german(cell, settings):
    config = rv.Config(cell=cell, **{"hidden_size": 8, "batch_size": 2, "seq_len": 40} | settings)
    assert_same_in_german(*in_both(lambda: [precision.held(config, name).words for name in precision.PRECISIONS]))


def test_a_walk_is_in_german():
    def walk():
        steps = Walk(activation="sigmoid")
        shown = (steps.weights(), steps.forward(1), steps.loss(), steps.backward(2), steps.weight_gradient(2))
        return [html.unescape(each) for part in shown for each in re.findall(r">([^<>]+)<", part.body)]

    english, german = in_both(walk)
    assert_same_in_german(english, german)
    use("en")
    assert Walk(lang="de").loss().body.count("Ziel") == 2
    assert language.current() == "de"
    with pytest.raises(ValueError, match="lang muss eines von en, de sein; erhalten: 'fr'"):
        Walk(lang="fr")


configs = st.fixed_dictionaries(
    {
        "cell": st.sampled_from(list(rv.cells.CELLS)),
        "activation": st.sampled_from(list(rv.activations.ACTIVATIONS)),
        "scheme": st.sampled_from(list(rv.schemes.SCHEMES)),
        "gain": st.sampled_from([0.0, 0.01, 0.5, 1.0, 1.4, 3.0, 20.0]),
        "inputs": st.sampled_from(["gaussian", "none"]),
        "input_scale": st.sampled_from([0.0, 1.0, 30.0]),
        "loss_at": st.sampled_from(["last", "every"]),
        "forget_bias": st.sampled_from([-20.0, 0.0, 5.0]),
        "seq_len": st.sampled_from([1, 8, 60]),
    }
)


@given(configs)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_every_verdict_is_said_in_german(settings):
    config = rv.Config(hidden_size=6, batch_size=2, input_size=3, **settings)
    trace = rv.compare(config, (config.scheme, "he"), (0, 1))
    theory = lambda: prediction.sentences(config, trace.schemes)  # noqa: E731
    assert_same_in_german(*in_both(lambda: [*verdict.sentences(trace), *theory(), *step_readout.sentences(trace, 1)]))


@pytest.mark.parametrize("count", [1, 2, 40])
def test_one_step_is_one_step(count):
    trace = rv.compare(rv.Config(hidden_size=4, batch_size=2, seq_len=count), ("he",), (0,))
    use("de")
    assert f"nach {count} {'Schritt ' if count == 1 else 'Schritten'}" in verdict.sentences(trace)[0]
