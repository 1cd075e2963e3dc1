"""How curves look: distinct in colour, and in dash and marker for readers who cannot tell the colours apart."""

from __future__ import annotations

from typing import Any

from ..text.glossary import DOUBTED, FLOATS, TRUSTED, WHOLE
from ..text.language import N_

Style = dict[str, Any]

# Distinct for colour-blind readers (after Okabe & Ito 2008, darkened to 3:1 on white).
STYLES: tuple[Style, ...] = (
    {"color": "#0072b2", "linestyle": "-", "marker": "o"},
    {"color": "#c24e00", "linestyle": (0, (6, 2)), "marker": "s"},
    {"color": "#007a5a", "linestyle": (0, (3, 1.5)), "marker": "^"},
    {"color": "#9b3f82", "linestyle": (0, (7, 2, 1.5, 2)), "marker": "D"},
    {"color": "#5e3a00", "linestyle": (0, (1.5, 1.5)), "marker": "v"},
    {"color": "#3c3c3c", "linestyle": (0, (10, 3)), "marker": "P"},
)
SYMBOLS = {"×": "x", "|": "|", "★": "*"}  # how matplotlib draws a sign; stars stand at the upper edge
MARK_SIGNS = {"float32": "|", "zero": "×", "zero at times": "×", "nonfinite": "★", "some nonfinite": "★"}
MARK_WORDS = {
    "float32": N_("float32 ends at t = {step}"),
    "zero": N_("exactly 0 at t = {step}"),
    "zero at times": N_("at times exactly 0, first at t = {step}"),
    "nonfinite": N_("not finite at t = {step}"),
    "some nonfinite": N_("in some draws not finite from t = {step}"),
}
ALT_WORDS = {  # what the alt text says of them, going forward and backward
    "float32": ("", N_("in float32 the first seed's run has only zeros from step {step} back")),
    "zero": (N_("exactly 0 from step {step}"), N_("exactly 0 from step {step} back")),
    "zero at times": (N_("at times exactly 0, first at step {step}"),) * 2,
    "nonfinite": (N_("not finite from step {step}"), N_("no gradient, since the state is not finite from step {step}")),
    "some nonfinite": (
        N_("in some draws not finite from step {step}"),
        N_("no gradient in the draws whose state is not finite (from step {step})"),
    ),
}
HOLLOW: Style = {"markersize": 5.5, "markerfacecolor": "#ffffff", "markeredgewidth": 1.1}
THEORY: Style = {"color": "#1a1a1a", "linewidth": 1.2, **HOLLOW}
NARROW: Style = {"linewidth": 3.0, "linestyle": (0, (0.6, 1.6)), "marker": ""}
LEVEL: Style = {"color": "#4a4a4a", "linewidth": 1.1, "marker": ""}
PINNED: Style = {"color": "#7a7a7a", "linewidth": 1.6, "marker": ""}
# What differs from the look of the curve that a line belongs to; lines that every curve may have keep its marker.
OVERLAYS: dict[str, Style] = {
    TRUSTED: {**THEORY, "linestyle": "-"},
    DOUBTED: {**THEORY, "linestyle": (0, (4, 3))},
    WHOLE: {"linewidth": 1.1, "linestyle": (0, (1, 2)), "marker": ""},
    "∂L/∂c": {"linewidth": 1.1, "linestyle": "-", **HOLLOW},
    N_("in float32"): NARROW,
    N_("in float16"): NARROW,
    N_("in bfloat16"): NARROW,
    N_("chance level"): {**LEVEL, "linestyle": (0, (1, 2))},
    N_("target"): {**LEVEL, "linestyle": (0, (6, 3))},
    N_("solved"): {**LEVEL, "linestyle": "-"},
    N_("pinned"): {**PINNED, "linestyle": "-"},
    N_("pinned too"): {**PINNED, "linestyle": (0, (5, 2))},
    N_("pinned as well"): {**PINNED, "linestyle": (0, (2, 2))},
}
PINS = ("pinned", "pinned too", "pinned as well")
# The terms that define lines whose kinds differ from these, keys of ``TERMS``.
TERM_OF = {kind: FLOATS for kind, look in OVERLAYS.items() if look is NARROW} | dict.fromkeys(PINS, PINS[0])
