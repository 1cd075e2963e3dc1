"""Pages that are left, in whatever way: their kernels go with them, and with no page that stays."""

import socket
import sys
import urllib.parse
from contextlib import suppress

import psutil
import pytest
from browsing import FIRST, NOTEBOOKS, PICTURES, STAGE, change, open_notebook, slider
from conftest import PATIENCE, SLOW_NOTEBOOK, start_server, wait_until
from knocking import Student
from playwright.sync_api import TimeoutError
from wire import Wire

READY = "body:not(.is-loading) .jupyter-widgets"
LONG = "voila/render/" + next(path.name for path in NOTEBOOKS.glob(f"{SLOW_NOTEBOOK}*.ipynb"))
CONFIG = "#jupyter-config-data"
RELOAD = "Reload with these settings"


@pytest.fixture
def mine(server):
    """Return a function that finds the kernels which have come since the test began."""
    before = {kernel.pid for kernel in server.kernels()}
    return lambda: [kernel for kernel in server.kernels() if kernel.pid not in before]


def close_tab(page):
    """Close a page as a reader does; Playwright itself ends it without a word.

    Chromium forgets the request where it comes in the middle of a navigation.
    """
    for _ in range(10):
        with suppress(TimeoutError), page.expect_event("close", timeout=5000):
            page.close(run_before_unload=True)
        if page.is_closed():
            return
    raise AssertionError("the page does not close")


@pytest.mark.browser
def test_a_dead_kernel_is_reported_and_a_closed_tab_frees_its_kernel(server, page, problems, mine):
    page.goto(f"{server.url}voila/render/{FIRST}")
    page.wait_for_selector(READY)
    notice = page.get_by_role("alert")
    assert not notice.is_visible()
    (kernel,) = mine()
    kernel.kill()
    notice.wait_for(state="visible")
    assert "kernel behind this page has stopped" in notice.inner_text()
    assert not mine(), "an empty kernel took its place"
    with page.expect_navigation():
        page.get_by_role("button", name=RELOAD).click()
    page.wait_for_selector(READY)
    assert not notice.is_visible()
    assert all("status of 404" in problem for problem in problems)  # the page asked after the dead kernel
    problems.clear()
    assert len(mine()) == 1
    close_tab(page)
    wait_until(lambda: not mine(), "the kernel is gone")


@pytest.mark.browser
def test_a_tab_that_is_closed_while_it_loads_frees_its_kernel(server, new_page, mine):
    for state in ("Starting the kernel", "its kernel's name is known"):
        page = new_page()
        page.goto(server.url + LONG, wait_until="commit")
        if state != "Starting the kernel":
            page.wait_for_selector(CONFIG, state="attached")
        close_tab(page)
        wait_until(lambda: not mine(), f"closed at: {state}")


def test_a_connection_that_ends_in_the_middle_of_a_page_frees_its_kernel(server, mine):
    process = psutil.Process(server.process.pid)
    threads = process.num_threads()
    address = urllib.parse.urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
        connection.sendall(f"GET /{LONG} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        answer = b""
        while b"Starting the kernel" not in answer:
            answer += connection.recv(2**16)
        assert len(mine()) == 1
        assert process.num_threads() <= threads + 1, "ZeroMQ ends the server where it may start no more threads"
    wait_until(lambda: not mine(), "the kernel is gone")
    assert server.get()[0] == 200


def test_who_says_twice_that_a_page_is_left_does_no_harm(server):
    student = Student(server)
    student.open()
    kernel = student.process()
    log = server.log.read_text()
    assert [student.leave(), student.leave()] == [204, 204]
    wait_until(lambda: not kernel.is_running(), "the kernel is gone")
    assert server.log.read_text() == log, "the terminal says nothing of it"


@pytest.mark.slow
@pytest.mark.browser
def test_a_page_that_is_not_left_after_all_keeps_its_kernel(voila, page, problems, mine):
    open_notebook(page, voila)
    page.route("**/nothing", lambda route: route.fulfill(status=204))
    with page.expect_request("**/nothing"):
        page.evaluate("location.href = '/nothing'")  # as a download, or a server that is waited for in vain
    change(page, lambda: slider(page, "Gain").press("ArrowRight"))
    (kernel,) = mine()
    kernel.kill()
    page.get_by_role("alert").get_by_text("has stopped").wait_for()
    problems.clear()  # the page asked after the dead kernel
    page.goto("about:blank")


@pytest.mark.slow
@pytest.mark.browser
def test_a_kernel_that_is_killed_in_its_first_computation_is_reported(server, page, problems, mine):
    page.goto(server.url + LONG, wait_until="commit")
    page.wait_for_selector(CONFIG, state="attached")
    (kernel,) = mine()
    kernel.kill()
    page.get_by_role("alert").get_by_text("has not started").wait_for(timeout=15_000)  # it does not wait for a late one
    assert page.get_by_role("button", name=RELOAD).is_visible()
    assert "Voil" not in page.inner_text("main")
    page.goto("about:blank")
    problems.clear()  # Voila's script finds no kernel


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("arguments", [(), ("--class", "1")], ids=["demo", "class"])
def test_after_a_long_pause_the_page_says_so_and_brings_its_settings_back(
    new_page, problems, tmp_path, monkeypatch, arguments
):
    monkeypatch.setenv("RNNVIZ_IDLE", "2")
    server = start_server([sys.executable, "-m", "rnnviz"], tmp_path / "log", *arguments)
    address = urllib.parse.urlsplit(server.url)
    wire, page = Wire(f"http://{address.netloc}/"), new_page()
    try:
        page.goto(f"{wire.url}voila/render/{FIRST}?{address.query}")
        page.wait_for_function(PICTURES)
        change(page, lambda: slider(page, "Gain").press("ArrowRight"))
        query = page.evaluate(f"{STAGE}.query")
        wire.cut()
        wait_until(lambda: not server.kernels(), "the kernel of the silent page is freed")
        wire.mend()
        page.get_by_role("alert").get_by_text("has stopped").wait_for()
        with page.expect_navigation():  # the page that is left has pictures too
            page.get_by_role("button", name=RELOAD).click()
        page.wait_for_function(PICTURES)
        assert page.evaluate(f"{STAGE}.query") == query
        page.goto("about:blank")
    finally:
        wire.close()
        assert server.stop() == 0
    problems.clear()
