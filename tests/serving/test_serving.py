"""`rnnviz demo`: what is served, to whom, and what happens to its kernels."""

import asyncio
import gc
import http.cookiejar
import json
import logging
import queue
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest
from conftest import NOTEBOOKS, ROOT, start_server, wait_until
from tornado.websocket import WebSocketClosedError
from traitlets import import_item
from voila.voila_kernel_manager import voila_kernel_manager_factory

from rnnviz import __main__ as command_line
from rnnviz.serving import app, gallery
from rnnviz.text.language import LANGUAGES

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
PAGES = [*NAMES, *(f"de/{name}" for name in NAMES)]
FIRST = f"voila/render/{NAMES[0]}" if NAMES else ""
READY = "body:not(.is-loading) .jupyter-widgets"


class Links(HTMLParser):
    """The addresses of a page: what it links to, and what it shows or loads."""

    def __init__(self, text):
        super().__init__()
        self.links, self.assets = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        self.assets += [attributes[name] for name in ("src", "srcset") if name in attributes]
        self.assets += [attributes["href"]] if tag == "link" else []


class Visitor:
    """A visitor without a browser, who keeps cookies."""

    def __init__(self, server):
        self.server, self.cookies = server, http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def open(self, path):
        with self.opener.open(self.server.url + path, timeout=60) as answer:
            text = answer.read().decode()
        self.kernel = re.search(r'"kernelId": "([^"]+)"', text)[1]
        return text

    def leave(self, **fields):
        data = urllib.parse.urlencode(fields).encode()
        try:
            with self.opener.open(f"{self.server.url}voila/api/shutdown/{self.kernel}", data) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def token(self):
        return next(cookie.value for cookie in self.cookies if cookie.name == "_xsrf")


@pytest.fixture
def visitor(server):
    visitor = Visitor(server)
    yield visitor
    visitor.leave(_xsrf=visitor.token())


def test_there_are_notebooks_to_serve():
    assert NAMES


@pytest.mark.parametrize(("language", "folder", "other"), [("en", "", "de"), ("de", "de/", "en")])
def test_index_leads_to_every_notebook_of_its_language(server, language, folder, other):
    status, text = server.get(f"?lang={language}")
    links = [urllib.parse.unquote(link) for link in Links(text).links]
    assert status == 200
    assert f'<html lang="{language}">' in text
    assert [link for link in links if "/voila/render/" in link] == [f"/voila/render/{folder}{name}" for name in NAMES]
    assert re.search(f'<a href="[?]lang={other}" hreflang="{other}" lang="{other}">{LANGUAGES[other]}</a>', text)
    for card in gallery.cards(NOTEBOOKS, language):
        assert card.title in text
        assert card.picture


@pytest.mark.parametrize("name", PAGES)
def test_every_notebook_answers(visitor, name):
    text = visitor.open(f"voila/render/{name}")
    spoken, other = ("de", "en") if name.startswith("de/") else ("en", "de")
    address = f"../{name[3:]}" if spoken == "de" else f"de/{name}"
    assert f'<html lang="{spoken}">' in text
    assert {"en": "Skip to the notebook", "de": "Zum Notebook springen"}[spoken] in text
    assert f'<a href="{address}" hreflang="{other}" lang="{other}">{LANGUAGES[other]}</a>' in text
    assert "width=device-width" in text
    assert "from rnnviz import" not in text


@pytest.mark.parametrize("query", ["lang=en", "lang=fr", "lang=", "lang=../../x"])
def test_link_in_no_other_language_stays(visitor, query):
    assert '<html lang="en">' in visitor.open(f"{FIRST}?{query}")


def test_every_asset_of_the_index_answers(server):
    assets = Links(server.get()[1]).assets
    assert len(assets) >= 4
    for asset in assets:
        assert asset.startswith("/")
        with urllib.request.urlopen(server.url + asset.lstrip("/")) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "path",
    [
        f"voila/files/{NAMES[0] if NAMES else ''}",
        "voila/files/../pyproject.toml",
        "voila/files/..%2Frnnviz%2F__init__.py",
        "voila/files/.hidden/picture.png",
        "voila/render/..%2F..%2Fpyproject.toml",
        f"voila/api/contents/{NAMES[0] if NAMES else ''}",
        "voila/api/contents",
        f"voila/static/{NAMES[0] if NAMES else ''}",
        "voila/files/de/notebooks.po",
    ],
)
def test_no_source_is_served(server, path):
    status, text = server.get(path)
    assert status in (403, 404)
    assert "Dashboard(" not in text
    assert "[project]" not in text
    assert "msgid" not in text


@pytest.mark.parametrize("path", ["voila/render/nosuch.ipynb", "nosuch", "voila/render/nosuch.py"])
def test_unknown_address_gets_a_sentence(server, path):
    status, text = server.get(path)
    assert status == 404
    assert "No notebook has this address." in text
    assert "Traceback" not in text


def test_template_and_theme_cannot_be_chosen_by_a_visitor(visitor):
    text = visitor.open(f"{FIRST}?template=nosuch&theme=dark")
    assert "/voila/templates/rnnviz/static/rnnviz.css" in text
    assert "nosuch" not in text


def test_only_this_machine_can_connect(server):
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(server.process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


def test_kernel_is_freed_only_for_its_own_page(server, visitor):
    visitor.open(FIRST)
    before = len(server.kernels())
    assert visitor.leave() == 403
    assert len(server.kernels()) == before
    assert visitor.leave(_xsrf=visitor.token()) == 204
    wait_until(lambda: len(server.kernels()) == before - 1, "the kernel is gone")


def test_kernels_compute_in_one_thread(server, visitor):
    visitor.open(FIRST)
    kernels = server.kernels()
    assert kernels
    for kernel in kernels:
        environment = kernel.environ()
        assert {environment[f"{name}_NUM_THREADS"] for name in ("OPENBLAS", "OMP", "MKL")} == {"1"}


def test_a_kernel_has_the_means_that_the_settings_say(server, visitor):
    visitor.open(FIRST)
    means = app.transport_to_kernels()
    files = [part for kernel in server.kernels() for part in kernel.cmdline() if f"{visitor.kernel}.json" in part]
    (said,) = (json.loads(Path(file).read_text()) for file in files)
    assert said["transport"] == means.get("transport", "tcp")
    assert ("curve_secretkey" in said) == (means.get("transport_encryption") == "auto")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such sockets")
@pytest.mark.parametrize(("folder", "by_socket"), [("/tmp", True), ("/tmp/" + 60 * "x", False)])
def test_kernels_are_reached_by_sockets_of_files_where_their_names_fit(monkeypatch, folder, by_socket):
    monkeypatch.setattr(app.tempfile, "tempdir", folder)
    means = app.transport_to_kernels()
    assert means == ({"transport": "ipc"} if by_socket else {"transport_encryption": "auto"})


@pytest.mark.browser
def test_nothing_is_asked_of_other_machines(voila, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(voila)
    page.goto(voila + FIRST)
    page.wait_for_selector(READY)
    hosts = {urllib.parse.urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert len(asked) > 30
    assert hosts == {"127.0.0.1"}


@pytest.mark.browser
def test_closing_the_tab_frees_the_kernel(server, page):
    before = {kernel.pid for kernel in server.kernels()}
    page.goto(server.url + FIRST)
    page.wait_for_selector(READY)
    mine = {kernel.pid for kernel in server.kernels()} - before
    assert len(mine) == 1
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    wait_until(lambda: not mine & {kernel.pid for kernel in server.kernels()}, "the kernel is gone")


@pytest.mark.browser
def test_page_says_so_when_its_kernel_dies(server, page, problems):
    before = {kernel.pid for kernel in server.kernels()}
    page.goto(server.url + FIRST)
    page.wait_for_selector(READY)
    notice = page.get_by_role("alert")
    assert not notice.is_visible()
    (kernel,) = (kernel for kernel in server.kernels() if kernel.pid not in before)
    kernel.kill()
    notice.wait_for(state="visible")
    assert "kernel behind this page has stopped" in notice.inner_text()
    assert {kernel.pid for kernel in server.kernels()} <= before, "an empty kernel took its place"
    page.get_by_role("button", name="Reload with these settings").click()
    page.wait_for_selector(READY)
    assert not notice.is_visible()
    assert all("status of 404" in problem for problem in problems)  # the page asked after the dead kernel
    problems.clear()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_pages_fit_and_follow_the_system_colours(voila, new_page, scheme, width):
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in ("", FIRST):
        page.goto(voila + path)
        page.wait_for_selector(READY if path else ".rnnviz-card")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", colour))) / 3
        assert (brightness < 60) == (scheme == "dark")


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "language"), [("light", "en"), ("dark", "de")])
def test_index_is_accessible(voila, new_page, scheme, language):
    from axe_playwright_python.sync_playwright import Axe

    page = new_page(color_scheme=scheme, locale=language)
    page.goto(voila)
    assert page.get_by_role("link", name=LANGUAGES["en" if language == "de" else "de"]).is_visible()
    found = Axe().run(page)
    assert found.response["passes"]
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.browser
def test_index_by_keyboard(voila, page):
    page.goto(voila)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hreflang") == "de"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/{FIRST}"
    assert page.evaluate("getComputedStyle(document.querySelector('.rnnviz-card')).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector(READY)


def demo(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "rnnviz", "demo", "--no-browser", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_port_in_use_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = demo("--port", str(port))
    assert ended.returncode == 2
    said = f"rnnviz: port {port} is already in use; choose another with --port, or leave it out.\n"
    assert ended.stderr == said


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1"])
def test_impossible_port_is_refused(port):
    ended = demo(f"--port={port}")
    assert ended.returncode == 2
    assert "a port is a whole number from 1 to 65535" in ended.stderr


def test_missing_folder_is_one_sentence():
    ended = demo("no_such_folder")
    assert ended.returncode == 2
    said = "rnnviz: there is no folder 'no_such_folder'; give a folder that holds notebooks.\n"
    assert ended.stderr == said


def test_module_starts_and_stops_cleanly(tmp_path):
    running = start_server([sys.executable, "-m", "rnnviz"], tmp_path / "log")
    Visitor(running).open(FIRST)
    (kernel,) = running.kernels()
    assert running.stop() == 0
    wait_until(lambda: not kernel.is_running(), "the kernel ends with the server")
    assert running.log.read_text().strip() == f"rnnviz runs at {running.url} (Ctrl-C stops it)"


def test_next_free_port_is_taken(monkeypatch):
    class App:
        @staticmethod
        def bind(port):
            if port < command_line.FIRST_PORT + 2:
                raise OSError(98, "in use")
            return [port]

    assert command_line.bound_sockets(App, None) == [command_line.FIRST_PORT + 2]
    assert command_line.bound_sockets(App, 54321) == [54321]


@pytest.mark.parametrize("found", [True, False])
def test_browser_is_opened_or_the_address_told(monkeypatch, capsys, found):
    opened = queue.Queue()
    monkeypatch.setattr(command_line.webbrowser, "open", lambda address: opened.put(address) or found)
    command_line.open_browser("ADDRESS")
    assert opened.get_nowait() == "ADDRESS"
    assert ("No browser was found on this machine: open ADDRESS in one." in capsys.readouterr().out) != found


@pytest.mark.parametrize(("options", "tries"), [([], ["ADDRESS"]), (["--no-browser"], [])])
def test_browser_is_opened_once_the_server_answers(monkeypatch, options, tries):
    class App:
        bind = staticmethod(lambda port: [port])
        serve = staticmethod(lambda folder, sockets, ready: ready("ADDRESS"))

    started = []
    monkeypatch.setattr(command_line, "serving_app", lambda: App)
    monkeypatch.setattr(command_line, "open_browser", started.append)
    threads = set(threading.enumerate())
    assert command_line.main(["demo", *options]) == 0
    for thread in set(threading.enumerate()) - threads:
        thread.join()
    assert started == tries


@pytest.mark.usefixtures("no_loop")
@pytest.mark.parametrize(("error", "told"), [(WebSocketClosedError, False), (RuntimeError, True)])
def test_a_page_that_left_while_it_was_written_to_is_no_fault(caplog, error, told):
    async def write():
        raise error("gone")

    async def session():
        task = asyncio.ensure_future(write())
        await asyncio.wait([task])
        del task  # asyncio complains of what was never asked for when it forgets it
        gc.collect()

    logger = logging.getLogger("asyncio")
    logger.addFilter(app.is_news)
    try:
        asyncio.run(session())
    finally:
        logger.removeFilter(app.is_news)
    assert ("never retrieved" in caplog.text) == told


def test_kernels_nobody_looks_at_are_stopped(tmp_path):
    config = app.settings(tmp_path, 8866)
    base = "jupyter_server.services.kernels.kernelmanager.AsyncMappingKernelManager"
    manager = voila_kernel_manager_factory(import_item(base), False, 0)(config=config)
    assert 0 < manager.cull_interval <= 60
    assert 0 < manager.cull_idle_timeout <= 600
    assert not manager.cull_connected, "it would stop the kernel of an open page without a word"


def notebook(path, *cells, **more):
    cells = [{"cell_type": kind, "source": source} for kind, source in cells]
    path.write_text(json.dumps({"cells": cells, **more}), encoding="utf-8")


def test_cards_say_title_sentence_and_picture(tmp_path):
    source = ["# See `tanh`\n", "\n", "It **grows**.\n"]
    notebook(tmp_path / "02_b.ipynb", ("code", "1"), ("markdown", source))
    notebook(tmp_path / "01_a.ipynb", ("markdown", "# Watch\n\n## Tasks"))
    (tmp_path / "03_broken.ipynb").write_text("{")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/02_b.png").touch()
    (tmp_path / "pictures/02_b-dark.png").touch()
    assert gallery.cards(tmp_path) == [
        gallery.Card("01_a.ipynb", "Watch"),
        gallery.Card("02_b.ipynb", "See tanh", "It grows.", "pictures/02_b.png", "pictures/02_b-dark.png"),
        gallery.Card("03_broken.ipynb", "03 broken"),
    ]
