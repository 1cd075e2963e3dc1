"""What the page says below its pictures, each sentence with the sample of its curve."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from ..engine.trace import Trace
from ..network.config import Config
from ..story import verdict
from ..text.language import current
from ..theory import prediction
from ..views.lines import STYLES

THEORY = {"color": "#1a1a1a", "dash": []}
REASON = " – "  # between what a verdict says and why
MOST_LINES = 6  # for which theory's sentences have room from the start: two for each scheme, of which some share one


def captions(trace: Trace, theory_of: Config | None) -> list[dict[str, Any]]:
    """Return the verdict as the stage takes it, and theory's sentence on ``theory_of`` unless that is None."""
    items: list[dict[str, Any]] = [verdict_item(text) | {"style": style(k)} for k, text in enumerate(verdict_on(trace))]
    if theory_of is not None:
        text = " ".join(prediction.sentences(theory_of, trace.schemes))
        items.append({"text": text, "style": THEORY, "lines": min(2 * len(trace.schemes), MOST_LINES)})
    return items


def verdict_item(sentence: str) -> dict[str, Any]:
    """Return what happened, and after it the reason, which the page unfolds."""
    what, dash, why = sentence.partition(REASON)
    return {"text": f"{what}.", "why": f"{why[:1].upper()}{why[1:]}"} if dash else {"text": sentence}


VERDICTS: WeakKeyDictionary[Trace, tuple[str, list[str]]] = WeakKeyDictionary()


def verdict_on(trace: Trace) -> list[str]:
    """Return the verdict's sentences, kept as long as the comparison."""
    language, sentences = VERDICTS.get(trace, ("", []))
    if language != current():
        sentences = verdict.sentences(trace)
        VERDICTS[trace] = current(), sentences
    return sentences


def style(k: int) -> dict[str, Any]:
    """Return the k-th curve's colour and dashes for the sample beside its sentence."""
    look: Any = STYLES[k]["linestyle"]
    return {"color": STYLES[k]["color"], "dash": [] if look == "-" else list(look[1])}
