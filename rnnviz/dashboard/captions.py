"""What the page says below its pictures, each sentence with the sample of its curve."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from ..engine.runs import Trace
from ..network.config import Config
from ..story import verdict
from ..theory import prediction
from ..views.lines import STYLES

THEORY = {"color": "#1a1a1a", "dash": []}
MOST_LINES = 6  # for which theory's sentences have room from the start: two for each scheme, of which some share one


class Report:
    """The verdict on a comparison, told once for each, and what theory says of its settings."""

    def __init__(self):
        self._told: WeakKeyDictionary[Trace, list[str]] = WeakKeyDictionary()

    def verdict(self, trace: Trace) -> list[str]:
        """Return the verdict's sentences, one for each scheme."""
        if trace not in self._told:
            self._told[trace] = verdict.sentences(trace)
        return self._told[trace]

    def items(self, trace: Trace, theory_of: Config | None) -> list[dict[str, Any]]:
        """Return the verdict as the stage takes it, and theory's sentence on ``theory_of`` unless that is None."""
        items = [{"text": text, "style": style(k)} for k, text in enumerate(self.verdict(trace))]
        if theory_of is not None:
            text = " ".join(prediction.sentences(theory_of, trace.schemes))
            items.append({"text": text, "style": THEORY, "lines": min(2 * len(trace.schemes), MOST_LINES)})
        return items


def style(k: int) -> dict[str, Any]:
    """Return the k-th curve's colour and dashes for the sample beside its sentence."""
    look = STYLES[k]["linestyle"]
    return {"color": STYLES[k]["color"], "dash": [] if look == "-" else list(look[1])}
