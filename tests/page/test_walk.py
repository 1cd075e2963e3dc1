"""A visitor who tries everything: random changes, hostile links, downloads, and ways of reading the page."""

import struct
from urllib.parse import quote, urlencode, urlsplit

import pytest
from conftest import NOTEBOOKS
from pages import assert_accessible
from visitor import visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST = min(NOTEBOOKS.glob("*.ipynb"))
COVERED = "covered until you have placed your bet"
HOSTILE = {
    "scheme": "<script>alert(1)</script>",
    "text": "<img src=x onerror=alert(1)>",
    "inputs": "text",
    "gain": "1e999",
    "hidden_size": "nan",
    "pin": "scheme=<svg onload=alert(1)>",
    "lock": "<b>",
    "nosuch": "<iframe src=javascript:alert(1)>",
}


def name_of(page):
    """Return the role and the name of what has the focus."""
    return page.evaluate("""() => { const { activeElement: node } = document;
        return node.getAttribute("aria-label") || node.closest("label")?.textContent || node.textContent; }""")


def press_tab_until(page, name, limit=120):
    """Press Tab until what has the focus is called ``name``."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if name_of(page).startswith(name):
            return
    pytest.fail(f"Tab does not reach {name!r}")


def test_a_random_walk_ends_with_the_picture_of_the_last_setting(voila, page, server):
    visitor = visit(page, voila, FIRST, seed=4)
    for _ in range(20):
        visitor.change()
    visitor.settle()
    visitor.watch()
    assert not visitor.findings
    assert visitor.counted["blank"] == 0
    assert visitor.counted["frames"] > 20
    assert "Traceback" not in server.log.read_text()


def test_a_walk_that_rests_is_never_stale_and_moves_nothing(voila, page):
    visitor = visit(page, voila, FIRST, seed=8)
    for _ in range(5):
        visitor.change_and_settle()
    assert not visitor.findings
    assert visitor.counted["settled"] == 5


def test_a_hostile_link_is_told_as_text_and_the_page_lives(voila, page):
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    visitor = visit(page, voila, FIRST, urlencode(HOSTILE))
    said = page.locator(".rnnviz-message").inner_text()
    for name in ("scheme", "gain", "hidden_size"):
        assert f"In this link {name} must be" in said
    assert HOSTILE["scheme"] in said
    injected = "#rnnviz-notebook :is([onerror], [onload], [src=x], iframe, script:not([type]))"
    assert page.locator(injected).count() == 0
    assert page.locator(".rnnviz-stage, .rnnviz-presets").locator("b, script, svg:not([aria-hidden])").count() == 0
    before = visitor.shown()["alts"]
    page.get_by_role("button", name="Fades", exact=True).press("Enter")
    page.wait_for_function("before => document.querySelector('.rnnviz-view img').alt !== before", arg=before[0])
    assert visitor.settle()
    assert dialogs == []
    assert page.locator(injected).count() == 0


@pytest.mark.parametrize("query", ["gain=1&" * 30 + "text=" + "x" * 5000, "%00%ff&=&&scheme&beside=" + "he," * 400])
def test_an_odd_link_leaves_a_page_that_works(voila, page, query):
    visitor = visit(page, voila, FIRST, query)
    page.get_by_role("slider", name="Hidden size", exact=True).press("ArrowRight")
    assert visitor.settle()
    assert visitor.shown()["sliders"]["Hidden size"] == 65


def test_a_copied_link_brings_back_the_same_page(voila, new_page):
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    visitor = visit(page, voila, FIRST, seed=2)
    page.get_by_role("button", name="The surprise").press("Enter")
    page.get_by_label("Gain", exact=True).press("PageUp")
    page.get_by_role("button", name="Pin", exact=True).press("Enter")
    page.get_by_label("Theory").check()
    assert visitor.settle()
    page.get_by_role("button", name="Copy link").press("Enter")
    page.get_by_text("The link is in the clipboard").wait_for()
    address = urlsplit(page.evaluate("navigator.clipboard.readText()"))
    assert address.path.endswith(FIRST.name)
    again = visit(new_page(), voila, FIRST, address.query)
    assert again.settle()
    assert again.shown() == visitor.shown()


def test_a_bet_covers_the_gradient_and_then_shows_it(voila, page):
    visitor = visit(page, voila, FIRST, "predict=1")
    assert COVERED in visitor.shown()["alts"][1]
    assert visitor.shown()["words"] == []
    page.get_by_role("button", name="Save this picture as PNG").first.press("Enter")
    page.get_by_text("Place your bet first").wait_for()
    page.get_by_role("button", name="fades", exact=True).press("Enter")
    page.get_by_text("1 of 1 bets right so far").wait_for()
    visitor.rest()
    assert "Xavier: 4e-10 at step 0" in visitor.shown()["alts"][1]
    assert len(visitor.shown()["words"]) == 2
    page.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
    page.wait_for_function(f"() => document.querySelectorAll('.rnnviz-view img')[1].alt.includes('{COVERED}')")


def test_pictures_and_data_can_be_saved(voila, page):
    visit(page, voila, FIRST)
    stem = "rnn-tanh-xavier-vs-uniform01-H64-T50"
    for button, name, begins in [
        ("Save this picture as PNG", f"rnnviz-state-{stem}.png", b"\x89PNG\r\n\x1a\n"),
        ("Save this picture as SVG", f"rnnviz-state-{stem}.svg", b"<?xml"),
        ("Data (CSV)", f"rnnviz-{stem}.csv", b"# rnnviz: "),
    ]:
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button).first.press("Enter")
        assert waiting.value.suggested_filename == name
        content = waiting.value.path().read_bytes()
        assert content.startswith(begins)
        if name.endswith("png"):
            assert struct.unpack(">II", content[16:24]) == (1520, 1040)
        if name.endswith("csv"):
            assert content.count(b"\n") > 2 * 8 * 51


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everything_opened_at_once_is_accessible(voila, new_page, colours):
    page = new_page(color_scheme=colours)
    visitor = visit(page, voila, FIRST, "gain=1e999&inputs=text&cell=lstm&theory=1&predict=1")
    page.get_by_role("button", name="fades", exact=True).press("Enter")
    for name in ("Show the code", "More settings"):
        page.get_by_role("button", name=name).press("Enter")
    page.get_by_role("button", name="Pin", exact=True).press("Enter")
    page.get_by_label("Step t").press("ArrowRight")
    page.locator(".rnnviz-code pre", has_text="import Dashboard").wait_for()
    visitor.rest()
    assert_accessible(page)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_index_is_accessible(voila, new_page, colours):
    page = new_page(color_scheme=colours)
    page.goto(voila)
    assert_accessible(page)


@pytest.mark.parametrize("path", ["", f"voila/render/{quote(FIRST.name)}?predict=1&gain=1e999"], ids=["index", "first"])
def test_four_hundred_per_cent_needs_no_scrolling_sideways(voila, new_page, path):
    page = new_page(viewport={"width": 320, "height": 256})
    page.goto(voila + path)
    page.wait_for_function("() => document.querySelector('.rnnviz-view img[src], main, h1')")
    if path:
        page.wait_for_selector(".rnnviz-view img[src]")
        for name in ("More settings", "Show the code"):
            page.get_by_role("button", name=name).press("Enter")
        page.locator(".rnnviz-code pre", has_text="import Dashboard").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_arrow_keys_read_one_step_after_the_other(voila, page):
    visitor = visit(page, voila, FIRST)
    page.get_by_role("button", name="Pin", exact=True).focus()
    press_tab_until(page, "Hidden state: arrow keys")
    page.keyboard.press("ArrowRight")
    page.get_by_text("Step 1", exact=True).wait_for()
    press_tab_until(page, "Gradient: arrow keys")
    page.keyboard.press("End")
    page.get_by_text("Step 50", exact=True).wait_for()
    page.keyboard.press("PageUp")  # beyond the last step there is none
    press_tab_until(page, "Step t")
    page.keyboard.press("ArrowLeft")
    page.get_by_text("Step 49", exact=True).wait_for()
    assert visitor.settle()


def test_a_button_that_can_be_used_no_more_gives_the_focus_on(voila, page):
    visit(page, voila, FIRST, "predict=1")
    page.get_by_role("slider", name="Gain", exact=True).press("ArrowRight")
    reset = page.get_by_role("button", name="Reset")
    page.wait_for_function("node => !node.disabled", arg=reset.element_handle())
    page.locator("button:enabled", has_text="fades").press("Enter")
    page.get_by_text("1 of 1 bets right so far").wait_for()
    page.wait_for_function("() => document.activeElement.matches('.rnnviz-view')")
    reset.press("Enter")
    page.wait_for_function("() => document.activeElement.textContent === 'New seed'")
    page.get_by_role("button", name="Pin", exact=True).press("Enter")
    page.locator("button:enabled", has_text="Unpin").press("Enter")
    page.wait_for_function("() => document.activeElement.matches('.rnnviz [tabindex], .rnnviz select')")


@pytest.mark.parametrize(("motion", "seconds"), [("reduce", 0.0), ("no-preference", 0.12)])
def test_less_motion_is_respected(voila, new_page, motion, seconds):
    page = new_page(reduced_motion=motion)
    visit(page, voila, FIRST)
    for where, mark in ((".rnnviz-stage", "rnnviz-stale"), (".rnnviz-view", "rnnviz-late")):
        duration = page.evaluate(
            """([where, mark]) => { const node = document.querySelector(where); node.classList.add(mark);
            const found = getComputedStyle(document.querySelector(".rnnviz-view img")).transitionDuration;
            node.classList.remove(mark); return parseFloat(found); }""",
            [where, mark],
        )
        assert duration == seconds, mark
