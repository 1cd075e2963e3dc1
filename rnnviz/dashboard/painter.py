"""Pictures as the stage takes them: as large as the page wants them, with alt texts; the last ones are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from ..text.language import N_, _
from ..views import VIEWS, Canvas
from ..views.lines import covered
from .late import Job
from .memory import BYTES
from .stage import Stage

KEPT = 16  # pictures kept a view; each takes 20 to 80 kB
GAP = 16
TWO_COLUMNS = 820  # CSS pixels from which two pictures stand side by side
PRESENT = 1.35  # how much larger everything is drawn for a projector
HIDDEN = N_("The gradient is covered until you have placed your bet.")


@dataclass(frozen=True)
class Size:
    """A picture's size in CSS pixels, how much all in it is enlarged, and how many dots a pixel has."""

    width: int
    height: int
    zoom: float
    ratio: float


class Painter:
    """Paints the views of a dashboard.

    Parameters
    ----------
    names : the views, keys of ``VIEWS``.
    stage : tells how wide the page is. present : whether it is on a projector.
    data_of : returns a view's data for a job, or None where they are still to come.
    """

    def __init__(self, names: Iterable[str], stage: Stage, present: bool, data_of: Callable[[str, Job], Any]):
        self.stage, self.zoom, self.data_of = stage, PRESENT if present else 1.0, data_of
        self.canvases = {name: Canvas(VIEWS[name]) for name in names}
        self.kept = {name: deque(maxlen=KEPT) for name in self.canvases}
        self.shown: dict[str, dict[str, Any]] = {}
        self.numbers = count(1)

    @property
    def columns(self) -> int:
        """How many pictures stand side by side."""
        return layout(self.stage.viewport["width"], len(self.canvases))[0]

    @property
    def size(self) -> Size:
        """The size of each picture."""
        _columns, width, height = layout(self.stage.viewport["width"], len(self.canvases))
        return Size(width, height, self.zoom, self.stage.viewport["ratio"])

    def pictures(self, jobs: dict[str, Job], hidden: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Return the pictures of all views, ``hidden`` covered; a late one keeps its last, or its place, as stale."""
        for name, job in jobs.items():
            picture = self.picture(name, job, name in hidden)
            if picture is not None:
                self.shown[name] = picture
            else:
                known = self.shown.get(name, {})
                self.shown[name] = (known if known.get("png") else self.awaited(name)) | {"stale": True}
        return [self.shown[name] for name in jobs]

    def awaited(self, name: str) -> dict[str, Any]:
        """Return what stands in the place of a picture that is still to come."""
        size, label = self.size, _(VIEWS[name].label)
        alt = _("{view}: still being computed").format(view=label)
        awaited = {"name": name, "label": label, "png": None, "alt": alt, "width": size.width, "height": size.height}
        return awaited | {"revision": f"{name}-awaited-{size.width}", "axes": None}

    def picture(self, name: str, job: Job, hidden: bool = False) -> dict[str, Any] | None:
        """Return one picture, painted unless it was kept; None where its data are still to come."""
        size = self.size
        for known, of_size, picture in () if hidden else self.kept[name]:
            if of_size == size and known.same(job):
                return picture
        data = self.data_of(name, job)
        if data is None:
            return None
        if hidden:
            return self.paint(name, covered(data), size) | {"alt": _(HIDDEN)}
        picture = self.paint(name, data, size)
        self.keep(name, job, size, picture)
        return picture

    def keep(self, name: str, job: Job, size: Size, picture: dict[str, Any]) -> None:
        """Keep a picture, and with it its comparison: of the large ones only the last."""
        small = [each for each in self.kept[name] if each[0].trace.units.nbytes <= BYTES]
        self.kept[name] = deque([*small, (job, size, picture)], maxlen=KEPT)

    def paint(self, name: str, data: Any, size: Size) -> dict[str, Any]:
        """Return a new picture of some data."""
        canvas, zoom = self.canvases[name], size.zoom
        width, height = size.width, size.height
        return {
            "name": name,
            "label": _(canvas.view.label),
            "png": canvas.png(data, round(width / zoom), round(height / zoom), zoom * size.ratio),
            "alt": canvas.view.describe(data),
            "width": width,
            "height": height,
            "stale": False,
            "revision": f"{name}-{next(self.numbers)}",
            "axes": canvas.time_axis(data, width, height, zoom) if canvas.view.timed else None,
        }


def layout(width: int, views: int) -> tuple[int, int, int]:
    """Return columns, and the pictures' width and height, for a page of this width."""
    columns = min(views, 2) if width >= TWO_COLUMNS else 1
    each = int(min(max((width - GAP * (columns - 1)) / columns, 280), 900))
    return columns, each, int(min(max(0.62 * each, 310), 430))
