"""Fixtures for all tests: a real server, a real browser, and torch if it is installed."""

import asyncio
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil
import pytest
from browsing import NOTEBOOKS, PATIENCE, ROOT, Pages, no_complaints, open_notebook, put_back  # noqa: F401
from hypothesis import settings

# Before NumPy: with more threads than that, each worker's matrix products wait for all the others'.
for name in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{name}_NUM_THREADS", "1")

import rnnviz as rv  # noqa: E402
import rnnviz.dashboard  # noqa: E402  (with all its views and options: `as_before` would take away what comes later)
from rnnviz.text import language  # noqa: E402
from rnnviz.text.registry import Registry  # noqa: E402

# benchmarks/ measures how long things take; no test fails because the machine is busy.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
SMALL = {"hidden_size": 12, "seq_len": 12, "batch_size": 4, "seeds": 2}  # a dashboard that is quickly computed
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --test-third-party-cookie-phaseout"
).split()


SLOW_NOTEBOOK = "07_"  # trains for many seconds before it shows anything


def pytest_collection_modifyitems(items):
    """End with the files that open pages; leave the notebook that trains for long to the test that opens it.

    Playwright's event loop runs from the first page on to the end, and other tests run loops of their own. The shortest
    of these files come last, so that no worker waits long for another.
    """
    items[:] = [item for item in items if not (is_notebook(item) and item.path.name.startswith(SLOW_NOTEBOOK))]
    opening = {item.path for item in items if item.get_closest_marker("browser")}
    lengths = Counter(item.path for item in items if item.path in opening)
    items.sort(key=lambda item: (item.path in opening, -lengths[item.path]))


def is_notebook(item) -> bool:
    """Tell whether nbval runs this item, a cell of a notebook."""
    return item.path.suffix == ".ipynb"


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait for a state; fail with its name if it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not so after {seconds} s"
        time.sleep(0.05)


def jupyter_port(process: subprocess.Popen, runtime: Path, log: Path) -> int:
    """Return the port that a Jupyter server has chosen, once it is in the server's own runtime folder."""

    def port():
        texts = [file.read_text() for file in runtime.glob("jpserver-*.json")]
        return [found[1] for text in texts if (found := re.search(r'"port": (\d+),', text))]

    wait_until(lambda: port() or process.poll() is not None, "the server has a port")
    assert process.poll() is None, log.read_text()
    return int(port()[0])


@dataclass
class Server:
    """A running `rnnviz demo`: its address, its process and its log."""

    url: str
    process: subprocess.Popen
    log: Path

    def kernels(self) -> list[psutil.Process]:
        """Return the kernels that run now."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if is_kernel(child)]

    def get(self, path: str = "") -> tuple[int, str]:
        """Return a page's status and text."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def stop(self) -> int:
        """End the server as Ctrl-C does, and return its exit status."""
        self.process.send_signal(INTERRUPT)
        return self.process.wait(timeout=PATIENCE)


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process runs: one that nobody waits for stays as a zombie."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def is_kernel(process: psutil.Process) -> bool:
    """Tell whether a process is a living kernel."""
    try:
        return is_alive(process) and any("ipykernel_launcher" in part for part in process.cmdline())
    except psutil.Error:
        return False


def start_server(command: list[str], log: Path, *arguments: str, folder: Path = ROOT) -> Server:
    """Start a demo on the first free port, and wait until it prints its address."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "demo", *arguments, "--no-browser"],
            cwd=folder, stdout=output, stderr=subprocess.STDOUT, creationflags=NEW_GROUP,
        )  # fmt: skip
    wait_until(lambda: "runs at" in log.read_text() or process.poll() is not None, "the server answers")
    assert process.poll() is None, log.read_text()
    address = re.search(r"runs at (\S+)", log.read_text())[1]
    return Server(address, process, log)


INTERRUPT, NEW_GROUP = (2, 0)
if sys.platform == "win32":
    import signal

    INTERRUPT, NEW_GROUP = signal.CTRL_BREAK_EVENT, subprocess.CREATE_NEW_PROCESS_GROUP


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """Run `rnnviz demo` on the project's notebooks; it must end cleanly and print no traceback.

    Each worker of pytest-xdist runs its own: tests/serving counts the server's kernels.
    """
    command = shutil.which("rnnviz", path=str(Path(sys.executable).parent))
    assert command, "the command 'rnnviz' is not installed beside this Python"
    running = start_server([command], tmp_path_factory.mktemp("voila") / "log")
    yield running
    left = running.kernels()
    status = running.stop()
    printed = running.log.read_text()
    assert "Traceback" not in printed, printed
    assert status == 0, printed
    wait_until(lambda: not any(map(is_kernel, left)), "the kernels end with the server")


@pytest.fixture(scope="session")
def voila(server) -> str:
    """Return the address of the running server, with a slash at its end."""
    return server.url


def missing(what: str, variable: str):
    """Skip a test if this machine lacks something, or fail if the environment requires it."""
    if os.environ.get(variable):
        pytest.fail(f"{what}, and {variable} is set")
    pytest.skip(what)


@pytest.fixture(scope="session")
def torch():
    """Return torch, to compare with."""
    try:
        return importlib.import_module("torch")
    except ModuleNotFoundError:
        return missing("torch is not installed", "RNNVIZ_REQUIRE_PEERS")


@pytest.fixture(scope="session")
def browser():
    """Run Chromium, without any requests of its own."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        missing(f"no browser on the PATH (looked for {', '.join(BROWSERS)})", "RNNVIZ_REQUIRE_BROWSER")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def pages(browser) -> Iterator[Pages]:
    """Open pages for one test, which fails if one of them complains."""
    opened = Pages(browser)
    yield opened
    opened.close()


@pytest.fixture
def problems(pages) -> list[str]:
    """Return the list of what this test's pages complained of; a test that provokes complaints clears it."""
    return pages.problems


@pytest.fixture
def new_page(pages):
    """Return a function that opens a page; it takes a Playwright context's options."""
    return pages.open


@pytest.fixture
def page(new_page):
    """Open a page of 1280 x 900."""
    return new_page()


@pytest.fixture(scope="module")
def shared(browser) -> Iterator[Pages]:
    """Open pages that all tests of a file share; each test uses `quiet` with them."""
    opened = Pages(browser)
    yield opened
    opened.close()


@pytest.fixture
def quiet(shared) -> Iterator[None]:
    """Fail if one of the file's shared pages complains."""
    with no_complaints(shared.problems):
        yield


@pytest.fixture(scope="session")
def kept(browser, voila) -> Iterator[Pages]:
    """Open pages that all tests of a process share, and that close before their server ends."""
    opened = Pages(browser)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def first_page(kept, voila):
    """Open the first notebook once."""
    return open_notebook(kept.open(permissions=["clipboard-read", "clipboard-write"], has_touch=True), voila)


@pytest.fixture
def first(first_page, kept, voila):
    """Return the first notebook's page as it started; it is put back after each test, or else opened anew."""
    with no_complaints(kept.problems):
        yield first_page
        try:
            put_back(first_page)
        except BaseException:
            open_notebook(first_page, voila)
            kept.problems.clear()  # of leaving it in the middle of something
            raise


@cache
def registries(imported: int) -> list[Registry]:
    """Return the registries of all modules, of which ``imported`` have been imported so far."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("rnnviz")]
    found = {id(each): each for module in modules for each in list(vars(module).values()) if isinstance(each, Registry)}
    return list(found.values())


@pytest.fixture(autouse=True)
def as_before():
    """Restore English and the registries after each test, in their order: a process has them once."""
    before = [(registry, dict(registry)) for registry in registries(len(sys.modules))]
    yield
    language.use("en")
    for registry, entries in before:
        if [*map(id, registry.values())] != [*map(id, entries.values())]:
            registry.clear()
            registry.update(entries)


@pytest.fixture
def opened(monkeypatch):
    """Open a dashboard as a link would."""

    def open_with(query="", *views, **settings):
        monkeypatch.setenv("QUERY_STRING", query)
        return rv.Dashboard(*views, **{**SMALL, **settings})

    return open_with


@pytest.fixture
def no_loop():
    """Hide the event loop that Playwright leaves in this thread; a dashboard would take it for a kernel's."""
    left = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(left)
