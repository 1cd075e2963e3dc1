"""A race in a real browser: train, move a slider meanwhile, pause, go back through the weights, and begin again."""

import pytest
from browsing import STAGE, assert_accessible, change, open_notebook, pictures, slider
from visitor import Visitor

pytestmark = pytest.mark.browser
SMALL = "hidden_size=8&seq_len=5&batch_size=4&seeds=2&training_steps=10000"
SAID = "document.querySelector('.rnnviz-race-said').textContent"


def check_it_rests_while_hidden(page):
    """Check that the training pauses while the browser shows another tab, and goes on after that."""
    hide = "(is) => { Object.defineProperty(document, 'hidden', { value: is, configurable: true }); " + (
        "document.dispatchEvent(new Event('visibilitychange')); }"
    )
    page.evaluate(hide, True)
    page.wait_for_function(f"() => window.before === (window.before = {SAID})", polling=1000)
    rested = page.evaluate(SAID)
    page.evaluate(hide, False)
    page.wait_for_function(f"(rested) => {SAID} !== rested", arg=rested)


@pytest.mark.usefixtures("quiet")
def test_networks_train_while_the_page_answers_and_their_past_can_be_seen(shared, voila):
    page = open_notebook(shared.open(), voila, "06_watch_it_learn.ipynb", SMALL)
    assert_accessible(page)
    button = page.locator(".rnnviz-train")
    button.click()
    page.wait_for_function(f"() => /step [1-9]\\d+ of 10000/.test({SAID})")
    page.wait_for_function("() => /loss [^,]+ at first/.test(document.querySelector('[data-view=race] img').alt)")
    check_it_rests_while_hidden(page)
    slider(page, "Gain").press("ArrowRight")  # the map, which is not seen, waits until the training is over
    page.wait_for_function(f"() => {STAGE}.query.includes('gain=1.01') && {SAID}.includes('other settings')")
    slider(page, "Gain").press("ArrowLeft")
    page.wait_for_function(f"() => !{SAID}.includes('other settings')")
    change(page, button.click)  # the pictures follow the weights once more
    page.get_by_role("button", name="Go on").wait_for()
    Visitor(page).rest()
    page.wait_for_function("() => !/ 0[.]64 at step 0/.test(document.querySelector('[data-view=gradient] img').alt)")
    at = page.evaluate(SAID)
    latest = pictures(page)["gradient"][1]
    slider(page, "Weights of step").press("Home")
    page.wait_for_function("() => / 0[.]64 at step 0/.test(document.querySelector('[data-view=gradient] img').alt)")
    first = pictures(page)["gradient"][1]
    assert first != latest
    page.wait_for_function(f"() => {SAID} === '{at} · the pictures show step 0'")
    change(page, lambda: slider(page, "Weights of step").press("End"))
    assert pictures(page)["gradient"][1] == latest
    change(page, page.get_by_role("button", name="Rewind").click)
    page.get_by_role("button", name="Train", exact=True).wait_for()
    assert "Not trained yet" in pictures(page)["race"][1]
    assert pictures(page)["gradient"][1] == first
