"""The trust panel: a button that checks the gradients of the present settings against derivatives of the loss."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Iterator

import ipywidgets as widgets

from .. import gradcheck
from ..config import Config
from ..language import N_, _
from ..schemes import SCHEMES
from .late import running_loop

SLICE = 0.05  # seconds of checking between two looks at what else the page wants
START, STOP = N_("Check these gradients"), N_("Stop checking")


class TrustPanel(widgets.VBox):
    """A button and, once pressed, the largest error found and where; pressed again while it works, it stops.

    Parameters
    ----------
    config : returns the settings to check.
    """

    def __init__(self, config: Callable[[], Config]):
        self.config = config
        self.button = widgets.Button(
            description=_(START),
            tooltip=_("compare the first scheme's gradients with derivatives of the loss that know no backward pass"),
        )
        self.words = widgets.HTML()
        self.steps: Iterator[gradcheck.Check] | None = None
        self.result: gradcheck.Check | None = None
        self.button.on_click(lambda button: self.stop() if self.steps else self.start())
        super().__init__([self.button, self.words])
        self.add_class("rnnviz-trust")

    def start(self) -> None:
        """Check the present settings, in slices where there is a loop, so that the page goes on meanwhile."""
        try:
            config = self.config()
        except ValueError as error:
            self.say(str(error))
            return
        self.title = _("{scheme}, seed {seed}").format(scheme=_(SCHEMES[config.scheme].short), seed=config.seed)
        self.steps = gradcheck.progress(config)
        self.button.description = _(STOP)
        self.go_on()

    def go_on(self) -> None:
        """Check for one slice of time, then come back later or show the result."""
        steps, loop, until = self.steps, running_loop(), time.perf_counter() + SLICE
        if steps is None:
            return
        try:
            for self.result in steps:
                if loop and time.perf_counter() > until:
                    text = _("{title}: {done} of {total} entries checked …")
                    self.say(text.format(title=self.title, done=self.result.done, total=self.result.total))
                    loop.call_soon(self.go_on)
                    return
        except Exception as error:
            self.finish(_("These gradients cannot be checked: {error}.").format(error=error))
        else:
            self.finish(f"{self.title}: {self.result.words}")

    def stop(self) -> None:
        """Break the check off, and show how far it came."""
        done, total = self.result.done, self.result.total
        text = _("{title}: stopped after {done} of {total} entries. {words}")
        self.finish(text.format(title=self.title, done=done, total=total, words=self.result.words))

    def finish(self, text: str) -> None:
        """Show the result and make the button ready again."""
        self.clear()
        self.say(text)

    def clear(self) -> None:
        """Stop, and forget the result: the settings have changed."""
        self.steps = None
        if self.button.description != _(START):
            self.button.description = _(START)
        if self.words.value:
            self.words.value = ""

    def say(self, text: str) -> None:
        self.words.value = f'<p role="status">{html.escape(text)}</p>'
