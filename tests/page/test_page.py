"""The real page in a real browser: what a student sees, does and is told."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import INTERRUPT, NOTEBOOKS, jupyter_port, listen, no_complaints, wait_until
from pages import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
FIRST = f"voila/render/{NAMES[0]}"
PAGES = [*NAMES, *sorted(path.relative_to(NOTEBOOKS).as_posix() for path in NOTEBOOKS.glob("[!.]*/*.ipynb"))]
PICTURES = """
() => {
  const stages = [...document.querySelectorAll(".rnnviz-stage")];
  const figures = [...document.querySelectorAll(".rnnviz-view")];
  return stages.length > 0 && figures.length > 0 && stages.every((stage) => stage.dataset.whole === "true")
    && document.querySelector(".is-loading, .rnnviz-late, .rnnviz-stale, [data-waiting]") === null
    && figures.every((figure) => {
      const img = figure.querySelector("img");
      return figure.dataset.shown === figure.dataset.wanted && img.complete && img.naturalWidth > 0;
    });
}
"""
REVISION = "() => Number(document.querySelector('.rnnviz-stage').dataset.revision)"
BOXES = """
() => [...document.querySelectorAll(".rnnviz-view img, .widget-slider, .widget-dropdown, .rnnviz-words")]
  .map((node) => node.getBoundingClientRect())
  .map((box) => [box.x, box.y, box.width])
"""


def open_notebook(page, voila, name=NAMES[0]):
    page.goto(f"{voila}voila/render/{name}")
    page.wait_for_function(PICTURES)
    return page


@pytest.fixture(scope="module")
def shared(voila, browser):
    """Open the first notebook once for all tests that leave a page as good as they found it."""
    problems = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    listen(page, problems)
    yield open_notebook(page, voila), problems
    page.goto("about:blank")
    context.close()


@pytest.fixture
def first(shared):
    """Return the first notebook's page, with its pictures; the test fails where the page complains of anything."""
    page, problems = shared
    with no_complaints(problems):
        yield page


def pictures(page):
    """Return view -> (src, alt) of the pictures shown."""
    found = page.eval_on_selector_all(
        ".rnnviz-view", "all => all.map(f => [f.dataset.view, f.querySelector('img').src, f.querySelector('img').alt])"
    )
    return {name: (src, alt) for name, src, alt in found}


def change(page, act, condition=lambda: True):
    """Do something to a control and wait for the pictures that follow it.

    More than one frame may come, and one may still be on its way from the change before: ``condition()`` is what holds
    of the one waited for.
    """
    before = page.evaluate(REVISION)
    act()
    page.wait_for_function(f"() => ({REVISION})() > {before}")
    wait_until(lambda: page.evaluate(PICTURES) and condition(), "the pictures follow")


def alts(page):
    return [alt for _, alt in pictures(page).values()]


def slider(page, name):
    return page.get_by_role("slider", name=name, exact=True)


def press(page, name, key):
    """Press a key on a slider's handle."""
    slider(page, name).focus()
    change(page, lambda: page.keyboard.press(key))


def unfold(page, wanted=True):
    """Open or close the settings that are folded away at first."""
    button = page.get_by_role("button", name="More settings")
    if ("mod-active" in button.get_attribute("class")) != wanted:
        button.press("Enter")
    slider(page, "Seed").wait_for(state="visible" if wanted else "hidden")


def test_a_key_on_a_slider_changes_pictures_and_alt_texts(voila, page):
    open_notebook(page, voila)
    before = pictures(page)
    assert set(before) == {"state", "gradient"}
    state, gradient = alts(page)
    assert re.search(r"Xavier: .*0\.4[4-8] at step 50", state)  # mean field, tanh, unit noise: q = 0.465
    assert 1e-12 < float(re.search(r"Xavier: (\S+) at step 0", gradient)[1]) < 1e-8
    press(page, "Hidden size", "ArrowRight")
    after = pictures(page)
    assert slider(page, "Hidden size").get_attribute("aria-valuetext").startswith("65")
    for view in before:
        assert before[view][0] != after[view][0]
    assert alts(page) != [state, gradient]
    press(page, "Hidden size", "ArrowLeft")
    wait_until(lambda: alts(page) == [state, gradient], "the first pictures are back")


def test_the_sequence_length_is_told_in_both_alt_texts(first):
    before = int(float(slider(first, "Sequence length").get_attribute("aria-valuenow")))
    slider(first, "Sequence length").focus()
    told = lambda: [str(before + 1) in re.findall(r"\d+", alt) for alt in alts(first)] == [True, True]  # noqa: E731
    assert not told()
    change(first, lambda: first.keyboard.press("ArrowRight"), told)


def test_the_menu_of_schemes_redraws(first):
    before = pictures(first)
    menu = first.get_by_label("Scheme", exact=True)
    assert not any("Identity:" in alt for alt in alts(first))
    change(first, lambda: menu.select_option(label="Identity"), lambda: all("Identity:" in alt for alt in alts(first)))
    assert "Identity:" in first.locator(".rnnviz-words").inner_text()
    after = pictures(first)
    for view in before:
        assert before[view][0] != after[view][0]


def test_a_check_box_lays_a_scheme_over_the_others_and_takes_it_off(first):
    box = first.get_by_label("Orthogonal", exact=True)
    change(first, box.check, lambda: all("Orthogonal:" in alt for alt in alts(first)))
    change(first, box.uncheck, lambda: not any("Orthogonal:" in alt for alt in alts(first)))


def test_a_number_can_be_typed(voila, page):
    """The first notebook's third task asks for it."""
    readout = open_notebook(page, voila).get_by_role("textbox", name="Gain: value")
    readout.click()
    readout.press("Control+a")
    readout.press_sequentially("10")
    change(page, lambda: readout.press("Enter"))
    assert readout.inner_text().startswith("10")


def test_a_german_page_shows_and_reads_decimal_commas(voila, page):
    open_notebook(page, voila, f"{NAMES[0]}?lang=de")
    readout = page.get_by_role("textbox", name="Verstärkung: Wert")
    assert readout.inner_text() == "1,00"
    readout.click()
    readout.press("Control+a")
    readout.press_sequentially("1,8")
    change(page, lambda: readout.press("Enter"))
    wait_until(lambda: readout.inner_text() == "1,80", "the readout has its comma")
    handle = slider(page, "Verstärkung")
    assert float(handle.get_attribute("aria-valuenow")) == 1.8
    wait_until(lambda: handle.get_attribute("aria-valuetext") == "1,80", "a screen reader hears the comma")
    dashboard = page.locator(".rnnviz").first
    assert dashboard.get_attribute("lang") == "de"
    assert not re.search(r"\d\.\d", dashboard.inner_text())


LABELS_CUT = """
() => [...document.querySelectorAll(".rnnviz-controls > .widget-inline-hbox > .widget-label")]
  .filter((label) => label.scrollWidth > label.clientWidth)
  .map((label) => label.textContent)
"""


def test_german_labels_have_room(voila, page):
    open_notebook(page, voila, f"{NAMES[0]}?lang=de")
    assert page.evaluate(LABELS_CUT) == []
    change(page, lambda: page.set_viewport_size({"width": 390, "height": 844}))
    assert page.evaluate(LABELS_CUT) == []


def test_nothing_moves_when_pictures_change(first):
    before = first.evaluate(BOXES)
    sizes = first.eval_on_selector_all(".rnnviz-view img", "all => all.map(i => [i.width, i.height, i.naturalWidth])")
    for size in sizes:
        assert size[0] == size[2] > 0, "a picture of another width than its place"
    for name, key in [("Hidden size", "ArrowRight"), ("Sequence length", "PageUp"), ("Gain", "ArrowRight")]:
        press(first, name, key)
        assert first.evaluate(BOXES) == before


@pytest.mark.parametrize("width", [1280, 1000, 700])
def test_nothing_moves_when_a_control_comes_and_goes(voila, new_page, width):
    page = open_notebook(new_page(viewport={"width": width, "height": 900}), voila)
    places = """() => [...document.querySelectorAll(".rnnviz-stage, .rnnviz > .rnnviz-controls > *")]
      .map((node) => node.getBoundingClientRect()).filter((box) => box.width).map((box) => [box.x, box.y])"""
    page.get_by_role("button", name="Flat", exact=True).click()
    page.locator(".rnnviz-chosen", has_text="Flat").wait_for()
    before = page.evaluate(places)
    page.get_by_role("button", name="Forget bias", exact=True).click()
    slider(page, "Forget bias").wait_for()
    now = page.evaluate(places)
    assert len(now) == len(before) + 1
    assert all(place in now for place in before)


def test_a_chosen_preset_is_as_wide_as_before(voila, page):
    open_notebook(page, voila)
    widths = "() => [...document.querySelectorAll('.rnnviz-presets button')].map((each) => each.offsetWidth)"
    before = page.evaluate(widths)
    page.get_by_role("button", name="Flat", exact=True).click()
    page.locator(".rnnviz-chosen", has_text="Flat").wait_for()
    assert page.evaluate(widths) == before


def test_the_scene_that_is_shown_is_told_apart_without_eyes(voila, page):
    open_notebook(page, voila)
    pressed = page.locator(".rnnviz-scenes [aria-pressed=true]")
    for name in ("Flat", "The surprise"):
        page.get_by_role("button", name=name, exact=True).click()
        page.locator(".rnnviz-scenes [aria-pressed=true]", has_text=name).wait_for()
        assert pressed.count() == 1
    press(page, "Gain", "ArrowRight")
    pressed.wait_for(state="detached")
    assert page.locator(".rnnviz-scenes [aria-pressed=false]").count() == 6


def test_a_change_leaves_the_styles_of_the_rest_alone(first):
    # Whoever sets an element's language, even to the same, makes the browser compute the styles of all in it anew.
    first.evaluate("""() => {
      window.languages = 0;
      new MutationObserver((records) => { window.languages += records.length; })
        .observe(document.documentElement, { subtree: true, attributeFilter: ["lang"] });
    }""")
    press(first, "Hidden size", "ArrowRight")
    assert first.evaluate("window.languages") == 0


def test_the_old_picture_stays_until_the_new_one_is_there(first):
    first.evaluate("""() => {
      window.blank = 0;
      const look = () => {
        for (const img of document.querySelectorAll(".rnnviz-view img")) {
          if (!img.complete || img.naturalWidth === 0) window.blank += 1;
        }
        requestAnimationFrame(look);
      };
      look();
    }""")
    for key in ("PageUp", "ArrowRight", "ArrowRight", "PageDown"):
        press(first, "Hidden size", key)
    assert first.evaluate("window.blank") == 0


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


def test_every_control_is_reached_by_tab(first):
    unfold(first)
    tab_through(first)
    missed = first.evaluate("""() => [...document.querySelectorAll(
        "#rnnviz-notebook :is(input, select, textarea, button, summary, a[href], .noUi-handle)")]
      .filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled)
      .filter((node) => !window.visited.has(node))
      .map((node) => node.outerHTML.slice(0, 150))""")
    assert first.evaluate("window.visited.size") > 25
    assert not missed


def test_everything_that_takes_the_focus_has_a_name(first):
    unfold(first)
    session = first.context.new_cdp_session(first)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    nameless = [node["role"]["value"] for node in nodes if focusable(node) and not node["name"]["value"].strip()]
    assert sum(map(focusable, nodes)) > 25
    assert not nameless


def focusable(node):
    known = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
    return not node["ignored"] and bool(known.get("focusable")) and node["role"]["value"] != "RootWebArea"


def test_the_settings_unfold_by_keyboard(first):
    unfold(first, wanted=False)
    unfold(first)
    before = slider(first, "Seed").get_attribute("aria-valuenow")
    press(first, "Seed", "ArrowRight")
    assert float(slider(first, "Seed").get_attribute("aria-valuenow")) == float(before) + 1


def test_a_phone_shows_everything_without_scrolling_sideways(voila, new_page):
    page = open_notebook(new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2), voila)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    first_picture = page.locator(".rnnviz-view").first.bounding_box()["y"]
    others = page.get_by_role("combobox", name="Activation").bounding_box()["y"]
    assert slider(page, "Gain").bounding_box()["y"] < first_picture < others
    densities = page.eval_on_selector_all(".rnnviz-view img", "all => all.map(i => i.naturalWidth / i.width)")
    assert densities == [2, 2], "not as sharp as the screen"
    boxes = page.eval_on_selector_all(
        ".rnnviz-view img", "all => all.map(i => i.getBoundingClientRect()).map(b => [b.left, b.right, b.width])"
    )
    assert len(boxes) == 2
    for left, right, width in boxes:
        assert 0 <= left < right <= 390
        assert width > 330
    tops = page.eval_on_selector_all(".rnnviz-view img", "all => all.map(i => i.getBoundingClientRect().top)")
    assert tops[0] < tops[1], "side by side on a phone"


def test_turning_a_phone_redraws_for_its_new_width(first):
    def fits(least, most):
        shown = first.eval_on_selector_all(".rnnviz-view img", "all => all.map(i => [i.width, i.naturalWidth])")
        return all(least < width == drawn < most for width, drawn in shown)

    size = first.viewport_size
    assert fits(500, 600)  # two side by side
    change(first, lambda: first.set_viewport_size({"width": 844, "height": 390}), lambda: fits(700, 844))
    assert first.evaluate("document.documentElement.scrollWidth") <= 844
    change(first, lambda: first.set_viewport_size(size), lambda: fits(500, 600))


def luminance(page, selector, name):
    """Return the relative luminance of a computed colour."""
    colour = page.evaluate(f"getComputedStyle(document.querySelector({json.dumps(selector)})).{name}")
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_light_and_dark_are_readable_and_accessible(voila, new_page, colours):
    from axe_playwright_python.sync_playwright import Axe

    page = open_notebook(new_page(color_scheme=colours), voila)
    ground = luminance(page, "body", "backgroundColor")
    assert (ground < 0.1) == (colours == "dark")
    for selector in ("#rnnviz-notebook h1", "#rnnviz-notebook p", ".rnnviz-words li", ".widget-label", "summary"):
        ink = luminance(page, selector, "color")
        assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5, selector
    inverted = "getComputedStyle(document.querySelector('.rnnviz-view img')).filter.includes('invert')"
    assert page.evaluate(inverted) == (colours == "dark")
    unfold(page)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_every_notebook_opens_and_shows_what_it_has(voila, page, name):
    source = (NOTEBOOKS / name).read_text(encoding="utf-8")
    if "Dashboard(" in source:
        open_notebook(page, voila, name)
        for view, (_, alt) in pictures(page).items():
            assert re.search(r"\d", alt), view
    else:
        with page.expect_websocket() as socket:
            page.goto(f"{voila}voila/render/{name}")
        socket.value.wait_for_event("framereceived")  # Jupyter's server trips over a page that is left before
        page.wait_for_function("() => !document.querySelector('.is-loading')")
        assert page.locator("#rnnviz-notebook").inner_text().strip()
    assert_accessible(page)
    body = page.locator("body").inner_text()
    assert "Traceback" not in body
    assert "Error:" not in body
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.fixture
def lab(tmp_path):
    """Run JupyterLab on a copy of the first notebook, apart from this account's settings."""
    shutil.copy(NOTEBOOKS / NAMES[0], tmp_path)
    log = tmp_path / "log"
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
               "--IdentityProvider.token=secret", f"--ServerApp.root_dir={tmp_path}"]  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | own)
    try:
        port = jupyter_port(process, tmp_path / "RUNTIME", log)
        wait_until(lambda: "is running at" in log.read_text(), "JupyterLab answers", 60)
        yield f"http://127.0.0.1:{port}/lab/tree/{NAMES[0]}?token=secret"
    finally:
        process.send_signal(INTERRUPT)
        process.send_signal(INTERRUPT)
        process.wait(timeout=30)


def test_the_same_notebook_draws_in_jupyterlab(browser, lab):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})  # its console is JupyterLab's own affair
    page = context.new_page()
    page.goto(lab)
    page.get_by_role("heading", name="Find out what the first weights remember").wait_for()
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")  # cells run earlier are lost
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(PICTURES)
    before = pictures(page)
    press(page, "Hidden size", "ArrowRight")
    assert pictures(page)["gradient"][0] != before["gradient"][0]
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    page.get_by_role("button", name="Copy link").press("Enter")
    link = page.get_by_label("Link to these settings").input_value()
    assert link == f"{lab.split('/lab/')[0]}/voila/render/{NAMES[0]}?hidden_size=65"
    page.goto(link)
    page.wait_for_function(PICTURES)
    assert page.get_by_role("slider", name="Hidden size").get_attribute("aria-valuetext") == "65"
    context.close()
