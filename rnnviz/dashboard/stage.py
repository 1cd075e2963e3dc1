"""The stage: the page's pictures and words, sent together in one message."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..network.config import FIELDS, label_of
from ..text.language import N_, _, current
from .glossary import VERDICT

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

    ``frame`` is everything that one change brings, in one message: ``views`` (name, label, png, alt, terms, width,
    height, revision each), ``columns``, ``words`` (text, style, perhaps the ``lines`` that it may take), ``page``, the
    width it is drawn for, ``whole``, whether nothing more is coming, ``drawn``, seeds x sequences, ``told``, how many
    sentences a step has, ``curves``, how many schemes, ``settings`` in words, ``steps``, ``revision``.
    """

    _esm = joined(SCRIPTS, "js")
    _css = joined(STYLES, "css")

    frame = traitlets.Dict().tag(sync=True)
    message = traitlets.Unicode(help="what went wrong, or ''; the last good picture stays").tag(sync=True)
    report = traitlets.Unicode(help="of a fault of the program, for those who mend it").tag(sync=True)
    notice = traitlets.Unicode(help="on a link that asks for what cannot be").tag(sync=True)
    busy = traitlets.Bool(help="whether a newer picture is computed, or has failed").tag(sync=True)
    progress = traitlets.Dict(help="share done and text while more is computed").tag(sync=True)
    query = traitlets.Unicode(help="of a link that brings back what is shown").tag(sync=True)
    present = traitlets.Bool(help="whether the page is on a projector").tag(sync=True)
    step = traitlets.Int(-1, help="that the reader points at, -1 for none").tag(sync=True)
    moment = traitlets.List(traitlets.Unicode(), help="sentences about the step").tag(sync=True)
    share = traitlets.Dict(help="what a link for others has in place of this address: see `shared_address`").tag(
        sync=True
    )
    shown = traitlets.List(traitlets.Unicode(), help="names of the views that are seen").tag(sync=True)
    fine = traitlets.Dict(help="label of a slider -> values between which it moves in small steps").tag(sync=True)
    hidden = traitlets.Bool(help="whether the browser shows another tab").tag(sync=True)
    viewport = traitlets.Dict(
        {"width": 920, "height": 720, "ratio": 1}, help="in CSS pixels; ratio is dots a pixel"
    ).tag(sync=True)
    verdict = traitlets.List(list(VERDICT), help="keys of TERMS that the sentences need").tag(sync=True)
    lang = traitlets.Unicode(help="the language that the page is in").tag(sync=True)
    texts = traitlets.Dict(help="TEXTS in that language").tag(sync=True)

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


def shared_address(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what a link for others has in place of ``base``, the path of this user's server; {} outside of a hub.

    ``redirect`` leads all users of a hub to their own servers, ``binder`` starts a new session of the same repository;
    ``ends`` is true where no address outlives this session. Source: the environment that JupyterHub and BinderHub set.

    >>> shared_address({"JUPYTERHUB_SERVICE_PREFIX": "/hubs/user/ana/", "JUPYTERHUB_BASE_URL": "/hubs/"})
    {'base': '/hubs/user/ana/', 'redirect': '/hubs/hub/user-redirect/'}
    """
    base = environment.get("JUPYTERHUB_SERVICE_PREFIX", "")
    if not base:
        return {}
    host, request = (environment.get(f"BINDER_{name}", "") for name in ("LAUNCH_HOST", "PERSISTENT_REQUEST"))
    if host and request:
        return {"base": base, "binder": f"{host.rstrip('/')}/{request.strip('/')}"}
    if any(name.startswith("BINDER_") for name in environment):
        return {"base": base, "ends": True}
    hub = environment.get("JUPYTERHUB_HOST", "") + environment.get("JUPYTERHUB_BASE_URL", "/")
    return {"base": base, "redirect": f"{hub}hub/user-redirect/"}
