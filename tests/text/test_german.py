"""German pages are entirely in German, with the same numbers as the English ones, written with commas."""

import html
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matplotlib.text import Text
from reading import assert_same_in_german, in_both, said

import rnnviz as rv
from rnnviz.dashboard import export
from rnnviz.engine import gradient_check, precision
from rnnviz.story import step_readout, suggestions, verdict
from rnnviz.story.walkthrough import Walk
from rnnviz.text import language
from rnnviz.text.language import use
from rnnviz.theory import prediction
from rnnviz.views import VIEWS
from rnnviz.views.canvas import BlittedFigure
from rnnviz.views.state import QUANTITIES

pytestmark = pytest.mark.usefixtures("no_loop")
ALL = ("state", "gradient", "gates", "units", "spectrum", "singular", "jacobian")
PAGES = {  # the views whose texts depend on the settings, and the settings
    "rnn": (("state", "gradient", "units", "spectrum", "singular", "jacobian"), {}),
    "lstm": (
        ("gradient", "gates"),
        {"cell": "lstm", "scheme": ["glorot_normal", "pytorch"], "forget_bias": 2.5},
    ),
    "gru": (("gates", "jacobian"), {"cell": "gru", "scheme": ["small_normal", "identity"], "inputs": "digits"}),
    "sigmoid": (
        ("state",),
        {"activation": "sigmoid", "scheme": ["keras", "glorot_uniform"], "options": {"quantity": "saturation"}},
    ),
    "relu": (
        ("state", "gradient", "units", "jacobian"),
        {"activation": "relu", "gain": 20.0, "seq_len": 300, "options": {"precision": "float16"}},
    ),
    "linear": (
        ("state", "spectrum"),
        {"activation": "linear", "scheme": "orthogonal", "options": {"theory": True, "quantity": "variance"}},
    ),
    "kick": (
        ("state", "gradient"),
        {"inputs": "none", "activation": "relu", "gain": 0.0, "options": {"quantity": "mean"}},
    ),
    "text": (("gradient",), {"inputs": "text", "text": "abab", "loss_at": "every", "options": {"theory": True}}),
    "silence": (("state", "gradient", "units"), {"input_scale": 0.0, "seq_len": 1}),
    "wide": (
        ("gradient", "spectrum"),
        {"hidden_size": 130, "scheme": ["uniform_centered", "he"], "options": {"precision": "bfloat16"}},
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_in_german(opened, name):
    views, settings = PAGES[name]
    assert_same_in_german(*in_both(lambda: said(opened("", *views, **settings))))


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_every_view_of_a_page_is_in_german(opened, name):
    assert_same_in_german(*in_both(lambda: said(opened("", *ALL, **PAGES[name][1]))))


@pytest.mark.parametrize("lang", ["en", "de"])
def test_titles_and_labels_fit_into_the_narrowest_picture(lang):
    use(lang)
    width, height = 280, 310
    config = rv.Config(hidden_size=6, seq_len=5, batch_size=2, activation="sigmoid")
    trace = rv.compare(config, ("glorot_uniform",), (0,))
    quantities = [(VIEWS["state"], {"quantity": quantity}) for quantity in QUANTITIES]
    for view, options in [*quantities, *((VIEWS[name], {}) for name in ALL if name != "state")]:
        drawn = BlittedFigure(view, view.data(trace, **options), width, height, 1.0)
        title = drawn.axes.get_title(loc="left")
        texts = drawn.axes.findobj(lambda artist: isinstance(artist, Text))
        box = next(text.get_window_extent() for text in texts if text.get_text() == title)
        label = drawn.axes.yaxis.label.get_window_extent()
        assert title, view.name
        assert box.x1 <= width, (view.name, options)
        assert 0 <= label.y0 <= label.y1 <= height, (view.name, options)


def test_scenes_and_a_pin_are_in_german(opened):
    def page():
        dashboard = opened("", "gradient", gain=1.25)
        dashboard.actions.pin.click()
        texts = []
        for tab in dashboard.strip.scenes.values():
            tab.click()
            texts += said(dashboard)
        return texts

    assert_same_in_german(*in_both(page))


@pytest.mark.parametrize("answer", ["fades", "grows"])
def test_a_bet_is_in_german(opened, answer):
    def page():
        dashboard = opened("predict=1", "gradient")
        covered = said(dashboard)
        dashboard.attempt(lambda: dashboard.receive({"kind": "csv"}))
        covered.append(dashboard.stage.message)
        dashboard.bet.buttons[answer].click()
        return covered + said(dashboard)

    assert_same_in_german(*in_both(page))


def test_suggestions_and_checks_are_in_german(opened):
    def page():
        dashboard = opened("", "state", scheme=["uniform01", "xavier"], gain=2.5)
        advice = suggestions.suggest(dashboard.trace, 0)
        dashboard.advice.show(dashboard.state, replace(dashboard.frame, advice=advice))
        dashboard.check.button.click()
        return [dashboard.advice.words.value, dashboard.check.words.value, *said(dashboard)]

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
    "gradient": lambda: gradient_check.check(rv.Config(activation="relu", gain=20.0, seq_len=300)),
}


def test_mistakes_are_explained_in_german():
    def explained(mistake):
        with pytest.raises((ValueError, FloatingPointError)) as caught:
            mistake()
        return [caught.value]

    for name, mistake in MISTAKES.items():
        english, german = in_both(lambda mistake=mistake: explained(mistake))
        assert_same_in_german(english, german, name)


def test_problems_with_links_and_faults_are_explained_in_german(opened):
    def page():
        notices = [opened(query, "state").stage.notice for query in ("gain=x&beside=hee", "text=" + "a" * 300_000)]
        dashboard = opened("", "state")
        dashboard.attempt(lambda: {}["x"])
        accident = dashboard.stage.message
        refusals = []
        for message in ({"kind": "png", "view": "nosuch"}, {"kind": "exe"}):
            dashboard.attempt(lambda message=message: dashboard.receive(message))
            refusals.append(dashboard.stage.message)
        return [*notices, accident, *refusals]

    assert_same_in_german(*in_both(page))


def test_exported_files_are_in_german(opened):
    options = {"theory": True, "quantity": "mean"}

    def files():
        trace = opened(
            "", "state", gain=1.5, cell="gru", inputs="none", loss_at="every", scheme=["he", "identity"]
        ).trace
        caption = export.caption(trace, options).partition(" · ")[2]
        alone = export.caption(trace.one(), {}).partition(" · ")[2]
        view = VIEWS["state"]
        title = export.description(view, view.data(trace), trace, options)["Title"].removeprefix("rnnviz: ")
        return [caption, alone, title]

    assert_same_in_german(*in_both(files))


def test_precision_sentences_are_in_german():
    for cell in ("rnn", "lstm"):
        for changes in ({}, {"activation": "relu", "gain": 20.0, "seq_len": 60}, {"gain": 0.001}):
            config = rv.Config(cell=cell, **{"hidden_size": 8, "batch_size": 2, "seq_len": 40} | changes)
            results = [precision.held(config, name) for name in precision.PRECISIONS]
            assert_same_in_german(
                *in_both(lambda results=results: [result.words for result in results]), (cell, changes)
            )


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


@example(
    {"activation": "sigmoid", "scheme": "xavier", "gain": 20.0, "inputs": "none", "input_scale": 30.0, "seq_len": 8}
)
@example(
    {"activation": "tanh", "scheme": "uniform01", "gain": 20.0, "inputs": "none", "input_scale": 0.0, "seq_len": 60}
)
@example({"activation": "relu", "scheme": "he", "input_scale": 0.0, "seq_len": 8})
@example({"activation": "relu", "scheme": "orthogonal", "gain": 1.4, "seq_len": 60})
@example({"scheme": "identity"})
@example({"scheme": "he", "gain": 1.4, "loss_at": "every", "seq_len": 8})
@example({"cell": "lstm", "forget_bias": 5.0, "seq_len": 60})
@given(configs)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_verdicts_for_any_settings_are_in_german(settings):
    config = rv.Config(hidden_size=6, batch_size=2, input_size=3, **settings)
    trace = rv.compare(config, (config.scheme, "he"), (0, 1))
    theory = lambda: prediction.sentences(config, trace.schemes)  # noqa: E731
    assert_same_in_german(*in_both(lambda: [*verdict.sentences(trace), *theory(), *step_readout.sentences(trace, 1)]))


def test_steps_are_counted_in_german():
    use("de")
    for count, noun in [(2, "Schritten"), (40, "Schritten")]:
        trace = rv.compare(rv.Config(hidden_size=4, batch_size=2, seq_len=count), ("he",), (0,))
        assert f"nach {count} {noun}" in verdict.sentences(trace)[0]
    trace = rv.compare(rv.Config(hidden_size=4, batch_size=2, seq_len=1), ("he",), (0,))
    assert "in einem Schritt" in verdict.sentences(trace)[0]
