"""`rnnviz demo`: what it serves, to whom, and what happens to its kernels."""

import asyncio
import gc
import http.cookiejar
import json
import logging
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest
from browsing import assert_accessible
from conftest import NOTEBOOKS, PATIENCE, wait_until
from jinja2 import DictLoader, Environment
from tornado.websocket import WebSocketClosedError
from traitlets import import_item
from voila.voila_kernel_manager import voila_kernel_manager_factory

from rnnviz.serving import app, exporter, gallery
from rnnviz.text.language import LANGUAGES

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
FIRST = f"voila/render/{NAMES[0]}" if NAMES else ""
READY = "body:not(.is-loading) .jupyter-widgets"


class Links(HTMLParser):
    """The addresses that a page links to, and those that it shows or loads."""

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
        with self.opener.open(self.server.url + path, timeout=PATIENCE) as answer:
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


def test_index_links_to_every_notebook_of_its_language(server):
    assert NAMES
    for language, folder, other in (("en", "", "de"), ("de", "de/", "en")):
        status, text = server.get(f"?lang={language}")
        links = [urllib.parse.unquote(link) for link in Links(text).links if "/voila/render/" in link]
        assert status == 200
        assert f'<html lang="{language}">' in text
        assert links == [f"/voila/render/{folder}{name}" for name in NAMES]
        assert f'<a href="?lang={other}" hreflang="{other}" lang="{other}">{LANGUAGES[other]}</a>' in text
        for card in gallery.cards(NOTEBOOKS, language):
            assert card.title in text
            assert card.picture, card


# Two languages, with and without a dashboard: tests/page opens every notebook.
@pytest.mark.parametrize("name", [NAMES[0], f"de/{NAMES[0]}", *(name for name in NAMES if name.startswith("04"))])
def test_a_notebook_answers_in_its_language(visitor, name):
    # Nor can a visitor choose a template, a theme or an unknown language.
    text = visitor.open(f"voila/render/{name}?lang=fr&template=nosuch&theme=dark")
    language, other = ("de", "en") if name.startswith("de/") else ("en", "de")
    address = f"../{name[3:]}" if language == "de" else f"de/{name}"
    assert f'<html lang="{language}">' in text
    # The fourth notebook mentions a dashboard in its text, but has none.
    own, translated = ("notebook", "Zum Notebook") if "04" in name else ("pictures", "Zu den Bildern")
    assert {"en": f"Skip to the {own}", "de": f"{translated} springen"}[language] in text
    (classes,) = re.findall('<body class="([^"]*)"', text)
    assert ("has-dashboard" in classes) == ("04" not in name)
    assert f'<a href="{address}" hreflang="{other}" lang="{other}">{LANGUAGES[other]}</a>' in text
    assert "width=device-width" in text
    assert "/voila/templates/rnnviz/static/rnnviz.css" in text
    assert "nosuch" not in text
    assert "from rnnviz import" not in text


def test_every_asset_of_the_index_answers(server):
    assets = Links(server.get()[1]).assets
    assert len(assets) >= 4
    for asset in assets:
        assert asset.startswith("/")
        with urllib.request.urlopen(server.url + asset.lstrip("/")) as answer:
            assert answer.status == 200, asset


def test_no_source_is_served(server):
    first = NAMES[0]
    paths = [
        f"voila/files/{first}",
        "voila/files/../pyproject.toml",
        "voila/files/..%2Frnnviz%2F__init__.py",
        "voila/files/.hidden/picture.png",
        "voila/files/de/notebooks.po",
        "voila/render/..%2F..%2Fpyproject.toml",
        "voila/api/contents",
        f"voila/api/contents/{first}",
        f"voila/static/{first}",
    ]
    for path in paths:
        status, text = server.get(path)
        assert status in (403, 404), path
        assert not any(source in text for source in ("Dashboard(", "[project]", "msgid")), path


def test_unknown_address_gets_a_sentence(server):
    for path in ("voila/render/nosuch.ipynb", "nosuch", "voila/render/nosuch.py"):
        status, text = server.get(path)
        assert status == 404, path
        assert "No notebook has this address." in text, path
        assert "Traceback" not in text, path


def test_only_this_machine_can_connect(server):
    connections = psutil.Process(server.process.pid).net_connections("inet")
    assert {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_a_kernel_computes_in_one_thread_is_reached_as_set_and_freed_only_by_its_own_page(server, visitor):
    visitor.open(FIRST)
    (kernel,) = (each for each in server.kernels() if f"{visitor.kernel}.json" in " ".join(each.cmdline()))
    environment = kernel.environ()
    assert {environment[f"{name}_NUM_THREADS"] for name in ("OPENBLAS", "OMP", "MKL")} == {"1"}
    assert environment["MALLOC_ARENA_MAX"] == "1"
    (file,) = (part for part in kernel.cmdline() if f"{visitor.kernel}.json" in part)
    connection, expected = json.loads(Path(file).read_text()), app.transport_to_kernels()
    assert connection["transport"] == expected.get("transport", "tcp")
    assert ("curve_secretkey" in connection) == (expected.get("transport_encryption") == "auto")
    assert visitor.leave() == 403
    assert kernel.is_running()
    assert visitor.leave(_xsrf=visitor.token()) == 204
    wait_until(lambda: not kernel.is_running(), "the kernel is gone")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")
def test_kernels_are_reached_over_socket_files_where_their_names_fit():
    assert app.transport_to_kernels("/tmp") == {"transport": "ipc"}
    assert app.transport_to_kernels("/tmp/" + 60 * "x") == {"transport_encryption": "auto"}


def test_a_template_is_compiled_once_until_its_source_changes():
    compiled, templates = exporter.CompiledTemplates(), {"page": "{{ 1 + 1 }}"}
    environments = [Environment(loader=DictLoader(templates), bytecode_cache=compiled) for _ in range(3)]
    assert [environment.get_template("page").render() for environment in environments[:2]] == ["2", "2"]
    assert len(compiled.code) == 1
    templates["page"] = "{{ 1 + 2 }}"
    assert environments[2].get_template("page").render() == "3"


@pytest.mark.browser
def test_pages_fit_follow_the_system_colours_and_ask_only_this_machine(voila, page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for path in ("", FIRST):
        page.goto(voila + path)
        page.wait_for_selector(READY if path else ".rnnviz-card")
        for scheme, width in (("light", 390), ("dark", 1280)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            brightness = sum(map(int, re.findall(r"\d+", colour))) / 3
            assert (brightness < 60) == (scheme == "dark")
    page.locator(".rnnviz-view").first.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to the pictures"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('.rnnviz-view')")
    hosts = {urllib.parse.urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert len(asked) > 30
    assert hosts == {"127.0.0.1"}


@pytest.mark.browser
def test_a_dead_kernel_is_reported_and_a_closed_tab_frees_its_kernel(server, page, problems):
    before = {kernel.pid for kernel in server.kernels()}

    def mine():
        return [kernel for kernel in server.kernels() if kernel.pid not in before]

    page.goto(server.url + FIRST)
    page.wait_for_selector(READY)
    notice = page.get_by_role("alert")
    assert not notice.is_visible()
    (kernel,) = mine()
    kernel.kill()
    notice.wait_for(state="visible")
    assert "kernel behind this page has stopped" in notice.inner_text()
    assert not mine(), "an empty kernel took its place"
    page.get_by_role("button", name="Reload with these settings").click()
    page.wait_for_selector(READY)
    assert not notice.is_visible()
    assert all("status of 404" in problem for problem in problems)  # the page asked after the dead kernel
    problems.clear()
    assert len(mine()) == 1
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    wait_until(lambda: not mine(), "the kernel is gone")


@pytest.mark.browser
def test_index_is_accessible_and_needs_no_scrolling_sideways(voila, page):
    for scheme, language, other in (("light", "en", "de"), ("dark", "de", "en")):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{voila}?lang={language}")
        assert page.get_by_role("link", name=LANGUAGES[other]).is_visible()
        assert_accessible(page, "minor", "moderate", "serious", "critical")
    page.set_viewport_size({"width": 320, "height": 256})  # 1280 x 1024 at 400 per cent
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


BOXES = """() => [...document.querySelectorAll(".rnnviz-card")].map((card) => {
  const box = card.getBoundingClientRect();
  return [Math.round(box.x), Math.round(box.y), card.querySelector("img").getBoundingClientRect().width];
})"""


@pytest.mark.browser
def test_the_course_is_in_order_and_no_card_is_alone(voila, new_page):
    page = new_page(viewport={"width": 1280, "height": 720})
    page.goto(voila)
    places = page.locator(".rnnviz-place").all_inner_texts()
    assert [place.split()[0] for place in places] == [str(k + 1) for k in range(len(NAMES))]
    for width in (1920, 1280, 800, 390):
        page.set_viewport_size({"width": width, "height": 720})
        boxes = page.evaluate(BOXES)
        assert boxes == sorted(boxes, key=lambda box: (box[1], box[0])), width
        rows = [sum(other[1] == box[1] for other in boxes) for box in boxes]
        assert width == 390 or min(rows) > 1, (width, boxes)
        assert all(picture >= 270 for _x, _y, picture in boxes), (width, boxes)  # they are drawn for 280
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_index_by_keyboard(voila, page):
    page.goto(voila)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hreflang") == "de"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/{FIRST}"
    assert page.evaluate("getComputedStyle(document.querySelector('.rnnviz-card')).outlineStyle") == "solid"
    page.route("**/voila/render/**", lambda route: route.fulfill(body="a notebook"))
    page.keyboard.press("Enter")
    page.get_by_text("a notebook").wait_for()


@pytest.mark.usefixtures("no_loop")
def test_writing_to_a_page_that_was_left_is_no_fault(caplog):
    async def write(error):
        raise error("gone")

    async def session(error):
        task = asyncio.ensure_future(write(error))
        await asyncio.wait([task])
        del task  # asyncio reports an exception that nobody retrieved when it deletes the task
        gc.collect()

    logger = logging.getLogger("asyncio")
    logger.addFilter(app.is_fault)
    try:
        for error, is_fault in ((WebSocketClosedError, False), (RuntimeError, True)):
            asyncio.run(session(error))
            assert ("never retrieved" in caplog.text) == is_fault
    finally:
        logger.removeFilter(app.is_fault)


def test_kernels_without_a_page_are_stopped_without_a_word(tmp_path):
    config = app.settings(tmp_path, 8866)
    base = "jupyter_server.services.kernels.kernelmanager.AsyncMappingKernelManager"
    manager = voila_kernel_manager_factory(import_item(base), False, 0)(config=config)
    assert 0 < manager.cull_interval <= 60
    assert 0 < manager.cull_idle_timeout <= 600
    assert not manager.cull_connected, "it would silently stop the kernel of an open page"
    culled = "Culling 'idle' kernel 'python3' (2bfa77a2) with 0 connections due to 300 seconds of inactivity."
    for message, is_news in ((culled, False), ("Notebook a.ipynb is not trusted", False), ("Disk full", True)):
        record = logging.makeLogRecord({"msg": message, "levelno": logging.WARNING})
        assert app.is_news(record) == is_news, message
