"""What a class may be asked to bet on: the teacher's form, and the settings of the link that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from ..network.config import FIELDS, Config, from_text, label_of
from ..text.language import _
from . import gallery

ASKED = ("scheme", "cell", "activation", "gain", "hidden_size", "seq_len")
PAGE = "/voila/render/"
# Of a link that the teacher copied: these are set for the class, or belong to the page that the link was copied from.
OF_THE_PAGE = {"lang", "present", "predict", "lock", "hide", "bet", "token", "step", "pin", "beside"}


class Form:
    """The teacher's form with what was filled in, in the current language."""

    def __init__(self, folder: Path, language: str, filled: Mapping[str, str] | None = None):
        self.filled = {name: text.strip() for name, text in (filled or {}).items()}
        self.notebooks = {card.name: card.title for card in gallery.cards(folder, language) if bets(folder / card.name)}

    @property
    def fields(self) -> list[dict[str, Any]]:
        """What the form asks for: name, label, help, value, and for a choice its options, value -> label."""
        return [self.field(name) for name in ASKED]

    def field(self, name: str) -> dict[str, Any]:
        """Return one field of `Config` as the form shows it."""
        about, value = FIELDS[name].metadata, self.filled.get(name, "")
        allowed, help = about.get("allowed"), about["help"]  # within _(), Babel before 2.19 extracts the literal
        options = {key: _(allowed[key].label) for key in allowed} if allowed else {}
        return {"name": name, "label": label_of(name), "help": _(help), "value": value, "options": options}

    def read(self) -> tuple[str, str]:
        """Return the notebook and the settings of the link that the form asks for; ValueError says what is wrong."""
        link = self.filled.get("link", "")
        notebook, settings = self.pasted(link) if link else (self.filled.get("notebook", ""), self.chosen())
        if notebook not in self.notebooks:
            raise ValueError(_("This link leads to no notebook with bets."))
        check(settings)
        lock = ",".join([*(name for name in FIELDS if name != "scheme"), "beside", "seeds"])
        restricted = {"beside": "", "predict": 1, "lock": lock if "schemes" in self.filled else "all"}
        return notebook, urlencode({**settings, **restricted}, safe=",")

    def chosen(self) -> dict[str, str]:
        """Return the settings that were filled in, by their names in a link."""
        return {name: self.filled[name] for name in ASKED if self.filled.get(name)}

    def pasted(self, link: str) -> tuple[str, dict[str, str]]:
        """Return the notebook and the settings of a link that was copied from a page, "" and {} of another one."""
        try:
            parts = urlsplit(link)
        except ValueError:
            return "", {}
        _before, _page, notebook = unquote(parts.path).partition(PAGE)
        return notebook, {name: text for name, text in parse_qsl(parts.query) if name not in OF_THE_PAGE}


def check(settings: Mapping[str, str]) -> None:
    """Raise a ValueError, which names the field and what is allowed, unless the settings are possible."""
    Config().replace(**{name: from_text(FIELDS[name], text) for name, text in settings.items() if name in FIELDS})


def bets(notebook: Path) -> bool:
    """Tell whether a notebook has a dashboard, which asks for bets."""
    return any("Dashboard(" in gallery.text(cell) for cell in gallery.cells_of(notebook, "code"))
