"""Every symbol, mark, control and scheme that the page shows is defined, and the definitions are true."""

import html
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import rnnviz as rv
from rnnviz.dashboard import glossary
from rnnviz.network.config import FIELDS
from rnnviz.network.schemes import SCHEMES
from rnnviz.story.judgement import judge_gradient
from rnnviz.story.verdict import RULE
from rnnviz.text import language
from rnnviz.text.glossary import TERMS
from rnnviz.theory import spectrum
from rnnviz.views import OPTIONS, VIEWS
from rnnviz.views.styles import MARK_SIGNS, OVERLAYS, TERM_OF

SMALL = {"hidden_size": 8, "seq_len": 8, "batch_size": 2, "seeds": 2}


def lines():
    """Return the glossary's lines: the name that is read, and what it means."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", glossary.Glossary().value)
    return {html.unescape(name): html.unescape(meaning) for name, meaning in found}


def test_all_that_pictures_and_verdicts_show_is_defined():
    laws = (spectrum.INDEPENDENT, spectrum.WITH_MEAN, spectrum.ORTHOGONAL, spectrum.BLOCK)
    used = {name for view in VIEWS.values() for name in view.terms}
    used |= {*MARK_SIGNS.values(), *(TERM_OF.get(kind, kind) for kind in OVERLAYS), *glossary.VERDICT}
    used |= {name for law in laws for name in (law.disc, law.curve) if name}
    assert used <= TERMS.keys()


@pytest.mark.parametrize(
    ("config", "view", "options", "needed", "not_needed"),
    [
        ({}, "state", {}, {"E h²", "band", "line", "T"}, {"theory", "×", "√H"}),
        ({}, "state", {"quantity": "saturation"}, {"saturated"}, {"E h²"}),
        ({"scheme": "uniform01", "hidden_size": 64}, "gradient", {}, {"∂L/∂h", "↓ ↑", "|"}, {"∂L/∂c"}),
        ({"cell": "lstm"}, "gradient", {"theory": True}, {"∂L/∂c"}, {"theory"}),
        ({"hidden_size": 9, "seq_len": 20, "activation": "linear"}, "gradient", {"theory": True},
         {"√H", "theory", "theory, not to be trusted"}, {"★"}),
        ({"gain": 0.0}, "gradient", {"precision": "float16"}, {"×", "in float32, float16 or bfloat16"}, {"√H"}),
        ({"scheme": "uniform01", "hidden_size": 64}, "spectrum", {}, {"eigenvalue", "→ ←", "circular law"}, {"T"}),
    ],
)  # fmt: skip
def test_a_picture_names_what_it_shows_and_no_more(config, view, options, needed, not_needed):
    settings = {"hidden_size": 8, "seq_len": 12, "batch_size": 2} | config
    trace = rv.compare(rv.Config(**settings), (settings.get("scheme", "xavier"),), range(3))
    used = set(VIEWS[view].uses(VIEWS[view].data(trace, **options)))
    assert needed <= used <= TERMS.keys()
    assert not used & not_needed


def test_every_control_and_scheme_has_its_line():
    known = lines()
    labels = {spec.metadata["label"] for spec in FIELDS.values()} | {option.label for option in OPTIONS.values()}
    assert labels | {"Draws", "Compare with"} | {scheme.label for scheme in SCHEMES.values()} <= known.keys()
    for scheme in SCHEMES.values():
        assert scheme.formula in known[scheme.label]
        assert scheme.source in known[scheme.label]


def test_a_scheme_has_the_variance_that_its_matrices_have():
    size = 300
    for name, scheme in SCHEMES.items():
        W = rv.init_params(rv.Config(scheme=name, hidden_size=size, seed=1))["W_hh"]
        said = re.search(r"Var\(W_hh\) = (\S+|1/\(3 H\)), times", lines()[scheme.label])
        if not scheme.random:
            assert said is None
            continue
        number, per, _ = re.fullmatch(r"([\d.]+)(?:/\(?(\d*) ?(H?)\)?)?", said[1]).groups()
        value = Fraction(number) / (int(per or 1)) / (size if "H" in said[1] else 1)
        assert np.var(W) == pytest.approx(float(value), rel=0.02), name


def test_a_scheme_of_ones_own_needs_no_simple_variance():
    words = glossary.variance_words(replace(SCHEMES["xavier"], variance=lambda i, o: 1 / i**1.5))
    assert words == "0.00195 at H = 64"


def test_german_labels_find_their_lines():
    language.use("de")
    known = lines()
    assert {"Schema", "Verstärkung", "Vorgabe von PyTorch"} <= known.keys()
    assert "1/(3 H)" in known["Vorgabe von PyTorch"]


def test_the_rule_of_survival_is_in_the_glossary_and_in_the_bet(opened):
    assert lines()["survives, fades, grows"] == RULE
    assert judge_gradient(np.log10(0.94), 1) == "fades"
    assert judge_gradient(np.log10(0.96) * 60, 60) == "fades slowly"
    assert judge_gradient(np.log10(0.96) * 50, 50) == "survives"
    page = opened("?predict=1", **SMALL)
    assert 'data-terms="survives, fades, grows"' in page.bet.question.value


def test_n_is_no_hidden_size():
    assert not any(
        re.search(r"\bn(_in|_out)?\b", text) for name, text in lines().items() if name not in ("GRU", "r, z, n")
    )
