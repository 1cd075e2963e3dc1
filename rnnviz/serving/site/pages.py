"""The pages of the static site: Voici's exporter with this project's template, and the index of each language."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nbconvert.exporters import TemplateExporter
from voila.configuration import VoilaConfiguration

from ...text.language import LANGUAGES
from .. import gallery
from ..languages import OWN
from .packages import ASKED, NAME

KERNEL = "@jupyterlite/pyodide-kernel-extension"
NO_WARNING = "ignore:Unable to import Axes3D"  # nothing is drawn in three dimensions


def folder_of(language: str) -> str:
    """Return the folder of a language's pages, "" for that of the originals."""
    return "" if language == OWN else f"{language}/"


def notebook_page(folder: Path, path: Path, extensions: list[dict], megabytes: int) -> str:
    """Return the page of a notebook at ``path`` in a folder. Its kernel loads so many ``megabytes``."""
    up = "../" * (len(path.parts) - 1) or "./"
    kernel = {
        "pyodideUrl": "pyodide/pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": [NAME, *ASKED], "env": {"PYTHONWARNINGS": NO_WARNING}},
    }
    config = {
        "baseUrl": up,
        "fullStaticUrl": f"{up}voici",
        "fullLabextensionsUrl": f"{up}extensions",
        "jpThemeName": "JupyterLab Light",
        "federated_extensions": extensions,
        "litePluginSettings": {f"{KERNEL}:kernel": kernel},
        "megabytes": megabytes,
    }
    return str(exporter(up, config).from_filename(str(folder / path))[0])


def index_page(folder: Path, language: str) -> str:
    """Return the index page of a language."""
    up = "../" if folder_of(language) else ""
    cards = [at_site(card, language) for card in gallery.cards(folder, language)]
    links = {other: f"{up}{folder_of(other)}index.html" for other in LANGUAGES}
    made = exporter(up, {})
    return made.environment.get_template("gallery.html").render(
        **made._init_resources({}), language=language, cards=cards, columns=gallery.columns(len(cards)),
        base_url=up, frontend="voici", links=links,
    )  # fmt: skip


def exporter(up: str, config: dict) -> TemplateExporter:
    """Return what makes pages from which ``up`` leads to the root of the site."""
    from voici_core.exporter import VoiciExporter  # of the extra `site`

    voila = VoilaConfiguration(template="rnnviz", strip_sources=True)
    return VoiciExporter(voici_config=voila, page_config=config, base_url=up)


def at_site(card: gallery.Card, language: str) -> gallery.Card:
    """Return a card whose notebook's page is given relative to the index page of its language."""
    name = card.name.removeprefix(folder_of(language)) if card.language == language else f"../{card.name}"
    return replace(card, name=html(name))


def html(notebook: str) -> str:
    """Return the name of a notebook's page."""
    return f"{notebook.removesuffix('.ipynb')}.html"
