"""The stage: the page's pictures and words, sent together in one message."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..network.config import FIELDS, label_of
from ..text.language import N_, _, current
from .glossary import VERDICT
from .share import shared_address

PARTS = Path(__file__).parent / "stage"  # anywidget takes one module and one style sheet: the parts are joined
SCRIPTS = (
    "dom", "define", "names", "focus", "numbers", "sliders", "link", "takehome", "tools", "step", "chooser", "frames",
    "reconnect", "main",
)  # fmt: skip
STYLES = ("page", "controls", "bars", "pictures", "text", "takehome", "define", "race", "narrow", "print")
# Texts of the scripts themselves, by the names that the scripts use.
TEXTS = {
    "keys": N_("{view}: arrow keys move from step to step"),
    "value": N_("{label}: value"),
    "step": N_("Step t"),
    "hint": N_("Point at a picture, press the arrow keys on it, or move this slider to read one step."),
    "choose": N_("Pictures shown"),
    "why": N_("Why?"),
    "what": N_("What these words mean"),
    "what_picture": N_("{view}: what this picture shows"),
    "save": N_("{view}: save this picture as {kind}"),
    "stop": N_("Stop"),
    "stop_computing": N_("Stop computing"),
    "data": N_("Data (CSV)"),
    "copy": N_("Copy"),
    "copy_picture": N_("{view}: copy this picture"),
    "picture_copied": N_("The picture is in the clipboard: paste it into a slide or a text."),
    "picture_saved": N_("This browser does not let pages copy pictures: the picture was saved as a file."),
    "slide": N_("Slide (PNG)"),
    "weights": N_("Weights (NPZ)"),
    "library": N_("Library for the code"),
    "code": N_("The code of this picture"),
    "copy_code": N_("Copy code"),
    "code_copied": N_("The code is in the clipboard: paste it into a new notebook."),
    "code_selected": N_("The code is selected: copy it."),
    "show_code": N_("Show the code"),
    "copy_report": N_("Copy report"),
    "report": N_("Report of what went wrong"),
    "report_copied": N_("The report is in the clipboard: send it to the person who gave you this page."),
    "report_selected": N_("Copy this report and send it to the person who gave you this page."),
    "link": N_("Link to these settings"),
    "copy_link": N_("Copy link"),
    "link_options": N_("Options for the link"),
    "lock": N_("freeze all controls"),
    "present": N_("large, for a projector"),
    "predict": N_("cover the gradient until a bet is placed"),
    "link_copied": N_("The link is in the clipboard: it brings back exactly this page."),
    "link_selected": N_("Copy this link: it brings back exactly this page."),
    "link_ends": N_("It works as long as this session runs."),
}


def joined(names: tuple[str, ...], suffix: str) -> str:
    """Return the text of some parts, one after the other."""
    return "\n".join((PARTS / f"{name}.{suffix}").read_text(encoding="utf-8") for name in names)


class Stage(anywidget.AnyWidget):
    """Shows a frame: pictures as ``<img>`` with alt texts, and sentences.

    Attributes
    ----------
    frame : everything that one change brings, in one message: ``views`` (name, label, png, alt, terms, width, height,
        revision each), ``columns``, ``words`` (text, style, perhaps the ``lines`` that it may take), ``page``, the
        width it is drawn for, ``whole``, whether nothing more is coming, ``drawn``, seeds x sequences, ``told``, how
        many sentences a step has, ``curves``, how many schemes, ``settings`` in words, ``steps``, ``revision``.
    message : one sentence about what went wrong, or ""; the last good picture stays.
    report : where that was a fault of the program, what those who mend it have to know, else "".
    notice : sentences about a link that asks for what cannot be; the pictures are good all the same.
    busy : the picture shown belongs to other settings, while a newer one is computed or after that has failed.
    progress : ``share`` done and ``text`` while more of the picture is computed, else empty.
    query : the query string of a link that brings back what is shown; present : the page is on a projector.
    step : the step that the reader points at, -1 for none; moment : sentences about it.
    share : what a link for others has in place of this server's own address: see `shared_address`.
    shown : the names of the views that are seen; the others stay out of sight.
    fine : label of a slider -> the values between which it moves in small steps over most of its width.
    hidden : the browser shows another tab in the page's place.
    viewport : the page's ``width`` and its screen's ``height`` in CSS pixels, and ``ratio``, dots a pixel.
    verdict : what the sentences need defined, keys of ``TERMS``.
    lang : the language that the page is in; texts : what the stage says by itself, `TEXTS` in that language.
    """

    _esm = joined(SCRIPTS, "js")
    _css = joined(STYLES, "css")

    frame = traitlets.Dict().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    report = traitlets.Unicode().tag(sync=True)
    notice = traitlets.Unicode().tag(sync=True)
    busy = traitlets.Bool(False).tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    query = traitlets.Unicode().tag(sync=True)
    present = traitlets.Bool(False).tag(sync=True)
    step = traitlets.Int(-1).tag(sync=True)
    moment = traitlets.List(traitlets.Unicode()).tag(sync=True)
    share = traitlets.Dict().tag(sync=True)
    shown = traitlets.List(traitlets.Unicode()).tag(sync=True)
    fine = traitlets.Dict().tag(sync=True)
    hidden = traitlets.Bool(False).tag(sync=True)
    viewport = traitlets.Dict({"width": 920, "height": 720, "ratio": 1}).tag(sync=True)
    verdict = traitlets.List(list(VERDICT)).tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    texts = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any):
        fine = {label_of(name): spec.metadata["fine"] for name, spec in FIELDS.items() if spec.metadata.get("fine")}
        texts = {name: _(text) for name, text in TEXTS.items()}
        super().__init__(share=shared_address(os.environ), fine=fine, lang=current(), texts=texts, **traits)

    def show(self, frame: dict[str, Any], traits: dict[str, Any]) -> None:
        """Show a frame, unless all of it is shown already, and the other traits, in one message."""
        shown = {name: value for name, value in self.frame.items() if name != "revision"}
        # That more is to come is no news: the next frame says so, and the pictures need not be sent again.
        is_news = frame | {"whole": False} != shown | {"whole": False} or frame.get("whole")
        with self.hold_sync():
            if frame and frame != shown and is_news:
                self.frame = frame | {"revision": self.frame.get("revision", 0) + 1}
            for name, value in traits.items():
                setattr(self, name, value)
