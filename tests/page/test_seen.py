"""What a reader sees, measured on the pixels and computed styles of the real page."""

import base64
import io
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pytest
from browsing import DESK, FIRST, change, every_alt, press, set_up, slider
from PIL import Image, ImageColor
from test_layout import SEEN, assert_inside, boxes
from visitor import Visitor, visit

from rnnviz.views.styles import OVERLAYS, STYLES

pytestmark = pytest.mark.browser
VIEWS = ("state", "gradient")
LAST, LIMIT = 70, 80  # the steps, and where their axis ends
QUERY = f"seq_len={LAST}&inputs=text"
PAGES = {
    "desk": ("", {}),
    "phone": ("", {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True,
                   "is_mobile": True}),
    "projector": ("&present=1&hide=gain,cell", {}),
}  # fmt: skip
OPACITIES = """
async () => Promise.all([...document.querySelectorAll(".rnnviz-view img")].map(async (img) => {
  await Promise.all(img.getAnimations().map((each) => each.finished));
  return Number(getComputedStyle(img).opacity);
}))
"""
# Labels that are cut off, or that have something else in the place of their mark.
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
def visitors(shared, voila):
    """Return a function that opens each of PAGES once, when it is first asked for."""

    @cache
    def open_page(name):
        query, options = PAGES[name]
        return visit(shared.open(**options), voila, FIRST, QUERY + query)

    return open_page


@pytest.fixture
def opened(visitors, quiet):
    """Return the function that shows one of PAGES; the test fails if a page complains."""
    return visitors


@pytest.fixture
def desk(opened):
    """Return the desktop's page."""
    return opened("desk").page


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def drawn(page, view):
    """Return the pixels of a view's picture as the kernel sent it."""
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
    box, dark = img.bounding_box(), drawn(page, view).mean(axis=2) < 180
    scale = box["width"] / dark.shape[1]
    bottom = np.argmax([max(np.subtract(*runs(row)[::-1]), default=0) for row in dark])
    axis = runs(dark[bottom])[0][np.argmax(np.subtract(*runs(dark[bottom])[::-1]))]
    ticks = [tick for tick in zip(*runs(dark[bottom + round(3 / scale)]), strict=True) if tick[0] >= axis - 2]
    begins, ends = np.transpose(ticks)  # without the lowest number of the vertical axis
    top = bottom - np.argmin(dark[bottom::-1, (begins[0] + ends[0]) // 2]) + 1
    (_, above, *_), (_, below, *_) = runs(dark[bottom:].any(axis=1))
    frame = box["y"] + scale * top, box["y"] + scale * (bottom + 1)
    return box["x"] + scale * (begins + ends) / 2, frame, scale * (below - above)


def x_of(step, ticks):
    return np.interp(step, np.linspace(0, LIMIT, len(ticks)), ticks)


def test_the_verdict_is_a_polite_live_region_that_follows_each_change(desk):
    verdict = desk.query_selector(".rnnviz-words")
    assert verdict.get_attribute("aria-live") == "polite"
    before = verdict.inner_text()
    slider(desk, "Gain").press("PageUp")
    desk.wait_for_function("([node, before]) => node.innerText !== before", arg=[verdict, before])
    assert verdict.is_visible()


def check_cursor(page, name):
    """Check that the cursor of both pictures stands at the step that is read, within the axes."""
    for key, step in (("ArrowRight", 1), ("End", LAST), ("ArrowLeft", LAST - 1), ("Home", 0)):
        page.get_by_role("slider", name="Step t").press(key)
        page.get_by_text(f"Step {step}", exact=True).wait_for()
        for view in VIEWS:
            ticks, frame, _ = axes_of(page, view)
            cursor = page.locator(f"[data-view={view}] .rnnviz-cursor")
            assert cursor.is_visible(), name
            box = cursor.bounding_box()
            assert box["x"] + box["width"] / 2 == pytest.approx(x_of(step, ticks), abs=2), name
            assert [box["y"], box["y"] + box["height"]] == pytest.approx(frame, abs=2), name


@pytest.mark.slow
def test_the_cursor_stands_at_the_step_that_is_read(opened):
    for name in PAGES:
        opened(name).rest()
        check_cursor(opened(name).page, name)


def test_the_cursor_stands_there_on_a_page_as_wide_as_jupyterlabs(desk):
    change(desk, lambda: widen(desk, {"width": 2400, "height": 900}, "2300px"))
    check_cursor(desk, "wide")
    change(desk, lambda: widen(desk, DESK, ""))


def widen(page, viewport, width):
    page.set_viewport_size(viewport)
    page.evaluate("width => document.body.style.setProperty('--rnnviz-width', width)", width)


def points(page):
    """Yield points in both pictures, each with the step that a reader points at there."""
    for view in VIEWS:
        for step in (LAST // 5, LAST // 2, LIMIT - 2):
            ticks, frame, _ = axes_of(page, view)
            yield x_of(step, ticks), sum(frame) / 2, min(step, LAST)


def test_pointing_at_a_picture_or_tapping_it_reads_its_step(opened):
    desk, phone = opened("desk").page, opened("phone").page
    for page, point in ((desk, desk.mouse.move), (phone, phone.touchscreen.tap)):
        for x, y, step in points(page):
            point(x, y)
            page.wait_for_function(READS, arg=step)


def test_a_phone_shows_everything_without_scrolling_sideways(opened):
    page = opened("phone").page
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert slider(page, "Gain").bounding_box()["y"] < page.locator(".rnnviz-view").first.bounding_box()["y"]
    densities = page.eval_on_selector_all(".rnnviz-view img", "all => all.map(i => i.naturalWidth / i.width)")
    assert densities == [2, 2], "not as sharp as the screen"
    boxes = page.eval_on_selector_all(
        ".rnnviz-view img", "all => all.map(i => i.getBoundingClientRect()).map(b => [b.left, b.right, b.width, b.top])"
    )
    assert len(boxes) == 2
    for left, right, width, _ in boxes:
        assert 0 <= left < right <= 390
        assert width > 330
    assert boxes[0][3] < boxes[1][3], "side by side on a phone"


def test_a_phone_shows_the_question_its_control_both_pictures_and_verdicts(opened):
    page = opened("phone").page
    page.evaluate("scrollTo(0, 0)")
    assert_inside(page, ".rnnviz-look", ".rnnviz-early", SEEN, ".rnnviz-verdict")
    assert page.locator(".rnnviz-controls .widget-label:visible").all_inner_texts() == ["Gain"]
    page.get_by_role("button", name="Controls").press("Enter")
    page.get_by_label("Scheme", exact=True).wait_for(state="visible")
    page.get_by_role("button", name="Controls").press("Enter")
    page.get_by_label("Scheme", exact=True).wait_for(state="hidden")
    readout = page.locator(".rnnviz-moment")
    words, (left, top, right, bottom) = boxes(page, ".rnnviz-words li"), boxes(page, SEEN)[-1]
    page.mouse.move((left + right) / 2, (top + bottom) / 2)
    page.wait_for_function("() => document.querySelector('.rnnviz-moment').offsetHeight > 0")
    assert readout.bounding_box()["y"] - bottom < 60, "the numbers are far from the picture"
    assert boxes(page, ".rnnviz-words li") == words, "the numbers have moved the sentences"
    readout.click()
    readout.wait_for(state="hidden")


def test_pictures_of_other_settings_are_dimmed_and_come_back(opened, desk):
    more, field = desk.get_by_role("button", name="More settings"), desk.get_by_label("Text", exact=True)
    more.press("Enter")
    text = field.input_value()
    assert desk.evaluate(OPACITIES) == [1, 1]
    field.fill("a")
    field.press("Tab")
    desk.wait_for_selector(".rnnviz-stage.rnnviz-stale")
    assert max(desk.evaluate(OPACITIES)) < 0.6
    assert desk.locator(".rnnviz-message[role=alert]").inner_text()
    field.fill(text)
    field.press("Tab")
    desk.locator(".rnnviz-message").wait_for(state="hidden")
    opened("desk").rest()
    assert desk.evaluate(OPACITIES) == [1, 1]
    more.press("Enter")
    field.wait_for(state="hidden")


def test_a_link_hides_only_the_controls_that_it_names(opened):
    labels = ".rnnviz-controls .widget-label:visible"
    drawer = opened("projector").page.get_by_role("button", name="Controls")
    drawer.press("Enter")
    opened("projector").page.get_by_label("Scheme", exact=True).wait_for(state="visible")
    shown = {name: opened(name).page.locator(labels).all_inner_texts() for name in ("desk", "projector")}
    assert {"Gain", "Cell", "Scheme", "Hidden size"} <= set(shown["desk"])
    assert shown["projector"] == [label for label in shown["desk"] if label not in ("Gain", "Cell")]
    for role, name in (("slider", "Gain"), ("combobox", "Cell")):
        assert opened("desk").page.get_by_role(role, name=name, exact=True).count() == 1
        assert opened("projector").page.get_by_role(role, name=name, exact=True).count() == 0
    drawer.press("Enter")
    opened("projector").page.get_by_label("Scheme", exact=True).wait_for(state="hidden")
    opened("projector").rest()


def test_a_projector_gets_larger_letters_beside_and_in_the_pictures(opened):
    def sizes(page):
        kinds = (".widget-label", ".rnnviz-words li", ".rnnviz-moment p", ".widget-dropdown select")
        size = "node => parseFloat(getComputedStyle(node).fontSize)"
        letters = [page.locator(f".rnnviz {kind}").first.evaluate(size) for kind in kinds]
        return np.array([*letters, *(axes_of(page, view)[2] for view in VIEWS)])

    growth = sizes(opened("projector").page) / sizes(opened("desk").page)
    assert growth.min() > 1.15, growth


def test_a_changed_control_has_a_mark_that_needs_no_colour_and_has_room(opened, desk):
    marks = "all => all.map((node) => [node.textContent, getComputedStyle(node, '::before').content])"
    labels = desk.locator(".rnnviz-controls > .widget-inline-hbox > .widget-label")
    change(desk, lambda: slider(desk, "Sequence length").press("ArrowLeft"))
    found = dict(labels.evaluate_all(marks))
    change(desk, lambda: slider(desk, "Sequence length").press("ArrowRight"))
    assert found["Sequence length"] == '" •"'
    assert found["Scheme"] == found["Hidden size"] == found["Input"] == "none"
    for name in PAGES:
        labels = opened(name).page.locator(".rnnviz .widget-inline-hbox > .widget-label:visible")
        assert labels.count() > 5 or name != "desk"
        assert labels.evaluate_all(CROWDED) == [], name


def test_a_pin_is_grey_and_named_in_alt_text_and_legend(opened, desk):
    grey = OVERLAYS["pinned"]["color"]
    before = {view: of_colour(drawn(desk, view), grey).sum() for view in VIEWS}
    desk.get_by_role("button", name="Pin", exact=True).press("Enter")
    slider(desk, "Gain").press("PageUp")
    desk.wait_for_function("() => document.querySelectorAll('.rnnviz-view img[alt*=\"pinned: Xavier\"]').length === 2")
    opened("desk").rest()
    for view in VIEWS:
        assert of_colour(drawn(desk, view), grey).sum() > before[view] + 50
        with desk.expect_download() as waiting:
            desk.locator(f"[data-view={view}]").get_by_text("SVG").press("Enter")
        texts = ElementTree.parse(waiting.value.path()).iter("{http://www.w3.org/2000/svg}text")
        assert any("".join(text.itertext()).startswith("pinned: Xavier") for text in texts)


def luminance(colour):
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.asarray(colour) / 255]
    return np.dot((0.2126, 0.7152, 0.0722), channels)


def most_frequent(colours):
    found, counts = np.unique(colours.reshape(-1, 3), axis=0, return_counts=True)
    return found[counts.argmax()]


def test_every_curve_stands_out_from_a_dark_page(first):
    first.emulate_media(color_scheme="dark")
    set_up(first, "beside=uniform01,he,orthogonal,identity,small_normal")
    first.get_by_role("button", name="Pin", exact=True).press("Enter")
    press(first, "Gain", "PageUp", every_alt("pinned: Xavier"))
    Visitor(first).rest()
    picture, img = drawn(first, "state"), first.locator("[data-view=state] img")
    img.scroll_into_view_if_needed()
    x, y = (round(img.bounding_box()[side]) for side in "xy")
    seen = pixels(first.screenshot())[y : y + picture.shape[0], x : x + picture.shape[1]]
    ground = luminance(most_frequent(seen))
    assert ground < 0.05
    for style in (*STYLES, OVERLAYS["pinned"]):
        curve = of_colour(picture, style["color"])
        assert curve.sum() > 30, style
        ink = most_frequent(seen[curve])
        assert (seen[curve] == ink).all(axis=1).mean() > 0.5, style
        assert (luminance(ink) + 0.05) / (ground + 0.05) >= 3, (style, ink)
