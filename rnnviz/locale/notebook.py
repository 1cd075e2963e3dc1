"""A notebook in another language: its texts translated, ``lang=`` added to its dashboards, the rest unchanged."""

import ast
import json

from . import markdown

PAGES = ("Dashboard", "Note", "Walk")


def texts(notebook: dict) -> list[str]:
    """Return the translatable texts of a notebook, in reading order."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    return [text for cell in cells for text in markdown.texts("".join(cell["source"]))]


def translated(notebook: dict, language: str, translations: dict[str, str]) -> dict:
    """Return a notebook in another language; texts without a translation stay as they are."""
    translators = {
        "markdown": lambda source: markdown.translated(source, translations),
        "code": lambda source: with_language(source, language),
    }
    cells = [
        {**cell, "source": translators[cell["cell_type"]]("".join(cell["source"])).splitlines(keepends=True)}
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def with_language(source: str, language: str) -> str:
    """Return code in which the calls that create a page name its language.

    >>> with_language('Dashboard("state", scheme=["he"])', "de")
    'Dashboard("state", scheme=["he"], lang="de")'
    """
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    pages = [call for call in calls if getattr(call.func, "id", "") in PAGES]
    for end in sorted((end_of(call, source) for call in pages), reverse=True):
        inside = source[: end - 1].rstrip().rstrip(",")
        comma = "" if inside.endswith("(") else ", "
        source = f'{inside}{comma}lang="{language}"{source[end - 1 :]}'
    return source


def end_of(call: ast.Call, source: str) -> int:
    """Return the index in ``source`` at which a call ends; the parser counts lines, and bytes within the line."""
    lines = source.split("\n")
    line = (call.end_lineno or 1) - 1
    return len("\n".join([*lines[:line], ""])) + len(lines[line].encode()[: call.end_col_offset].decode())


def labelled(notebook: dict, language: str, links: dict[str, str]) -> dict:
    """Return a notebook whose metadata names its language and links to its translations."""
    label = {**notebook["metadata"].get("rnnviz", {}), "language": language, "translations": links}
    return {**notebook, "metadata": {**notebook["metadata"], "rnnviz": label}}


def as_file(notebook: dict) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
