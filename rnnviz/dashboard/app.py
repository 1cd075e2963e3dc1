"""The dashboard: controls -> Config -> compare -> views -> one frame on the stage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets

from ..config import Config
from ..registry import explain_choice
from ..runs import Trace, compare
from ..schemes import SCHEMES
from ..verdict import sentences
from ..views import VIEWS, Canvas
from ..views.lines import STYLES
from .controls import Controls
from .stage import Stage

AT_ONCE = 0.04  # seconds of computing that a moving slider bears
REST = 0.12  # seconds after the last change until the full number of seeds is run
GAP = 16
TWO_COLUMNS = 820  # CSS pixels from which two pictures stand side by side


class Dashboard(widgets.VBox):
    """A page of views over the same comparison, with its controls.

    Parameters
    ----------
    *views : names of views, keys of ``rnnviz.views.VIEWS``; "state" and "gradient" when none is given.
    scheme : one scheme, or several to draw over one another, the first in the menu.
    seeds : how many seeds are run for the median and the band, counted from ``seed``.
    **settings : fields of `Config` to start from.

    Raises
    ------
    ValueError : naming the view, scheme or field, what was received and what is allowed.
    """

    def __init__(
        self, *views: str, scheme: str | Sequence[str] = ("xavier", "uniform01"), seeds: int = 8, **settings: Any
    ):
        schemes = (scheme,) if isinstance(scheme, str) else tuple(scheme)
        for name in schemes:
            SCHEMES[name]
        if not schemes or not 1 <= seeds <= 100:
            raise ValueError(explain_choice("seeds", seeds, ["1 to 100"]))
        self.views = {name: Canvas(VIEWS[name]) for name in views or ("state", "gradient")}
        self.seeds = seeds
        self.controls = Controls(Config(scheme=schemes[0], **settings), schemes, self.refresh)
        self.stage = Stage()
        self.stage.observe(lambda change: self.paint(), "viewport")
        self.trace: Trace | None = None
        self.revision = 0
        self._pace = 4e-9  # seconds a unit of work, measured as it goes
        self._later: asyncio.TimerHandle | None = None
        rows = self.controls
        super().__init__([rows.first, rows.beside, rows.second, self.stage, rows.more])
        self.add_class("rnnviz")
        self.refresh()

    @property
    def config(self) -> Config:
        """The settings, as the controls have them."""
        return self.controls.config

    def refresh(self) -> None:
        """Run what the controls say and show it: at once with as many seeds as there is time for, then with all."""
        if self._later:
            self._later.cancel()
            self._later = None
        try:
            config, schemes = self.controls.config, self.controls.schemes
            bearable = int(AT_ONCE / (self._pace * work(config) * len(schemes)))
            if bearable >= self.seeds or not (loop := running_loop()):
                self.show(config, schemes, self.seeds)
            else:
                self.show(config, schemes, max(1, bearable))
                self._later = loop.call_later(REST, self.complete)
        except ValueError as error:
            self.stage.message = str(error)
        except Exception as error:  # the page goes on; a dead slider would say nothing
            self.stage.message = f"Something went wrong inside rnnviz ({type(error).__name__}: {error})."

    def complete(self) -> None:
        """Run all seeds for the settings at rest."""
        self._later = None
        self.show(self.controls.config, self.controls.schemes, self.seeds)

    def show(self, config: Config, schemes: tuple[str, ...], seeds: int) -> None:
        """Compute a comparison and paint it."""
        start = time.perf_counter()
        first = min(config.seed, 2**32 - seeds)
        self.trace = compare(config, schemes, range(first, first + seeds))
        self._pace = (time.perf_counter() - start) / (work(config) * len(schemes) * seeds)
        self.paint()

    def paint(self) -> None:
        """Draw every view of the present trace and send all of it as one frame."""
        if self.trace is None:
            return
        columns, width, height = layout(self.stage.viewport["width"], len(self.views))
        self.revision += 1
        pictures = []
        for name, canvas in self.views.items():
            data = canvas.view.data(self.trace)
            png = canvas.png(data, width, height, self.stage.viewport["ratio"])
            pictures.append(
                {"name": name, "png": png, "alt": canvas.view.describe(data), "width": width, "height": height,
                 "revision": f"{name}-{self.revision}"}
            )  # fmt: skip
        words = [{"text": text, "style": style(k)} for k, text in enumerate(sentences(self.trace))]
        self.stage.frame = {"views": pictures, "columns": columns, "words": words, "revision": self.revision}
        self.stage.message = ""


def work(config: Config) -> float:
    """Return roughly how many multiplications one run takes, with what each step costs anyway."""
    inputs, _ = config.sizes
    blocks = {"rnn": 1, "gru": 3, "lstm": 4}.get(config.cell, 4)
    return config.seq_len * (
        2.0 * config.batch_size * config.hidden_size * (blocks * (config.hidden_size + inputs) + 60) + 5e4
    )


def layout(width: int, views: int) -> tuple[int, int, int]:
    """Return columns, and the pictures' width and height, for a page of this width."""
    columns = min(views, 2) if width >= TWO_COLUMNS else 1
    each = int(min(max((width - GAP * (columns - 1)) / columns, 280), 900))
    return columns, each, int(min(max(0.62 * each, 310), 430))


def style(k: int) -> dict[str, Any]:
    """Return the k-th curve's colour and dashes for the sample beside its sentence."""
    look = STYLES[k]["linestyle"]
    return {"color": STYLES[k]["color"], "dash": [] if look == "-" else list(look[1])}


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the kernel's event loop, or None where there is none, as in a script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
