"""What is computed when: `plan` alone decides it, from the page's state and what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..engine.trace import Trace
from ..text.language import _, ngettext
from ..views import VIEWS
from .cost import amount
from .neighbours import neighbours
from .pins import pinned, pinned_trace
from .results import Results, is_whole
from .settings import Comparison
from .state import PageState
from .work import PINNED, STILL, Advice, Check, Job, Part, Pin, drawing

SOON = 0.002  # seconds after a change: the page is answered first, and sends the next change meanwhile
REST = 0.03  # seconds without a change until more than a draft is computed
IDLE = 0.8  # seconds without a change until a suggestion is looked for
AT_ONCE = 0.005  # seconds of computing that a moving slider bears
BEARABLE = 0.25  # seconds for which nothing need be said, and within which a draft has to come
BAND = 0.12  # seconds of computing within which all seeds have to be seen, if only with some of their sequences
PAUSE = 0.05  # seconds without a change until drafts are computed that nobody has asked for
SHORT = 0.02  # seconds of computing that need not wait for its turn
FEW = 8  # sequences that show all seeds well where others need the machine
FEW_LAST = 0.5  # seconds that these may take
# Seconds within which a turn should come: all seeds before their last sequences, and a training when it can be.
ALL_SEEDS, WHOLE, LATER, LAST = 2.0, 6.0, 8.0, 30.0
TURN = 0.5  # seconds of a training until others get their turn


def plan(state: PageState, results: Results, views: Sequence[str], in_steps: bool = True) -> list[Job]:
    """Return the work to do for a page, the most urgent first.

    ``in_steps`` is False where nobody can see drafts, as in a script: then each comparison is computed whole.
    """
    if state.refusal or (state.hidden and not state.requests):
        return []
    comparison = state.comparison
    trace = results[comparison].value
    jobs = [] if "comparison" in state.stopped else comparison_jobs(comparison, results, in_steps)
    is_settled = not jobs and trace is not None
    trains = state.race is not None and state.training and not results[state.race].is_settled
    jobs += check_jobs(state, results)
    if is_settled:
        is_free = results.is_alone and not trains
        jobs += view_jobs(state, trace, results, views if is_free or state.requests else state.seen(views))
    jobs += pin_jobs(state, results)
    if state.race and trains and not state.hidden:
        return [*jobs, Job(state.race, "training", REST, takes_turns=True, within=LATER, lasts=TURN)]
    if jobs or not (in_steps and is_settled) or state.covers or state.hidden:
        return jobs
    jobs += ahead_jobs(state, results)
    if not state.lock and trace.own is None and not results[Advice(trace)].is_settled:
        jobs.append(Job(Advice(trace), "advice", IDLE, takes_turns=True, within=LAST))
    return jobs


def comparison_jobs(comparison: Comparison, results: Results, in_steps: bool) -> list[Job]:
    """Return the parts of a comparison that are still to come: a draft, a band over all seeds, the whole."""
    known = results[comparison]
    if known.error or (known.value is not None and is_whole(known.value, comparison)):
        return []
    everything = Part(comparison, comparison.seeds, comparison.config.batch_size)
    if not in_steps:
        return [Job(everything, "comparison")]
    draft, band = first_part(everything, results), all_seeds(everything, results)
    text = ngettext("Computing {seeds} draw: {share}", "Computing {seeds} draws: {share}", comparison.seeds)
    text = text.replace("{seeds}", str(comparison.seeds))
    parts = []
    if known.value is None and seconds(draft, results) <= BEARABLE:
        parts.append(job(draft, results, text, after=SOON, is_draft=True))
    is_next = lacks(known.value, band)
    if is_next and seconds(band, results) <= 0.5 * seconds(everything, results):
        parts.append(job(band, results, text))
        is_next = False
    if draft != everything or not parts:
        parts.append(job(everything, results, text, within=ALL_SEEDS if is_next else WHOLE))
    return parts


def job(
    part: Part, results: Results, text: str, after: float = REST, is_draft: bool = False, within: float = ALL_SEEDS
) -> Job:
    """Return a part of a comparison as a job."""
    takes = seconds(part, results)
    takes_turns = not is_draft and takes > SHORT
    waits = 0.0 if results.is_alone or not takes_turns else min(results.waited, within)
    lanes = None if results.is_alone else 1
    return Job(part, "comparison", after, takes + waits, is_draft, takes_turns, within, lanes=lanes, text=text)


def all_seeds(everything: Part, results: Results) -> Part:
    """Return what is shown of all seeds before the whole: what takes a moment, or, where others wait, few sequences."""
    if results.is_alone:
        return fitting(everything, BAND, results)
    return fitting(everything._replace(sequences=min(FEW, everything.sequences)), FEW_LAST, results)


def lacks(trace: Trace | None, part: Part) -> bool:
    """Tell whether a trace lacks seeds of a part or, where there is but one, sequences."""
    if trace is None or len(trace.seeds) < part.seeds:
        return True
    return part.seeds == 1 and trace.config.batch_size < part.sequences


def seconds(part: Part, results: Results) -> float:
    """Return how long a part will probably take."""
    return results.pace * amount(part.comparison)


def first_part(everything: Part, results: Results) -> Part:
    """Return what is shown first: the whole, or a draft of one seed."""
    if seconds(everything, results) <= AT_ONCE:
        return everything
    return fitting(everything._replace(seeds=1), AT_ONCE, results)


def fitting(part: Part, limit: float, results: Results) -> Part:
    """Return as many sequences, a power of two or all, as these seeds have time for; at least one."""
    while part.sequences > 1 and seconds(part, results) > limit:
        part = part._replace(sequences=2 ** ((part.sequences - 1).bit_length() - 1))
    return part


def check_jobs(state: PageState, results: Results) -> list[Job]:
    """Return the gradient check that the reader has asked for."""
    check = Check(state.settings.config)
    wanted = state.check and "check" not in state.stopped and not results[check].is_settled
    return [Job(check, "check")] if wanted else []


def view_jobs(state: PageState, trace: Trace, results: Results, views: Sequence[str]) -> Iterator[Job]:
    """Yield the views that take long, once there is all that they show."""
    if "views" in state.stopped:
        return
    pins = pinned(state, results)
    for view in views:
        key = drawing(state, view, trace, pins)
        if state.covers and VIEWS[view].reveals_gradient:
            continue
        if key.is_slow and not results[key].is_settled:
            text = _(STILL).replace("{view}", _(VIEWS[view].label))
            yield Job(key, "views", takes_turns=True, within=LATER, text=text)


def ahead_jobs(state: PageState, results: Results) -> Iterator[Job]:
    """Yield drafts of what the next key will probably ask for, unless other kernels need the machine."""
    for settings in neighbours(state.settings, state.moved) if results.is_alone else ():
        comparison = settings.comparison
        draft = first_part(Part(comparison, comparison.seeds, comparison.config.batch_size), results)
        if not results[comparison].is_settled and seconds(draft, results) <= 2 * AT_ONCE:
            yield Job(draft, "ahead", PAUSE, seconds(draft, results))


def pin_jobs(state: PageState, results: Results) -> Iterator[Job]:
    """Yield the pinned comparisons that are not known yet."""
    for pin in state.pins:
        if pinned_trace(pin.comparison, results) is None and not results[Pin(pin.comparison)].error:
            yield Job(Pin(pin.comparison), "pins", REST, takes_turns=True, within=LATER, text=_(PINNED))
