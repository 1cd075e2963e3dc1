"""The page's state as the query string of a link, and back."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from ..network.checks import from_text
from ..text.language import LANGUAGES, _, of_link
from ..views import OPTIONS, VIEWS
from .scenes import SCENES, START
from .settings import SPECS, Settings, too_many
from .state import MOST_PINS, MOST_SHOWN, PageState

LONGEST = 200_000  # characters; a text setting may be long, a hostile link longer
MOST_NAMES = 50


def to_query(state: PageState) -> str:
    """Return the query string of a link that brings the page back, but for the step that the reader points at."""
    scene = state.scene if state.scene in SCENES and SCENES[state.scene].fits(state.settings) else START
    lists = {"show": state.shown, "lock": state.lock, "hide": state.hide}
    others = {"present": state.present, "predict": state.predict, "bet": state.question, "lang": state.lang}
    parts = [
        *([("scene", scene)] if scene else []),
        *differences(state.settings, with_scene(state.start, scene)).items(),
        *((name, in_link(value)) for name, value in (lists | others).items() if value),
        *(("pin", urlencode(differences(pin, state.start.alone))) for pin in state.pins),
    ]
    return urlencode(parts)


def with_scene(start: Settings, scene: str) -> Settings:
    """Return where a link of this scene starts."""
    return SCENES[scene].applied_to(start) if scene in SCENES else start


def differences(settings: Settings, start: Settings) -> dict[str, Any]:
    """Return what differs from ``start``, as a link has it.

    >>> start = Settings()
    >>> differences(start.replace(gain=1.5, beside=("orthogonal",)), start)
    {'gain': 1.5, 'beside': 'orthogonal'}
    """
    theirs = start.values
    return {name: in_link(value) for name, value in settings.values.items() if value != theirs[name]}


def in_link(value: Any) -> Any:
    """Return a value as a link has it."""
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else int(value) if isinstance(value, bool) else value


def from_query(query: str, start: Settings) -> PageState:
    """Return the state of a page that starts with ``start`` and is opened with a link.

    What is impossible in a link is left out, with a sentence in ``notice``; unknown names are left to other readers.
    """
    query = query.removeprefix("?")
    lists = parse_qs(query, keep_blank_values=True)
    last = {name: values[-1] for name, values in lists.items()}
    scene = last["scene"] if last.get("scene") in SCENES else START
    settings, problems = read(query, with_scene(start, scene))
    show, lock, hide = (names(last.get(name, ""))[:MOST_NAMES] for name in ("show", "lock", "hide"))
    pins = [read(text, start) for text in lists.get("pin", [])[:MOST_PINS]]
    step, bet = last.get("step", ""), last.get("bet", "")
    return PageState(
        settings=settings,
        start=start,
        home=settings,
        scene=scene,
        home_scene=scene,
        shown=tuple(name for name in show if name in VIEWS)[:MOST_SHOWN],
        pins=tuple(pin.alone for pin, _problems in pins),
        step=min(int(step), settings.config.seq_len) if re.fullmatch("[0-9]{1,5}", step) else -1,
        notice=" ".join(sum((found for _pin, found in pins), problems)),
        lock=lock,
        hide=hide,
        present=last.get("present") == "1",
        predict=last.get("predict") == "1",
        question=bet if re.fullmatch("[0-9a-f]{1,32}", bet) else "",
        lang=lang if (lang := of_link(query) or "") in LANGUAGES else "",
    )


def read(query: str, start: Settings) -> tuple[Settings, list[str]]:
    """Return a link's settings, and a sentence for each part that is impossible; ``start`` stands for those."""
    if len(query) > LONGEST:
        return start, [_("This link is too long to be read: the page starts as usual.")]
    settings, problems, known = start, [], start.values
    parts = dict(parse_qsl(query, keep_blank_values=True))
    # The schemes beside the first come last: they leave out the first one, wherever in the link that stands.
    for name in sorted((name for name in parts if name in known), key="beside".__eq__):
        try:
            settings = settings.replace(**{name: from_link(name, parts[name])})
        except ValueError as error:
            problems.append(_("In this link {problem}").format(problem=error))
    problems.append(too_many(settings.config.scheme, names(parts.get("beside", ""))))
    return settings, list(filter(None, problems))


def names(text: str) -> tuple[str, ...]:
    """Return the names of a list in a link."""
    return tuple(filter(None, text.split(",")))


def from_link(name: str, text: str) -> Any:
    """Return a value of `Settings` from a link's text; ValueError where it is none."""
    if name == "beside":
        return names(text)
    if name not in OPTIONS:
        spec = SPECS[name]
        return None if spec.metadata.get("optional") and text == "" else from_text(spec, text)
    for _label, value in OPTIONS[name].choices:
        if text == str(value) or (isinstance(value, bool) and text.lower() in (str(int(value)), str(value).lower())):
            return value
    return text
