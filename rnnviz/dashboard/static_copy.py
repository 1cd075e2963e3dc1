"""A copy of the page without controls, which a notebook keeps for readers who have not run it."""

from __future__ import annotations

import os
from base64 import b64encode
from html import escape
from typing import Any

import ipywidgets as widgets
from IPython.display import DisplayHandle, display

from ..text.language import _
from .stage import Stage

# In place of a widget whose kernel is gone, JupyterLab shows an error, which is text without elements.
NO_ERROR = ".jp-OutputArea:has(.rnnviz-copy) .jp-OutputArea-output.jupyter-widgets:not(:has(*)) { display: none; }"


def is_served() -> bool:
    """Tell whether Voila runs this kernel: its pages are not kept."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


class KeptPage(widgets.VBox):
    """A page whose last pictures and sentences a notebook keeps, in an output above it that it hides."""

    stage: Stage
    copy: DisplayHandle | None = None
    kept = ""

    @property
    def name(self) -> str:
        """The class of the copy's element."""
        return f"rnnviz-copy-{self.model_id}"

    def _ipython_display_(self) -> None:
        bundle = super()._repr_mimebundle_()
        if not is_served():
            if not self.copy:
                self.hide_copy()
                self.stage.observe(lambda change: self.keep(), ("frame", "shown"))
            self.kept = html(self.stage, self.name)
            self.copy = display({"text/html": self.kept}, raw=True, display_id=True)
            bundle["text/html"] = ""  # the copy already says what this output would without a kernel
        display(bundle, raw=True)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return super()._repr_mimebundle_(**kwargs) | {"text/html": html(self.stage)}

    def hide_copy(self) -> None:
        """Hide the copy as long as the page is there."""
        style = widgets.HTML(f"<style>.{self.name} {{ display: none; }}</style>", layout={"display": "none"})
        self.children: tuple[widgets.Widget, ...] = (*self.children, style)

    def keep(self) -> None:
        """Keep whole pictures and their sentences in place of the last ones."""
        if self.copy and self.stage.frame.get("whole") and (new := html(self.stage, self.name)) != self.kept:
            self.kept = new
            self.copy.update({"text/html": new}, raw=True)


def html(stage: Stage, name: str = "") -> str:
    """Return what a stage shows as HTML of one class, with the advice to run the cell."""
    views = [view for view in stage.frame.get("views", ()) if view["png"] and view["name"] in stage.shown]
    advice = _("Run this cell to see its pictures.")
    if views:
        advice = _("Run this cell to get the controls. These are the pictures that it showed last.")
    parts = [f"<style>{NO_ERROR}</style><p><em>{escape(advice)}</em></p>", *map(image, views)]
    parts += [sentence(**word) for word in stage.frame.get("words", ())]
    return f'<div class="rnnviz-copy {name}">{"".join(parts)}</div>'


def image(view: dict[str, Any]) -> str:
    """Return a picture with its alt text; two stand side by side where there is room."""
    size = f'width="{view["width"]}" height="{view["height"]}"'
    style = "max-width: min(100%, max(49%, 320px)); height: auto"
    png = b64encode(view["png"]).decode()
    return f'<img alt="{escape(view["alt"])}" {size} style="{style}" src="data:image/png;base64,{png}"> '


def sentence(text: str, style: dict[str, Any] | None, why: str = "", **others: Any) -> str:
    """Return a sentence with its curve's colour, and with its reason."""
    mark = f'<span style="color: {style["color"]}">&#9632;</span> ' if style else ""
    return f"<p>{mark}{escape(f'{text} {why}'.strip())}</p>"
