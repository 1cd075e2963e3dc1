"""In a real browser: long work that says how far it is, connections that break, and links with a teacher's options."""

import pytest
from conftest import NOTEBOOKS, wait_until
from visitor import visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST = min(NOTEBOOKS.glob("*.ipynb"))
LONG = "hidden_size=512&seq_len=200&batch_size=64"
SOCKETS = """
window.sockets = [];
window.WebSocket = class extends window.WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""
SENT = """
window.sent = [];
window.WebSocket = class extends window.WebSocket {
  send(data) { window.sent.push(typeof data === "string" ? data : new TextDecoder().decode(data)); super.send(data); }
};
"""
STAGE = "document.querySelector('.rnnviz-stage').dataset"


def open_page(page, voila, query):
    page.goto(f"{voila}voila/render/{FIRST.name}?{query}")
    page.wait_for_function("() => document.querySelector('.rnnviz-view img[src]')", timeout=60_000)


def test_long_work_is_told_and_can_be_stopped_by_keyboard(voila, page):
    open_page(page, voila, LONG)
    page.get_by_role("progressbar", name="Computing 8 draws").wait_for()
    assert page.evaluate(f"{STAGE}.whole") == "false"
    page.get_by_role("button", name="Stop computing").press("Enter")
    page.get_by_role("alert").get_by_text("Stopped: the pictures show H = 512, T = 200").wait_for()
    assert page.get_by_role("progressbar").count() == 0
    assert page.evaluate(f"{STAGE}.drawn") != "8 x 64"
    page.get_by_role("slider", name="Hidden size", exact=True).press("Home")
    page.wait_for_function(f"() => {STAGE}.whole === 'true' && {STAGE}.drawn === '8 x 64'")
    assert "Stopped" not in page.locator("body").inner_text()


def test_a_slider_is_followed_while_long_work_goes_on(voila, page):
    open_page(page, voila, LONG)
    page.get_by_role("progressbar", name="Computing 8 draws").wait_for()
    page.get_by_role("slider", name="Sequence length", exact=True).press("Home")
    page.wait_for_function(f"() => {STAGE}.query.includes('seq_len=1&') && {STAGE}.whole === 'true'")
    alts = page.locator(".rnnviz-view img").evaluate_all("all => all.map((img) => img.alt)")
    assert all("1" in alt.split("Xavier")[0] and "200" not in alt for alt in alts)


@pytest.mark.parametrize(("lang", "label"), [("en", "Gain"), ("de", "Verstärkung")])
def test_the_kernel_is_told_which_control_has_the_focus(voila, page, lang, label):
    """So that it computes ahead what a key may ask for: tests/test_ahead.py goes on from there."""
    page.add_init_script(SENT)
    open_page(page, voila, f"lang={lang}")
    page.locator(".widget-slider", has_text=label).locator(".noUi-handle").focus()
    message = f'{{"kind":"focus","label":"{label}"}}'
    page.wait_for_function("message => sent.some((each) => each.includes(message))", arg=message)


def test_a_link_takes_the_options_that_a_teacher_ticks(voila, new_page):
    page = new_page()
    visit(page, voila, FIRST, "gain=1.3")
    page.get_by_text("Options for the link").press("Enter")
    for option in ("freeze all controls", "large, for a projector", "cover the gradient until a bet is placed"):
        page.get_by_label(option).press("Space")
    page.get_by_role("button", name="Copy link").press("Enter")
    link = page.get_by_label("Link to these settings").input_value()
    assert link.endswith("?gain=1.3&lock=all&present=1&predict=1")
    other = new_page()
    other.goto(link)
    other.wait_for_function("() => document.querySelector('.rnnviz-view img[src]')", timeout=60_000)
    assert other.get_by_label("Scheme", exact=True).is_disabled()
    assert "covered" in other.locator(".rnnviz-view img").nth(1).get_attribute("alt")
    assert other.evaluate("document.body.classList.contains('rnnviz-present')")


@pytest.mark.parametrize("query", ["gain=1.2345678901234", "cell=lstm&input_scale=0.333&forget_bias=1.7"])
def test_a_number_between_a_sliders_steps_stays_what_it_was(voila, page, query):
    visitor = visit(page, voila, FIRST, query)
    assert visitor.settle()
    assert page.evaluate(f"{STAGE}.query") == query
    page.get_by_role("slider", name="Hidden size", exact=True).press("ArrowRight")
    assert visitor.settle()
    assert sorted(page.evaluate(f"{STAGE}.query").split("&")) == sorted(["hidden_size=65", *query.split("&")])


def test_a_moved_slider_gives_round_numbers(voila, page):
    visitor = visit(page, voila, FIRST, "gain=2.49")
    page.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
    assert visitor.settle()
    assert page.evaluate(f"{STAGE}.query") == "gain=2.5"


def test_a_connection_that_breaks_is_told_and_the_settings_come_back(voila, new_page, problems):
    page = new_page()
    page.add_init_script(SOCKETS)
    visitor = visit(page, voila, FIRST)
    page.get_by_role("slider", name="Gain", exact=True).press("PageUp")
    assert visitor.settle()
    before = visitor.shown()
    notice = page.locator("#rnnviz-lost")
    assert not notice.is_visible()
    page.evaluate("sockets.filter(({ readyState }) => readyState === 1).forEach((socket) => socket.close(4000))")
    notice.get_by_text("The connection to the kernel broke for a moment").wait_for()
    page.get_by_role("button", name="Reload with these settings").press("Enter")
    page.wait_for_url("**gain=*")
    page.wait_for_function("() => document.querySelector('.rnnviz-view img[src]')", timeout=60_000)
    wait_until(lambda: page.evaluate(f"{STAGE}.whole") == "true", "the page is there again")
    again = page.locator(".rnnviz-view img").evaluate_all("all => all.map((img) => img.alt)")
    assert again == before["alts"]
    assert all("Connection lost" in problem for problem in problems)  # JupyterLab's own word for what was done here
    problems.clear()
