"""A random walk over all controls of a notebook's page, in the real Voila and Chromium.

    python benchmarks/walk.py [--changes 500] [--settle 200] [--seed 0] [--minutes 5] [--width 1280] [--notebook NAME]

First ``--changes`` changes in quick succession: do the browser's console or the kernel report anything? Then
``--settle`` changes, and after each the page comes to rest. Does it show what its own link says, recomputed with one
thread, as kernels have? Did anything move, although no control or curve appeared or went? Was a picture ever blank?
Each part ends after ``--minutes`` at the latest, and reports how far it came.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from timing import THREADS, again, machine, verdict

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from browsing import PATIENCE, listen  # noqa: E402
from conftest import BROWSER_FLAGS, BROWSERS, start_server  # noqa: E402
from visitor import Visitor, visit  # noqa: E402

PACE = 250  # ms between changes that do not wait for the page to rest
NOTEBOOK = min((ROOT / "notebooks").glob("*.ipynb")).name


@contextmanager
def visited(url: str, chosen: argparse.Namespace):
    """Open the page in a fresh profile; yield a visitor and the list of the page's complaints."""
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        context = browser.new_context(viewport={"width": chosen.width, "height": 900}, permissions=["clipboard-write"])
        page, problems = context.new_page(), []
        page.set_default_timeout(1e3 * PATIENCE)
        listen(page, problems)
        yield visit(page, url, chosen.notebook, seed=chosen.seed), problems
        left = len(problems)
        page.goto("about:blank")
        del problems[left:]  # the server closes the socket of a page that is left, which is no complaint
        browser.close()


def walk(url: str, chosen: argparse.Namespace, changes: int, settle: bool) -> tuple[Visitor, list[str]]:
    """Make ``changes`` changes, or as many as time allows."""
    with visited(url, chosen) as (visitor, problems):
        end = time.monotonic() + 60 * chosen.minutes
        while visitor.counted["changes"] < changes and time.monotonic() < end:
            visitor.change_and_settle() if settle else visitor.change()
            if not settle:
                visitor.page.wait_for_timeout(PACE)
        visitor.watch()
        visitor.settle(90)
    return visitor, problems


def report(title: str, visitor: Visitor, problems: list[str], log: str, seconds: float, strict: bool) -> None:
    """Print the counts beside their limits."""
    counted = visitor.counted
    print(f"  {title}: {', '.join(f'{value} {name}' for name, value in counted.items())}; {seconds:.0f} s")
    verdict("complaints in the browser's console, and errors that the kernel sends it", len(problems), high=0)
    verdict("tracebacks in the server's log", len(re.findall(r"Traceback|\[E |Exception", log)), high=0)
    verdict("errors that the page reports", sum(each.startswith("alert") for each in visitor.findings), high=0)
    verdict("stale final pictures", counted["stale"], high=0)
    verdict("frames with a blank picture", counted["blank"], high=0)
    if strict:
        verdict("page jumps", counted["jumps"], high=0)
    for finding in (*problems[:10], *visitor.findings[:20]):
        print(f"    {finding[:1200]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--settle", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--notebook", default=NOTEBOOK, help="below notebooks/, such as de/" + NOTEBOOK)
    chosen = parser.parse_args()
    print(f"{machine()}; seed {chosen.seed}, {chosen.width} px wide", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        server = start_server([sys.executable, "-m", "rnnviz"], Path(folder) / "log")
        try:
            for title, changes, settle in (("changes", chosen.changes, False), ("settled", chosen.settle, True)):
                before, start = len(server.log.read_text()), time.monotonic()
                if changes:
                    visitor, problems = walk(server.url, chosen, changes, settle)
                    log = server.log.read_text()[before:]
                    report(title, visitor, problems, log, time.monotonic() - start, settle)
        finally:
            server.stop()


if __name__ == "__main__":
    # One thread, as in kernels: the last digits depend on the number of threads, and a chaotic network amplifies them.
    if os.environ.get(THREADS[0]) == "1":
        main()
    else:
        again(1, *sys.argv[1:])
