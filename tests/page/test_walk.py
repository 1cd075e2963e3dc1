"""A visitor who tries everything: random changes, odd links, bets, files, and the keyboard alone."""

import itertools
import re
import struct
from urllib.parse import urlencode

import pytest
from browsing import FIRST, STAGE, assert_accessible, change, set_up, slider, wait_for_pictures
from visitor import Visitor, visit

pytestmark = pytest.mark.browser
COVERED = "covered until you have placed your bet"
IS_COVERED = f"document.querySelectorAll('.rnnviz-view img')[1].alt.includes('{COVERED}')"
HOSTILE = {
    "scheme": "<script>alert(1)</script>",
    "text": "<img src=x onerror=alert(1)>",
    "inputs": "text",
    "cell": "lstm",
    "theory": "1",
    "predict": "1",
    "gain": "1e999",
    "hidden_size": "nan",
    "pin": "scheme=<svg onload=alert(1)>",
    "lock": "<b>",
    "nosuch": "<iframe src=javascript:alert(1)>",
}
ODD = "gain=1&" * 30 + "%00%ff&=&&scheme&beside=" + "he," * 400 + "&text=" + "x" * 5000
SEEDS = itertools.count(100)
NARROW = {"width": 320, "height": 256}  # 1280 x 1024 at 400 per cent


def name_of(page):
    """Return the name of what has the focus."""
    return page.evaluate("""() => { const { activeElement: node } = document;
        return node.getAttribute("aria-label") || node.closest("label")?.textContent || node.textContent; }""")


def press_tab_until(page, name, limit=120):
    """Press Tab until what has the focus is called ``name``."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        if name_of(page).startswith(name):
            return
    pytest.fail(f"Tab does not reach {name!r}")


@pytest.mark.slow
def test_a_random_walk_ends_with_the_picture_of_the_last_setting(voila, page, server):
    visitor = visit(page, voila, seed=4)
    for _ in range(20):
        visitor.change()
    visitor.settle()
    visitor.watch()
    assert not visitor.findings
    assert visitor.counted["blank"] == 0
    assert visitor.counted["frames"] > 20
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_a_walk_that_rests_is_never_stale_and_moves_nothing(voila, page):
    visitor = visit(page, voila, seed=8)
    for _ in range(5):
        visitor.change_and_settle()
    assert not visitor.findings
    assert visitor.counted["settled"] == 5


@pytest.fixture(scope="module")
def hostile_visitor(shared, voila):
    """Open a hostile link once; return the visitor, and the list of what the page says in dialogs."""
    page, dialogs = shared.open(), []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    return visit(page, voila, FIRST, urlencode(HOSTILE)), dialogs


@pytest.fixture
def hostile(hostile_visitor, quiet):
    """Return the visitor of a hostile link, whose page must not have been taken over."""
    visitor, dialogs = hostile_visitor
    yield visitor
    injected = (
        "#rnnviz-notebook :is([onerror], [onload], [src=x], iframe, script:not([type], [src='/voila/static/voila.js']))"
    )
    assert visitor.page.locator(injected).count() == 0
    assert dialogs == []


def test_a_hostile_link_is_shown_as_text(hostile):
    message = hostile.page.locator(".rnnviz-message").inner_text()
    for name in ("scheme", "gain", "hidden_size"):
        assert f"In this link {name} must be" in message
    assert HOSTILE["scheme"] in message
    shown = hostile.page.locator(".rnnviz-stage, .rnnviz-presets")
    assert shown.locator("b, script, svg:not([aria-hidden])").count() == 0


def test_everything_opened_at_once_is_accessible_and_needs_no_scrolling_sideways(hostile):
    page = hostile.page
    page.get_by_role("button", name="fades", exact=True).press("Enter")
    for name in ("Show the code", "More settings"):
        page.get_by_role("button", name=name).press("Enter")
    page.get_by_role("button", name="Pin", exact=True).press("Enter")
    page.get_by_role("slider", name="Step t").press("ArrowRight")
    page.locator(".rnnviz-code pre", has_text="import Dashboard").wait_for()
    hostile.rest()
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        assert_accessible(page)
    page.set_viewport_size(NARROW)
    page.wait_for_function(f"() => Math.max(...[...document.images].map((img) => img.width)) <= {NARROW['width']}")
    hostile.rest()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_the_page_of_a_hostile_link_lives(hostile):
    before = hostile.shown()["alts"]
    hostile.page.locator(".rnnviz-scene").nth(1).press("Enter")
    hostile.page.wait_for_function("before => document.querySelector('.rnnviz-view img').alt !== before", arg=before[0])
    assert hostile.settle(), hostile.findings


def test_an_odd_link_leaves_a_page_that_works(voila, page):
    visitor = visit(page, voila, FIRST, ODD)
    slider(page, "Hidden size").press("ArrowRight")
    assert visitor.settle(), visitor.findings
    assert visitor.shown()["sliders"]["Hidden size"] == 65


@pytest.fixture
def bettor(first):
    """Return the visitor of a page that asks for a bet which it has not asked for before."""
    first.get_by_role("button", name="Predict first").press("Enter")
    wait_for_pictures(first, f"{STAGE}.query.includes('predict=1')")
    set_up(first, f"seed={next(SEEDS)}")
    wait_for_pictures(first, IS_COVERED)
    visitor = Visitor(first)
    visitor.rest()  # a button of a picture that is replaced hears nothing
    return visitor


def bet(page, answer):
    """Place a right bet by keyboard, and wait for its score and for the picture that it uncovers."""
    page.locator(".rnnviz-bet button:enabled", has_text=answer).press("Enter")
    page.get_by_text(re.compile(r"(\d+) of \1 bets right so far")).wait_for()
    wait_for_pictures(page, f"!{IS_COVERED}")


def test_a_bet_covers_the_gradient_and_then_shows_it(bettor):
    page, covered = bettor.page, bettor.shown()
    assert COVERED in covered["alts"][1]
    assert covered["words"] == []
    page.get_by_role("button", name="Save this picture as PNG").first.press("Enter")
    page.get_by_text("Place your bet first").wait_for()
    bet(page, "fades")
    shown = bettor.shown()
    assert float(re.search(r"Xavier: (\S+) at step 0", shown["alts"][1])[1]) < 1e-5
    assert len(shown["words"]) == 2
    assert bettor.settle(), bettor.findings
    change(page, lambda: slider(page, "Gain").press("ArrowRight"), IS_COVERED)


def test_a_button_that_disables_itself_passes_the_focus_on(bettor):
    page = bettor.page
    reset = page.get_by_role("button", name="Reset")
    page.wait_for_function("node => !node.disabled", arg=reset.element_handle())
    bet(page, "fades")
    page.wait_for_function("() => document.activeElement.textContent === 'Ask again'")
    reset.press("Enter")
    page.wait_for_function("() => document.activeElement.textContent === 'More settings'")
    page.get_by_role("button", name="Pin", exact=True).press("Enter")
    page.locator("button:enabled", has_text="Unpin").press("Enter")
    page.wait_for_function("() => document.activeElement.textContent === 'More settings'")
    bettor.rest()


def test_pictures_and_data_can_be_saved(first):
    stem = "rnn-tanh-xavier-vs-uniform01-H64-T50"
    for button, name, begins in [
        ("Save this picture as PNG", f"rnnviz-state-{stem}.png", b"\x89PNG\r\n\x1a\n"),
        ("Save this picture as SVG", f"rnnviz-state-{stem}.svg", b"<?xml"),
        ("Data (CSV)", f"rnnviz-{stem}.csv", b"# rnnviz: "),
    ]:
        with first.expect_download() as waiting:
            first.get_by_role("button", name=button).first.press("Enter")
        assert waiting.value.suggested_filename == name
        content = waiting.value.path().read_bytes()
        assert content.startswith(begins), name
        if name.endswith("png"):
            assert struct.unpack(">II", content[16:24]) == (1520, 1040)
        if name.endswith("csv"):
            assert content.count(b"\n") > 2 * 8 * 51


def test_arrow_keys_read_one_step_after_the_other(first):
    visitor = Visitor(first)
    first.get_by_role("button", name="Pin", exact=True).focus()
    press_tab_until(first, "Hidden state: arrow keys")
    first.keyboard.press("Home")
    first.get_by_text("Step 0", exact=True).wait_for()
    first.keyboard.press("ArrowRight")
    first.get_by_text("Step 1", exact=True).wait_for()
    press_tab_until(first, "Gradient: arrow keys")
    first.keyboard.press("End")
    first.get_by_text("Step 50", exact=True).wait_for()
    first.keyboard.press("PageUp")  # beyond the last step there is none
    press_tab_until(first, "Step t")
    first.keyboard.press("ArrowLeft")
    first.get_by_text("Step 49", exact=True).wait_for()
    assert visitor.settle(), visitor.findings
    assert first.evaluate(f"{STAGE}.query") == "step=49"
