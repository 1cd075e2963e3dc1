"""Both languages: the catalogue is whole, and a German page says everything in German and every number with a comma."""

import gettext
import re
from collections import Counter
from pathlib import Path
from string import Formatter

import ipywidgets as widgets
import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from conftest import ROOT
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from matplotlib.text import Text

import rnnviz as rv
from rnnviz import gradcheck, language, precision, suggestions, verdict, words
from rnnviz.config import FIELDS
from rnnviz.dashboard import export
from rnnviz.dashboard.presets import PRESETS
from rnnviz.dashboard.stage import TEXTS
from rnnviz.language import _, numeral, settle, use
from rnnviz.views import OPTIONS, VIEWS
from rnnviz.views.state import QUANTITIES
from rnnviz.walkthrough import Walk

pytestmark = pytest.mark.usefixtures("no_loop")
FOLDER = Path(language.__file__).parent / "locale/de/LC_MESSAGES"
SMALL = {"hidden_size": 12, "seq_len": 12, "batch_size": 4, "seeds": 2}

# What is called the same in both languages: names, and words that German has from the same root.
SAME = (
    "Xavier|Glorot|He|Orthogonal|PyTorch|Keras|ReLU|RNN|LSTM|GRU|tanh|linear|Text|Gradient|one-hot|float\\d+|bfloat16"
    "|in float\\d+|in bfloat16|W_[a-z]+|b_[a-z]+|dL/dh|exp|softmax"
)


def texts_of(catalogue):
    """Return msgid -> msgstr of a catalogue, plural forms as tuples."""
    return {message.id: message.string for message in catalogue if message.id}


def each(text):
    """Return a text, or its plural forms."""
    return [text] if isinstance(text, str) else list(text)


@pytest.fixture(scope="module")
def german():
    with (FOLDER / "rnnviz.po").open("rb") as file:
        return read_po(file, locale="de")


# The catalogue


def test_the_catalogue_holds_what_the_code_says_and_nothing_else(german):
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {**DEFAULT_KEYWORDS, "N_": None}
    found = {found[2] for found in extract_from_dir(ROOT, methods, options, keywords)}
    assert len(found) > 250
    assert set(texts_of(german)) == found
    assert not german.obsolete
    assert not [message.id for message in german if message.id and message.fuzzy]


def test_everything_is_translated_with_the_same_values_in_it(german):
    for english, text in texts_of(german).items():
        for one in each(text):
            assert one.strip(), f"{english!r} is not translated"
            assert fields_of(one) == fields_of(each(english)[-1]), english


def fields_of(text):
    return {name for _literal, name, _form, _conversion in Formatter().parse(text) if name is not None}


def test_the_compiled_catalogue_is_that_of_the_source(german):
    with (FOLDER / "rnnviz.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for english, text in texts_of(german).items():
        if isinstance(english, str):
            assert compiled.gettext(english) == text
        else:
            assert [compiled.ngettext(*english, count) for count in (1, 2)] == each(text)


def test_german_is_set_as_german_is(german):
    for text in (one for said in texts_of(german).values() for one in each(said)):
        assert not re.search(r"\d\.\d", text), f"a decimal point in {text!r}"
        assert not re.search(r"[^\u00a0]%", text), f"no no-break space before % in {text!r}"
        assert not re.search(r"\"|\.\.\.| - ", text), f"typewriter's signs in {text!r}"


def registered():
    """Return every label and help text that an entry of a registry or a field of Config has."""
    registries = (rv.cells.CELLS, rv.activations.ACTIVATIONS, rv.schemes.SCHEMES, rv.inputs.INPUTS, VIEWS, OPTIONS)
    for registry in (*registries, PRESETS, QUANTITIES):
        for entry in registry.values():
            yield from (getattr(entry, name, "") for name in ("label", "short", "help", "look", "saturation_label"))
    yield from (label for option in OPTIONS.values() for label, _value in option.choices)
    yield from (spec.metadata[name] for spec in FIELDS.values() for name in ("label", "help"))
    yield from (*TEXTS.values(), *verdict.CAUSES.values(), *verdict.ROADS.values(), *gradcheck.AGREE.values())


def test_what_is_registered_is_translated():
    use("de")
    for text in filter(None, registered()):
        assert _(text)
        assert _(text) != text or not worded(text), f"{text!r} is the same in German"


def worded(text):
    """Tell whether a text has a word in it, names that both languages share apart."""
    rest = re.sub(rf"\b(?:{SAME})\b|<[^>]*>", "", text)
    return re.search(r"[A-Za-z]{2}", rest) is not None


# Numbers


@given(st.integers(-(10**7), 10**7), st.integers(0, 4))
def test_numbers_are_written_as_the_language_writes_them(whole, digits):
    value = whole / 10**digits
    for lang in ("en", "de"):
        use(lang)
        pattern = f"0.{'0' * digits}" if digits else "0"
        assert words.plain(value, f".{digits}f") == format_decimal(value, pattern, locale=lang)


@given(st.integers(0, 100))
def test_shares_are_written_as_the_language_writes_them(hundredths):
    for lang in ("en", "de"):
        use(lang)
        assert words.percent(hundredths / 100) == format_percent(hundredths / 100, locale=lang)


@given(st.floats(-1e5, 1e5), st.booleans())
def test_a_german_number_is_the_english_one_with_a_comma(value, log10):
    english = words.number(value, log10)
    use("de")
    assert words.number(value, log10).replace(",", ".") == english
    assert "." not in words.number(value, log10)
    use("en")


def test_not_a_number_is_said_in_words():
    use("de")
    assert words.number(float("nan"), log10=True) == "nicht definiert"


# Which language


@pytest.mark.parametrize(
    ("before", "lang", "query", "spoken"),
    [
        ("en", None, "", "en"),
        ("de", None, "gain=2", "de"),
        ("en", "de", "", "de"),
        ("de", "en", "", "en"),
        ("en", None, "?lang=de&gain=2", "de"),
        ("en", "de", "lang=en", "en"),
        ("de", None, "lang=en", "en"),
        ("en", None, "lang=en&lang=de", "de"),
    ],
)
def test_a_link_goes_before_the_code_and_the_code_before_what_was_spoken(before, lang, query, spoken):
    use(before)
    assert settle(lang, query) == []
    assert language.current() == spoken


@given(st.text(max_size=20).filter(lambda text: text not in language.LANGUAGES))
@example("DE")
@example("")
def test_an_unknown_language_is_an_error_in_code(lang):
    with pytest.raises(ValueError, match="lang must be one of en, de; got"):
        use(lang)
    with pytest.raises(ValueError, match="lang must be one of en, de; got"):
        settle(lang, "lang=de")
    assert language.current() == "en"


@pytest.fixture
def opened(monkeypatch):
    """Open a dashboard as a link would."""

    def open_with(query="", *views, **settings):
        monkeypatch.setenv("QUERY_STRING", query)
        return rv.Dashboard(*views, **{**SMALL, **settings})

    return open_with


def test_an_unknown_language_in_a_link_is_a_sentence_and_the_page_starts_as_usual(opened):
    page = opened("lang=xx&gain=1.5", lang="de")
    assert page.stage.notice == "In diesem Link: lang muss eines von en, de sein; erhalten: 'xx'."
    assert page.config.gain == 1.5
    assert page.stage.message == ""
    assert "lang" not in page.stage.query


def test_a_link_keeps_the_language_that_it_had(opened):
    page = opened("lang=de")
    page.controls.widgets["gain"].value = 1.5
    assert page.stage.query == "gain=1.5&lang=de"
    assert "lang" not in opened("", lang="de").stage.query


def test_the_stage_knows_its_language(opened):
    page = opened("lang=de")
    assert page.stage.lang == "de"
    assert set(page.stage.texts) == set(TEXTS)
    assert opened("lang=en").stage.texts == TEXTS


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_code_shown_makes_the_same_page(opened, lang):
    page = opened(f"lang={lang}", cell="lstm", gain=1.5)
    shown = export.code(page.config, page.trace.schemes, page.trace.seeds, {}, list(page.views))
    assert ('lang="de"' in shown) == (lang == "de")
    use("en")
    opened()  # a page without a link
    again = eval(shown.partition("\n\n")[2], {"Dashboard": rv.Dashboard})
    assert said(again) == said(page)


# Everything that is said


def said(dashboard):
    """Return everything that a person reads on a page, in its order."""
    dashboard.stage.step = 3
    frame = dashboard.stage.frame
    yield_from_widgets = [text for widget in everything_in(dashboard) for text in labels(widget)]
    pictures = [text for canvas in dashboard.views.values() for text in drawn(canvas)]
    spoken = [word["text"] for word in frame["words"]] + [view["alt"] for view in frame["views"]]
    stage = dashboard.stage
    return [*yield_from_widgets, *pictures, *spoken, *stage.moment, stage.notice, stage.message, *stage.texts.values()]


def everything_in(widget):
    return [widget, *(each for child in getattr(widget, "children", ()) for each in everything_in(child))]


def labels(widget):
    """Return the texts of one widget."""
    texts = [getattr(widget, name, None) or "" for name in ("description", "tooltip")]
    if isinstance(widget, widgets.HTML | widgets.Label):
        texts.append(widget.value)
    if isinstance(widget, widgets.Dropdown):
        texts += [label for label, _value in widget.options]
    return texts


def drawn(canvas):
    """Return the words of a view's last picture."""
    plate = list(canvas.plates.values())[-1]
    return [text.get_text() for axes in plate.figure.axes for text in axes.findobj(Text)]


def numbers(text, point):
    """Return how often each number is in a text."""
    return Counter(re.findall(rf"\d+(?:{re.escape(point)}\d+)?(?:e[-+]?\d+)?", text))


def assert_same_in_german(english, german):
    """Hold that both lists say the same numbers, and nothing with words in it in the same words."""
    assert len(english) == len(german)
    assert any(map(worded, english))
    for mine, theirs in zip(english, german, strict=True):
        assert mine != theirs or not worded(mine), f"{mine!r} is the same in German"
        assert not re.search(r"\d\.\d", theirs), f"a decimal point in {theirs!r}"
        assert {n.replace(",", "."): k for n, k in numbers(theirs, ",").items()} == numbers(mine, "."), (mine, theirs)


def in_both(say):
    """Return what ``say`` returns in English and in German."""
    both = []
    for lang in ("en", "de"):
        use(lang)
        both.append([str(text) for text in say()])
    return both


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
    "size": lambda: rv.views.paper.check_size("width", 1, (2, 3)),
    "gradient": lambda: gradcheck.check(rv.Config(activation="relu", gain=20.0, seq_len=300)),
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
        dashboard.attempt(lambda: 1 / 0)
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
        return [each for part in shown for each in re.findall(r">([^<>]+)<", part.body)]

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
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_verdict_is_said_in_german(settings):
    config = rv.Config(hidden_size=6, batch_size=2, input_size=3, **settings)
    trace = rv.compare(config, (config.scheme, "he"), (0, 1))
    theory = lambda: rv.prediction.sentences(config, trace.schemes)  # noqa: E731
    assert_same_in_german(*in_both(lambda: [*verdict.sentences(trace), *theory(), *rv.moment.sentences(trace, 1)]))


@pytest.mark.parametrize("count", [1, 2, 40])
def test_one_step_is_one_step(count):
    trace = rv.compare(rv.Config(hidden_size=4, batch_size=2, seq_len=count), ("he",), (0,))
    use("de")
    assert f"nach {count} {'Schritt ' if count == 1 else 'Schritten'}" in verdict.sentences(trace)[0]


def test_numerals_leave_words_alone():
    use("de")
    assert numeral("6e-11") == "6e-11"
