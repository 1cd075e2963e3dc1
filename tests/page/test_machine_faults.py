"""What can befall one kernel or the whole machine: its page says so, and no other student notices."""

import sys
from types import SimpleNamespace

import psutil
import pytest
from browsing import FIRST, PICTURES, STAGE, Pages, alts, change, open_notebook, slider, wait_for_pictures
from wire import Wire

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the resources of a running process"),
]
UNLIMITED = (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY) if hasattr(psutil, "RLIM_INFINITY") else ()
ROOM = 100 * 2**20  # bytes
LARGE = "{ href: '?hidden_size=4096', textContent: 'A large network' }"  # its W_hh alone is larger than ROOM
KERNEL = "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"


@pytest.fixture(scope="module")
def wire(voila):
    wire = Wire(voila)
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def students(browser, voila, wire):
    """Open the first notebook for two students: Ana's network can be cut, and Ben sits beside her."""
    pages = Pages(browser)
    ana, ben = (pages.open(permissions=["clipboard-read", "clipboard-write"]) for _ in "ab")
    for page in (ana, ben):
        page.set_default_timeout(120_000)
    open_notebook(ana, wire.url)
    open_notebook(ben, voila, query="gain=0.5")
    yield SimpleNamespace(ana=ana, ben=ben, problems=pages.problems)
    pages.problems.clear()  # each test provokes some
    pages.close()


@pytest.fixture
def ana(students):
    """Return Ana's page, which goes astray; Ben's must follow his sliders all the same, with his kernel of before."""
    kernel = students.ben.evaluate(KERNEL)
    yield students.ana
    before = students.ben.evaluate(f"{STAGE}.query")
    change(students.ben, lambda: slider(students.ben, "Gain").press("ArrowRight"), f"{STAGE}.query !== '{before}'")
    assert students.ben.evaluate(KERNEL) == kernel
    assert students.ben.locator("#rnnviz-lost").is_hidden()


def kernel_of(page, server):
    """Return the process of a page's kernel: the one at the sockets that are named after it."""
    name = page.evaluate(KERNEL)
    for process in psutil.Process(server.process.pid).children(recursive=True):
        places = [*process.cmdline(), *(str(each.laddr) for each in process.net_connections("unix"))]
        if any(name in place for place in places):
            return process
    raise AssertionError(f"no process serves the kernel {name}")


def notice(page, words):
    return page.locator("#rnnviz-lost").get_by_text(words)


def test_a_page_catches_up_when_its_connection_is_back(ana, wire):
    slider(ana, "Hidden size").press("PageDown")
    slider(ana, "Gain").press("PageUp")  # the answer to one of them will be lost
    wire.cut()
    slider(ana, "Gain").press("PageUp")
    notice(ana, "The server behind this page cannot be reached").wait_for()
    ana.get_by_role("button", name="Reload with these settings").press("Enter")
    assert ana.locator(".rnnviz-view img").count() == 2, "the page is not left for the browser's own error page"
    wire.mend()
    ana.locator("#rnnviz-lost").wait_for(state="hidden")
    gain = slider(ana, "Gain").get_attribute("aria-valuetext")
    wait_for_pictures(ana, f"{STAGE}.query.split('&').includes('gain={float(gain):g}')")
    change(ana, lambda: slider(ana, "Gain").press("ArrowRight"), f"!{STAGE}.query.includes('gain={float(gain):g}&')")


def test_a_killed_kernel_takes_no_settings_with_it(ana, server):
    change(ana, lambda: slider(ana, "Gain").press("ArrowRight"))
    seen, query = alts(ana), ana.evaluate(f"{STAGE}.query")
    kernel_of(ana, server).kill()
    notice(ana, "The kernel behind this page has stopped").wait_for()
    ana.reload()  # as good as the button
    ana.wait_for_function(PICTURES)
    assert (alts(ana), ana.evaluate(f"{STAGE}.query")) == (seen, query)


def test_settings_too_large_for_the_memory_are_refused_in_a_sentence(ana, server):
    kernel = kernel_of(ana, server)
    kernel.rlimit(psutil.RLIMIT_AS, (kernel.memory_info().vms + ROOM, psutil.RLIM_INFINITY))
    ana.evaluate(f"document.querySelector('main').append(Object.assign(document.createElement('a'), {LARGE}))")
    ana.get_by_text("A large network").click()
    ana.locator(".rnnviz-message").get_by_text("There is not enough memory for these settings").wait_for()
    assert ana.get_by_role("button", name="Copy report").count() == 0
    ana.get_by_role("button", name="Reset").click()
    wait_for_pictures(ana, f"!{STAGE}.query.includes('hidden_size=4096')")
    kernel.rlimit(psutil.RLIMIT_AS, UNLIMITED)
    assert ana.locator(".rnnviz-message").inner_text() == ""


def test_a_full_disk_stops_neither_pages_nor_what_is_taken_home(ana, server, new_page, problems):
    full = [psutil.Process(server.process.pid), kernel_of(ana, server)]
    try:
        for process in full:
            process.rlimit(psutil.RLIMIT_FSIZE, (0, psutil.RLIM_INFINITY))
        change(ana, lambda: slider(ana, "Gain").press("ArrowRight"))
        ana.get_by_role("button", name="Show the code").click()
        for name in ("Data (CSV)", "Slide (PNG)", "Weights (NPZ)"):
            with ana.expect_download() as download:
                ana.get_by_role("button", name=name).click()
            assert download.value.path().stat().st_size > 1000, name
        late = new_page()
        answer = late.goto(f"{server.url}voila/render/{FIRST}?gain=1.5", wait_until="commit")
        assert answer.status == 500
        late.get_by_role("heading", name="The server cannot start this page now").wait_for()
    finally:
        for process in full:
            process.rlimit(psutil.RLIMIT_FSIZE, UNLIMITED)
    late.reload()
    wait_for_pictures(late, f"{STAGE}.query === 'gain=1.5'")
    assert all("status of 500" in problem for problem in problems), problems
    problems.clear()
