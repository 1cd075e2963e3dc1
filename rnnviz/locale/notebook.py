"""A notebook in another language: its texts translated, its page told which language to speak, all else the same."""

import ast
import json
from collections.abc import Callable

from . import markdown

PAGES = ("Dashboard", "Walk")


def texts(notebook: dict) -> list[str]:
    """Return what there is to translate in a notebook, in the order of reading."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    return [text for cell in cells for text in markdown.texts("".join(cell["source"]))]


def translated(notebook: dict, language: str, translate: Callable[[str], str]) -> dict:
    """Return a notebook in a language; ``translate`` returns the translation of one text."""
    make = {
        "markdown": lambda source: markdown.translated(source, translate),
        "code": lambda source: speaking(source, language),
    }
    cells = [
        {**cell, "source": make[cell["cell_type"]]("".join(cell["source"])).splitlines(keepends=True)}
        for cell in notebook["cells"]
    ]
    return {**notebook, "cells": cells}


def speaking(source: str, language: str) -> str:
    """Return code in which the calls that make a page name its language.

    >>> speaking('Dashboard("state", scheme=["he"])', "de")
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
    """Return where in the source a call ends; Python counts the bytes of its last line."""
    lines = source.split("\n")
    before = "\n".join([*lines[: call.end_lineno - 1], ""])
    return len(before) + len(lines[call.end_lineno - 1].encode()[: call.end_col_offset].decode())


def labelled(notebook: dict, language: str, elsewhere: dict[str, str]) -> dict:
    """Return a notebook that says in its metadata which language it speaks, and where the others are spoken."""
    label = {"language": language, "translations": elsewhere}
    return {**notebook, "metadata": {**notebook["metadata"], "rnnviz": label}}


def as_file(notebook: dict) -> str:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
