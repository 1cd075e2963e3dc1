"""Pictures as the stage takes them: as large as the page wants them, with alt texts; the last ones are kept."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary, ref

from ..engine.trace import Trace
from ..text.language import N_, _
from ..views import VIEWS, Canvas
from .work import Drawing

KEPT = 4  # pictures of each view of a trace, with other options or of other sizes
GAP = 16
TWO_COLUMNS = 520  # CSS pixels from which two pictures stand side by side
SCREEN = 720  # CSS pixels of height where the page has not said its own
PRESENT = 1.35  # how much larger everything is drawn for a projector
HIDDEN = N_("The gradient is covered until you have placed your bet.")
HELD = N_("The gradient is covered until your teacher shows the answer.")
Picture = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """A picture's size in CSS pixels, how much everything in it is enlarged, and how many dots a pixel has."""

    width: int
    height: int
    zoom: float
    ratio: float


class Pictures:
    """Paints the views of a page and keeps the last pictures."""

    def __init__(self, views: Iterable[str]):
        self.canvases = {name: Canvas(VIEWS[name]) for name in views}
        # A trace may take megabytes: its pictures go when nothing else needs it.
        self.kept: WeakKeyDictionary[Trace, dict[Hashable, Picture]] = WeakKeyDictionary()
        self.numbers = count(1)
        self.show_gates = any(canvas.view.shows_gates for canvas in self.canvases.values())

    def size(self, viewport: Mapping[str, float], present: bool) -> Size:
        """Return the size of each picture on a page of this width."""
        _columns, width, height = layout(
            int(viewport["width"]), len(self.canvases), int(viewport.get("height", SCREEN))
        )
        return Size(width, height, PRESENT if present else 1.0, viewport["ratio"])

    def picture(self, drawing: Drawing, data: Any, size: Size, is_partial: bool = False) -> Picture:
        """Return a picture, painted unless it was kept; ``data`` is what it shows, None to compute that."""
        kept = self.kept.setdefault(drawing.trace, {})
        pins = tuple((name, ref(trace)) for name, trace in drawing.pins)
        key = drawing.view, drawing.options, pins, size, drawing.curves, is_partial and id(data)
        if key not in kept:
            if len(kept) >= KEPT * len(self.canvases):
                kept.clear()
            kept[key] = self.paint(drawing.view, drawing.data() if data is None else data, size)
        return kept[key]

    def hidden(self, drawing: Drawing, data: Any, size: Size, is_placed: bool) -> Picture:
        """Return a picture that gives away nothing of what happened, or an empty place, before a bet or after it."""
        if data is None and not drawing.is_slow:
            data = drawing.data()
        shown = None if data is None else VIEWS[drawing.view].covered(data)
        reason, alt = ("held", _(HELD)) if is_placed else ("covered", _(HIDDEN))
        if shown is None:
            return self.place(drawing.view, size, reason, alt)
        return self.paint(drawing.view, shown, size) | {"alt": alt}

    def place(self, view: str, size: Size, reason: str, alt: str) -> Picture:
        """Return an empty place, in which the page writes the text for screen readers."""
        return self.frame(view, size) | {"png": None, "alt": alt, "revision": f"{view}-{reason}-{size.width}"}

    def later(self, view: str, size: Size) -> Picture:
        """Return what stands in the place of a picture that is still to come."""
        alt = _("{view}: still being computed").format(view=_(VIEWS[view].label))
        return self.place(view, size, "awaited", alt) | {"stale": True}

    def paint(self, view: str, data: Any, size: Size) -> Picture:
        """Return a new picture of a view's data."""
        canvas, zoom = self.canvases[view], size.zoom
        png = canvas.png(data, round(size.width / zoom), round(size.height / zoom), zoom * size.ratio)
        box = canvas.axes_box(data, size.width, size.height, zoom)
        is_timed, is_plane = canvas.view.counts_steps(data), canvas.view.places
        where = {"axes": box if is_timed else None, "plane": box if is_plane else None}
        painted = {"png": png, "alt": canvas.view.describe(data), "terms": list(canvas.view.uses(data))} | where
        return self.frame(view, size) | painted | {"revision": f"{view}-{next(self.numbers)}"}

    def frame(self, view: str, size: Size) -> Picture:
        """Return what every picture of a view has."""
        named = {"name": view, "label": _(VIEWS[view].label), "width": size.width, "height": size.height}
        return named | {"stale": False, "axes": None, "plane": None}


def layout(width: int, views: int, screen: int = SCREEN) -> tuple[int, int, int]:
    """Return columns, and the pictures' width and height, for a page of this width on a screen of this height.

    Two pictures take less than half of a wide screen's height, and little more of a narrow one's.
    """
    columns = min(views, 2) if width >= TWO_COLUMNS else 1
    each = int(min(max((width - GAP * (columns - 1)) / columns, 240), 900))
    share = 0.25 if columns < min(views, 2) else 0.42
    return columns, each, int(max(190, min(0.66 * each, share * screen, 430)))
