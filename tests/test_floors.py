"""A file imports only from floors below its own, and only the libraries that its floor may know."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rnnviz"
FLOORS = {
    0: {"language", "scaled", "quantiles"},
    1: {"registry", "words"},
    2: {"activations", "schemes", "inputs"},
    3: {"arithmetic", "theory"},
    4: {"cells", "spectrum", "trust"},
    5: {"config", "stretch"},
    6: {"draws", "bptt", "stacks"},
    7: {"recorder"},
    8: {"runs"},
    9: {"precision", "gradcheck", "trajectory", "prediction", "account", "moment", "walkthrough"},
    10: {"verdict", "views"},
    11: {"suggestions"},
    12: {"dashboard"},
    13: {"serving", "locale"},
    14: {"__main__"},
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names}
LIBRARIES = {"inputs": {"sklearn"}, "precision": {"ml_dtypes"}}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    """Return the file or folder directly below the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Return the absolute names of all that a file imports, wherever in the file."""
    package = ["rnnviz", *path.relative_to(PACKAGE).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{stem}.{alias.name}" for alias in node.names}
    return names


def libraries(path: Path) -> set[str]:
    """Return the libraries that a file imports beside the standard one."""
    return {name.split(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"rnnviz", "__future__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_come_from_floors_below(path):
    here = room(path)
    assert here in FLOOR, "a new file needs a floor in this table"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "rnnviz" and len(parts) > 1 and parts[1] != here and parts[1] in FLOOR:
            assert FLOOR[parts[1]] < FLOOR[here], f"{here} (floor {FLOOR[here]}) imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_knows_only_the_libraries_of_its_floor(path):
    here, known = room(path), libraries(path)
    if FLOOR[here] < FLOOR["views"]:
        assert known <= {"numpy"} | LIBRARIES.get(here, set())
    assert "matplotlib" not in known or here == "views"
    assert not known & {"ipywidgets", "anywidget"} or here == "dashboard"
    assert not any(name.startswith(("matplotlib.pyplot", "pylab")) for name in imports(path))


def test_every_file_of_the_table_exists():
    assert {room(path) for path in FILES} == set(FLOOR)
