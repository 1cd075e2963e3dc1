"""What the page says below its pictures, each sentence with the sample of its curve."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from ..engine.trace import Trace
from ..network.config import Config
from ..story import chaos, verdict
from ..text.language import current
from ..theory import prediction
from ..views.lines import STYLES

THEORY = {"color": "#1a1a1a", "dash": []}
REASON = " – "  # between what a verdict says and why
MOST_LINES = 6  # for which theory's sentences have room from the start: two for each scheme, of which some share one


def captions(trace: Trace, theory_of: Config | None) -> list[dict[str, Any]]:
    """Return the verdict as the stage takes it, theory's sentence on ``theory_of`` unless that is None, and chaos."""
    of_schemes, of_chaos = verdict_on(trace)
    items: list[dict[str, Any]] = [verdict_item(text) | {"style": style(k)} for k, text in enumerate(of_schemes)]
    if theory_of is not None:
        text = " ".join(prediction.sentences(theory_of, trace.schemes))
        items.append({"text": text, "style": THEORY, "lines": min(2 * len(trace.schemes), MOST_LINES)})
    return items + [{"text": text, "style": None} for text in of_chaos]


def verdict_item(sentence: str) -> dict[str, Any]:
    """Return what happened, and after it the reason, which the page unfolds."""
    what, dash, why = sentence.partition(REASON)
    return {"text": f"{what}.", "why": f"{why[:1].upper()}{why[1:]}"} if dash else {"text": sentence}


VERDICTS: WeakKeyDictionary[Trace, tuple[str, list[str], list[str]]] = WeakKeyDictionary()


def verdict_on(trace: Trace) -> tuple[list[str], list[str]]:
    """Return the verdict's sentences, and those on chaos, kept as long as the comparison."""
    if VERDICTS.get(trace, ("",))[0] != current():
        VERDICTS[trace] = current(), verdict.sentences(trace), chaos.sentences(trace)
    return VERDICTS[trace][1:]


def style(k: int) -> dict[str, Any]:
    """Return the k-th curve's colour and dashes for the sample beside its sentence."""
    look: Any = STYLES[k]["linestyle"]
    return {"color": STYLES[k]["color"], "dash": [] if look == "-" else list(look[1])}
