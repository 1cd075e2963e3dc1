"""The texts marked in the code and in the page templates, and the template file with their translations."""

import json
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg

from ..text.language import LANGUAGES
from .catalogue import Text

KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
TEMPLATES = (".html", ".j2")
NOTE = "{#- Made by `python3 dev.py translate` of the templates and catalogues: change the texts there. -#}"


def texts(root: Path) -> tuple[list[Text], list[str]]:
    """Return all marked texts of the project, and those of the page templates."""
    with (root / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found = list(extract_from_dir(root, methods, options, KEYWORDS))
    everywhere = dict.fromkeys(text for _, _, text, _, _ in found)
    on_pages = {str(text) for name, _, text, _, _ in found if name.endswith(TEMPLATES)}
    return list(everywhere), sorted(on_pages)


def page_texts(on_pages: list[str], translations: dict[str, dict[str, str]]) -> str:
    """Return the template file that maps language -> text -> translation.

    Voila as a Jupyter server extension does not import this package, so its templates cannot use gettext.
    """
    texts = {
        language: {text: translations.get(language, {}).get(text, text) for text in on_pages} for language in LANGUAGES
    }
    return f"{NOTE}\n{assignment('languages', LANGUAGES)}\n{assignment('texts', texts)}\n"


def assignment(name: str, value: dict) -> str:
    """Return a Jinja statement that sets a name; JSON strings are valid Jinja strings."""
    return f"{{%- set {name} = {json.dumps(value, ensure_ascii=False, indent=1)} -%}}"
