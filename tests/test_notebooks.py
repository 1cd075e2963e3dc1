"""The form of every notebook in every language: short cells, no outputs, the same headings, folded answers."""

import json
import re

import pytest
from conftest import NOTEBOOKS

from rnnviz.text.language import LANGUAGES

OWN, *OTHERS = LANGUAGES
PATHS = sorted(path for folder in ("", *OTHERS) for path in (NOTEBOOKS / folder).glob("*.ipynb"))
HEADINGS = {
    "en": ["What you will see", "Tasks", "Further reading"],
    "de": ["Was zu sehen ist", "Aufgaben", "Weiterlesen"],
}
LONGEST_CELL = 6


@pytest.fixture(params=PATHS, ids=lambda path: str(path.relative_to(NOTEBOOKS).with_suffix("")))
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def headings(notebook):
    return HEADINGS[notebook["metadata"]["rnnviz"]["language"]]


def sources(notebook, kind):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_every_language_has_the_same_numbered_notebooks():
    names = [path.name for path in PATHS if path.parent == NOTEBOOKS]
    assert names
    for name in names:
        assert re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", name)
    for language in OTHERS:
        assert [path.name for path in PATHS if path.parent == NOTEBOOKS / language] == names


def test_metadata_names_the_language_and_links_translations_both_ways(path, notebook):
    label = notebook["metadata"]["rnnviz"]
    assert label["language"] == (OWN if path.parent == NOTEBOOKS else path.parent.name)
    assert {label["language"], *label["translations"]} == {*LANGUAGES}
    for language, address in label["translations"].items():
        other = path.parent / address
        back = json.loads(other.read_text(encoding="utf-8"))["metadata"]["rnnviz"]
        assert back["language"] == language
        assert (other.parent / back["translations"][label["language"]]).resolve() == path


def test_code_cells_are_short_and_define_nothing(notebook):
    code = sources(notebook, "code")
    assert code
    for source in code:
        assert len(source.strip().splitlines()) <= LONGEST_CELL
        assert not re.search(r"^\s*(async def|def|class|global)\b", source, re.MULTILINE)


def test_notebooks_have_no_outputs(notebook):
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert "widgets" not in notebook["metadata"]


def test_the_first_cell_has_a_title_and_a_sentence(notebook):
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    title, _, rest = "".join(first["source"]).partition("\n")
    assert title.startswith("# ")
    assert rest.strip()
    assert not rest.strip().startswith("#"), "the index page shows the paragraph below the title"
    titles = re.findall(r"^# ", "\n".join(sources(notebook, "markdown")), re.MULTILINE)
    assert len(titles) == 1


def test_headings_are_present_in_order(notebook, headings):
    found = re.findall(r"^## (.+)$", "\n".join(sources(notebook, "markdown")), re.MULTILINE)
    assert [heading.strip() for heading in found if heading.strip() in headings] == headings


def test_every_task_has_a_folded_answer(notebook, headings):
    text = "\n\n".join(sources(notebook, "markdown"))
    tasks = text.partition(f"## {headings[1]}")[2].partition(f"## {headings[2]}")[0]
    asked = re.findall(r"^(?:\d+\.|###|\*\*\d+\.?) ?", tasks, re.MULTILINE)
    folded = re.findall(r"<details>\s*<summary>.+?</summary>.+?</details>", tasks, re.DOTALL)
    assert asked
    assert len(folded) == len(asked)


def test_further_reading_cites_sources(notebook, headings):
    reading = "\n\n".join(sources(notebook, "markdown")).partition(f"## {headings[2]}")[2]
    assert re.search(r"\(?(19|20)\d\d\)?", reading)
