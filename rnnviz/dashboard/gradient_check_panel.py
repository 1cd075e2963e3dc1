"""The trust panel: a button that checks the gradients of the present settings against derivatives of the loss."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import ipywidgets as widgets

from ..engine import gradient_check
from ..network.config import Config
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from .fault import Refusal
from .loop import in_loop, running_loop
from .task import TOLD, Stopped

START, STOP = N_("Check these gradients"), N_("Stop checking")


@dataclass(eq=False)
class Run:
    """One check: of which settings, how far it is, when that was told last, and whether it is wanted no more."""

    config: Config
    result: gradient_check.Check | None = None
    told: float = field(default_factory=time.perf_counter)
    stopped: bool = False

    def tick(self) -> None:
        """End here once this is wanted no more."""
        if self.stopped:
            raise Stopped

    @property
    def title(self) -> str:
        return _("{scheme}, seed {seed}").format(scheme=_(SCHEMES[self.config.scheme].short), seed=self.config.seed)


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
        self.words.add_class("rnnviz-live")
        self.progress = widgets.HTML()  # apart from the result: nobody wants to be told of every tick
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.run: Run | None = None
        self.button.on_click(lambda button: self.stop() if self.run else self.start())
        super().__init__([self.button, self.words, self.progress])
        self.add_class("rnnviz-trust")

    def start(self) -> None:
        """Check the present settings, in a thread where there is a loop, so that the page goes on meanwhile."""
        try:
            self.run = Run(self.config())
        except Refusal as error:
            self.say(str(error))
            return
        self.button.description = _(STOP)
        loop = running_loop()
        if loop is None:
            self.work(self.run, loop)
            return
        self.show_progress(_("{title}: computing the gradients …").format(title=self.run.title))
        self.executor.submit(self.work, self.run, loop)

    def work(self, run: Run, loop) -> None:
        """Check, in the thread, and tell the loop how far it is."""
        try:
            for result in gradient_check.progress(run.config, tick=run.tick):
                run.result = result
                if time.perf_counter() - run.told > TOLD:
                    run.told = time.perf_counter()
                    in_loop(loop, self.tell, run, result)
        except Stopped:
            return
        except Exception as error:
            in_loop(loop, self.finish, run, _("These gradients cannot be checked: {error}.").format(error=error))
        else:
            in_loop(loop, self.finish, run, f"{run.title}: {run.result.words}")

    def tell(self, run: Run, result: gradient_check.Check) -> None:
        """Say how far a check is."""
        if not run.stopped:
            text = _("{title}: {done} of {total} entries checked …")
            self.show_progress(text.format(title=run.title, done=result.done, total=result.total))

    def stop(self) -> None:
        """Break the check off, and show how far it came."""
        run, result = self.run, self.run.result
        if result is None:
            text = _("{title}: stopped before anything was compared.").format(title=run.title)
        else:
            text = _("{title}: stopped after {done} of {total} entries. {words}")
            text = text.format(title=run.title, done=result.done, total=result.total, words=result.words)
        self.finish(run, text)

    def finish(self, run: Run, text: str) -> None:
        """Show the result of a check, unless it is wanted no more, and make the button ready again."""
        if not run.stopped:
            self.clear()
            self.say(text)

    def clear(self) -> None:
        """Stop, and forget the result: the settings have changed."""
        if self.run:
            self.run.stopped, self.run = True, None
        if self.button.description != _(START):
            self.button.description = _(START)
        for words in (self.words, self.progress):
            if words.value:
                words.value = ""

    def say(self, text: str) -> None:
        self.words.value = f"<p>{html.escape(text)}</p>"

    def show_progress(self, text: str) -> None:
        self.progress.value = f"<p>{html.escape(text)}</p>"
