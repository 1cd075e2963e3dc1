"""The row of a race: the problem, the buttons that drive the training, and the scrubber through its past."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from ..learning.training import Training
from ..text.language import _, ngettext
from ..text.registry import shorten
from ..views.race import Curves
from .buttons import button, paragraphs, row
from .render import Frame
from .state import Dispatch, PageState

LATEST = -1
PLACES = 200  # of the scrubber
FAR = 10**6  # training steps


class RacePanel(widgets.Box):
    """*Train* and *Pause*, *Rewind*, *Another draw*, how far it is, and whose weights are shown.

    ``notes`` says what it can do now, below the pictures; ``files`` has *Save* and *Open*.
    """

    def __init__(self, problem: widgets.Widget, dispatch: Dispatch, send: Callable[[dict[str, Any], list[bytes]], Any]):
        self.dispatch, self.send = dispatch, send
        self.curves: Curves | None = None
        self.start = button("", "", self.press).add_class("rnnviz-train")
        self.rewind = button(_("Rewind"), _("go back to the same initial weights"), partial(dispatch, PageState.rewind))
        self.again = button(
            _("Another draw"), _("train networks of other seeds"), partial(dispatch, PageState.draw_again_and_train)
        )
        self.save = button(_("Save"), _("save the training as a file, to go on with it later"), self.save_training)
        self.load = widgets.FileUpload(accept=".npz", description=_("Open"), tooltip=_("go on with a saved training"))
        self.load.observe(self.open_training, "value")
        # The key End leads to where a slider ended when the browser made it, or to its end if that is nearer.
        self.scrubber = widgets.IntSlider(
            FAR, 0, FAR, description=_("Weights of step"), readout=False, disabled=True,
            tooltip=_("the training step whose weights the pictures show; at its right end the latest"),
        )  # fmt: skip
        self.is_held = False
        self.scrubber.observe(self.scrub, "value")
        self.said, self.notes = (widgets.HTML().add_class("rnnviz-race-said") for _ in range(2))
        self.notes.add_class("rnnviz-live")
        self.files = row([self.save, self.load], "rnnviz-actions", "rnnviz-wide")
        super().__init__(
            [problem, row([self.start, self.rewind, self.again], "rnnviz-actions"), self.scrubber, self.said]
        )
        self.add_class("rnnviz-race")

    def press(self) -> None:
        """Train, or pause."""
        self.dispatch(PageState.pause if self.is_training else PageState.train)

    def scrub(self, change: dict[str, Any]) -> None:
        if not self.is_held:
            self.dispatch(replace, at=self.meant(change["new"]))

    def meant(self, step: int) -> int:
        """Return the last step up to a place of the scrubber whose weights are kept; beyond the training the latest."""
        if self.curves is None or step >= self.curves.step:
            return LATEST
        return max((each for each in self.curves.kept if each <= step), default=LATEST)

    def save_training(self) -> None:
        """Send the training as a file."""
        if self.curves is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "training.npz"
            self.curves.training.save(path)
            content = path.read_bytes()
        name = f"rnnviz-{self.curves.training.settings.problem_name}-step{self.curves.step}.npz"
        self.send({"kind": "file", "name": name, "type": "application/octet-stream"}, [content])

    def open_training(self, change: dict[str, Any]) -> None:
        """Go on with the training of a file."""
        if not change["new"]:
            return
        content, name = change["new"][0]["content"], change["new"][0]["name"]
        self.load.value = ()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "training.npz"
            path.write_bytes(content)
            try:
                training = Training.load(path)
            except ValueError:
                text = _("{name} is no training that was saved here.")
                self.dispatch(replace, message=text.format(name=shorten(name)))
                return
        self.dispatch(PageState.open_training, training)

    def show(self, state: PageState, frame: Frame) -> None:
        """Show how far the training is, and what can be done with it."""
        self.curves = curves = frame.curves
        self.is_training = state.training and not is_over(curves)
        begun = curves is not None and curves.step > 0
        label, help = start_words(state, begun, self.is_training, is_over(curves))
        self.start.description, self.start.tooltip = label, help
        frozen = "all" in state.lock
        self.start.disabled = frozen or (is_over(curves) and state.races)
        self.rewind.disabled = frozen or not begun
        self.again.disabled = self.load.disabled = frozen
        self.save.disabled = not begun or self.is_training
        self.said.value = paragraphs(said(state, curves, self.is_training))
        self.notes.value = paragraphs(*curves.notes) if curves else ""
        self.show_kept(state, curves)

    def show_kept(self, state: PageState, curves: Curves | None) -> None:
        """Let the scrubber reach over the whole training, and stand where the weights shown are from."""
        scrubber, steps = self.scrubber, curves.steps if curves else self.scrubber.max
        self.is_held = True
        # One message each, and the value always inside: a browser answers another one where both change at once.
        if steps > scrubber.max:
            scrubber.max = steps
        if self.meant(scrubber.value) != state.at or scrubber.value > steps:
            scrubber.value = state.at if state.at >= 0 else steps
        scrubber.max, scrubber.step = steps, max(1, steps // PLACES)
        scrubber.disabled = curves is None or curves.step == 0 or not state.races
        self.is_held = False


def is_over(curves: Curves | None) -> bool:
    """Return whether there is nothing left to train."""
    return curves is not None and (curves.step >= curves.steps or bool(curves.diverged.all()))


def start_words(state: PageState, begun: bool, is_training: bool, is_done: bool) -> tuple[str, str]:
    """Return the label and the help text of the button that starts."""
    if is_training:
        return _("Pause"), _("stop training for now; nothing is lost")
    if state.races and is_done:
        return _("Trained"), _("Rewind goes back to the initial weights")
    if state.races and begun:
        return _("Go on"), _("go on training")
    return _("Train"), _("train networks with these settings")


def said(state: PageState, curves: Curves | None, is_training: bool) -> str:
    """Say how far the training is, how long it will take, and whether the controls have moved on."""
    if curves is None:
        return _("A problem brings its own inputs and loss: Input and Loss at are not read.")
    text = _("Training step {step} of {steps}").format(step=curves.step, steps=curves.steps)
    if is_training and curves.seconds_left:
        left = max(1, round(curves.seconds_left))
        text += " · " + ngettext("{left} second left", "{left} seconds left", left).format(left=left)
    if state.races and 0 <= state.at < curves.step:
        text += " · " + _("the pictures show step {step}").format(step=state.at)
    if not state.races:
        text += " · " + _("begun with other settings: the pictures show the new ones, not trained")
    return text
