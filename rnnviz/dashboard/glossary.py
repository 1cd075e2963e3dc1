"""The glossary below the page, whose lines the page also shows beside the symbol, mark or control that they define."""

from __future__ import annotations

import html
from collections.abc import Iterator
from fractions import Fraction

import ipywidgets as widgets

from ..network.activations import ACTIVATIONS, Activation
from ..network.cells import CELLS
from ..network.config import FIELDS
from ..network.inputs import INPUTS
from ..network.schemes import SCHEMES, Scheme
from ..story import verdict
from ..text.glossary import TERMS
from ..text.language import N_, _
from ..text.number_format import number, plain
from ..views import OPTIONS
from .settings import DRAWS_HELP, MOST_SCHEMES, label_of

TITLES = N_("Symbols and words"), N_("Schemes"), N_("Settings")
VERDICT = (verdict.SURVIVES, verdict.KEEPS, "×0.65 per step", "E h²", "W_hh ×", "φ′ ×", "4e-10")
Entry = tuple[tuple[str, ...], str]  # the names by which the page finds a line, the last to be read, and its meaning


class Glossary(widgets.HTML):
    """Every definition of the page, folded."""

    def __init__(self):
        parts = zip(TITLES, (terms(), schemes(), settings()), strict=True)
        lists = "".join(f"<h3>{_(title)}</h3><dl>{''.join(map(line, entries))}</dl>" for title, entries in parts)
        title = _("Glossary")
        super().__init__(f"<details><summary>{title}</summary>{lists}</details>")
        self.add_class("rnnviz-glossary")


def line(entry: Entry) -> str:
    """Return a line of the glossary as HTML."""
    names, meaning = entry
    key = html.escape("\n".join(names))
    return (
        f'<div data-terms="{key}"><dt>{html.escape(names[-1])}</dt><dd>{html.escape(meaning, quote=False)}</dd></div>'
    )


def what_button(label: str, *names: str) -> str:
    """Return a button that shows the definitions of some terms, as HTML."""
    key, label = html.escape("\n".join(names)), html.escape(label)
    return f'<button type="button" class="rnnviz-what" data-terms="{key}" aria-label="{label}">?</button>'


def terms() -> Iterator[Entry]:
    """Yield the definitions of symbols, words and marks, those of the verdicts first."""
    for name in dict.fromkeys((*VERDICT, *TERMS)):
        yield tuple(dict.fromkeys((name, _(name)))), _(TERMS[name])


def schemes() -> Iterator[Entry]:
    """Yield each scheme's formula, variance and source."""
    for entry in SCHEMES.values():
        yield (_(entry.short), _(entry.label)), scheme_words(entry)


def settings() -> Iterator[Entry]:
    """Yield what each control sets, and what its choices are."""
    for name, spec in FIELDS.items():
        help = spec.metadata["help"]  # within _(), Babel before 2.19 extracts the literal
        yield (label_of(name),), _(help)
    for option in OPTIONS.values():
        yield (_(option.label),), _(option.help)
    yield (label_of("seeds"),), _(DRAWS_HELP)
    yield (_("Compare with"),), _("schemes drawn beside the first, at most {count}").format(count=MOST_SCHEMES - 1)
    yield from (((_(cell.label),), cell.formula) for cell in CELLS.values())
    yield from (((_(activation.label),), activation_words(activation)) for activation in ACTIVATIONS.values())
    yield from (((_(each.label),), _(each.help)) for each in INPUTS.values())


def scheme_words(scheme: Scheme) -> str:
    """Return a scheme's formula, the variance of an entry of W_hh, and its source."""
    text = _("{formula}. Var(W_hh) = {variance}, times gain². {source}.")
    if not scheme.random:
        text = _("{formula}, the same matrix at every draw. {source}.")
    return text.format(formula=_(scheme.formula), variance=variance_words(scheme), source=_(scheme.source))


def activation_words(phi: Activation) -> str:
    """Return an activation's formula, and the gain that PyTorch recommends for it."""
    text = _("{formula}. PyTorch's calculate_gain: {gain}.") if phi.torch_gain else "{formula}"
    return text.format(formula=phi.formula, gain=number(phi.torch_gain or 0.0, digits=3))


def variance_words(scheme: Scheme) -> str:
    """Return the variance of an entry of W_hh (H, H) at gain 1, as a fraction of 1 or of H where it is one.

    >>> [variance_words(SCHEMES[name]) for name in ("xavier", "he", "pytorch", "uniform01", "small_normal")]
    ['1/H', '2/H', '1/(3 H)', '1/12', '0.0001']
    """
    small, large = (scheme.variance(size, size) for size in (64, 256))
    if abs(large / small - 1) < 1e-9:
        share = Fraction(small).limit_denominator(999)
        return str(share) if abs(float(share) / small - 1) < 1e-9 else plain(small)
    share = Fraction(64 * small).limit_denominator(999)
    if abs(float(share) / (256 * large) - 1) > 1e-9:
        return _("{variance} at H = {size}").format(variance=plain(small, ".3g"), size=64)
    return f"{share.numerator}/H" if share.denominator == 1 else f"{share.numerator}/({share.denominator} H)"
