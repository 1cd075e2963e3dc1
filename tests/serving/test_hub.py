"""Voila as an extension of a Jupyter server below a base address, as JupyterHub and Binder run it."""

import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from conftest import NOTEBOOKS, PATIENCE, ROOT, jupyter_port, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BASE = "/user/ana/"
FIRST = sorted(NOTEBOOKS.glob("*.ipynb"))[0].name
TEMPLATES = ROOT / "rnnviz" / "serving" / "jupyter"
SETTLED = """() => {
  const images = [...document.querySelectorAll(".rnnviz-view img")];
  return images.length > 0 && images.every((image) => image.alt && image.complete && image.naturalWidth > 0)
    && document.querySelector(".is-loading, .rnnviz-late, .rnnviz-stale, [data-waiting]") === null;
}"""
SHOWN = "() => [...document.querySelectorAll('.rnnviz-view img')].map((image) => image.alt)"


def environment(folder):
    """Return the environment of a server whose templates and settings are where Binder's postBuild puts them."""
    data, config = folder / "share", folder / "etc"
    shutil.copytree(TEMPLATES, data)
    config.mkdir()
    for name in ("jupyter_config.json", "voila.json"):
        shutil.copy(ROOT / name, config)
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {
        **os.environ,
        "PYTHONPATH": python_path,
        "JUPYTER_PATH": str(data),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERHUB_SERVICE_PREFIX": BASE,
        "JUPYTERHUB_BASE_URL": "/",
    }


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Run a Jupyter server as JupyterHub does for the user ana, on a copy of the notebooks; return its address."""
    folder = tmp_path_factory.mktemp("hub")
    checkout = folder / "checkout"
    shutil.copytree(NOTEBOOKS, checkout / "notebooks")
    command, log = f"-m jupyter_server --no-browser --allow-root --ServerApp.base_url={BASE}".split(), folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command, f"--ServerApp.root_dir={checkout}", "--IdentityProvider.token="],
            cwd=folder, env=environment(folder), stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{jupyter_port(process, folder / 'runtime', log)}{BASE}"
        wait_until(lambda: answers(f"{address}api"), "the server answers")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def opened(page, address):
    page.goto(address)
    page.wait_for_function(SETTLED)
    return page.evaluate(SHOWN)


def copied_link(page):
    """Press the button that copies the link, and return the link."""
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.get_by_role("button", name=re.compile("^(Copy link|Link kopieren)$")).click()
    page.wait_for_function("() => window.copied")
    return page.evaluate("window.copied")


@pytest.mark.parametrize("asked", ["en", "de"])
def test_copied_link_shows_the_same_in_the_language_asked_for(hub, new_page, asked):
    rendered = f"{hub}voila/render/notebooks/"
    page = new_page()
    alts = opened(page, f"{rendered}{FIRST}?gain=1.5&lang={asked}")
    there = f"{rendered}{FIRST}?" if asked == "en" else f"{rendered}de/{FIRST}?"
    assert page.url.startswith(there)
    assert page.evaluate("document.documentElement.lang") == asked
    assert page.get_by_role("heading", name={"en": "Further reading", "de": "Weiterlesen"}[asked]).is_visible()
    redirect = hub.replace(BASE, "/hub/user-redirect/")
    link = copied_link(page)
    assert link.startswith(there.replace(hub, redirect))
    assert "gain=1.5" in link
    link = link.replace(redirect, hub)  # as the hub does
    assert opened(new_page(), link) == alts


def test_links_of_a_page_stay_below_the_base_address(hub, new_page):
    page = new_page()
    opened(page, f"{hub}voila/render/notebooks/{FIRST}?gain=1.5&pin=gain%3D2")
    for link in page.locator("a[href]").all():
        target = link.evaluate("link => link.href")
        assert target.startswith(hub) or not target.startswith("http://127.0.0.1"), target
    language = page.locator(".rnnviz-languages a")
    language.click()
    page.wait_for_url(re.compile(f"{re.escape(hub)}voila/render/notebooks/de/{FIRST}[?]"))
    assert "gain=1.5" in page.url
    assert "pin=" in page.url
    page.wait_for_function(SETTLED)


def test_closed_page_frees_its_kernel(hub, new_page):
    page = new_page()
    opened(page, f"{hub}voila/render/notebooks/{FIRST}")
    kernel = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    assert answers(f"{hub}api/kernels/{kernel}")
    page.goto("about:blank")
    wait_until(lambda: not answers(f"{hub}api/kernels/{kernel}"), "the kernel is gone")


def test_unknown_address_gets_a_sentence_in_every_language(hub, new_page, problems):
    page = new_page()
    assert page.goto(f"{hub}voila/tree/nosuch").status == 404
    for name in ("Go to all notebooks", "Zu allen Notebooks"):
        assert page.get_by_role("link", name=name).get_attribute("href").startswith(f"{BASE}voila/tree")
    assert all("status of 404" in problem for problem in problems)
    problems.clear()
