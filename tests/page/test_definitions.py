"""Definitions appear where a symbol, mark or control stands: on hover, focus and tap, and move nothing."""

import pytest
from browsing import SETTINGS, assert_accessible, change, press
from test_layout import fit

pytestmark = pytest.mark.browser
BOX = ".rnnviz-definition:popover-open"
PLACES = """
() => [...document.querySelectorAll(".rnnviz-view img, .rnnviz-words li, .rnnviz-tools, .rnnviz-controls > *")]
  .map((node) => node.getBoundingClientRect()).map((box) => [box.x, box.y, box.width, box.height])
"""


@pytest.fixture
def seen(first):
    return fit(first)


def closed(page):
    page.keyboard.press("Escape")
    page.mouse.move(700, 5)
    page.locator(BOX).wait_for(state="hidden")


def test_a_control_is_defined_on_hover_focus_and_tap(seen):
    before, label = seen.evaluate(PLACES), seen.locator(".rnnviz-controls .widget-label", has_text="Scheme").first
    label.hover()
    box = seen.locator(BOX)
    box.get_by_text("W ~ N(0, 1/fan_in). Var(W_hh) = 1/H").wait_for()
    assert "Glorot & Bengio 2010" in box.inner_text()
    assert seen.evaluate(PLACES) == before
    assert_accessible(seen)
    closed(seen)
    seen.get_by_role("button", name="Next task").focus()
    seen.keyboard.press("Tab")
    for _ in range(4):
        if not seen.evaluate("document.activeElement.matches('.rnnviz-wide select')"):
            seen.keyboard.press("Tab")
    assert box.get_by_text("how W_hh and W_hy are drawn").is_visible()
    assert seen.evaluate("document.activeElement.getAttribute('aria-describedby')") == box.get_attribute("id")
    closed(seen)
    for name, meaning in (("Scheme", "how W_hh and W_hy are drawn"), ("Gain", "factor on W_hh")):
        seen.locator(".rnnviz-controls .widget-label", has_text=name).first.tap()
        seen.wait_for_timeout(100)  # a label hands its click on to a menu, whose focus must not close the box
        assert box.get_by_text(meaning).is_visible()
        closed(seen)
    press(seen, "Gain", "ArrowRight", f"{SETTINGS} === 'gain=1.01'")
    assert not box.is_visible(), "a key that moves a slider must not be answered with a box"
    seen.locator(".rnnviz-controls .widget-label", has_text="Gain").first.tap()
    box.get_by_text("started with another value").wait_for()
    closed(seen)
    change(seen, lambda: seen.get_by_role("button", name="Reset").click(), f"{SETTINGS} === ''")


def test_a_question_mark_defines_what_a_picture_and_the_verdicts_show(seen):
    before, box = seen.evaluate(PLACES), seen.locator(BOX)
    what = seen.get_by_role("button", name="Gradient: what this picture shows")
    what.click()
    assert {"∂L/∂h", "band", "|"} <= {*box.locator("dt").all_inner_texts()}
    assert what.get_attribute("aria-expanded") == "true"
    assert box.bounding_box()["x"] + box.bounding_box()["width"] <= what.bounding_box()["x"], "it covers its picture"
    assert_accessible(seen)
    closed(seen)
    seen.get_by_role("button", name="What these words mean").tap()
    box.get_by_text("A gradient survives if it stays within 5% of 1 per step").wait_for()
    assert seen.evaluate(PLACES) == before
    seen.get_by_role("heading", level=1).click()
    box.wait_for(state="hidden")


def test_the_glossary_below_has_the_same_texts(seen):
    seen.locator(".rnnviz-glossary summary").click()
    line = seen.locator(".rnnviz-glossary div", has_text="PyTorch's default").last
    assert "Var(W_hh) = 1/(3 H)" in line.inner_text()
    assert_accessible(seen)
    seen.locator(".rnnviz-glossary summary").click()
