"""What the page shows and hands out: `render` and `answer` alone decide it, from the state and what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.trace import Trace
from ..story import step_readout
from ..story.notes import notes
from ..story.suggestions import Suggestion
from ..text.language import N_, _
from ..text.number_format import percent
from ..views import VIEWS, Partial, of_layer
from ..views.race import Curves, outcomes
from . import link
from .captions import captions
from .error_report import error_report, sentence
from .export import ALL_VIEWS, KINDS, Answer, Request, all_settings
from .pictures import Picture, Pictures, Size, layout
from .pins import pinned
from .plan import BEARABLE
from .results import Result, Results, is_whole
from .settings import Comparison
from .state import PageState
from .work import Advice, Check, Drawing, Job, Pin, drawing

TURN = N_("Waiting for a turn: other pages compute on this machine too.")
LEFT = N_("Stopped: the dimmed pictures were not computed.")


@dataclass(frozen=True)
class Frame:
    """Everything that the page shows."""

    stage: dict[str, Any]  # pictures and sentences (see `Stage`), {} before there are any
    traits: dict[str, Any]  # the stage's other traits by name
    notes: list[str]  # sentences on the settings and on the loss
    advice: Suggestion | None
    check: tuple[Result, bool]  # what is known of the gradient check, and whether it is going on
    trace: Trace | None  # the comparison in the pictures
    curves: Curves | None  # of the training
    is_current: bool  # the comparison belongs to the settings, if only as a draft
    is_complete: bool  # nothing more is to come but slow views


def render(
    state: PageState,
    results: Results,
    jobs: Sequence[Job],
    viewport: Mapping[str, float],
    pictures: Pictures,
) -> Frame:
    """Return what the page shows while these jobs are still to be done."""
    comparison = state.comparison
    own = results[comparison]
    trace = own.value or results.shown
    # Refused controls say something else than the pictures, and the work for their last settings rests.
    is_current = own.value is not None and not state.refusal
    is_complete = not (
        state.refusal or is_paused(state, own) or any(job.kind in ("comparison", "pins") for job in jobs)
    )
    query = link.to_query(state)
    stage = {}
    if trace is not None:
        stage = stage_frame(state, results, trace, viewport, pictures) | {"whole": is_complete}
    error = first_error(state, results, trace, pictures)
    traits = {
        "message": state.refusal or (sentence(error) if error else state.message),
        "report": error_report(error, query) if error and not state.refusal else "",
        "notice": notice(state, own, trace, jobs),
        "busy": trace is not None and not is_current and not (jobs and jobs[0].is_draft),
        "progress": progress(jobs, results),
        "moment": readout(state, trace, pictures),
    }
    if is_current or not jobs:  # a link brings back what is shown
        traits["query"] = query
    check = Check(state.settings.config)
    checking = results[check], any(job.key == check for job in jobs)
    # Before a bet none: what theory expects would answer it.
    said = [] if state.covers else notes(comparison.config, () if comparison.network else comparison.schemes, trace)
    curves, suggested = race_curves(state, results), advice(state, results, own, jobs)
    return Frame(stage, traits, said, suggested, checking, trace, curves, is_current, is_complete)


def is_paused(state: PageState, own: Result) -> bool:
    """Tell whether the comparison is left as it is until the page is seen again."""
    return state.hidden and not own.error and (own.value is None or not is_whole(own.value, state.comparison))


def race_curves(state: PageState, results: Results) -> Curves | None:
    """Return the curves of what is trained, as far as they are known."""
    known = results[state.race] if state.race else Result()
    return known.value or known.progress


def stage_frame(
    state: PageState, results: Results, trace: Trace, viewport: Mapping[str, float], pictures: Pictures
) -> dict[str, Any]:
    """Return pictures and sentences as the stage takes them."""
    config, size = trace.config, pictures.size(viewport, state.present)
    pins = pinned(state, results)
    curves = race_curves(state, results)
    came_of = outcomes(curves) if curves and state.races else []
    shown = [drawing(state, view, trace, pins, curves) for view in pictures.canvases]
    seen = state.seen(pictures.canvases) if not results.is_alone else pictures.canvases
    views = [
        picture(state, results, each, size, pictures) if each.view in seen else pictures.later(each.view, size)
        for each in shown
    ]
    # A draft reads few sequences: theory speaks of all of them, so that its words stay when those come.
    theory_of = state.settings.config if trace is results[state.comparison].value else config
    has_theory = trace.own is None and any("theory" in VIEWS[view].options for view in pictures.canvases)
    shows_theory = has_theory and state.settings.option("theory")
    layer = of_layer(trace, state.settings.option("layer")).layer
    return {
        "views": views,
        "columns": layout(int(viewport["width"]), len(pictures.canvases))[0],
        "words": [] if state.covers else captions(trace, theory_of if shows_theory else None, layer, came_of),
        "page": viewport["width"],
        "told": len(trace.schemes) + 1 + pictures.show_gates,  # a cell without an equation leaves its room
        "settings": all_settings(trace, state.settings.options),
        "curves": len(trace.schemes),
        "steps": config.seq_len,
        "drawn": f"{len(trace.seeds)} x {config.batch_size}",
    }


def picture(state: PageState, results: Results, shown: Drawing, size: Size, pictures: Pictures) -> Picture:
    """Return one picture; a slow view that is still to come keeps its last picture, or its place, as stale."""
    data, so_far = results[shown].value, results[shown].progress
    if data is None and isinstance(so_far, Partial) and not state.covers:
        return pictures.picture(shown, so_far.data, size, is_partial=True) | {"partial": True}
    if state.covers and VIEWS[shown.view].reveals_gradient:
        return pictures.hidden(shown, data, size, state.placed is not None)
    if shown.is_slow and data is None:
        old = results.latest(Drawing, shown.view)
        return pictures.later(shown.view, size) if old is None else pictures.picture(*old, size) | {"stale": True}
    return pictures.picture(shown, data, size)


def first_error(state: PageState, results: Results, trace: Trace | None, pictures: Pictures) -> Exception | None:
    """Return what went wrong, first of all with the comparison, then with its views, pins and advice."""
    keys: list[Any] = [state.comparison]
    if trace is not None:
        pins = pinned(state, results)
        keys += [drawing(state, view, trace, pins) for view in pictures.canvases] + [Advice(trace)]
    keys += [*(Pin(pin.comparison) for pin in state.pins), *([state.race] if state.race else [])]
    return next((error for key in keys if (error := results[key].error)), None)


def notice(state: PageState, own: Result, trace: Trace | None, jobs: Sequence[Job]) -> str:
    """Say what the link could not have, and what was left out because it was stopped or has failed."""
    parts = [state.notice]
    is_stopped = "comparison" in state.stopped
    if is_stopped or own.error:
        if trace is None:
            parts.append(_("Stopped before anything was computed. Choose smaller sizes."))
        elif own.value is None:
            older = _("Stopped: the pictures still show the previous settings.")
            parts.append(older if is_stopped else _("The pictures still show the previous settings."))
        elif not is_whole(own.value, state.comparison):
            parts.append(stopped_words(own.value, state.comparison))
    if "views" in state.stopped:
        parts.append(_(LEFT))
    return " ".join(filter(None, parts))


def stopped_words(trace: Trace, wanted: Comparison) -> str:
    """Say how much of what was asked for the pictures show."""
    shown = trace.config
    return _(
        "Stopped: the pictures show H = {size}, T = {steps}, {seeds} of {all_seeds} draws and {sequences} of "
        "{all_sequences} sequences."
    ).format(
        size=shown.hidden_size, steps=shown.seq_len, seeds=len(trace.seeds), all_seeds=wanted.seeds,
        sequences=shown.batch_size, all_sequences=wanted.config.batch_size,
    )  # fmt: skip


def progress(jobs: Sequence[Job], results: Results) -> dict[str, Any]:
    """Return the share done and the words for work that takes long, {} where there is none."""
    if not jobs or not jobs[0].text:
        return {}
    first = jobs[0]
    result = results[first.recorded]
    if result.progress is None and first.seconds <= BEARABLE:
        return {}
    if result.progress is None and first.takes_turns and not results.is_alone:
        return {"share": 0.0, "text": _(TURN)}
    return {"share": result.share, "text": first.text.replace("{share}", percent(result.share))}


def readout(state: PageState, trace: Trace | None, pictures: Pictures) -> list[str]:
    """Say what happened at the step that the reader points at."""
    if state.covers:
        waits = _("The numbers of a step are covered until your teacher shows the answer.")
        return [waits if state.placed else _("The numbers of a step are covered until you have placed your bet.")]
    if trace is None or state.step < 0:
        return []
    trace, step = of_layer(trace, state.settings.option("layer")), min(state.step, trace.config.seq_len)
    gates = step_readout.gates(trace, step) if pictures.show_gates else []
    forward = step_readout.forward_equation(trace, step)
    return [_("Step {step}").format(step=step), *step_readout.sentences(trace, step), *forward, *gates]


def advice(state: PageState, results: Results, own: Result, jobs: Sequence[Job]) -> Suggestion | None:
    """Return the suggestion for the settings, once nothing else is to come."""
    busy = any(job.is_awaited for job in jobs)
    if own.value is None or busy or state.covers or state.lock or state.refusal:
        return None
    found = results[Advice(own.value)].value
    return found[0] if found else None


def answer(
    kind: str, view: str, state: PageState, results: Results, jobs: Sequence[Job], frame: Frame
) -> tuple[Answer | None, str]:
    """Return the file or code that is asked for, or why there is none; neither while a slow view is still to come."""
    trace, pins = frame.trace, pinned(state, results)
    if trace is None:
        return None, _("Nothing is computed yet.")
    data, shown_views = {}, [each["name"] for each in frame.stage["views"]]
    for name in shown_views if kind in ALL_VIEWS else [view] if view else []:
        shown = drawing(state, name, trace, pins, frame.curves)
        data[name] = results[shown].value if shown.is_slow else shown.data()
        if data[name] is None:
            is_coming = any(job.key == shown for job in jobs)
            return None, "" if is_coming else _(LEFT)
    return KINDS[kind](Request(view, data, trace, state.settings.options, shown_views, pins)), ""
