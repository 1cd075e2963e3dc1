"""The catalogues are complete, what is made of them is current, and the translations keep what must not change."""

import ast
import json
import re
from functools import cache

import pytest
from conftest import NOTEBOOKS, ROOT

pytest.importorskip("babel")

from rnnviz.locale import catalogue, made, markdown, notebook, source
from rnnviz.text.language import DOMAIN, LANGUAGES

OTHERS = list(LANGUAGES)[1:]
ORIGINALS = sorted(NOTEBOOKS.glob("*.ipynb"))
EMPHASISED = r"\*+([^*]+)\*+"


@cache
def catalogues():
    return made.catalogues(ROOT)


def messages(domain):
    """Return every (text, translation) of a domain in all languages, plural forms one by one."""
    for path, one in catalogues().items():
        for message in one:
            if message.id and path.stem == domain:
                texts = (message.id, message.string)
                yield tuple("\n".join(text) if isinstance(text, tuple) else text for text in texts)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path):
    return ["".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "markdown"]


def marks(cell):
    return [(piece.gap, piece.before, piece.after) for piece in markdown.pieces(cell)]


def test_every_language_has_its_catalogues():
    assert {path.relative_to(ROOT).as_posix() for path in catalogues()} == {
        name
        for language in OTHERS
        for name in (f"rnnviz/locale/{language}/LC_MESSAGES/{DOMAIN}.po", f"notebooks/{language}/notebooks.po")
    }


@pytest.mark.parametrize("path", sorted((ROOT / "rnnviz").rglob("*.py")), ids=lambda path: path.stem)
def test_no_text_hides_where_it_is_not_found(path):
    """Babel does not look for texts inside of f-strings."""
    formatted = (
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.JoinedStr)
    )
    for call in (node for each in formatted for node in ast.walk(each) if isinstance(node, ast.Call)):
        marked = isinstance(call.func, ast.Name) and call.func.id in ("_", "N_", "ngettext")
        assert not (marked and isinstance(call.args[0], ast.Constant)), ast.unparse(call)


def test_every_text_is_translated():
    for path, one in catalogues().items():
        assert catalogue.open_texts(one) == [], (
            f"{path}: `python3 dev.py translate`, then fill in what is empty or fuzzy"
        )


def test_what_is_made_is_current():
    for path, content in made.files(ROOT).items():
        assert path.exists(), f"{path} is missing: `python3 dev.py translate` makes it"
        assert path.read_bytes() == content, f"{path} is not what `python3 dev.py translate` makes"


@pytest.mark.parametrize("domain", [DOMAIN, "notebooks"])
def test_translations_keep_code_and_places_to_fill_in(domain):
    assert list(messages(domain))
    for text, translation in messages(domain):
        assert sorted(re.findall(r"`[^`]+`", text)) == sorted(re.findall(r"`[^`]+`", translation)), translation
        for place in (r"%\(\w+\)\w", r"\{\w*"):
            assert set(re.findall(place, translation)) <= set(re.findall(place, text)), translation


def test_notebooks_keep_emphasis_and_links():
    for text, translation in messages("notebooks"):
        for mark in (r"\*\*", r"\]\([^)]*\)", r"\b[A-Za-z]_\w+"):
            assert sorted(re.findall(mark, text)) == sorted(re.findall(mark, translation)), translation
        assert translation.count("*") % 2 == 0


def test_notebooks_call_the_controls_as_the_page_does():
    page = dict(messages(DOMAIN))
    for text, translation in messages("notebooks"):
        called = re.findall(EMPHASISED, translation)
        for name in re.findall(EMPHASISED, text):
            assert page.get(name, called[0]) in called, f"{name} is {page[name]} on the page: {translation}"


def test_german_numbers_have_a_comma():
    for text, translation in messages("notebooks"):
        assert not re.search(r"\d\.\d", re.sub(r"`[^`]+`", "", translation)), text


@pytest.mark.parametrize("path", ORIGINALS, ids=lambda path: path.stem)
def test_taking_a_notebook_apart_loses_nothing(path):
    for cell in cells(path):
        assert markdown.translated(cell, lambda text: text).split() == cell.split()


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("path", ORIGINALS, ids=lambda path: path.stem)
def test_a_translated_notebook_has_the_same_parts(path, language):
    original, other = read(path), read(path.parent / language / path.name)
    for ours, theirs in zip(original["cells"], other["cells"], strict=True):
        assert (ours["id"], ours["cell_type"]) == (theirs["id"], theirs["cell_type"])
        source, translation = "".join(ours["source"]), "".join(theirs["source"])
        if ours["cell_type"] == "code":
            assert translation.replace(f', lang="{language}"', "") == source
            continue
        marks = [
            [(piece.gap, piece.before, piece.after) for piece in markdown.pieces(s)] for s in (source, translation)
        ]
        assert marks[0] == marks[1], "a line of a paragraph begins like a list item or a heading"
        assert max(map(len, translation.splitlines())) <= markdown.WIDTH
        assert not re.search(r"^ *(\d+[.)]|[+>]) ", translation, re.MULTILINE)


@pytest.mark.parametrize("language", OTHERS)
def test_every_page_of_a_translated_notebook_speaks_its_language(language):
    for path in sorted((NOTEBOOKS / language).glob("*.ipynb")):
        code = "\n".join("".join(cell["source"]) for cell in read(path)["cells"] if cell["cell_type"] == "code")
        assert code.count(f'lang="{language}"') == len(re.findall(r"\b(?:Dashboard|Walk)\(", code)) > 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("Dashboard()", 'Dashboard(lang="de")'),
        ('walk = Walk(seed=f("ü"))\nwalk.loss()', 'walk = Walk(seed=f("ü"), lang="de")\nwalk.loss()'),
        ('Dashboard(\n    "state",\n)\nWalk()', 'Dashboard(\n    "state", lang="de")\nWalk(lang="de")'),
        ("walk.forward(1)", "walk.forward(1)"),
    ],
)
def test_the_call_that_makes_a_page_names_the_language(code, said):
    assert notebook.speaking(code, "de") == said


def test_a_changed_text_waits_for_its_translation_and_a_gone_one_goes(tmp_path):
    path = tmp_path / "de.po"
    first = catalogue.updated(path, "de", ["The state keeps its size.", "Gone"])
    first["The state keeps its size."].string = "Der Zustand behält seine Größe."
    first["Gone"].string = "Fort"
    path.write_bytes(catalogue.as_po(first))
    second = catalogue.updated(path, "de", ["The state keeps all of its size."])
    assert catalogue.open_texts(second) == ["The state keeps all of its size."]
    assert catalogue.translations(second) == {}
    written = catalogue.as_po(second).decode()
    assert '#, fuzzy\nmsgid "The state keeps all of its size."\nmsgstr "Der Zustand behält seine Größe."' in written
    assert "Gone" not in written
    path.write_text(written, encoding="utf-8")
    assert catalogue.as_po(catalogue.updated(path, "de", ["The state keeps all of its size."])).decode() == written


def test_a_catalogue_tells_no_date_and_no_place(tmp_path):
    written = catalogue.as_po(catalogue.updated(tmp_path / "none.po", "de", ["b", "a"])).decode()
    assert not re.search(r"Date|Babel|#:|\d{4}", written)
    assert written.index('"a"') < written.index('"b"')
    assert "charset=utf-8" in written


def test_templates_read_their_texts():
    jinja2 = pytest.importorskip("jinja2")
    text = 'He said “%(x)s”, "so" \\ {{ }} %}'
    file = source.page_texts([text], {"de": {text: "Größe"}})
    loaded = jinja2.Environment().from_string(file).module
    assert loaded.texts == {"en": {text: text}, "de": {text: "Größe"}}
    assert loaded.languages == LANGUAGES
