"""Long computations that report their progress, exact numbers from links, and a teacher's options in them."""

import pytest
from browsing import FIRST, PICTURES, SETTINGS, STAGE, alts, change, set_up, slider, unfold, wait_for_pictures
from visitor import Visitor, visit

pytestmark = pytest.mark.browser
LONG = "hidden_size=512&seq_len=200&batch_size=64"


def test_long_work_shows_its_progress_can_be_stopped_and_follows_the_sliders(voila, page):
    page.goto(f"{voila}voila/render/{FIRST}?{LONG}")
    page.wait_for_selector(".rnnviz-view img[src]")
    progress = page.get_by_role("progressbar", name="Computing 8 draws")
    progress.wait_for()
    assert page.evaluate(f"{STAGE}.whole") == "false"
    page.get_by_role("button", name="Stop computing").press("Enter")
    page.get_by_role("alert").get_by_text("Stopped: the pictures show H = 512, T = 200").wait_for()
    assert page.get_by_role("progressbar").count() == 0
    assert page.evaluate(f"{STAGE}.drawn") != "8 x 64"
    slider(page, "Hidden size").press("Home")
    wait_for_pictures(page, f"{STAGE}.drawn === '8 x 64'")
    assert "Stopped" not in page.locator("body").inner_text()

    slider(page, "Hidden size").press("End")
    progress.wait_for()
    slider(page, "Sequence length").press("Home")
    wait_for_pictures(page, f"/(^|&)seq_len=1(&|$)/.test({STAGE}.query)")
    assert all("1" in alt.split("Xavier")[0] and "200" not in alt for alt in alts(page))


def test_a_link_takes_the_options_that_a_teacher_ticks(first, new_page):
    change(first, lambda: slider(first, "Gain").press("ArrowRight"))
    first.get_by_text("Options for the link").press("Enter")
    options = ("freeze all controls", "large, for a projector", "cover the gradient until a bet is placed")
    for option in options:
        first.get_by_label(option).press("Space")
    first.get_by_role("button", name="Copy link").press("Enter")
    first.get_by_text("The link is in the clipboard").wait_for()
    link = first.evaluate("navigator.clipboard.readText()")
    for option in options:
        first.get_by_label(option).press("Space")
    first.get_by_text("Options for the link").press("Enter")
    start, query = link.split("?")
    assert query.endswith("&lock=all&present=1&predict=1")
    assert query.startswith("gain=1.0")
    other = new_page()
    other.goto(f"{start}?{query}")
    other.wait_for_function(PICTURES)
    assert other.get_by_label("Scheme", exact=True).is_disabled()
    assert "covered" in other.locator(".rnnviz-view img").nth(1).get_attribute("alt")
    assert other.evaluate("document.body.classList.contains('rnnviz-present')")


def test_a_copied_link_brings_back_the_same_page(first, voila, new_page):
    visitor = Visitor(first)
    first.get_by_label("Scheme", exact=True).select_option(label="Identity")
    slider(first, "Gain").press("PageUp")
    first.get_by_role("button", name="Pin", exact=True).press("Enter")
    first.get_by_role("button", name="+ add").press("Enter")
    first.get_by_label("Orthogonal", exact=True).check()
    first.get_by_role("button", name="+ add").press("Enter")
    unfold(first)
    first.get_by_label("Theory").check()
    assert visitor.settle(), visitor.findings
    first.get_by_role("button", name="Copy link").press("Enter")
    first.get_by_text("The link is in the clipboard").wait_for()
    place, query = first.evaluate("navigator.clipboard.readText()").split("?")
    assert place == f"{voila}voila/render/{FIRST}"
    assert visit(new_page(), voila, FIRST, query).shown() == visitor.shown()


def test_a_number_between_a_sliders_steps_stays_until_its_slider_moves(first):
    query, visitor = "cell=lstm&gain=2.491234567890123&input_scale=0.333&forget_bias=1.7", Visitor(first)
    set_up(first, query)
    wait_for_pictures(first, f"{SETTINGS} === '{query}'")
    slider(first, "Hidden size").press("ArrowRight")
    assert visitor.settle(), visitor.findings
    assert sorted(first.evaluate(SETTINGS).split("&")) == sorted(["hidden_size=65", *query.split("&")])
    slider(first, "Gain").press("ArrowRight")
    assert visitor.settle(), visitor.findings
    assert "gain=2.5" in first.evaluate(SETTINGS).split("&")
