"""What a reader takes home: the page on paper, a picture in the clipboard, one on a slide, code and weights."""

import io
import re

import numpy as np
import pytest
from browsing import set_up
from PIL import Image

pytestmark = pytest.mark.browser
# What stands on paper, by its selector: whether anything of it has a size.
PRINTED = """
(selector) => [...document.querySelectorAll(selector)].some((node) => node.getClientRects().length > 0)
"""
UNFOLDED = """
() => {
  window.unfolded = () => [...document.querySelectorAll("#rnnviz-notebook details")].map((each) => each.open);
  window.seen = [];
  addEventListener("beforeprint", () => window.seen.push(...unfolded()));
}
"""
PNG_IN_CLIPBOARD = """
async () => {
  const [item] = await navigator.clipboard.read();
  return [...new Uint8Array(await (await item.getType("image/png")).arrayBuffer())];
}
"""


@pytest.fixture
def dark_page(first):
    """Return the first notebook's page in the dark, with a step pointed at."""
    first.emulate_media(color_scheme="dark")
    set_up(first, "gain=1.5")
    first.get_by_role("slider", name="Step t").press("End")
    first.get_by_text("Step 50", exact=True).wait_for()
    return first


def test_paper_is_light_and_has_all_but_what_can_be_pressed(dark_page):
    dark_page.emulate_media(media="print")
    try:
        for selector in (
            ".rnnviz-view img",
            ".rnnviz-words li",
            ".rnnviz-settings",
            ".rnnviz-moment p",
            "h1",
            "details",
        ):
            assert dark_page.evaluate(PRINTED, selector), selector
        for selector in ("button", "select", "input", ".widget-slider", ".rnnviz-back", ".rnnviz-cursor"):
            assert not dark_page.evaluate(PRINTED, selector), selector
        style = "(name) => getComputedStyle(document.querySelector(name))"
        assert dark_page.evaluate(f"({style})('.rnnviz-view img').filter") == "none"
        assert dark_page.evaluate(f"({style})('body').backgroundColor") == "rgb(255, 255, 255)"
        assert dark_page.evaluate(f"({style})('body').color") == "rgb(28, 36, 48)"
        said = dark_page.locator(".rnnviz-settings").inner_text()
        for words in ("Xavier, U[0, 1]", "seeds 0 to 7", "Gain: 1.5", "Hidden size: 64", "Input: Gaussian noise"):
            assert words in said
    finally:
        dark_page.emulate_media(media="null")


def test_answers_are_printed_unfolded_on_pages_of_their_own(dark_page):
    dark_page.evaluate(UNFOLDED)
    before = dark_page.evaluate("unfolded()")
    pdf = dark_page.pdf(prefer_css_page_size=True)
    assert dark_page.evaluate("seen.length > 0 && seen.every(Boolean)")
    dark_page.wait_for_function("(before) => unfolded().join() === before.join()", arg=before)
    boxes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert 2 <= len(boxes) <= 4
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(595, 842)}
    dark_page.emulate_media(media="print")
    breaks = dark_page.evaluate(
        "() => [...document.querySelectorAll('.rnnviz-cell')].filter((cell) => getComputedStyle(cell).breakBefore"
        " === 'page').map((cell) => cell.querySelector('h2').id)"
    )
    dark_page.emulate_media(media="null")
    assert breaks == ["Tasks"]


def test_a_picture_is_copied_with_its_caption(dark_page):
    button = dark_page.get_by_role("button", name="Gradient: copy this picture")
    button.click()
    dark_page.wait_for_function("() => document.body.textContent.includes('The picture is in the clipboard')")
    image = Image.open(io.BytesIO(bytes(dark_page.evaluate(PNG_IN_CLIPBOARD))))
    assert image.size == (1520, 1040)
    assert np.asarray(image.convert("L"))[-24:].min() < 140, "there is a caption"


def test_without_a_clipboard_the_picture_is_saved(dark_page):
    dark_page.evaluate("() => { window.kept = window.ClipboardItem; delete window.ClipboardItem; }")
    with dark_page.expect_download() as saved:
        dark_page.get_by_role("button", name="State: copy this picture").click()
    assert saved.value.suggested_filename == "rnnviz-state-rnn-tanh-xavier-vs-uniform01-gain1.5-H64-T50.png"
    dark_page.evaluate("() => { window.ClipboardItem = window.kept; }")


def test_slide_weights_and_code_for_a_library(dark_page):
    with dark_page.expect_download() as saved:
        dark_page.get_by_role("button", name="Slide (PNG)").click()
    assert Image.open(io.BytesIO(saved.value.path().read_bytes())).size == (1920, 1080)
    dark_page.get_by_role("button", name="Show the code").click()
    code = dark_page.locator(".rnnviz-code pre")
    for library, words in (
        ("keras", "keras.layers.SimpleRNN(64"),
        ("pytorch", "torch.nn.RNN(32, 64"),
        ("code", "Dashb"),
    ):
        dark_page.get_by_label("Library for the code").select_option(library)
        dark_page.wait_for_function("(words) => document.querySelector('.rnnviz-code').textContent.includes(words)",
                                    arg=words)  # fmt: skip
        if library == "pytorch":
            text = code.inner_text()
    with dark_page.expect_download() as saved:
        dark_page.get_by_role("button", name="Weights (NPZ)").click()
    assert f'np.load("{saved.value.suggested_filename}")' in text
    assert np.load(io.BytesIO(saved.value.path().read_bytes()))["W_hh"].shape == (64, 64)
