"""Every notebook in a real browser, in every language, and one of them in JupyterLab."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import escape, unescape

import pytest
from browsing import (
    FIRST,
    NOTEBOOKS,
    PATIENCE,
    PICTURES,
    STAGE,
    alts,
    assert_accessible,
    change,
    open_notebook,
    pictures,
    press,
    slider,
)
from conftest import SLOW_NOTEBOOK, jupyter_port, wait_until
from nbconvert import HTMLExporter
from test_layout import check_choice_of_views, check_first_screen

pytestmark = pytest.mark.browser
PATHS = [path for path in NOTEBOOKS.rglob("*.ipynb") if path.parent.name != "reproductions"]
PAGES = sorted(path.relative_to(NOTEBOOKS).as_posix() for path in PATHS)
RACE = "06_"  # test_race_page opens it too
LESSONS = (FIRST, "02_spectrum.ipynb", "03_gates.ipynb")  # whose first screen has everything at once
LABELS_CUT = """
() => [...document.querySelectorAll(".rnnviz-controls > .widget-inline-hbox > .widget-label")]
  .filter((label) => label.scrollWidth > label.clientWidth)
  .map((label) => label.textContent)
"""


def code_of(path):
    """Return the code of a notebook, without its text, which may speak of code."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def is_slow(name):
    """Tell whether a notebook is left to the long run: one that trains for long, or another translation."""
    return name.startswith((SLOW_NOTEBOOK, RACE)) or (name.startswith("de/") and name != f"de/{FIRST}")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if is_slow(name) else ()) for name in PAGES]
)
def test_every_notebook_opens_and_shows_what_it_has(voila, request, name):
    page = request.getfixturevalue("first" if name == FIRST else "page")
    if name == FIRST:
        slider(page, "Step t").press("End")
        page.get_by_text("Step 50", exact=True).wait_for()
    elif "Dashboard(" in code_of(NOTEBOOKS / name):
        open_notebook(page, voila, name, "step=40" if name in LESSONS else "")
    if "Dashboard(" in code_of(NOTEBOOKS / name):
        for view, (_, alt) in pictures(page).items():
            assert re.search(r"\d", alt) or view == "race", view  # nothing has been trained yet
    else:
        # Some compute for half a minute, on a busy machine for minutes, before the page connects to its kernel.
        with page.expect_websocket(timeout=300_000) as socket:
            page.goto(f"{voila}voila/render/{name}", timeout=300_000)
        socket.value.wait_for_event("framereceived")  # Jupyter's server trips over a page that is left before
        page.wait_for_function("() => !document.querySelector('.is-loading')")
        assert page.locator("#rnnviz-notebook").inner_text().strip()
    assert_accessible(page)
    body = page.locator("body").inner_text()
    assert "Traceback" not in body
    assert "Error:" not in body
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    if name == f"de/{FIRST}":
        check_german(page)
    if name in LESSONS:
        check_first_screen(page)
    if name == LESSONS[2]:
        check_choice_of_views(page)


def check_german(page):
    """Check that the page writes and reads decimal commas, and that its labels have room."""
    dashboard, handle = page.locator(".rnnviz").first, slider(page, "Verstärkung")
    assert dashboard.get_attribute("lang") == "de"
    readout = page.get_by_role("textbox", name="Verstärkung: Wert")
    assert readout.inner_text() == "1,00"
    readout.click()
    readout.press("Control+a")
    readout.press_sequentially("1,8")
    change(page, lambda: readout.press("Enter"))
    wait_until(lambda: readout.inner_text() == "1,80", "the readout has its comma")
    assert float(handle.get_attribute("aria-valuenow")) == 1.8
    wait_until(lambda: handle.get_attribute("aria-valuetext") == "1,80", "a screen reader hears the comma")
    readout.click()
    readout.press("Control+a")
    readout.press_sequentially("0")
    change(page, lambda: readout.press("Tab"), f"{STAGE}.query === 'gain=0.0'")  # a number that is left is entered
    wait_until(lambda: readout.inner_text() == "0,00", "what was typed is written as all numbers are")
    assert not re.search(r"\d\.\d", dashboard.inner_text())
    assert page.evaluate(LABELS_CUT) == []
    change(page, lambda: page.set_viewport_size({"width": 390, "height": 844}))
    assert page.evaluate(LABELS_CUT) == []


@pytest.fixture
def lab(tmp_path):
    """Run JupyterLab on a copy of the first notebook, apart from this account's settings."""
    shutil.copy(NOTEBOOKS / FIRST, tmp_path)
    log = tmp_path / "log"
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
               "--IdentityProvider.token=secret", f"--ServerApp.root_dir={tmp_path}"]  # fmt: skip
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | own)
    try:
        port = jupyter_port(process, tmp_path / "RUNTIME", log)
        wait_until(lambda: "is running at" in log.read_text(), "JupyterLab answers")
        yield f"http://127.0.0.1:{port}/lab/tree/{FIRST}?token=secret"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def run_all(page, lab):
    """Open the notebook in JupyterLab and run it."""
    page.goto(lab)
    page.get_by_role("heading", name="Find out what the initial weights let through").wait_for()
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")  # cells run earlier are lost
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(PICTURES)


# Whether nothing covers an image's upper edge, where its title is.
UNCOVERED = """
(image) => {
  const { x, y, width } = image.getBoundingClientRect();
  return [0.2, 0.5, 0.8].every((part) => document.elementFromPoint(x + part * width, y + 12) === image);
}
"""


def titles_on_top(page):
    """Tell whether nothing covers the titles of the pictures, also while a mouse is over them."""
    images = page.locator(".rnnviz-view img").all()
    return all(image.hover() or image.evaluate(UNCOVERED) for image in images)


def reopened_without_kernel(page, path):
    """Save the notebook, shut its kernel down, and return the alt texts of its last pictures."""
    last = alts(page)
    page.locator(".jp-Notebook").press("Control+s")
    wait_until(lambda: escape(last[0]) in path.read_text(encoding="utf-8"), "the notebook is saved")
    page.evaluate("""async () => {
      const headers = { "X-XSRFToken": /_xsrf=([^;]*)/.exec(document.cookie)[1] };
      for (const { id } of await (await fetch("/api/sessions")).json())
        await fetch(`/api/sessions/${id}`, { method: "DELETE", headers });
    }""")
    return last


@pytest.mark.slow
def test_the_same_notebook_draws_in_jupyterlab_and_keeps_its_last_pictures(browser, lab, tmp_path):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})  # its console is JupyterLab's own affair
    page = context.new_page()
    page.set_default_timeout(1e3 * PATIENCE)
    run_all(page, lab)
    before = pictures(page)
    press(page, "Gain", "ArrowRight")
    assert pictures(page)["gradient"][0] != before["gradient"][0]
    assert not page.locator(".rnnviz-copy").is_visible()
    assert titles_on_top(page)
    set_up = page.locator(".jp-RenderedMarkdown a", has_text="Set this up").first
    change(page, set_up.click, f"{STAGE}.query.startsWith('inputs=none')")
    last = reopened_without_kernel(page, tmp_path / FIRST)
    page.goto(lab)
    page.locator(".rnnviz-copy").wait_for()
    assert page.eval_on_selector_all(".rnnviz-copy img", "all => all.map((image) => image.alt)") == last
    page.get_by_text("model not found").wait_for(state="hidden")
    assert page.locator(".rnnviz-copy p").count() == 3  # what to do, and a verdict on each scheme
    exported, _ = HTMLExporter(template_name="lab").from_filename(tmp_path / FIRST)
    assert all(alt in unescape(exported) for alt in last)
    assert "Run this cell to get the controls." in exported
    run_all(page, lab)
    press(page, "Gain", "ArrowRight")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    page.get_by_role("button", name="Copy link").press("Enter")
    link = page.get_by_label("Link to these settings").input_value()
    assert link == f"{lab.split('/lab/')[0]}/voila/render/{FIRST}?gain=1.01"
    page.goto(link)
    page.wait_for_function(PICTURES)
    assert slider(page, "Gain").get_attribute("aria-valuetext") == "1.01"
    context.close()
