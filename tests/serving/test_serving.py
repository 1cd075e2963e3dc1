"""`rnnviz demo`: what it serves, to whom, and what happens to its kernels."""

import asyncio
import gc
import json
import logging
import re
import socket
import sys
import urllib.parse
from pathlib import Path

import psutil
import pytest
from conftest import NOTEBOOKS, wait_until
from jinja2 import DictLoader, Environment
from knocking import Student, ask
from tornado.websocket import WebSocketClosedError
from traitlets import import_item
from voila.voila_kernel_manager import voila_kernel_manager_factory

from rnnviz.serving import app, exporter
from rnnviz.text.language import LANGUAGES

NAMES = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
FIRST = f"voila/render/{NAMES[0]}" if NAMES else ""
READY = "body:not(.is-loading) .jupyter-widgets"


@pytest.fixture
def student(server):
    student = Student(server)
    yield student
    assert student.leave() == 204


# Two languages, with and without a dashboard: tests/page opens every notebook.
@pytest.mark.parametrize("name", [NAMES[0], f"de/{NAMES[0]}", *(name for name in NAMES if name.startswith("04"))])
def test_a_notebook_answers_in_its_language(student, name):
    # Nor can a visitor choose a template, a theme or an unknown language.
    student.query = "lang=fr&template=nosuch&theme=dark"
    text = student.open(f"voila/render/{name}").text
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


def test_unknown_address_gets_a_sentence(server):
    for path in ("voila/render/nosuch.ipynb", "nosuch", "voila/render/nosuch.py"):
        status, text = server.get(path)
        assert status == 404, path
        assert "No notebook has this address." in text, path
        assert "Traceback" not in text, path


def test_only_this_machine_can_connect(server):
    connections = psutil.Process(server.process.pid).net_connections("inet")
    assert {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_a_kernel_computes_in_one_thread_is_reached_as_set_and_freed_only_by_its_own_page(server):
    student = Student(server)
    student.open(FIRST)
    kernel = student.process()
    environment = kernel.environ()
    assert {environment[f"{name}_NUM_THREADS"] for name in ("OPENBLAS", "OMP", "MKL")} == {"1"}
    assert environment["MALLOC_ARENA_MAX"] == "1"
    (file,) = (part for part in kernel.cmdline() if f"{student.kernel}.json" in part)
    connection, expected = json.loads(Path(file).read_text()), app.transport_to_kernels()
    assert connection["transport"] == expected.get("transport", "tcp")
    assert ("curve_secretkey" in connection) == (expected.get("transport_encryption") == "auto")
    shutdown = f"voila/api/shutdown/{student.kernel}"
    assert ask(server, shutdown, "POST", Cookie=student.cookie).status == 403
    assert kernel.is_running()
    assert ask(server, shutdown, "POST", Cookie=student.cookie, X_XSRFToken=student.cookies["_xsrf"]).status == 204
    wait_until(lambda: not kernel.is_running(), "the kernel is gone")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such sockets")
def test_kernels_are_reached_over_socket_files_where_their_names_fit():
    assert app.transport_to_kernels("/tmp") == {"transport": "ipc"}
    assert app.transport_to_kernels("/tmp/" + 60 * "x") == {"transport_encryption": "auto"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows names these limits otherwise")
def test_the_system_ends_connections_whose_other_end_is_away():
    (listening,) = app.bind(0)
    listening.setblocking(True)
    with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
        if sys.platform == "linux":
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            first, pause, times = (accepted.getsockopt(socket.IPPROTO_TCP, each) for each in options)
            assert first + pause * times <= 75, "seconds: until then, a student's place is kept"


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
