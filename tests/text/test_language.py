"""The current language, its numbers, and the completeness of the catalogue."""

import gettext
import re
from string import Formatter

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from conftest import ROOT
from hypothesis import example, given
from hypothesis import strategies as st
from reading import worded

import rnnviz as rv
from rnnviz.dashboard.code import code
from rnnviz.dashboard.scenes import SCENES
from rnnviz.dashboard.stage import TEXTS
from rnnviz.engine import gradient_check
from rnnviz.network.config import FIELDS
from rnnviz.story import verdict
from rnnviz.text import language, number_format
from rnnviz.text.language import _, settle, use
from rnnviz.views import OPTIONS, VIEWS
from rnnviz.views.state import QUANTITIES

pytestmark = pytest.mark.usefixtures("no_loop")
FOLDER = language.FOLDER / "de/LC_MESSAGES"


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
    for text in (one for forms in texts_of(german).values() for one in each(forms)):
        assert not re.search(r"\d\.\d", text.replace("0.0.0.0", "")), f"a decimal point in {text!r}"
        assert not re.search(r"[^\u00a0]%", text), f"no no-break space before % in {text!r}"
        assert not re.search(r"\"|\.\.\.| - ", text), f"typewriter's signs in {text!r}"


TEXTS_OF_ENTRIES = ("label", "short", "phrase", "path", "help", "saturation_label")


def registered():
    """Yield every label and help text of the entries in registries and of the fields of Config."""
    registries = (rv.cells.CELLS, rv.activations.ACTIVATIONS, rv.schemes.SCHEMES, rv.inputs.INPUTS, VIEWS, OPTIONS)
    for registry in (*registries, SCENES, QUANTITIES):
        for entry in registry.values():
            yield from (getattr(entry, name, "") for name in TEXTS_OF_ENTRIES)
    yield from (scene.look for scene in SCENES.values())
    yield from (label for cell in rv.cells.CELLS.values() for label in cell.gate_labels.values())
    yield from (label for option in OPTIONS.values() for label, _value in option.choices)
    yield from (spec.metadata[name] for spec in FIELDS.values() for name in ("label", "help"))
    yield from (*TEXTS.values(), *verdict.CAUSES.values(), *gradient_check.METHODS.values())


def test_what_is_registered_is_translated():
    use("de")
    for text in filter(None, registered()):
        assert _(text)
        assert _(text) != text or not worded(text), f"{text!r} is the same in German"


@given(st.integers(-(10**7), 10**7), st.integers(0, 4))
def test_numbers_are_written_as_the_language_writes_them(whole, digits):
    value = whole / 10**digits
    for lang in ("en", "de"):
        use(lang)
        pattern = f"0.{'0' * digits}" if digits else "0"
        assert number_format.plain(value, f".{digits}f") == format_decimal(value, pattern, locale=lang)


@given(st.integers(0, 100))
def test_shares_are_written_as_the_language_writes_them(hundredths):
    for lang in ("en", "de"):
        use(lang)
        assert number_format.percent(hundredths / 100) == format_percent(hundredths / 100, locale=lang)


@given(st.floats(-1e5, 1e5), st.booleans())
def test_a_german_number_is_the_english_one_with_a_comma(value, log10):
    use("en")
    english = number_format.number(value, log10)
    use("de")
    assert number_format.number(value, log10).replace(",", ".") == english
    assert "." not in number_format.number(value, log10)


def test_not_a_number_is_said_in_words():
    use("de")
    assert number_format.number(float("nan"), log10=True) == "nicht definiert"


def test_a_link_goes_before_the_code_and_the_code_before_the_current_language():
    for before, lang, query, expected in (
        ("en", None, "", "en"),
        ("de", None, "gain=2", "de"),
        ("en", "de", "", "de"),
        ("de", "en", "", "en"),
        ("en", None, "?lang=de&gain=2", "de"),
        ("en", "de", "lang=en", "en"),
        ("de", None, "lang=en", "en"),
        ("en", None, "lang=en&lang=de", "de"),
    ):
        use(before)
        assert settle(lang, query) == []
        assert language.current() == expected, (before, lang, query)


@given(st.text(max_size=20).filter(lambda text: text not in language.LANGUAGES))
@example("DE")
@example("")
def test_an_unknown_language_is_an_error_in_code(lang):
    use("en")
    with pytest.raises(ValueError, match="lang must be one of en, de; got"):
        use(lang)
    with pytest.raises(ValueError, match="lang must be one of en, de; got"):
        settle(lang, "lang=de")
    assert language.current() == "en"


def test_an_unknown_language_in_a_link_is_a_sentence_and_the_page_starts_as_usual(opened):
    page = opened("lang=xx&gain=1.5", lang="de")
    assert page.stage.notice == "In diesem Link: lang muss eines von en, de sein; erhalten: 'xx'."
    assert page.config.gain == 1.5
    assert page.stage.message == ""
    assert "lang" not in page.stage.query


def test_the_stage_knows_its_language_and_a_link_keeps_it(opened):
    page = opened("lang=de")
    assert page.stage.lang == "de"
    assert set(page.stage.texts) == set(TEXTS)
    page.controls.widgets["gain"].value = 1.5
    assert page.stage.query == "gain=1.5&lang=de"
    page = opened("", lang="en")
    assert page.stage.texts == TEXTS
    assert "lang" not in page.stage.query


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_code_shown_makes_the_same_page(opened, lang):
    page = opened(f"lang={lang}", cell="lstm", gain=1.5)
    shown = code(page.config, page.trace.schemes, page.trace.seeds, {}, ["state", "gradient"])
    assert ('lang="de"' in shown) == (lang == "de")
    use("en")
    opened()  # a page without a link
    again = eval(shown.partition("\n\n")[2], {"Dashboard": rv.Dashboard})
    assert again.config == page.config
    for name, text in (("words", "text"), ("views", "alt")):
        assert [each[text] for each in again.stage.frame[name]] == [each[text] for each in page.stage.frame[name]]
