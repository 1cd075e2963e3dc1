"""The first screen: what is seen without scrolling, and that nothing moves it. See test_seen for other screens."""

import json

import pytest
from browsing import FIRST, SETTINGS, STAGE, alts, change, open_notebook, press, slider, wait_for_pictures

pytestmark = pytest.mark.browser
SCREEN = {"width": 1280, "height": 720}
SEEN = ".rnnviz-view:not([hidden]) img"
TOOLS = ".rnnviz-stage > .rnnviz-tools"
FITS = f"""
() => {{ const images = [...document.querySelectorAll("{SEEN}")];
  const fits = (img) => Math.abs(img.closest("figure").clientWidth - img.naturalWidth) <= 1;
  return images.length === 2 && images.every(fits); }}
"""


def fit(page, size=SCREEN):
    """Give a page the size of a screen, which is by default a small projector's."""
    page.set_viewport_size(size)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function(FITS)
    wait_for_pictures(page)
    return page


@pytest.fixture
def small(first):
    """Return the first notebook's page as it started, on a small projector's screen."""
    return fit(first)


def boxes(page, selector):
    """Return left, top, right and bottom of what is seen of a selector."""
    return page.eval_on_selector_all(
        selector,
        "all => all.map((node) => node.getBoundingClientRect()).filter((box) => box.width)"
        ".map((box) => [box.left, box.top, box.right, box.bottom].map(Math.round))",
    )


def assert_inside(page, *selectors):
    width, height = page.evaluate("[document.documentElement.clientWidth, innerHeight]")
    for selector in selectors:
        found = boxes(page, selector)
        assert found, selector
        for left, top, right, bottom in found:
            assert left >= 0, selector
            assert top >= 0, selector
            assert right <= width, (selector, right)
            assert bottom <= height, (selector, bottom)


def check_first_screen(page):
    """Check that a projector shows question, task, controls, pictures, verdicts and the readout of a step."""
    fit(page)
    assert_inside(page, ".rnnviz-look", ".rnnviz-card", SEEN, ".rnnviz-words li", ".rnnviz-step-bar input", TOOLS)
    assert_inside(page, ".rnnviz-moment p")
    assert_inside(page, ".rnnviz-column > .rnnviz-controls > *", ".rnnviz-compare", ".rnnviz-actions > *")
    assert all(430 <= right - left <= 480 for left, _, right, _ in boxes(page, SEEN))
    ((_, _, _, card),) = boxes(page, ".rnnviz-card")
    for _, _, _, bottom in boxes(page, ".rnnviz-column > .rnnviz-controls > *"):
        assert 0 < bottom - card < 380, "a control is far from the task"
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def check_choice_of_views(page):
    """Check that two of the views are seen, and that the others are one gesture away."""
    assert page.locator(".rnnviz-scene").all_inner_texts() == ["Start", "Forget bias", "Two defaults", "A GRU"]
    shown = page.locator(".rnnviz-view:not([hidden])")
    page.get_by_role("button", name="Units", exact=True).click()
    page.wait_for_function(f"() => {SETTINGS} === 'show=gradient%2Cunits'")
    assert shown.evaluate_all("all => all.map((figure) => figure.dataset.view)") == ["gradient", "units"]


def test_a_large_screen_is_used(first):
    page = fit(first, {"width": 1920, "height": 1080})
    assert_inside(page, SEEN, ".rnnviz-words li", ".rnnviz-actions > *")
    assert all(660 <= right - left <= 760 for left, _, right, _ in boxes(page, SEEN))


def test_no_picture_is_larger_than_a_small_window(first):
    page = fit(first, {"width": 640, "height": 360})
    found = boxes(page, SEEN)
    assert len(found) == 2
    assert all(bottom - top < 220 for _, top, _, bottom in found)
    assert found[0][1] < 180
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


def test_a_presentation_asks_the_task_in_large_letters_and_folds_the_controls_away(small, page, voila):
    fit(open_notebook(page, voila, FIRST, "present=1"))
    assert_inside(page, ".rnnviz-strip .rnnviz-card", SEEN, ".rnnviz-words li")
    size = "getComputedStyle(document.querySelector('.rnnviz-verdict')).fontSize"
    assert float(page.evaluate(size)[:-2]) == pytest.approx(1.4 * float(small.evaluate(size)[:-2]), rel=0.05)
    assert not page.get_by_label("Scheme", exact=True).is_visible()
    assert not page.get_by_role("heading", name="What you will see").is_visible()


def test_half_of_the_gains_slider_is_for_the_gains_that_matter(small):
    page = small
    middle = "document.querySelector('.rnnviz-wide .noUi-handle').getBoundingClientRect().x"
    places, gain = {}, page.get_by_role("textbox", name="Gain: value")
    for value in ("0.5", "2.5"):
        gain.click()
        gain.press("Control+a")
        gain.press_sequentially(value)
        change(page, lambda: gain.press("Enter"), f"{SETTINGS} === 'gain={value}'")
        places[value] = page.evaluate(middle)
    assert places["2.5"] - places["0.5"] >= 150
    press(page, "Gain", "ArrowLeft", f"{SETTINGS} === 'gain=2.49'")
    press(page, "Gain", "End", f"{SETTINGS} === 'gain=20.0'")
    press(page, "Gain", "Home", f"{SETTINGS} === 'gain=0.0'")
    change(page, lambda: page.get_by_role("button", name="Reset").click(), f"{SETTINGS} === ''")
    page.get_by_text("This page is where it started.").wait_for()


def test_a_task_is_set_up_without_a_reload(small):
    page = small
    page.evaluate("window.same = true")
    card = page.locator(".rnnviz-card")
    card.get_by_text("Task 1 of 3").wait_for()
    link = card.locator(".is-shown a[href^='?']")
    asked = link.get_attribute("href")[1:]
    change(page, link.click, f"{SETTINGS} === {json.dumps(asked)}")
    assert page.evaluate("window.same"), "the page was loaded again"
    before = boxes(page, ".rnnviz-controls > *")
    card.get_by_role("button", name="Next task").press("Enter")
    card.get_by_text("Task 2 of 3").wait_for()
    assert boxes(page, ".rnnviz-controls > *") == before
    card.get_by_role("button", name="Previous task").press("Enter")
    change(page, lambda: page.get_by_role("button", name="Reset").click(), f"{SETTINGS} === ''")


def test_a_bet_takes_the_place_of_the_question_and_moves_nothing(small):
    page, places = small, f"{SEEN}, .rnnviz-card, .rnnviz-tools, .rnnviz-step-bar input"
    before, toggle = boxes(page, places), page.get_by_role("button", name="Predict first")
    change(page, lambda: toggle.press("Enter"), f"{SETTINGS} === 'predict=1'")
    assert "covered" in alts(page)[1]
    bet = page.locator(".rnnviz-question .rnnviz-bet")
    bet.get_by_text("Your bet: over 50 steps, Xavier's gradient").wait_for()
    assert boxes(page, places) == before
    change(page, lambda: bet.get_by_role("button", name="fades").click())
    bet.get_by_text("Right.").wait_for()
    assert boxes(page, places) == before
    change(page, lambda: bet.get_by_role("button", name="Ask again").click(), f"{STAGE}.query.includes('seed=')")
    assert "covered" in alts(page)[1]
    change(page, lambda: toggle.press("Enter"), f"!{STAGE}.query.includes('predict')")
    assert "covered" not in alts(page)[1]
    change(page, lambda: page.get_by_role("button", name="Reset").click(), f"{SETTINGS} === ''")


def test_a_link_and_another_language_bring_the_scenes_question_along(page, voila):
    fit(open_notebook(page, voila, FIRST, "scene=flat&lock=all"))
    assert page.get_by_text("move Gain a little to either side").is_visible()
    assert page.get_by_role("button", name="Flat").get_attribute("aria-pressed") == "true"
    assert slider(page, "Gain").get_attribute("aria-valuetext") == "1.85"
    other = page.locator(".rnnviz-languages a")
    other.focus()
    assert other.get_attribute("href").endswith("?scene=flat&lock=all")
