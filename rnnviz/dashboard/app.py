"""The dashboard: controls -> Config -> compare -> views -> one frame on the stage."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import ipywidgets as widgets

from ..engine.runs import Trace
from ..network.config import Config
from ..story import step_readout
from ..text.language import N_, _, ngettext, settle
from ..text.number_format import percent
from ..views import VIEWS, View
from . import fault
from .advice import Advice, Adviser
from .bet import COVERED, Bet
from .budget import work
from .captions import Report
from .controls import Controls
from .fault import Refusal
from .files import answer
from .gradient_check_panel import TrustPanel
from .late import Job, Late
from .loop import be_polite, later
from .page import Page
from .painter import Painter
from .pins import PinBar
from .presets import PresetBar
from .runner import Runner
from .scene import Scene
from .stage import Stage

LEFT = N_("Stopped: what is dimmed was not computed.")
NARROW = 2e8  # multiplications of a run that is repeated in narrow floats beside the page and not before its picture


class Dashboard(widgets.VBox):
    """A page of views over the same comparison, with its controls.

    Parameters
    ----------
    *views : names of views, keys of ``rnnviz.views.VIEWS``; "state" and "gradient" when none is given.
    scheme : one scheme, or several to draw over one another, the first in the menu.
    seeds : how many seeds are run for the median and the band, counted from ``seed``.
    options : the page's own choices by name, keys of ``rnnviz.views.OPTIONS``.
    lang : "en" or "de"; None goes on in the language spoken before. A link's ``lang`` goes before it.
    **settings : fields of `Config` to start from.

    A link's query string, which Voila hands to the kernel, changes where the page starts: see `Scene` and `Page`.

    Raises
    ------
    ValueError : naming the view, scheme, field or language, what was received and what is allowed.
    """

    def __init__(
        self,
        *views: str,
        scheme: str | Sequence[str] = ("xavier", "uniform01"),
        seeds: int = 8,
        options: Mapping[str, Any] | None = None,
        lang: str | None = None,
        **settings: Any,
    ):
        query = os.environ.get("QUERY_STRING", "")
        unspoken = settle(lang, query)
        schemes = (scheme,) if isinstance(scheme, str) else tuple(scheme)
        if not schemes:
            raise ValueError(_("scheme must name at least one scheme"))
        self.start = Scene(Config(scheme=schemes[0]).replace(**settings), schemes[1:], dict(options or {}), seeds)
        self.views = {name: VIEWS[name] for name in views or ("state", "gradient")}
        self.page, scene, problems = Page.of_link(query, self.start)
        taken = dict.fromkeys(option for view in self.views.values() for option in view.options)
        self.controls = Controls(scene, tuple(taken), self.refresh, self.repaint)
        self.stage = Stage(present=self.page.present)
        self.painter = Painter(self.views, self.stage, self.page.present, self.data_of)
        self.stage.observe(lambda change: self.repaint(), "viewport")
        self.stage.observe(lambda change: self.attempt(self.tell_moment), "step")
        self.stage.on_msg(lambda stage, message, buffers: self.attempt(lambda: self.give(message)))
        self.trust = TrustPanel(lambda: self.controls.config)
        self.presets = PresetBar(self.controls, self.start, self.attempt)
        self.pins = PinBar(
            lambda: self.controls.scene,
            self.start,
            self.first_of,
            self.show_pins,
            self.attempt,
            self.tell_pins,
            self.explain,
        )
        self.bet = Bet(self.page.predict, self.reveal, self.attempt)
        self.advice = Advice(lambda changes: self.attempt(lambda: self.follow_advice(changes)))
        self.adviser = Adviser(self.advice, self.subject, self.attempt, self.explain)
        self.report = Report()
        self.trace: Trace | None = None
        self.runner = Runner(self.take, self.tell_progress, self.fail, self.prepare)
        self.late = Late(lambda: self.attempt(self.show_late), self.fail_late, self.tell_late)
        self.is_current = False  # whether what the page shows is of the settings asked for last
        self.stopped = self.stopped_late = False
        self._revision = 0
        self._wanted: dict[tuple[str, str], dict[str, Any]] = {}
        rows = self.controls
        self.presets.row.children += self.pins.buttons
        super().__init__(
            [
                self.presets,
                rows.first,
                rows.beside,
                rows.second,
                self.bet,
                self.stage,
                self.advice,
                rows.more,
                self.trust,
            ]
        )
        be_polite()
        self.add_class("rnnviz")
        self.add_class(f"rnnviz-{self.stage.lang}")
        self.page.apply(rows, self.presets)
        self.attempt(lambda: self.pins.put(self.page.pins))
        self.refresh()
        self.stage.step = self.page.step
        self.stage.notice = " ".join([*unspoken, *problems, *self.page.unknown(rows)])

    @property
    def config(self) -> Config:
        """The settings, as the controls have them."""
        return self.controls.config

    def refresh(self) -> None:
        """Run what the controls say and show it: at once what there is time for, the rest when nobody moves them."""
        self.attempt(self._refresh)

    def _refresh(self) -> None:
        self.trust.clear()
        self.adviser.leave()
        if self.late.stop():
            self.stage.progress = {}
        self.stage.notice = ""
        # Code that is on the page belongs to whatever the page shows; a file, to what was asked for.
        self._wanted = {key: message for key, message in self._wanted.items() if key[0] == "code"}
        self.is_current = self.stopped = self.stopped_late = False
        try:
            scene = self.controls.scene
        except Refusal:
            self.runner.stop()
            self.presets.offer_reset()
            raise
        if self.trace is None:
            self.runner.run(scene, wait=0)
        else:
            self.runner.run(scene)

    def take(self, trace: Trace, whole: bool) -> None:
        """Show a comparison of what the controls say: a draft, or the whole."""
        self.attempt(lambda: self._take(trace, whole))

    def _take(self, trace: Trace, whole: bool) -> None:
        scene, self.trace = self.controls.scene, trace
        self.is_current = self.shows(scene)
        self.bet.ask(scene, trace, whole)
        self.paint()
        self.forgive()
        later(lambda: self.attempt(lambda: self.presets.follow(self.controls.scene)))
        if whole:
            self.rest()
            self.foresee()

    def rest(self) -> None:
        """Do what is left to do when everything is computed; what nobody waits for comes last."""
        self.start_late()
        self.pins.go_on()
        self.finish()
        self.adviser.rest()

    def foresee(self) -> None:
        """Have computed ahead what the next key may ask for."""
        if not self.bet.on:
            self.runner.foresee(self.controls.next, self.controls.others)

    def attend(self, label: str) -> None:
        """Expect a key on the control that was given the focus."""
        self.controls.attend(label)
        self.foresee()

    def prepare(self, trace: Trace) -> None:
        """Tell and paint what will probably be asked for next; what goes wrong is told if it is."""
        with suppress(Exception):
            self.report.verdict(trace)
            for name, view in self.views.items():
                job = self.job(view, trace)
                if not (self.is_late(name, job) or job.options.get("precision")):
                    self.painter.picture(name, job)

    def first_of(self, scene: Scene) -> Trace | None:
        """Return the first scheme of the present comparison, if that is the whole of ``scene``."""
        whole = self.trace is not None and not self.runner.active
        same = whole and (self.trace.config, self.trace.seeds) == (scene.config, tuple(scene.drawn(scene.seeds)))
        return self.trace.only(0) if same else None

    @property
    def is_shown(self) -> bool:
        """Whether the pictures belong to what the controls say, if only as a draft."""
        return self.trace is not None and self.shows(self.controls.scene)

    def shows(self, scene: Scene) -> bool:
        """Tell whether the pictures belong to a scene, if only as a draft of it."""
        shown = self.trace
        wanted = (scene.config.replace(batch_size=shown.config.batch_size), scene.schemes)
        return (shown.config, shown.schemes) == wanted

    @property
    def is_stale(self) -> bool:
        """Whether the pictures belong to other settings than those that are being computed, and will for a while."""
        coming = self.runner.active and not self.runner.waiting
        return (coming or self.stopped) and not self.is_shown

    def tell_progress(self, share: float | None) -> None:
        """Say how far the rest of a comparison is; None once nothing is being computed."""
        if share is None:
            self.stage.busy, self.stage.progress = self.stage.busy and bool(self.stage.message), {}
            return
        self.stage.busy, seeds = self.is_stale, self.controls.seeds.value
        words = ngettext("Computing {seeds} draw: {share}", "Computing {seeds} draws: {share}", seeds)
        self.stage.progress = {"share": share, "text": words.format(seeds=seeds, share=percent(share))}

    def show_pins(self) -> None:
        """Show the pins that are there, see to those that are not, and hand out what waited for them."""
        self.repaint()
        if self.trace is not None and not self.runner.active:
            self.pins.go_on()
        self.finish()

    def finish(self) -> None:
        """Where nothing more is to come, say so, and hand out what waited for it."""
        if self.is_complete:
            if not self.late.pending:
                self.stage.progress = {}
            self.give_wanted()

    def tell_pins(self, share: float) -> None:
        """Say how far the curves of a pin are, unless there is more to be said of the comparison."""
        if not self.runner.active:
            words = _("Computing what is pinned: {share}").format(share=percent(share))
            self.stage.progress = {"share": share, "text": words}

    def tell_late(self, name: str, share: float) -> None:
        """Say how far a late view is, unless there is more to be said of what it is waiting for."""
        if self.is_complete:
            words = _("{view}, still being computed: {share}").format(view=_(VIEWS[name].label), share=percent(share))
            self.stage.progress = {"share": share, "text": words}

    @property
    def is_complete(self) -> bool:
        """Whether the page shows all that was asked for, but for its late views."""
        return not self.runner.active and not self.pins.missing

    def stop(self) -> None:
        """Leave it at what is there: of the page's own curves, of pins, or of late views, whatever is told of."""
        missing = self.pins.missing
        self.pins.give_up()
        if self.runner.active:
            self.runner.stop()
            self.attempt(self._stay)
        elif not missing and self.late.stop():
            self.stopped_late = True
            self.stage.progress = {}
            self.stage.notice = f"{self.stage.notice} {_(LEFT)}".strip()

    def _stay(self) -> None:
        if self.trace is None:
            self.stage.notice = _("Stopped: nothing is computed yet. Choose smaller sizes.")
            return
        scene = self.controls.scene
        self.presets.follow(scene)
        self.stopped, self.is_current = True, self.shows(scene)
        if self.is_current:
            self.bet.ready(self.trace)
        self.paint()
        self.rest()
        older = _("Stopped: the pictures still show the previous settings.")
        self.stage.notice = stopped_words(self.trace, scene) if self.is_current else older

    def fail(self, error: Exception) -> None:
        """Say what went wrong beside the page, and leave it at what is there."""
        with self.stage.hold_sync():
            self.attempt(self._stay)
            self.explain(error)
            if self.trace is not None and not self.is_current:
                self.stage.notice = _("The pictures still show the previous settings.")

    def fail_late(self, name: str, error: Exception) -> None:
        """Say what went wrong with a late view; whoever waits for its picture is told with that."""
        self._wanted = {key: message for key, message in self._wanted.items() if key[1] != name}
        self.explain(error)
        self.finish()

    def attempt(self, step) -> None:
        """Take one step; what goes wrong becomes one sentence on the page, which keeps its last good pictures."""
        try:
            step()
        except Exception as error:  # a page that goes on beats a dead slider
            self.explain(error)

    def explain(self, error: Exception) -> None:
        """Say in one sentence what went wrong."""
        with self.stage.hold_sync():
            self.stage.busy = not (self.is_current and isinstance(error, Refusal))
            self.stage.message = fault.sentence(error)
            self.stage.report = fault.report(error, self.asked)

    def forgive(self) -> None:
        """Say no more what went wrong: the pictures are right again."""
        self.stage.message = self.stage.report = ""

    @property
    def asked(self) -> str:
        """The link's query of what the controls say, or of what is shown where they say what cannot be."""
        with suppress(Refusal):
            return self.link
        return self.stage.query

    @property
    def link(self) -> str:
        """The link's query of what the controls say; Refusal where they say what cannot be."""
        return self.page.link(self.controls.scene, self.start, [pin.scene for pin in self.pins.pins])

    def follow_advice(self, changes: dict[str, Any]) -> None:
        """Set the controls to what was suggested."""
        self.controls.assign(self.controls.scene.replace(**changes))

    def subject(self) -> Trace | None:
        """Return the comparison to advise on, None where nothing is to be suggested."""
        silent = self.bet.covers or self.page.lock or self.runner.active or not self.is_current
        return None if silent else self.trace

    def reveal(self) -> None:
        """Show what a bet was about, and what may be tried next."""
        self.repaint()
        self.adviser.rest()

    def start_late(self) -> None:
        """Start the views that take long, unless they were stopped; each is shown when it is done."""
        if self.stopped_late:
            return
        jobs = {name: self.job(view) for name, view in self.views.items()}
        self.late.start({name: job for name, job in jobs.items() if self.is_late(name, job)})

    def show_late(self) -> None:
        """Show a late view that has come, and hand out what waited for it."""
        self.paint()
        self.finish()

    def give_wanted(self) -> None:
        """Answer the requests that had to wait."""
        wanted, self._wanted = self._wanted, {}
        for message in wanted.values():
            self.attempt(lambda message=message: self.give(message))

    def job(self, view: View, trace: Trace | None = None) -> Job:
        """Return what a view has to compute for a trace, the present one unless another is given, and the choices."""
        taken = {name: self.controls.choices[name].value for name in view.options}
        return Job(view.data, trace or self.trace, taken | ({"pins": self.pins.traces} if view.pins else {}))

    def give(self, message: dict[str, Any]) -> None:
        """Answer the stage: a picture, the data or the code, once all is computed; to stop that; a control's focus."""
        if message.get("kind") == "focus":
            self.attend(str(message.get("label")))
            return
        if message.get("kind") == "stop":
            self.stop()
            return
        if self.bet.covers and message.get("kind") != "code":
            raise Refusal(_("Place your bet first: a file would tell what happened."))
        view = str(message.get("view", ""))
        data = self.data_of(view, self.job(VIEWS[view])) if self.is_complete and view else None
        if not self.is_complete or (view and data is None):
            if self.is_complete and view not in self.late.pending:
                raise Refusal(_(LEFT))
            self._wanted[str(message.get("kind")), view] = message
            return
        if self.trace is None:
            raise Refusal(_("Nothing is computed yet."))
        options = {name: widget.value for name, widget in self.controls.choices.items()}
        shown = (data, self.trace, options, list(self.views), self.pins.traces)
        self.stage.send(*answer(str(message.get("kind")), view, *shown))

    def data_of(self, name: str, job: Job) -> Any:
        """Return what a view shows, None where that is still to come."""
        return self.late.data(name, job) if self.is_late(name, job) else job()

    def is_late(self, name: str, job: Job) -> bool:
        """Tell whether the other views must not wait for one: always, or for its narrow floats at large sizes."""
        config = job.trace.config
        return VIEWS[name].late or bool(job.options.get("precision")) and work(config, 1, config.batch_size) > NARROW

    def tell_moment(self) -> None:
        """Say what happened at the step that the reader points at."""
        if self.bet.covers:
            self.stage.moment = [_("The numbers of a step are covered until you have placed your bet.")]
            return
        step = min(self.stage.step, self.trace.config.seq_len) if self.trace else -1
        self.stage.moment = [] if step < 0 else [_("Step {step}").format(step=step), *self.told_of(step)]

    def told_of(self, step: int) -> list[str]:
        """Return what happened at a step, in the pictures that the page has."""
        gates = step_readout.gates(self.trace, step) if "gates" in self.views else []
        return [*step_readout.sentences(self.trace, step), *gates]

    def repaint(self) -> None:
        """Show the present trace again: a choice of the page or its width has changed."""
        if self.trace is not None:
            self.attempt(self._repaint)

    def _repaint(self) -> None:
        self.paint()
        self.forgive()
        if not self.runner.active:
            self.start_late()
        self.presets.follow(self.controls.scene)

    def paint(self) -> None:
        """Draw every view of the present trace and send all of it as one frame."""
        query = self.link
        self._revision += 1
        jobs = {name: self.job(view) for name, view in self.views.items()}
        pictures = self.painter.pictures(jobs, hidden=COVERED if self.bet.covers else ())
        frame = {"views": pictures, "columns": self.painter.columns, "words": self.sentences()}
        frame |= {"page": self.stage.viewport["width"]}
        told = len(self.trace.schemes) + ("gates" in self.views)
        frame |= {"told": told, "steps": self.trace.config.seq_len, "whole": self.is_complete}
        frame |= {"drawn": f"{len(self.trace.seeds)} x {self.trace.config.batch_size}"}
        with self.stage.hold_sync():
            self.tell_moment()
            self.stage.frame = frame | {"revision": self._revision}
            self.stage.busy = self.is_stale
            self.stage.query = query

    def sentences(self) -> list[dict[str, Any]]:
        """Return what the page says below the pictures."""
        if self.bet.covers:
            return []
        theory = "theory" in self.controls.choices and self.controls.choices["theory"].value
        # A draft reads few sequences: theory is told for all of them, so that its words stay when those come.
        config = self.controls.config if self.is_shown else self.trace.config
        return self.report.items(self.trace, config if theory else None)


def stopped_words(trace: Trace, wanted: Scene) -> str:
    """Say how much of what was asked for the pictures show."""
    shown = trace.config
    return _(
        "Stopped: the pictures show H = {size}, T = {steps}, {seeds} of {all_seeds} draws and {sequences} of "
        "{all_sequences} sequences."
    ).format(
        size=shown.hidden_size, steps=shown.seq_len, seeds=len(trace.seeds), all_seeds=wanted.seeds,
        sequences=shown.batch_size, all_sequences=wanted.config.batch_size,
    )  # fmt: skip
