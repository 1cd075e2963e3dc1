"""What the page says below its pictures, each sentence with the sample of its curve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from ..engine.trace import Trace
from ..network.config import Config
from ..story import chaos, verdict
from ..story.diagnosis import Diagnosis, diagnose_all
from ..text.language import current
from ..theory import prediction
from ..views.lines import STYLES

THEORY = {"color": "#1a1a1a", "dash": []}
MOST_LINES = 6  # for which theory's sentences have room from the start: two for each scheme, of which some share one
# Kept as long as the comparison, since a diagnosis or a look for chaos may run a network again.
KEPT: WeakKeyDictionary[Trace, dict[Any, Any]] = WeakKeyDictionary()


def captions(
    trace: Trace, theory_of: Config | None, layer: int = 0, outcomes: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the verdict as the stage takes it, theory's sentence on ``theory_of`` unless that is None, and chaos.

    Theory's sentence is about the layer shown, the verdict always about the top one. ``outcomes`` says of each scheme
    what came of training it.
    """
    items: list[dict[str, Any]] = []
    for k, (text, why) in enumerate(kept(verdicts, trace)):
        text = " ".join(filter(None, [text, *outcomes[k : k + 1]]))
        items.append({"text": text, **({"why": why} if why else {}), "style": style(k)})
    if theory_of is not None:
        text = " ".join(prediction.sentences(theory_of, trace.schemes, layer))
        items.append({"text": text, "style": THEORY, "lines": min(2 * len(trace.schemes), MOST_LINES)})
    return items + [{"text": text, "style": None} for text in kept(chaos.sentences, trace)]


def kept(compute: Callable[[Trace], Any], trace: Trace) -> Any:
    """Return what a function says of a comparison in the current language, computed the first time."""
    known, key = KEPT.setdefault(trace, {}), (compute, current())
    if key not in known:
        known[key] = compute(trace)
    return known[key]


def diagnoses(trace: Trace) -> list[Diagnosis]:
    """Return the diagnosis of each scheme."""
    return kept(diagnose_all, trace)


def verdicts(trace: Trace) -> list[tuple[str, str]]:
    """Return what happened to each scheme, and why."""
    return list(map(verdict.parts, diagnoses(trace)))


def style(k: int) -> dict[str, Any]:
    """Return the k-th curve's colour and dashes for the sample beside its sentence."""
    look: Any = STYLES[k]["linestyle"]
    return {"color": STYLES[k]["color"], "dash": [] if look == "-" else list(look[1])}
