"""Connections that break, kernels that do not start and servers that end: the page says so."""

import json
import re
import sys

import pytest
from browsing import FIRST, PICTURES, STAGE, change, slider, wait_for_pictures
from conftest import start_server
from visitor import visit

pytestmark = pytest.mark.browser
DEMO = [sys.executable, "-m", "rnnviz"]
SOCKETS = """
window.sockets = [];
window.WebSocket = class extends window.WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
};
"""


def test_a_page_goes_on_by_itself_after_a_broken_connection(voila, new_page, problems):
    page = new_page()
    page.add_init_script(SOCKETS)
    visitor = visit(page, voila)
    page.evaluate("sockets.filter(({ readyState }) => readyState === 1).forEach((socket) => socket.close(4000))")
    page.evaluate("window.isTheSamePage = true")
    slider(page, "Gain").press("PageUp")
    wait_for_pictures(page, f"{STAGE}.query !== ''")
    page.locator("#rnnviz-lost").wait_for(state="hidden")
    assert visitor.settle(), visitor.findings
    assert page.evaluate("window.isTheSamePage")
    assert all("Connection lost" in problem for problem in problems)  # JupyterLab's words for what was done here
    problems.clear()


def assert_lost(page, words):
    alert = page.get_by_role("alert").filter(has_text=words)
    alert.wait_for()
    assert alert.get_by_role("button", name="Reload with these settings").is_visible()


class OddServer:
    """A server whose kernels run some other code than a kernel's."""

    def __init__(self, folder):
        self.spec = folder / "kernels" / "python3" / "kernel.json"
        self.spec.parent.mkdir(parents=True)
        self.put("")
        self.running = start_server(DEMO, folder / "log")

    def put(self, code, *arguments):
        spec = {"argv": [sys.executable, "-c", code, *arguments], "display_name": "Python 3", "language": "python"}
        self.spec.write_text(json.dumps(spec))

    def start_again(self, code, *arguments):
        """Start the server at its old address, with other kernels."""
        self.put(code, *arguments)
        port = self.running.url.split(":")[2].strip("/")
        self.running = start_server(DEMO, self.running.log, "--port", port)

    def open(self, page, code, *arguments):
        """Open a page whose kernel runs ``code``, with a clock of its own, and return it before its kernel is there."""
        self.put(code, *arguments)
        page.clock.install()
        page.goto(f"{self.running.url}voila/render/{FIRST}", wait_until="commit")
        page.wait_for_selector("#rnnviz-notebook", state="attached")
        assert page.get_by_text("Starting the kernel …").is_visible()
        return page


@pytest.fixture
def odd_server(monkeypatch, tmp_path, new_page):
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    server = OddServer(tmp_path)
    yield server
    if server.running.process.poll() is None:
        server.running.stop()


def assert_not_started(page):
    page.clock.fast_forward(20_000)
    assert_lost(page, "The kernel behind this page has not started")


@pytest.mark.slow
def test_a_page_says_that_its_kernel_or_its_server_is_lost(odd_server, new_page, problems):
    dead = odd_server.open(new_page(), "import time; time.sleep(3)")
    assert_not_started(dead)
    assert dead.get_by_text("Starting the kernel …").is_hidden()

    slow = "import sys, time; time.sleep(5); from ipykernel import kernelapp; kernelapp.launch_new_instance()"
    late = odd_server.open(new_page(), slow, "-f", "{connection_file}")
    assert_not_started(late)
    late.clock.resume()
    late.wait_for_function(PICTURES)
    assert late.get_by_text("has not started").is_hidden()
    assert late.locator(".is-loading").count() == 0
    change(late, lambda: slider(late, "Gain").press("ArrowRight"))

    waiting = odd_server.open(new_page(), "import time; time.sleep(60)")
    odd_server.running.stop()
    # A server that ends stops its kernels first, and may still say so.
    assert_lost(late, re.compile("The server .* cannot be reached|The kernel .* has stopped"))
    assert_not_started(waiting)

    odd_server.start_again(slow, "-f", "{connection_file}")
    assert_lost(late, "The kernel behind this page has stopped")
    with late.expect_navigation(url="**gain=1.01*"):
        late.get_by_role("button", name="Reload with these settings").press("Enter")
    late.wait_for_function(PICTURES)
    assert late.evaluate(f"{STAGE}.query") == "gain=1.01"
    assert not any(problem.startswith("uncaught") for problem in problems), problems
    for page in (dead, late, waiting):
        page.goto("about:blank")
    problems.clear()  # what the browser says about a server, and about kernels, that are gone
