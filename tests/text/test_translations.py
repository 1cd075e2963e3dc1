"""Catalogues are complete, generated files are current, and translations keep code, numbers and markup."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
from conftest import NOTEBOOKS, ROOT

pytest.importorskip("babel")

from rnnviz.locale import catalogue, generated, markdown, notebook, source
from rnnviz.text.language import DOMAIN, LANGUAGES

OTHERS = list(LANGUAGES)[1:]
ORIGINALS = sorted(NOTEBOOKS.glob("*.ipynb"))
EMPHASISED = r"\*+([^*]+)\*+"


@cache
def catalogues():
    return generated.catalogues(ROOT)


def messages(domain):
    """Return every translated (text, translation) of a domain in all languages, with all plural forms."""
    for path, one in catalogues().items():
        for message in one:
            if message.id and message.string and path.stem == domain:
                texts = (message.id, message.string)
                yield tuple("\n".join(text) if isinstance(text, tuple) else text for text in texts)


def cells(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_every_language_has_its_catalogues():
    assert {path.relative_to(ROOT).as_posix() for path in catalogues()} == {
        name
        for language in OTHERS
        for name in (f"rnnviz/locale/{language}/LC_MESSAGES/{DOMAIN}.po", f"notebooks/{language}/notebooks.po")
    }


def test_no_marked_text_is_inside_an_f_string():
    """Babel does not find texts there."""
    for path in sorted((ROOT / "rnnviz").rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        inside = (node for each in nodes if isinstance(each, ast.JoinedStr) for node in ast.walk(each))
        for call in (node for node in inside if isinstance(node, ast.Call)):
            marked = isinstance(call.func, ast.Name) and call.func.id in ("_", "N_", "ngettext")
            assert not (marked and isinstance(call.args[0], ast.Constant)), f"{path}: {ast.unparse(call)}"


def test_every_text_is_translated():
    for path, one in catalogues().items():
        hint = f"{path}: `python3 dev.py translate`, then fill in what is empty or fuzzy"
        assert catalogue.untranslated(one) == [], hint


def test_generated_files_are_current():
    for path, content in generated.files(ROOT).items():
        assert path.exists(), f"{path} is missing: run `python3 dev.py translate`"
        assert path.read_bytes() == content, f"{path} is out of date: run `python3 dev.py translate`"


def test_translations_keep_code_and_placeholders():
    for text, translation in [*messages(DOMAIN), *messages("notebooks")]:
        assert sorted(re.findall(r"`[^`]+`", text)) == sorted(re.findall(r"`[^`]+`", translation)), translation
        for place in (r"%\(\w+\)\w", r"\{\w*"):
            assert set(re.findall(place, translation)) <= set(re.findall(place, text)), translation


def test_notebooks_keep_emphasis_and_links():
    for text, translation in messages("notebooks"):
        for mark in (r"\*\*", r"\]\([^)]*\)", r"\b[A-Za-z]_\w+"):
            assert sorted(re.findall(mark, text)) == sorted(re.findall(mark, translation)), translation
        assert translation.count("*") % 2 == 0


def test_notebooks_name_the_controls_as_the_page_does():
    page = dict(messages(DOMAIN))
    for text, translation in messages("notebooks"):
        called = re.findall(EMPHASISED, translation)
        for name in re.findall(EMPHASISED, text):
            assert page.get(name, called[0]) in called, f"{name} is {page[name]} on the page: {translation}"


def test_german_numbers_have_a_comma():
    for text, translation in messages("notebooks"):
        assert not re.search(r"\d\.\d", re.sub(r"`[^`]+`|\(\?[^)]*\)", "", translation)), text


def test_splitting_a_notebook_into_texts_loses_nothing():
    for path in ORIGINALS:
        for cell in cells(path):
            text = "".join(cell["source"])
            assert cell["cell_type"] == "code" or markdown.translated(text, {}).split() == text.split(), path


def test_translated_notebooks_have_the_same_parts():
    pairs = [(path, language) for path in ORIGINALS for language in OTHERS]
    for path, language in pairs:
        for ours, theirs in zip(cells(path), cells(path.parent / language / path.name), strict=True):
            assert (ours["id"], ours["cell_type"]) == (theirs["id"], theirs["cell_type"]), path
            original, translation = "".join(ours["source"]), "".join(theirs["source"])
            if ours["cell_type"] == "code":
                assert re.sub(rf'(, |(?<=\())lang="{language}"', "", translation) == original, path
                continue
            marks = [
                [(piece.gap, piece.before, piece.after) for piece in markdown.pieces(s)]
                for s in (original, translation)
            ]
            assert marks[0] == marks[1], f"{path}: a line of a paragraph begins like a list item or a heading"
            assert max(map(len, translation.splitlines())) <= markdown.WIDTH, path
            assert not re.search(r"^ *(\d+[.)]|[+>]) ", translation, re.MULTILINE), path


def test_every_page_of_a_translated_notebook_names_its_language():
    for path in sorted(path for language in OTHERS for path in (NOTEBOOKS / language).glob("*.ipynb")):
        code = "\n".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "code")
        pages = re.findall(r"\b(?:Dashboard|Note|Walk)\(", code)
        assert code.count(f'lang="{path.parent.name}"') == len(pages), path


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Dashboard()", 'Dashboard(lang="de")'),
        ('walk = Walk(seed=f("ü"))\nwalk.loss()', 'walk = Walk(seed=f("ü"), lang="de")\nwalk.loss()'),
        ('Dashboard(\n    "state",\n)\nWalk()', 'Dashboard(\n    "state", lang="de")\nWalk(lang="de")'),
        ("walk.forward(1)", "walk.forward(1)"),
    ],
)
def test_calls_that_create_a_page_get_the_language(code, expected):
    assert notebook.with_language(code, "de") == expected


def test_changed_texts_become_fuzzy_and_removed_texts_disappear(tmp_path):
    path = tmp_path / "de.po"
    first = catalogue.updated(path, "de", ["The state keeps its size.", "Gone"])
    first["The state keeps its size."].string = "Der Zustand behält seine Größe."
    first["Gone"].string = "Fort"
    path.write_bytes(catalogue.as_po(first))
    second = catalogue.updated(path, "de", ["The state keeps all of its size."])
    assert catalogue.untranslated(second) == ["The state keeps all of its size."]
    assert catalogue.translations(second) == {}
    written = catalogue.as_po(second).decode()
    assert '#, fuzzy\nmsgid "The state keeps all of its size."\nmsgstr "Der Zustand behält seine Größe."' in written
    assert "Gone" not in written
    path.write_text(written, encoding="utf-8")
    assert catalogue.as_po(catalogue.updated(path, "de", ["The state keeps all of its size."])).decode() == written


def test_a_catalogue_has_no_dates_and_no_locations(tmp_path):
    written = catalogue.as_po(catalogue.updated(tmp_path / "none.po", "de", ["b", "a"])).decode()
    assert not re.search(r"Date|Babel|#:|\d{4}", written)
    assert written.index('"a"') < written.index('"b"')
    assert "charset=utf-8" in written


def test_templates_can_load_their_texts():
    jinja2 = pytest.importorskip("jinja2")
    text = 'He said “%(x)s”, "so" \\ {{ }} %}'
    file = source.page_texts([text], {"de": {text: "Größe"}})
    loaded = jinja2.Environment().from_string(file).module
    assert loaded.texts == {"en": {text: text}, "de": {text: "Größe"}}
    assert loaded.languages == LANGUAGES
