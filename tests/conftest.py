"""What tests share: a real server, a real browser, and torch where it is installed."""

import asyncio
import importlib
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from hypothesis import settings

import rnnviz as rv
from rnnviz.text import language

# How long an example takes is measured in benchmarks/; a machine that does other things beside fails no test.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SMALL = {"hidden_size": 12, "seq_len": 12, "batch_size": 4, "seeds": 2}  # a dashboard that is quickly computed
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

# Voila's front end is built for an older JupyterLab than the one installed, and says so; nothing else may.
VOILA_WARNINGS = (
    r"Unsatisfied version \S+ from _JUPYTERLAB\.CORE_OUTPUT of shared singleton module @jupyterlab/\S+ "
    r"\(required \S+\)",
    r"No satisfying version \(\S+\) of shared module @jupyterlab/\S+ found in shared scope default\.\n"
    r"Available versions: \S+ from _JUPYTERLAB\.CORE_OUTPUT",
)


# What ipywidgets asks a kernel at first comes before its comms are there, which is told, and answered all the same.
FIRST_WORDS = r"No such comm: [-0-9a-f]+|No such comm target registered: jupyter[.]widget[.]control"
KERNEL_COMPLAINS = re.compile(rf'"msg_type": *"error"|"name": *"stderr", *"text": *"(?!({FIRST_WORDS})\\n")')


def wait_until(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Wait for a state; fail with its name where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not so after {seconds} s"
        time.sleep(0.05)


def jupyter_port(process: subprocess.Popen, runtime: Path, log: Path) -> int:
    """Return the port that a Jupyter server has chosen, once it has written it into a runtime folder of its own."""

    def port():
        texts = [file.read_text() for file in runtime.glob("jpserver-*.json")]
        return [found[1] for text in texts if (found := re.search(r'"port": (\d+),', text))]

    wait_until(lambda: port() or process.poll() is not None, "the server has a port", 60)
    assert process.poll() is None, log.read_text()
    return int(port()[0])


@dataclass
class Server:
    """A running `rnnviz demo`: its address, its process, and what it printed."""

    url: str
    process: subprocess.Popen
    log: Path

    def kernels(self) -> list[psutil.Process]:
        """Return the kernels that run now."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        return [child for child in children if is_kernel(child)]

    def get(self, path: str = "") -> tuple[int, str]:
        """Return the status and the text of a page."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def stop(self) -> int:
        """End the server as Ctrl-C does, and return its exit status."""
        self.process.send_signal(INTERRUPT)
        return self.process.wait(timeout=30)


def is_kernel(process: psutil.Process) -> bool:
    """Tell whether a process is a living kernel."""
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and any("ipykernel_launcher" in part for part in process.cmdline())
    except psutil.Error:
        return False


def start_server(command: list[str], log: Path, *folder: str) -> Server:
    """Start a demo of a folder on the first port that is free, and wait until it says where it answers."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "demo", *folder, "--no-browser"],
            cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, creationflags=NEW_GROUP,
        )  # fmt: skip
    wait_until(lambda: "runs at" in log.read_text() or process.poll() is not None, "the server answers", 60)
    assert process.poll() is None, log.read_text()
    address = re.search(r"runs at (\S+)", log.read_text())[1]
    return Server(address, process, log)


INTERRUPT, NEW_GROUP = (2, 0)
if sys.platform == "win32":
    import signal

    INTERRUPT, NEW_GROUP = signal.CTRL_BREAK_EVENT, subprocess.CREATE_NEW_PROCESS_GROUP


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """Run `rnnviz demo` on the project's notebooks; it must end cleanly, and print no traceback."""
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
    """Skip a test for what this machine lacks, or fail where the environment says it must be there."""
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
    """Run a Chromium that makes no requests of its own."""
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        missing(f"no browser on the PATH (looked for {', '.join(BROWSERS)})", "RNNVIZ_REQUIRE_BROWSER")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def problems() -> list[str]:
    """Collect what a page complains of: console errors and warnings, and errors that nothing caught."""
    return []


@pytest.fixture
def new_page(browser, problems):
    """Return a function that opens a page in a fresh profile; it takes a Playwright context's options."""
    contexts = []

    def new_page(**options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        listen(page, problems)
        return page

    yield new_page
    for context in contexts:
        for page in context.pages:
            page.goto("about:blank")  # leaving a page frees its kernel; closing a context does not
        context.close()
    assert not problems, "\n".join(problems)


@pytest.fixture
def page(new_page):
    """Open a page of 1280 x 900; the test fails where the page complains of anything."""
    return new_page()


def listen(page, problems: list[str]) -> None:
    """Collect what a page complains of, in its console and in what its kernel sends: errors, and words on stderr."""
    page.on("console", lambda message: note(message.type, message.text, problems))
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: overhear(frame, problems)))


@contextmanager
def no_complaints(problems: list[str]) -> Iterator[None]:
    """Fail where a page that several tests share complains of anything meanwhile."""
    problems.clear()
    yield
    assert not problems, "\n".join(problems)


def overhear(frame: bytes | str, problems: list[str]) -> None:
    """Keep a kernel's message that is a complaint: what a widget's callback raises is told nowhere else."""
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    if KERNEL_COMPLAINS.search(text[:4000]):
        problems.append(f"kernel: {text[:6000]}")


def note(kind: str, text: str, problems: list[str]) -> None:
    """Keep a console message that is a complaint, and none of those known to be Voila's own."""
    known = any(re.fullmatch(pattern, text) for pattern in VOILA_WARNINGS)
    if kind in ("error", "warning") and not known:
        problems.append(f"{kind}: {text}")


@pytest.fixture(autouse=True)
def english():
    """Put the language back that the code is written in: a process speaks one at a time."""
    yield
    language.use("en")


@pytest.fixture
def opened(monkeypatch):
    """Open a dashboard as a link would."""

    def open_with(query="", *views, **settings):
        monkeypatch.setenv("QUERY_STRING", query)
        return rv.Dashboard(*views, **{**SMALL, **settings})

    return open_with


@pytest.fixture
def no_loop():
    """Hide the loop that Playwright leaves in this thread, which a dashboard would take for a kernel's."""
    left = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(left)
