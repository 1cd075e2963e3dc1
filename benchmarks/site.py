"""The static site in Chromium: a second visit, a key's first new frame, and how long Python keeps its loop busy.

    python benchmarks/site.py [--pyodide ARCHIVE] [--site FOLDER] [--presses 20] [--visits 2]

It builds a site of the first notebook and of a copy that records what Python does, in FOLDER unless it is there, and
serves it as plain files. A visit lasts from opening the address to the first picture; the CPU seconds are those of the
whole browser. Keys follow each other after random pauses, so that some come while the rest of the last one is computed;
the clock runs in the page, from the key to the frame with new pictures. On the copy, a timer in Python's own worker
ticks every 10 ms: between two ticks its loop was blocked. Full draws of a figure, and single steps of a computation (a
few calls of NumPy), are told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from statistics import median, quantiles

import psutil
from latency import WATCH
from timing import machine, verdict

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browsing import FIRST  # noqa: E402
from conftest import BROWSER_FLAGS, BROWSERS  # noqa: E402

PAGE = FIRST.replace(".ipynb", ".html")
PICTURE = "() => [...document.querySelectorAll('.rnnviz-view img')].some((img) => img.complete && img.naturalWidth > 0)"
WHOLE = "() => document.querySelector('.rnnviz-stage')?.dataset.whole === 'true'"
SIZES = (64, 128)
KEYS = ("ArrowRight", "ArrowRight", "PageUp")
PAUSES = (100, 2000)  # ms from a first new frame to the next key
TICK = 10  # ms
PATIENCE = 120_000  # ms
# Put in front of a dashboard's code: keeps when Python draws a figure anew, and when it makes a step.
RECORD = """
import js
from rnnviz.dashboard import worker
from rnnviz.views.canvas import BlittedFigure

js.spans = js.Array.new()

def recorded(name, call):
    def run(*arguments):
        begun = js.performance.now()
        try:
            return call(*arguments)
        finally:
            js.spans.push(js.Array.of(name, begun, js.performance.now()))
    return run

BlittedFigure.__init__ = recorded("figure", BlittedFigure.__init__)
worker.next = recorded("step", next)
"""
WATCH_LOOP = """
(tick) => {
  let last = performance.now();
  [self.ticks, self.spans.length] = [[], 0];
  setInterval(() => {
    const now = performance.now();
    self.ticks.push([last, now]);
    last = now;
  }, tick);
}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def build(site: Path, archive: str | None) -> None:
    """Build a site of the first notebook, and of the same notebook with `RECORD` in its code."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copy(ROOT / "notebooks" / FIRST, folder)
        cells = json.loads((folder / FIRST).read_text(encoding="utf-8"))
        code = next(cell for cell in cells["cells"] if cell["cell_type"] == "code")
        code["source"] = [RECORD, *code["source"]]
        (folder / "recorded.ipynb").write_text(json.dumps(cells), encoding="utf-8")
        source = ["--pyodide", archive] if archive else []
        command = [sys.executable, ROOT / "dev.py", "site", folder, "--output", site, *source]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder's files, and yield their address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def cpu_seconds() -> float:
    """Return the CPU seconds that all processes of the browser have used."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            total += sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return total


def visit(page, address: str) -> tuple[float, float]:
    """Open a page; return the seconds to its first picture, and the browser's CPU seconds until then."""
    begun, used = time.perf_counter(), cpu_seconds()
    page.goto(address, wait_until="commit")
    page.wait_for_function(PICTURE, polling=50, timeout=PATIENCE)
    return time.perf_counter() - begun, cpu_seconds() - used


def press_keys(page, presses: int) -> list[float]:
    """Press keys on the slider *Hidden size*; return the ms from each to the first new pictures."""
    page.wait_for_function(WHOLE, polling=50, timeout=PATIENCE)
    page.evaluate(WATCH, ".rnnviz-view img")
    handle = page.get_by_role("slider", name="Hidden size", exact=True)
    handle.focus()
    taken, pauses = [], Random(0)
    for k in range(presses):
        query = page.evaluate("painted.length = 0, document.querySelector('.rnnviz-stage').dataset.query")
        page.keyboard.press(KEYS[k % len(KEYS)])
        is_new = "(old) => painted.find((each) => each.at > pressed && each.query !== old)"
        found = page.wait_for_function(is_new, arg=query, polling=20, timeout=PATIENCE)
        taken.append(found.evaluate("({ at }) => at - pressed"))
        page.wait_for_timeout(pauses.uniform(*PAUSES))
    return taken


def blocked(ticks: list[list[float]], spans: list[list]) -> dict[str, float]:
    """Return the longest ms between two ticks, with and without full draws, and the longest draw and step."""
    draws = [(begin, end) for name, begin, end in spans if name == "figure"]
    longest = {"all": 0.0, "without full draws": 0.0}
    for begin, end in ticks:
        drawing = sum(max(min(end, last) - max(begin, first), 0.0) for first, last in draws)
        longest["all"] = max(longest["all"], end - begin - TICK)
        longest["without full draws"] = max(longest["without full draws"], end - begin - TICK - drawing)
    for kind in ("figure", "step"):
        longest[kind] = max((end - begin for name, begin, end in spans if name == kind), default=0.0)
    return longest


def visits(page, address: str, count: int) -> None:
    """Open a page for the first time and then again, and print how long that takes."""
    for k in range(count + 1):
        seconds, used = visit(page, address)
        name = f"visit {k + 1}: s to the first picture ({used:.1f} s of CPU, load {os.getloadavg()[0]:.1f})"
        verdict(name, seconds, high=15 if k else float("inf"))


def keys(page, url: str, size: int, presses: int) -> None:
    """Press keys on the first notebook's page, and print how long new pictures take."""
    visit(page, f"{url}{PAGE}?hidden_size={size}")
    taken = press_keys(page, presses)
    name, load = f"H = {size}: ms from a key to the first new frame", os.getloadavg()[0]
    verdict(f"{name}, p50", median(taken))
    verdict(f"{name}, p95, load {load:.1f}", quantiles(taken, n=20, method="inclusive")[-1], high=250)


def loop(page, url: str, size: int, presses: int) -> None:
    """Press keys on the page that records what Python does, and print how long its loop was blocked."""
    with page.expect_worker() as started:
        visit(page, f"{url}recorded.html?hidden_size={size}")
    page.wait_for_function(WHOLE, polling=50, timeout=PATIENCE)
    started.value.evaluate(WATCH_LOOP, TICK)
    press_keys(page, presses)
    page.wait_for_function(WHOLE, polling=50, timeout=PATIENCE)
    found = blocked(*started.value.evaluate("[self.ticks, [...self.spans]]"))
    print(f"  H = {size}: the longest full draw took {found['figure']:.0f} ms, the longest step {found['step']:.0f} ms")
    verdict(f"H = {size}: ms that the loop was blocked at most", found["all"])
    verdict(f"H = {size}: ms that it was blocked, full draws aside", found["without full draws"], high=250)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pyodide", help="where Pyodide's files are, as for `rnnviz site`")
    parser.add_argument("--site", type=Path, help="where a site is that this benchmark has built, or is to build")
    parser.add_argument("--presses", type=int, default=20)
    parser.add_argument("--visits", type=int, default=2)
    chosen = parser.parse_args()
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = (chosen.site or Path(folder, "site")).resolve()
        if not site.exists():
            build(site, chosen.pyodide)
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        print(f"{machine()}; Chromium {browser.version}, load {os.getloadavg()[0]:.1f}", flush=True)
        with served(site) as url:
            page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
            visits(page, f"{url}{PAGE}", chosen.visits)
            for size in SIZES:
                keys(page, url, size, chosen.presses)
            loop(page, url, max(SIZES), chosen.presses)
        browser.close()


if __name__ == "__main__":
    main()
