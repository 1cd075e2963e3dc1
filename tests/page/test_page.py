"""The first notebook's page in a real browser: what a student sees and does."""

import json
import re

import pytest
from browsing import (
    STAGE,
    alts,
    assert_accessible,
    change,
    every_alt,
    no_alt,
    pictures,
    press,
    slider,
    unfold,
    wait_for_pictures,
)
from conftest import wait_until

pytestmark = pytest.mark.browser
BOXES = """
() => [...document.querySelectorAll(".rnnviz-view img, .widget-slider, .widget-dropdown, .rnnviz-words")]
  .map((node) => node.getBoundingClientRect())
  .map((box) => [box.x, box.y, box.width])
"""
PLACES = """
() => [...document.querySelectorAll(".rnnviz-stage, .rnnviz-column > .rnnviz-controls > *")]
  .map((node) => node.getBoundingClientRect()).filter((box) => box.width).map((box) => [box.x, box.y])
"""
# Counts `lang` attributes that are set, even to the same value, and animation frames with an undecoded picture.
WATCH = """
() => {
  const watched = (window.watched = { languages: 0, blank: 0, frames: 0 });
  new MutationObserver((records) => { watched.languages += records.length; })
    .observe(document.documentElement, { subtree: true, attributeFilter: ["lang"] });
  const look = () => {
    watched.frames += 1;
    for (const img of document.querySelectorAll(".rnnviz-view img")) {
      if (!img.complete || img.naturalWidth === 0) watched.blank += 1;
    }
    if (window.watched === watched) requestAnimationFrame(look);
  };
  look();
}
"""


def test_a_key_on_a_slider_changes_pictures_and_alt_texts(first):
    before = pictures(first)
    assert set(before) == {"state", "gradient"}
    state, gradient = alts(first)
    assert re.search(r"Xavier: .*0\.4[4-8] at step 50", state)  # mean field, tanh, unit noise: q = 0.465
    assert 1e-12 < float(re.search(r"Xavier: (\S+) at step 0", gradient)[1]) < 1e-8
    press(first, "Hidden size", "ArrowRight")
    after = pictures(first)
    assert slider(first, "Hidden size").get_attribute("aria-valuetext").startswith("65")
    for view in before:
        assert before[view][0] != after[view][0]
    assert alts(first) != [state, gradient]
    press(first, "Hidden size", "ArrowLeft")
    wait_until(lambda: alts(first) == [state, gradient], "the first pictures are back")


def test_both_alt_texts_mention_the_sequence_length(first):
    assert not any("51" in re.findall(r"\d+", alt) for alt in alts(first))
    press(first, "Sequence length", "ArrowRight")
    wait_until(lambda: all("51" in re.findall(r"\d+", alt) for alt in alts(first)), "both alt texts have 51 steps")


def test_the_scheme_menu_redraws(first):
    before = pictures(first)
    assert not any("Identity:" in alt for alt in alts(first))
    menu = first.get_by_label("Scheme", exact=True)
    change(first, lambda: menu.select_option(label="Identity"), every_alt("Identity:"))
    assert "Identity:" in first.locator(".rnnviz-words").inner_text()
    after = pictures(first)
    for view in before:
        assert before[view][0] != after[view][0]


def test_a_checkbox_adds_a_scheme_and_removes_it(first):
    first.get_by_role("button", name="+ add").press("Enter")
    box = first.get_by_label("Orthogonal", exact=True)
    change(first, box.check, every_alt("Orthogonal:"))
    change(first, box.uncheck, no_alt("Orthogonal:"))
    first.get_by_role("button", name="+ add").press("Enter")
    box.wait_for(state="hidden")


def test_one_key_makes_text_as_large_as_noise(first):
    menu, box = first.get_by_label("Input", exact=True), first.get_by_label("As large as noise")
    assert not box.is_visible()
    before = first.evaluate("document.querySelector('.rnnviz-stage').getBoundingClientRect().y")
    change(first, lambda: menu.select_option(label="Text (one-hot)"))
    unfold(first)
    assert "1/47" in first.locator(".rnnviz-notes").inner_text()
    change(first, lambda: box.press("Space"), f"{STAGE}.query.includes('input_scale=6.855654600401044')")
    assert box.is_checked()
    assert "as large as noise" in first.locator(".rnnviz-notes").inner_text()
    assert first.evaluate("document.querySelector('.rnnviz-stage').getBoundingClientRect().y") == before
    assert first.get_by_role("textbox", name="Input scale: value").inner_text() == "6.86"


def test_a_number_can_be_typed(first):
    """The first notebook's third task needs this."""
    readout = first.get_by_role("textbox", name="Gain: value")
    readout.click()
    readout.press("Control+a")
    readout.press_sequentially("10")
    change(first, lambda: readout.press("Enter"))
    assert readout.inner_text().startswith("10")


def test_nothing_moves_or_blinks_when_pictures_change(first):
    before = first.evaluate(BOXES)
    sizes = first.eval_on_selector_all(".rnnviz-view img", "all => all.map(i => [i.width, i.height, i.naturalWidth])")
    for size in sizes:
        assert size[0] == size[2] > 0, "a picture of another width than its place"
    first.evaluate(WATCH)
    keys = [("Hidden size", "PageUp"), ("Hidden size", "ArrowRight"), ("Sequence length", "PageUp")]
    for name, key in [*keys, ("Gain", "ArrowRight"), ("Hidden size", "PageDown")]:
        press(first, name, key)
        assert first.evaluate(BOXES) == before, (name, key)
    watched = first.evaluate("window.watched")
    assert watched["blank"] == 0
    assert watched["frames"] > 5
    # Setting an element's language, even to the same value, recomputes the styles of everything in it.
    assert watched["languages"] == 0


def drawn_width(least, most):
    """Return a JavaScript condition: the pictures are drawn for their width, which lies between two bounds."""
    return f"""[...document.querySelectorAll(".rnnviz-view img")]
      .every((img) => {least} < img.width && Math.abs(img.width - img.naturalWidth) <= 1 && img.width < {most})"""


def choose(page, name):
    page.get_by_role("button", name=name, exact=True).click()
    page.locator(".rnnviz-scenes [aria-pressed=true]", has_text=name).wait_for()


def test_a_chosen_scene_is_marked_as_pressed_and_not_wider(first):
    widths = "() => [...document.querySelectorAll('.rnnviz-scenes button')].map((each) => each.offsetWidth)"
    before, pressed = first.evaluate(widths), first.locator(".rnnviz-scenes [aria-pressed=true]")
    for name in ("Flat", "The surprise"):
        choose(first, name)
        assert pressed.count() == 1
        assert first.evaluate(widths) == before
    press(first, "Gain", "ArrowRight")
    pressed.wait_for(state="detached")
    assert first.locator(".rnnviz-scenes [aria-pressed=false]").count() == 7


def test_nothing_moves_when_a_control_comes_and_goes(first):
    for width in (1280, 1000):
        first.set_viewport_size({"width": width, "height": 900})
        choose(first, "Fades")
        slider(first, "Forget bias").wait_for(state="hidden")
        wait_for_pictures(first, drawn_width(0, width))
        before = first.evaluate(PLACES)
        choose(first, "Forget bias")  # with as many schemes, and so as many sentences below the pictures
        slider(first, "Forget bias").wait_for()
        wait_for_pictures(first, drawn_width(0, width))
        now = first.evaluate(PLACES)
        assert len(now) == len(before) + 1, width
        assert [place for place in before if place not in now] == [], width


def tab_through(page, limit=120):
    """Press Tab until the focus is where it was before; keep what had it in the page's ``visited``."""
    page.evaluate("document.activeElement.blur(); window.visited = new Set()")
    for _ in range(limit):
        page.keyboard.press("Tab")
        if page.evaluate("""() => {
          const node = document.activeElement;
          const known = window.visited.has(node);
          if (node !== document.body) window.visited.add(node);
          return known;
        }"""):
            break


def focusable(node):
    known = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
    return not node["ignored"] and bool(known.get("focusable")) and node["role"]["value"] != "RootWebArea"


def test_tab_reaches_every_control_and_each_has_a_name(first):
    unfold(first)
    tab_through(first)
    missed = first.evaluate("""() => [...document.querySelectorAll(
        "#rnnviz-notebook :is(input, select, textarea, button, summary, a[href], .noUi-handle)")]
      .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled)
      .filter((node) => !window.visited.has(node))
      .map((node) => node.outerHTML.slice(0, 150))""")
    assert first.evaluate("window.visited.size") > 25
    assert not missed
    nodes = first.context.new_cdp_session(first).send("Accessibility.getFullAXTree")["nodes"]
    nameless = [node["role"]["value"] for node in nodes if focusable(node) and not node["name"]["value"].strip()]
    assert sum(map(focusable, nodes)) > 25
    assert not nameless


def test_the_settings_unfold_by_keyboard(first):
    unfold(first)
    before = slider(first, "Seed").get_attribute("aria-valuenow")
    press(first, "Seed", "ArrowRight")
    assert float(slider(first, "Seed").get_attribute("aria-valuenow")) == float(before) + 1
    unfold(first, wanted=False)


def test_a_turned_phone_gets_pictures_of_its_new_width(first):
    size = first.viewport_size
    assert first.evaluate(drawn_width(440, 470))  # two side by side
    change(first, lambda: first.set_viewport_size({"width": 844, "height": 390}), drawn_width(380, 420))
    assert first.evaluate("document.documentElement.scrollWidth") <= 844
    change(first, lambda: first.set_viewport_size(size), drawn_width(440, 470))


def luminance(page, selector, name):
    """Return the relative luminance of a computed colour."""
    colour = page.evaluate(f"getComputedStyle(document.querySelector({json.dumps(selector)})).{name}")
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def test_light_and_dark_are_readable_and_accessible(first):
    unfold(first)
    for colours in ("light", "dark"):
        first.emulate_media(color_scheme=colours)
        ground = luminance(first, "body", "backgroundColor")
        assert (ground < 0.1) == (colours == "dark"), colours
        for selector in (".rnnviz-header h1", "#rnnviz-notebook p", ".rnnviz-words li", ".widget-label", "summary"):
            ink = luminance(first, selector, "color")
            assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5, (colours, selector)
        inverted = "getComputedStyle(document.querySelector('.rnnviz-view img')).filter.includes('invert')"
        assert first.evaluate(inverted) == (colours == "dark"), colours
        assert_accessible(first, "minor", "moderate", "serious", "critical")


def test_less_motion_is_respected(first):
    for motion, seconds in (("reduce", 0.0), ("no-preference", 0.12)):
        first.emulate_media(reduced_motion=motion)
        for where, mark in ((".rnnviz-stage", "rnnviz-stale"), (".rnnviz-view", "rnnviz-late")):
            duration = first.evaluate(
                """([where, mark]) => { const node = document.querySelector(where); node.classList.add(mark);
                const found = getComputedStyle(document.querySelector(".rnnviz-view img")).transitionDuration;
                node.classList.remove(mark); return parseFloat(found); }""",
                [where, mark],
            )
            assert duration == seconds, (motion, mark)
