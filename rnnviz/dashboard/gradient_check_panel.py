"""A button that checks backpropagation for the current settings, and what came of it."""

from __future__ import annotations

import html

import ipywidgets as widgets

from ..network.config import Config
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from .render import Frame
from .results import Result
from .state import Dispatch, PageState

START, STOP = N_("Check these gradients"), N_("Stop checking")


class GradientCheckPanel(widgets.VBox):
    """A button and, once pressed, the largest error found and where; pressed again while it works, it stops."""

    def __init__(self, dispatch: Dispatch):
        self.button = widgets.Button(
            description=_(START),
            tooltip=_("compare the first scheme's gradients with derivatives computed without backpropagation"),
        )
        # A screen reader reads the words alone.
        self.words, self.progress = widgets.HTML().add_class("rnnviz-live"), widgets.HTML()
        self.is_running = False
        self.dispatch = dispatch
        self.button.on_click(lambda _: self.press())
        super().__init__([self.button, self.words, self.progress])
        self.add_class("rnnviz-trust")

    def press(self) -> None:
        """Start the check, or stop it."""
        if self.is_running:
            self.dispatch(PageState.stop, "check")
        else:
            self.dispatch(PageState.start_check)

    def show(self, state: PageState, frame: Frame) -> None:
        """Show how far the check of these settings is, or what it found."""
        result, self.is_running = frame.check
        self.button.description = _(STOP) if self.is_running else _(START)
        asked = state.refusal or words(state.settings.config, result, self.is_running)
        text = f"<p>{html.escape(asked)}</p>" if state.check and asked else ""
        self.words.value, self.progress.value = ("", text) if self.is_running else (text, "")


def words(config: Config, result: Result, is_running: bool) -> str:
    """Say how far a check is, or what it found."""
    title = _("{scheme}, seed {seed}").format(scheme=_(SCHEMES[config.scheme].short), seed=config.seed)
    if result.error is not None:
        return _("These gradients cannot be checked: {error}.").format(error=result.error)
    if result.value is not None:
        return f"{title}: {result.value.words}"
    check = result.progress
    if check is None or not check.done:
        begun = _("{title}: computing the gradients …") if is_running else ""
        return (begun or _("{title}: stopped before anything was compared.")).format(title=title)
    text = _("{title}: {done} of {total} entries checked …")
    if not is_running:
        text = _("{title}: stopped after {done} of {total} entries. {words}")
    return text.format(title=title, done=check.done, total=check.total, words=check.words)
