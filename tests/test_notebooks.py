"""The form of every notebook: short cells, no outputs, the same headings, answers folded away."""

import json
import re

import pytest
from conftest import NOTEBOOKS

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))
HEADINGS = ["What you will see", "Tasks", "Further reading"]
LONGEST_CELL = 6


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def notebook(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def sources(notebook, kind):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_there_are_notebooks():
    assert PATHS


def test_names_give_an_order():
    for path in PATHS:
        assert re.fullmatch(r"\d\d_[a-z0-9_]+\.ipynb", path.name)


def test_code_cells_are_short_and_define_nothing(notebook):
    code = sources(notebook, "code")
    assert code
    for source in code:
        assert len(source.strip().splitlines()) <= LONGEST_CELL
        assert not re.search(r"^\s*(async def|def|class|global)\b", source, re.MULTILINE)


def test_committed_without_outputs(notebook):
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert "widgets" not in notebook["metadata"]


def test_begins_with_its_title_and_a_sentence(notebook):
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    title, _, rest = "".join(first["source"]).partition("\n")
    assert title.startswith("# ")
    assert rest.strip()
    assert not rest.strip().startswith("#"), "the index page shows the paragraph below the title"
    titles = re.findall(r"^# ", "\n".join(sources(notebook, "markdown")), re.MULTILINE)
    assert len(titles) == 1


def test_headings_are_there_in_order(notebook):
    found = re.findall(r"^## (.+)$", "\n".join(sources(notebook, "markdown")), re.MULTILINE)
    assert [heading.strip() for heading in found if heading.strip() in HEADINGS] == HEADINGS


def test_every_task_has_a_folded_answer(notebook):
    text = "\n\n".join(sources(notebook, "markdown"))
    tasks = text.partition("## Tasks")[2].partition("## Further reading")[0]
    asked = re.findall(r"^(?:\d+\.|###|\*\*\d+\.?) ?", tasks, re.MULTILINE)
    folded = re.findall(r"<details>\s*<summary>.+?</summary>.+?</details>", tasks, re.DOTALL)
    assert asked
    assert len(folded) == len(asked)


def test_further_reading_gives_sources(notebook):
    reading = "\n\n".join(sources(notebook, "markdown")).partition("## Further reading")[2]
    assert re.search(r"\(?(19|20)\d\d\)?", reading)
