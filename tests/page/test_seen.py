"""What a reader sees, measured on the pixels and computed styles of the real page."""

import base64
import io
import json
import sys
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest
from conftest import NOTEBOOKS, listen, no_complaints, start_server
from PIL import Image, ImageColor
from test_page import PICTURES
from visitor import visit

from rnnviz.views.lines import OVERLAYS, STYLES

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FIRST = min(NOTEBOOKS.glob("*.ipynb"))
DEMO = [sys.executable, "-m", "rnnviz"]
VIEWS = ("state", "gradient")
LAST, LIMIT = 70, 80  # the steps, and where their axis ends
QUERY = f"seq_len={LAST}&inputs=text"
PAGES = {
    "desk": ("", 1280, {}),
    "phone": ("", 390, {"device_scale_factor": 2, "has_touch": True, "is_mobile": True}),
    "projector": ("&present=1&hide=gain,cell", 1280, {}),
    "wide": ("", 2400, {}),
}
# As wide as JupyterLab gives it.
WIDE = "addEventListener('DOMContentLoaded', () => document.body.style.setProperty('--rnnviz-width', '2300px'))"
OPACITIES = """
async () => Promise.all([...document.querySelectorAll(".rnnviz-view img")].map(async (img) => {
  await Promise.all(img.getAnimations().map((each) => each.finished));
  return Number(getComputedStyle(img).opacity);
}))
"""
# Labels that are wider than their room, or before which something else stands where their mark would.
CROWDED = """
(labels) => labels.filter((label) => {
  label.scrollIntoView({ block: "center" });
  const { left, top, height } = label.getBoundingClientRect();
  const beside = document.elementFromPoint(left - 8, top + height / 2);
  const other = beside?.closest(".widget-inline-hbox") ?? label.parentElement;
  return label.scrollWidth > label.clientWidth || left < 12 || other !== label.parentElement;
}).map((label) => label.textContent)
"""
READS = "t => Math.abs(document.querySelector('.rnnviz-moment p').textContent.match(/^Step ([0-9]+)$/)?.[1] - t) <= 1"


@pytest.fixture(scope="module")
def pages(voila, browser):
    """Open each of PAGES once, when it is asked for."""
    problems, contexts = [], []

    @cache
    def opened(name):
        query, width, options = PAGES[name]
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        listen(page, problems)
        if name == "wide":
            page.add_init_script(WIDE)
        return visit(page, voila, FIRST, QUERY + query)

    yield opened, problems
    for context in contexts:
        context.pages[0].goto("about:blank")
        context.close()


@pytest.fixture
def opened(pages):
    """Return a function that shows one of PAGES; the test fails where a page complains of anything."""
    show, problems = pages
    with no_complaints(problems):
        yield show


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def drawn(page, view):
    """Return the pixels of a view's picture as it came."""
    address = page.locator(f"[data-view={view}] img").get_attribute("src")
    return pixels(base64.b64decode(address.partition(",")[2]))


def of_colour(picture, colour):
    return (picture == ImageColor.getrgb(colour)).all(axis=2)


def runs(marked):
    """Return where the runs of True begin and end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked, [0]])))
    return edges[::2], edges[1::2]


def axes_of(page, view):
    """Find a picture's axes in its pixels: the ticks' x and the frame's top and bottom on screen, the digits' height.

    The longest dark row is the horizontal axis; below it are its ticks, from step 0 to LIMIT, and their digits.
    """
    img = page.locator(f"[data-view={view}] img")
    img.scroll_into_view_if_needed()
    box, dark = img.bounding_box(), drawn(page, view).mean(axis=2) < 140
    scale = box["width"] / dark.shape[1]
    bottom = np.argmax(dark.sum(axis=1))
    begins, ends = runs(dark[bottom + round(3 / scale)])
    top = bottom - np.argmin(dark[bottom::-1, (begins[0] + ends[0]) // 2]) + 1
    (_, above, *_), (_, below, *_) = runs(dark[bottom:].any(axis=1))
    frame = box["y"] + scale * top, box["y"] + scale * (bottom + 1)
    return box["x"] + scale * (begins + ends) / 2, frame, scale * (below - above)


def x_of(step, ticks):
    return np.interp(step, np.linspace(0, LIMIT, len(ticks)), ticks)


def test_the_verdict_is_a_polite_live_region_that_tells_each_change(opened):
    page = opened("desk").page
    verdict = page.query_selector(".rnnviz-words")
    assert verdict.get_attribute("aria-live") == "polite"
    before = verdict.inner_text()
    page.get_by_role("slider", name="Gain", exact=True).press("PageUp")
    page.wait_for_function("([node, before]) => node.innerText !== before", arg=[verdict, before], timeout=5e3)
    assert verdict.is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_the_cursor_stands_at_the_step_that_is_told(opened, name):
    page = opened(name).page
    opened(name).rest()
    for key, step in (("ArrowRight", 1), ("End", LAST), ("ArrowLeft", LAST - 1), ("Home", 0)):
        page.get_by_label("Step t").press(key)
        page.get_by_text(f"Step {step}", exact=True).wait_for(timeout=5e3)
        for view in VIEWS:
            ticks, frame, _ = axes_of(page, view)
            cursor = page.locator(f"[data-view={view}] .rnnviz-cursor")
            assert cursor.is_visible()
            box = cursor.bounding_box()
            assert box["x"] + box["width"] / 2 == pytest.approx(x_of(step, ticks), abs=2)
            assert [box["y"], box["y"] + box["height"]] == pytest.approx(frame, abs=2)


def points(page):
    """Yield points of both pictures, each with the step that a reader points at there."""
    for view in VIEWS:
        for step in (LAST // 5, LAST // 2, LIMIT - 2):
            ticks, frame, _ = axes_of(page, view)
            yield x_of(step, ticks), sum(frame) / 2, min(step, LAST)


def test_pointing_at_a_picture_reads_its_step(opened):
    page = opened("desk").page
    for x, y, step in points(page):
        page.mouse.move(x, y)
        page.wait_for_function(READS, arg=step, timeout=5e3)


def test_a_tap_on_a_phone_reads_its_step(opened):
    page = opened("phone").page
    for x, y, step in points(page):
        page.touchscreen.tap(x, y)
        page.wait_for_function(READS, arg=step, timeout=5e3)


def test_pictures_of_other_settings_are_dimmed_and_come_back(opened):
    page = opened("desk").page
    more, field = page.get_by_role("button", name="More settings"), page.get_by_label("Text", exact=True)
    more.press("Enter")
    text = field.input_value()
    assert page.evaluate(OPACITIES) == [1, 1]
    field.fill("a")
    field.press("Tab")
    page.wait_for_selector(".rnnviz-stage.rnnviz-stale")
    assert max(page.evaluate(OPACITIES)) < 0.6
    assert page.locator(".rnnviz-message[role=alert]").inner_text()
    field.fill(text)
    field.press("Tab")
    page.locator(".rnnviz-message").wait_for(state="hidden")
    opened("desk").rest()
    assert page.evaluate(OPACITIES) == [1, 1]
    more.press("Enter")
    field.wait_for(state="hidden")


def test_a_link_hides_the_controls_that_it_names_and_no_other(opened):
    labels = ".rnnviz .widget-label:visible"
    shown = {name: opened(name).page.locator(labels).all_inner_texts() for name in ("desk", "projector")}
    assert {"Gain", "Cell", "Scheme", "Hidden size"} <= set(shown["desk"])
    assert shown["projector"] == [label for label in shown["desk"] if label not in ("Gain", "Cell")]
    for role, name in (("slider", "Gain"), ("combobox", "Cell")):
        assert opened("desk").page.get_by_role(role, name=name, exact=True).count() == 1
        assert opened("projector").page.get_by_role(role, name=name, exact=True).count() == 0


def test_a_projector_gets_larger_letters_beside_and_in_the_pictures(opened):
    def sizes(page):
        kinds = (".widget-label", ".rnnviz-words li", ".rnnviz-moment p", ".widget-dropdown select")
        size = "node => parseFloat(getComputedStyle(node).fontSize)"
        letters = [page.locator(f".rnnviz {kind}").first.evaluate(size) for kind in kinds]
        return np.array([*letters, *(axes_of(page, view)[2] for view in VIEWS)])

    growth = sizes(opened("projector").page) / sizes(opened("desk").page)
    assert growth.min() > 1.15, growth


def test_a_changed_control_is_told_apart_without_colour(opened):
    page = opened("desk").page
    marks = "all => all.map((node) => [node.textContent, getComputedStyle(node, '::before').content])"
    found = dict(page.locator(".rnnviz-controls > .widget-inline-hbox > .widget-label").evaluate_all(marks))
    assert found["Sequence length"] == found["Input"] == '" •"'
    assert found["Scheme"] == found["Hidden size"] == "none"


@pytest.mark.parametrize("name", ["desk", "phone", "projector"])
def test_the_mark_of_a_changed_control_has_room_beside_its_label(opened, name):
    labels = opened(name).page.locator(".rnnviz .widget-inline-hbox > .widget-label:visible")
    assert labels.count() > 5
    assert labels.evaluate_all(CROWDED) == []


def test_a_pin_is_grey_and_named_in_alt_text_and_legend(opened):
    page, grey = opened("desk").page, OVERLAYS["pinned"]["color"]
    before = {view: of_colour(drawn(page, view), grey).sum() for view in VIEWS}
    page.get_by_role("button", name="Pin", exact=True).press("Enter")
    page.get_by_role("slider", name="Gain", exact=True).press("PageUp")
    page.wait_for_function("() => document.querySelectorAll('.rnnviz-view img[alt*=\"pinned: Xavier\"]').length === 2")
    opened("desk").rest()
    for view in VIEWS:
        assert of_colour(drawn(page, view), grey).sum() > before[view] + 50
        with page.expect_download() as waiting:
            page.locator(f"[data-view={view}]").get_by_text("SVG").press("Enter")
        texts = ElementTree.parse(waiting.value.path()).iter("{http://www.w3.org/2000/svg}text")
        assert any("".join(text.itertext()).startswith("pinned: Xavier") for text in texts)


def assert_lost(page, words):
    alert = page.get_by_role("alert").filter(has_text=words)
    alert.wait_for(timeout=10e3)
    assert alert.get_by_role("button", name="Reload with these settings").is_visible()


def test_a_page_whose_server_has_ended_says_so(new_page, tmp_path, problems):
    running, page = start_server(DEMO, tmp_path / "log"), new_page()
    visit(page, running.url, FIRST)
    running.stop()
    assert_lost(page, "The server behind this page cannot be reached")
    assert not any(problem.startswith("uncaught") for problem in problems), problems
    problems.clear()  # the browser's own words for what was done here


@pytest.fixture
def open_with_kernel(new_page, monkeypatch, tmp_path, problems):
    """Return a function that opens a page of a server of its own, whose kernels run some code instead of theirs."""
    servers, page = [], new_page()

    def open_page(code, *arguments):
        spec = {"argv": [sys.executable, "-c", code, *arguments], "display_name": "Python 3", "language": "python"}
        folder = tmp_path / "kernels" / "python3"
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        servers.append(start_server(DEMO, tmp_path / "log"))
        page.clock.install()
        page.goto(f"{servers[0].url}voila/render/{FIRST.name}", wait_until="commit")
        page.wait_for_selector("#rnnviz-notebook", state="attached")
        assert page.get_by_text("Starting the kernel …").is_visible()
        return page, servers[0]

    yield open_page
    page.goto("about:blank")
    for server in servers:
        server.stop()
    problems.clear()  # the browser's own words for what was done here


def test_a_page_whose_kernel_dies_at_its_start_says_so(open_with_kernel):
    page, _ = open_with_kernel("")
    page.clock.fast_forward(20_000)
    assert_lost(page, "The kernel behind this page has not started")
    assert page.get_by_text("Starting the kernel …").is_hidden()


def test_a_page_that_breaks_off_before_its_kernel_says_so(open_with_kernel):
    page, server = open_with_kernel("import time; time.sleep(60)")
    server.stop()
    page.clock.fast_forward(20_000)
    assert_lost(page, "The kernel behind this page has not started")


def test_a_kernel_that_was_only_slow_takes_the_notice_back(open_with_kernel):
    slow = "import sys, time; time.sleep(5); from ipykernel import kernelapp; kernelapp.launch_new_instance()"
    page, _ = open_with_kernel(slow, "-f", "{connection_file}")
    page.clock.fast_forward(20_000)
    assert_lost(page, "The kernel behind this page has not started")
    page.clock.resume()
    page.wait_for_function(PICTURES, timeout=60_000)
    assert page.get_by_text("has not started").is_hidden()
    assert page.locator(".is-loading").count() == 0


def luminance(colour):
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.asarray(colour) / 255]
    return np.dot((0.2126, 0.7152, 0.0722), channels)


def most_frequent(colours):
    found, counts = np.unique(colours.reshape(-1, 3), axis=0, return_counts=True)
    return found[counts.argmax()]


def test_every_curve_stands_out_from_a_dark_page(voila, new_page):
    page = new_page(color_scheme="dark", device_scale_factor=2)
    visit(page, voila, FIRST, "beside=uniform01,he,orthogonal,identity,small_normal&pin=gain%3D2")
    picture, img = drawn(page, "state"), page.locator("[data-view=state] img")
    img.scroll_into_view_if_needed()
    x, y = (round(2 * img.bounding_box()[side]) for side in "xy")
    seen = pixels(page.screenshot())[y : y + picture.shape[0], x : x + picture.shape[1]]
    ground = luminance(most_frequent(seen))
    assert ground < 0.05
    for style in (*STYLES, OVERLAYS["pinned"]):
        curve = of_colour(picture, style["color"])
        assert curve.sum() > 30, style
        ink = most_frequent(seen[curve])
        assert (seen[curve] == ink).all(axis=1).mean() > 0.5, style
        assert (luminance(ink) + 0.05) / (ground + 0.05) >= 3, (style, ink)
