"""What a notebook keeps of a page for readers who have not run it."""

import re
from base64 import b64decode
from html import unescape

import pytest
from conftest import SMALL
from IPython.utils.capture import capture_output

import rnnviz as rv

pytestmark = pytest.mark.usefixtures("no_loop")


def kept(bundle):
    """Return the alt texts, the pictures and the paragraphs of a bundle's static part."""
    html = bundle["text/html"]
    alts = [unescape(alt) for alt in re.findall('alt="([^"]*)"', html)]
    pngs = [b64decode(data) for data in re.findall('base64,([^"]*)', html)]
    return alts, pngs, [unescape(re.sub("<[^>]*>", "", part)) for part in re.findall("<p>(.*?)</p>", html)]


def test_the_bundle_has_the_pictures_shown_the_verdicts_and_what_to_do():
    page = rv.Dashboard(**SMALL)
    bundle = page._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == page.model_id
    alts, pngs, (advice, *sentences) = kept(bundle)
    views = page.stage.frame["views"]
    assert alts == [view["alt"] for view in views]
    assert pngs == [view["png"] for view in views]
    assert advice.startswith("Run this cell")
    verdicts = [sentence.removeprefix("■ ") for sentence in sentences]
    assert [text.split(":")[0] for text in verdicts] == ["Xavier", "U[0, 1]"]
    assert len(bundle["text/html"]) < 100_000


def test_a_scheme_and_its_name_cannot_break_out_of_the_copy(monkeypatch):
    page = rv.Dashboard(**SMALL)
    page.stage.frame = {**page.stage.frame, "words": [{"text": "<script>alert(1)</script>", "style": None}]}
    assert "<script>" not in page._repr_mimebundle_()["text/html"]


def test_voila_which_keeps_nothing_gets_no_copy(monkeypatch):
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    page = rv.Dashboard(**SMALL)
    before = len(page.children)
    with capture_output():
        page._ipython_display_()
    assert page.copy is None
    assert len(page.children) == before
