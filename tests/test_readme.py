"""The Python of README.md and of the notebooks' texts runs as pasted into a notebook."""

import re

import pytest
from conftest import NOTEBOOKS, ROOT

import rnnviz as rv

FENCE = re.compile(r"^```python\n(.+?)^```", re.MULTILINE | re.DOTALL)
README = FENCE.findall((ROOT / "README.md").read_text(encoding="utf-8"))
NOTEBOOK = (NOTEBOOKS / "04_how_the_numbers_are_made.ipynb").read_text(encoding="utf-8")


def shown_by(code):
    """Run code, and return the page that its last expression makes."""
    pages = []
    space = {"__name__": "__main__"}
    head, _, tail = code.strip().rpartition("\n")
    last = re.match(r"(rv\.)?Dashboard\(", tail)
    exec(f"{head}\npage = {tail}" if last else code, space)
    pages.append(space.get("page"))
    return pages[0]


@pytest.mark.usefixtures("no_loop")
@pytest.mark.parametrize("code", README, ids=[code.strip().splitlines()[-1][:40] for code in README])
def test_python_of_the_readme_runs(code):
    if "torch" in code:
        pytest.importorskip("torch")
    page = shown_by(code)
    assert page.stage.message == ""
    assert page.trace.log10_grad_norm.size
    if "lecun" in code:
        assert page.trace.schemes[0] == "lecun"
        assert rv.schemes.SCHEMES["lecun"].variance(300, 400) == 1 / 300


@pytest.mark.usefixtures("no_loop")
def test_the_notebook_shows_how_to_bring_a_network():
    pytest.importorskip("torch")
    import json

    cells = ["".join(cell["source"]) for cell in json.loads(NOTEBOOK)["cells"] if cell["cell_type"] == "markdown"]
    (code,) = FENCE.findall("\n".join(cells))
    page = shown_by(code)
    assert page.trace.own is not None
    assert page.config.numbers == "sine 25"
