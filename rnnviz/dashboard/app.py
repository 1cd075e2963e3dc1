"""The dashboard: a reader changes the state, the plan follows the state, and the frame follows both."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import ipywidgets as widgets

from ..network.config import Config
from ..text.language import _, settle
from ..text.registry import explain_choice
from ..views import VIEWS
from . import link
from .bet import BetPanel, too_early
from .buttons import Actions, Strip, paragraphs, row
from .classroom import Seat
from .comparison import ABSENT, OwnNetwork
from .controls import Controls, put_class
from .error_report import Refusal, error_report, sentence
from .export import CODES, KINDS
from .glossary import Glossary
from .neighbours import neighbours
from .panels import AdvicePanel, GradientCheckPanel, WeightsPanel
from .pictures import Pictures
from .pins import pinned_trace
from .plan import BEARABLE, plan
from .race_panel import RacePanel
from .render import answer, render, stage_frame
from .reruns import close_older, inner_widgets
from .results import Results
from .scenes import scenes_of
from .settings import Settings, too_many
from .stage import Stage
from .state import PageState
from .static_copy import KeptPage
from .worker import Mode, Worker, running_loop

FOLLOW = 1.0  # seconds between two looks at the weights while they are trained, which take time from the training


class Dashboard(KeptPage):
    """A page of views over the same comparison, with its controls.

    Parameters
    ----------
    *views : names of views, keys of ``rnnviz.views.VIEWS``; "state" and "gradient" when none is given.
    scheme : one scheme, or several to draw over one another, the first in the menu.
    seeds : how many seeds are run for the median and the band, counted from ``seed``.
    options : the page's own choices by name, keys of ``rnnviz.views.OPTIONS``.
    lang : "en" or "de"; None keeps the current language. A link's ``lang`` takes precedence.
    mode : "thread" or "slices" of the event loop: where the page computes; by default the better one for this kernel.
    params, name : a network of your own, as `rnnviz.trace` takes it, and what the page calls it. It takes the place of
        the schemes; give ``cell`` and ``activation`` too, as `rnnviz.from_torch` and `from_keras` do.
    **settings : fields of `Config` to start from.

    A link's query string, which Voila hands to the kernel, changes where the page starts: see `link.from_query`.

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
        mode: Mode | None = None,
        params: Mapping[str, Any] | None = None,
        name: str | None = None,
        **settings: Any,
    ):
        query = os.environ.get("QUERY_STRING", "")
        unspoken = settle(lang, query)
        schemes = (scheme,) if isinstance(scheme, str) else tuple(scheme)
        network = None if params is None else OwnNetwork.of(dict(params), name, **settings)
        if not schemes:
            raise ValueError(_("scheme must name at least one scheme"))
        config = Config(scheme=schemes[0]).replace(**(network.fixed if network else {}) | settings)
        start = Settings(config, schemes[1:], dict(options or {}), seeds, network)
        shown = {name: VIEWS[name] for name in views or ("state", "gradient")}
        self.results, self.pictures = Results(), Pictures(shown)
        self.worker = Worker(self.results, lambda: self.attempt(self.update), lambda: self.attempt(self.progress), mode)
        self.followed_at = self.worker.clock()
        self.seat = Seat(self.dispatch, self.worker.clock, running_loop())
        self.state = self.seat.join(link.from_query(query, start))
        self.stage = Stage(present=self.state.present)
        self.lay_out(tuple(dict.fromkeys(option for view in shown.values() for option in view.options)))
        unknown = self.controls.unknown((*self.state.lock, *self.state.hide))
        notice = " ".join(filter(None, [*unspoken, too_many(schemes[0], schemes[1:]), self.state.notice, unknown]))
        self.state = replace(self.state, notice=notice)
        self.stage.observe(lambda change: self.attempt(self.show), "viewport")
        self.stage.observe(lambda change: self.dispatch(replace, **{change["name"]: change["new"]}), ["step", "hidden"])
        self.stage.on_msg(lambda stage, message, buffers: self.attempt(lambda: self.receive(message)))
        close_older(self)
        self.attempt(self.begin)

    def lay_out(self, options: tuple[str, ...]) -> None:
        """Make the parts of the page."""
        state, own = self.state, self.state.settings.network is not None
        self.controls = rows = Controls(state.settings, options, self.dispatch)
        frozen = rows.restrict(state.lock, (*state.hide, *ABSENT) if own else state.hide)
        self.bet, self.actions = BetPanel(self.dispatch), Actions(frozen, self.dispatch)
        scenes = {} if own else scenes_of(state.start, tuple(self.pictures.canvases))
        self.strip = Strip(scenes, self.bet, frozen, self.dispatch)
        for each in (self.strip, self.actions):
            put_class(each, "all" in state.hide, "rnnviz-hidden")
        self.notes = widgets.HTML().add_class("rnnviz-notes").add_class("rnnviz-live")
        self.advice, self.check = AdvicePanel(self.dispatch), GradientCheckPanel(self.dispatch)
        self.weights = WeightsPanel()
        trains = any(VIEWS[name].trains for name in self.pictures.canvases)
        self.race = RacePanel(rows.choices["problem"], self.dispatch, self.stage.send) if trains else None
        race = [self.race] if self.race else []
        self.panels: list[Any] = [self.bet, self.actions, self.advice, self.check, self.weights, *race]
        card = row([], "rnnviz-card-slot")  # where a served page puts the notebook's tasks
        last = row([rows.more, self.actions.said], "rnnviz-last")
        column = row([card, rows.first, rows.beside, rows.second, self.actions, last], "rnnviz-column")
        extras = row([self.advice, *([] if own else [self.check, self.weights])], "rnnviz-extras")
        if self.race:
            rows.more.children[1].children += (self.race.files,)
        main = row([*race, self.stage, *(each.notes for each in race), extras, self.notes], "rnnviz-main")
        super().__init__([self.strip, row([column, main], "rnnviz-body"), Glossary()])
        self.strip.drawer.observe(lambda change: put_class(self, change["new"], "rnnviz-open"), "value")
        self.add_class("rnnviz").add_class(f"rnnviz-{self.stage.lang}")

    @property
    def config(self) -> Config:
        """The settings that the controls say."""
        return self.state.settings.config

    @property
    def trace(self):
        """The comparison in the pictures, or None before there is any."""
        return self.frame.trace if hasattr(self, "frame") else None

    @property
    def link(self) -> str:
        """The query string of a link that brings the page back."""
        return link.to_query(self.state)

    def begin(self) -> None:
        """Show the first pictures, at once if that is quick."""
        jobs = self.jobs()
        if running_loop() and jobs and jobs[0].seconds <= BEARABLE:
            self.worker.do(jobs[0])
        else:
            self.update()
        self.stage.step = self.state.step

    def dispatch(self, change: Callable[..., PageState], /, *arguments: Any, **fields: Any) -> None:
        """Change the state; what goes wrong becomes one sentence on the page, which keeps its last good pictures."""
        self.attempt(lambda: self.enter(change(self.state, *arguments, **fields)))

    def enter(self, state: PageState) -> None:
        """Let controls, plan and frame follow another state."""
        before, self.state = self.state, state
        self.seat.changed(before, state, self.bet)
        if (state.settings, state.refusal) != (self.controls.shown, self.controls.refusal):
            self.controls.show(state.settings)
        if state != before:
            is_new = state.comparison != before.comparison
            if is_new:
                self.results.forgive()
            self.update(is_new)

    def update(self, changed: bool = False) -> None:
        """Let the plan and the frame follow the state and the results."""
        self.state = self.state.after(self.results)
        self.worker.follow(self.jobs(), changed)
        self.show()
        self.results.trim()  # of what neither the plan nor the frame has used
        self.answer_requests()
        if self.results.is_alone and not any(job.is_awaited for job in self.worker.jobs):
            self.paint_ahead()

    def paint_ahead(self) -> None:
        """Paint the drafts of what the next key may ask for, which are then shown within 3 ms, not 43."""
        for settings in neighbours(self.state.settings, self.state.moved):
            trace = self.results[settings.comparison].value
            if trace is not None:
                state = replace(self.state, settings=settings)
                stage_frame(state, self.results, trace, self.stage.viewport, self.pictures)

    def progress(self) -> None:
        """Show how far the work is; the pictures follow the weights of a training, if not too often."""
        self.show()
        curves, state = self.frame.curves, self.state
        if curves and state.training and state.at < 0 and self.worker.clock() - self.followed_at > FOLLOW:
            self.followed_at = self.worker.clock()
            self.dispatch(replace, followed=curves.kept[-1])

    def jobs(self):
        """Return the plan for the present state."""
        return plan(self.state, self.results, tuple(self.pictures.canvases), running_loop() is not None)

    def show(self) -> None:
        """Show the state and the results."""
        self.frame = frame = render(self.state, self.results, self.worker.jobs, self.stage.viewport, self.pictures)
        self.results.shown = frame.trace
        self.stage.show(frame.stage, frame.traits | {"shown": list(self.state.seen(self.pictures.canvases))})
        self.seat.shown(self.stage.frame.get("revision", 0), frame.is_complete)
        self.notes.value = paragraphs(*frame.notes)
        for panel in self.panels:
            panel.show(self.state, frame)
        self.controls.feature(self.strip.show(self.state))
        self.controls.mark(link.with_scene(self.state.home, self.state.scene))

    def attempt(self, act: Callable[[], None]) -> None:
        """Do something; what it raises becomes one sentence on the page, with a report where it is a fault."""
        try:
            act()
        except Exception as error:  # a page that goes on beats a dead slider
            traits = {"message": sentence(error), "report": error_report(error, self.link)}
            # A fault may leave older pictures; what is only refused changes none.
            self.stage.show({}, traits | ({} if isinstance(error, Refusal) else {"busy": True}))

    def receive(self, message: dict[str, Any]) -> None:
        """Take in what the stage asks for: to stop, or a picture, the data or the code."""
        kind, view = str(message.get("kind")), str(message.get("view", ""))
        if kind in ("place", "open") and self.controls.frozen:
            raise Refusal(_("The controls of this page are frozen."))
        if kind == "stop":
            self.stop()
        elif kind == "see":
            self.see(view)
        elif kind == "place":
            self.place(view, float(message["x"]), float(message["y"]))
        elif kind == "open":
            self.apply_link(str(message.get("query", "")))
        elif kind not in KINDS:
            raise Refusal(explain_choice(_("a request"), kind, KINDS))
        elif self.state.covers and kind not in CODES:
            raise Refusal(too_early(self.state))
        else:
            self.dispatch(PageState.ask, kind, view and VIEWS[view].name)

    def see(self, view: str) -> None:
        """Show a view in the place of the one that has been seen for longer."""
        if view in self.pictures.canvases and view not in self.state.seen(self.pictures.canvases):
            self.dispatch(replace, shown=(self.state.seen(self.pictures.canvases)[-1], view))

    def place(self, view: str, x: float, y: float) -> None:
        """Go to the settings of a point in a map."""
        there = VIEWS[view].place(self.config, min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        self.dispatch(PageState.change, self.state.settings.replace(**there))

    def apply_link(self, query: str) -> None:
        """Show a link's settings, as a task's *Set this up* asks."""
        asked = link.from_query(query, self.state.start)
        shown = asked.shown or self.state.shown
        self.dispatch(lambda state: replace(state.change(asked.settings), scene=asked.scene, shown=shown, moved=""))

    def stop(self) -> None:
        """Stop what the page is told to wait for: its comparison and pins, or its slow views."""
        kind = self.worker.jobs[0].kind if self.worker.jobs else ""
        if kind in ("comparison", "pins"):
            known = tuple(pin for pin in self.state.pins if pinned_trace(pin.comparison, self.results))
            self.dispatch(replace, pins=known)
        if kind in ("comparison", "views"):
            self.dispatch(PageState.stop, kind)

    def answer_requests(self) -> None:
        """Answer what the reader has asked for, as soon as all that it needs is there."""
        for request in self.state.requests if self.frame.is_complete else ():
            message = ""
            try:
                reply, message = answer(*request, self.state, self.results, self.worker.jobs, self.frame)
                if not reply and not message:
                    continue
            except Exception:
                self.state = self.state.answer(request)  # it will not go better the next time
                raise
            if reply:
                self.stage.send(*reply)
            self.dispatch(PageState.answer, request, message)

    def close(self) -> None:
        """Stop all work and take the page away, with everything that it holds: notebooks keep their results in Out."""
        if not hasattr(self, "worker") or self.worker.is_closed:  # its arguments were refused, or it is closed already
            return
        self.worker.close()
        self.seat.line.close()
        self.stage.frame = {}
        for widget in inner_widgets(self):
            widget.close()
        self.results.known.clear()
        self.results.shown = None
        self.pictures = Pictures(())
        if hasattr(self, "frame"):
            self.frame = replace(self.frame, stage={}, trace=None, advice=None)
        super().close()
