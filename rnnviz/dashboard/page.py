"""What a teacher's link asks of the page besides its settings: frozen or hidden controls, and a projector's size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from ..text.language import LANGUAGES, _, of_link
from .controls import Controls
from .pins import MOST
from .presets import PresetBar
from .scene import Scene

MOST_NAMES = 50


@dataclass(frozen=True)
class Page:
    """How the page presents its scene.

    Attributes
    ----------
    lock, hide : names of controls (fields of Config, options, "beside", "seeds", or "all") to freeze or take away.
    present : enlarge everything for a projector.
    predict : cover the gradient until the reader has placed a bet.
    pins : the scenes whose first scheme is pinned.
    lang : the language that the link asks for, or "".
    step : the step that is pointed at, -1 for none.
    """

    lock: tuple[str, ...] = ()
    hide: tuple[str, ...] = ()
    present: bool = False
    predict: bool = False
    pins: tuple[Scene, ...] = ()
    lang: str = ""
    step: int = -1

    @classmethod
    def of_link(cls, query: str, start: Scene) -> tuple[Page, Scene, list[str]]:
        """Return the page and the scene of a link's query string, and a sentence for each part that cannot be."""
        scene, problems = Scene.from_query(query, start)
        asked = {name: values[-1] for name, values in parse_qs(query.removeprefix("?")).items()}
        lock, hide = (tuple(asked.get(name, "").split(",")[:MOST_NAMES]) for name in ("lock", "hide"))
        pins = [
            Scene.from_query(text, start)
            for text in parse_qs(query.removeprefix("?"), keep_blank_values=True).get("pin", [])[:MOST]
        ]
        problems += [problem for _pin, found in pins for problem in found]
        page = cls(
            tuple(filter(None, lock)),
            tuple(filter(None, hide)),
            asked.get("present") == "1",
            asked.get("predict") == "1",
            tuple(pin.replace(beside=(), options={}) for pin, _problems in pins),
            lang if (lang := of_link(query)) in LANGUAGES else "",
            min(int(step), scene.config.seq_len) if re.fullmatch("[0-9]{1,5}", step := asked.get("step", "")) else -1,
        )
        return page, scene, problems

    def apply(self, controls: Controls, presets: PresetBar) -> None:
        """Freeze and hide what the link asks for; names that are none are left out.

        Presets set many controls, so they are frozen with the first of them.
        """
        controls.freeze(self.lock)
        controls.hide(self.hide)
        presets.freeze(scenes=bool(controls.frozen), seed="seed" in controls.frozen)
        if "all" in self.hide:
            presets.add_class("rnnviz-hidden")
        if self.predict:
            presets.veil()

    def unknown(self, controls: Controls) -> list[str]:
        """Return a sentence where the link freezes or hides what is no control."""
        names = [name for name in (*self.lock, *self.hide) if name != "all" and name not in controls.named]
        said = _("In this link lock and hide name what is no control: {names}.")
        return [said.format(names=", ".join(f"{name!r:.40}" for name in names))] if names else []

    def link(self, scene: Scene, start: Scene, pins: Sequence[Scene]) -> str:
        """Return the query string that brings this page back, with these pins."""
        own = {"lock": ",".join(self.lock), "hide": ",".join(self.hide)}
        own |= {name: "1" for name in ("present", "predict") if getattr(self, name)} | {"lang": self.lang}
        pinned = [("pin", pin.to_query(start.replace(beside=(), options={}))) for pin in pins]
        own_parts = [(name, value) for name, value in own.items() if value]
        parts = (scene.to_query(start), urlencode(own_parts + pinned))
        return "&".join(part for part in parts if part)
