"""A dashboard in a frame of another site, such as an LMS, where browsers block its cookies."""

import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from browsing import PICTURES
from conftest import start_server, wait_until
from knocking import LINK, ask, served_with_token
from test_serving import FIRST

FRAME = '<title>LMS</title><iframe title="rnnviz" src="{}" style="width: 100%; height: 80vh" allow="clipboard-write">'


class Course(BaseHTTPRequestHandler):
    """A page of an LMS: its query string is the address that it embeds."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(FRAME.format(self.path.partition("?")[2]).encode())

    def log_message(self, *message):
        """Print nothing."""


@pytest.fixture(scope="module")
def lms():
    """Run an LMS and return its port; its site is localhost, that of the dashboards 127.0.0.1."""
    with ThreadingHTTPServer(("localhost", 0), Course) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def embedded(lms, tmp_path_factory):
    """Run a demo that this LMS may embed, below a path as behind a proxy."""
    arguments = ("--base-url", "courses/rnnviz", "--embed", f"http://localhost:{lms}/")
    log = tmp_path_factory.mktemp("embedded") / "log"
    running = start_server([sys.executable, "-m", "rnnviz"], log, *arguments)
    yield running
    assert running.stop() == 0, log.read_text()
    lines = [f"rnnviz runs at {running.url} (Ctrl-C stops it)", "rnnviz has stopped."]
    printed = [line for line in log.read_text().splitlines() if not line.startswith("403 GET")]
    assert printed == lines, "a server says no more than that"


def test_no_other_page_may_embed_the_dashboards_by_default(server):
    for path in ("", "voila/render/nosuch.ipynb", "nosuch"):
        try:
            answer = urllib.request.urlopen(server.url + path)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'", path
            assert answer.headers["X-Frame-Options"] == "DENY", path


def test_a_frame_of_another_site_starts_no_kernel(embedded, lms):
    frame = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}
    for referer, status in (
        ({"Referer": f"http://localhost:{lms}/course?id=1"}, 200),
        ({}, 200),  # an LMS may keep its addresses to itself; the browser then refuses to show the frame elsewhere
        ({"Referer": "https://evil.example/"}, 403),
        ({"Referer": f"http://localhost:{lms}.evil.example/"}, 403),
    ):
        assert ask(embedded, **frame, **referer).status == status, referer


@pytest.mark.browser
def test_a_frame_of_the_lms_works_without_cookies_and_frees_its_kernel(embedded, lms, new_page, problems):
    assert embedded.url.endswith("/courses/rnnviz/")
    page, address = new_page(viewport={"width": 390, "height": 844}), f"{embedded.url}{FIRST}?gain=1.5"
    page.goto(f"http://localhost:{lms}/?{address}")
    frame = page.frame_locator("iframe")
    frame.locator(".rnnviz-view img").first.wait_for()
    inside = page.frames[1]
    inside.wait_for_function(PICTURES)
    assert inside.evaluate("document.cookie = 'a=1; SameSite=None; Secure'; document.cookie") == ""
    assert inside.evaluate("document.documentElement.scrollWidth <= innerWidth")

    frame.get_by_role("button", name="Copy link").click()
    frame.get_by_text("The link is in the clipboard").wait_for()
    page.context.grant_permissions(["clipboard-read"], origin=f"http://localhost:{lms}")
    assert page.evaluate("navigator.clipboard.readText()") == address

    assert len(embedded.kernels()) == 1
    page.evaluate("document.querySelector('iframe').remove()")
    wait_until(lambda: not embedded.kernels(), "the kernel is gone")

    page.goto(f"http://127.0.0.1:{lms}/?{embedded.url}")  # another origin
    wait_until(lambda: page.frames[1].url.startswith("chrome-error:"), "the frame is refused")
    assert any("frame-ancestors" in problem for problem in problems)
    problems.clear()


@pytest.mark.browser
@pytest.mark.slow
def test_in_a_frame_the_token_travels_in_the_addresses(lms, new_page, problems, tmp_path):
    origin = f"http://localhost:{lms}"
    with served_with_token(tmp_path / "log", base_url="/class/", embed=origin) as guarded:
        page, address = new_page(viewport={"width": 1280, "height": 800}), f"{guarded.url}{FIRST}?gain=1.5&{LINK}"
        page.goto(f"{origin}/?{guarded.url}{FIRST}?{LINK}&gain=1.5")
        frame = page.frame_locator("iframe")
        frame.locator(".rnnviz-view img").first.wait_for()
        page.frames[1].wait_for_function(PICTURES)
        assert page.frames[1].evaluate("document.cookie") == ""

        frame.get_by_role("button", name="Copy link").click()
        frame.get_by_text("The link is in the clipboard").wait_for()
        page.context.grant_permissions(["clipboard-read"], origin=origin)
        assert page.evaluate("navigator.clipboard.readText()") == address

        frame.get_by_role("link", name="Deutsch").click()
        frame.get_by_role("button", name="Link kopieren").wait_for()
        assert page.frames[1].url == f"{guarded.url}{FIRST.replace('render/', 'render/de/')}?gain=1.5&{LINK}"
        page.frames[1].wait_for_function(PICTURES)
        wait_until(lambda: len(guarded.kernels()) == 1, "the kernel of the page that was left is gone")
        frame.get_by_role("link", name="rnnviz: alle Notebooks").click()
        frame.get_by_role("heading", name="Warum die Größe der Gewichte entscheidet").wait_for()
        frame.locator(".rnnviz-card img").first.wait_for()
        page.frames[1].wait_for_function("document.images[0].complete && document.images[0].naturalWidth > 0")
        wait_until(lambda: not guarded.kernels(), "every page's kernel is gone")

        assert not problems
        page.goto(f"{origin}/?{guarded.url}{FIRST}")
        frame.get_by_text("whole link that you were given").wait_for()
        assert all("403" in problem for problem in problems)
        problems.clear()
