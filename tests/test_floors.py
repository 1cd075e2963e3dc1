"""A file imports only from floors below its own, and only the libraries that its floor may know."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "rnnviz"
FLOORS = {
    0: {"text", "numerics", "argument_types"},
    1: {"network"},
    2: {"engine", "theory"},
    3: {"learning", "story", "views"},
    4: {"dashboard", "serving", "locale", "summaries", "reproductions"},
    5: {"__main__"},
}
FLOOR = {name: floor for floor, names in FLOORS.items() for name in names}
LIBRARIES = {
    "learning/table.py": {"pyarrow"},
    "learning/workers.py": {"distributed"},
}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room(path: Path) -> str:
    """Return the file or folder directly below the package that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
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


def test_imports_come_from_floors_below():
    for path in FILES:
        here = room(path)
        assert here in FLOOR, f"{here} needs a floor in this table"
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "rnnviz" and len(parts) > 1 and parts[1] not in (here, "__version__"):
                assert FLOOR[parts[1]] < FLOOR[here], f"{path} (floor {FLOOR[here]}) imports {name}"


def test_a_file_knows_only_the_libraries_of_its_floor():
    for path in FILES:
        here, known, name = room(path), libraries(path), path.relative_to(PACKAGE).as_posix()
        if FLOOR[here] < FLOOR["views"] or here in ("learning", "story"):
            assert known <= {"numpy"} | LIBRARIES.get(name, set()), name
        assert "matplotlib" not in known or here == "views", name
        assert not known & {"ipywidgets", "anywidget"} or here == "dashboard", name
        assert not any(each.startswith(("matplotlib.pyplot", "pylab")) for each in imports(path)), name


def test_the_table_has_every_room_and_no_other():
    assert {room(path) for path in FILES} == set(FLOOR)
