"""A race in a real browser: train, move a slider meanwhile, pause, go back through the weights, and begin again."""

import pytest
from browsing import change, open_notebook, pictures, press, slider

pytestmark = pytest.mark.browser
SMALL = "hidden_size=8&seq_len=5&batch_size=4&seeds=2&training_steps=10000"
SAID = "document.querySelector('.rnnviz-race-said').textContent"


@pytest.mark.usefixtures("quiet")
def test_networks_train_while_the_page_answers_and_their_past_can_be_seen(shared, voila):
    page = open_notebook(shared.open(), voila, "06_watch_it_learn.ipynb", SMALL)
    button = page.locator(".rnnviz-train")
    button.click()
    page.wait_for_function(f"() => /step [1-9]\\d+ of 10000/.test({SAID})")
    page.wait_for_function("() => /loss [^,]+ at first/.test(document.querySelector('[data-view=race] img').alt)")
    press(page, "Gain", "ArrowRight", "document.querySelector('.rnnviz-stage').dataset.query.includes('gain=1.01')")
    assert "other settings" in page.evaluate(SAID)
    press(page, "Gain", "ArrowLeft")
    button.get_by_text("Pause").click()
    button.get_by_text("Go on").wait_for()
    at = page.evaluate(SAID)
    latest = pictures(page)["gradient"]
    change(page, lambda: slider(page, "Weights of step").press("Home"))
    first = pictures(page)["gradient"]
    assert first[0] != latest[0]
    assert first[1] != latest[1]
    assert page.evaluate(SAID) == at, "it went on although it was paused"
    change(page, page.get_by_role("button", name="Rewind").click)
    page.wait_for_function(f"() => {SAID}.includes('step 0 of 10000')")
    assert pictures(page)["gradient"][1] == first[1]
