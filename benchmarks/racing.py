"""How soon a slider is answered while the page trains four schemes, and how much that slows the training.

    python benchmarks/racing.py [--rounds 4]

In the real Voila and Chromium. Ten seconds in which nobody touches the page alternate with ten in which *Hidden size*
gets a key every second; the gradient's picture follows the key, the training goes on with the sizes that it began with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from latency import BROWSER_FLAGS, BROWSERS, Contender, notebook, served
from timing import THREADS, machine, verdict

SECONDS = 10
RACE = """
from rnnviz import Dashboard

Dashboard("race", "gradient", scheme=["xavier", "orthogonal", "pytorch", "uniform01"], seeds=2,
          options={"problem": "adding", "training_steps": "10000"})
"""
STEP = "Number(/\\d+/.exec(document.querySelector('.rnnviz-race-said').textContent)?.[0] ?? 0)"


def wait(page, since: float, seconds: float) -> None:
    """Wait until so many seconds have gone by."""
    page.wait_for_timeout(max(0.0, 1e3 * (since + seconds - time.perf_counter())))


def rate(contender: Contender, presses: int) -> float:
    """Return the training steps per second of a stretch of time in which a key is pressed so often."""
    page = contender.page
    begun, first = time.perf_counter(), page.evaluate(STEP)
    for k in range(presses):
        contender.press()
        wait(page, begun, (k + 1) * SECONDS / presses)
    wait(page, begun, SECONDS)
    return (page.evaluate(STEP) - first) / (time.perf_counter() - begun)


def measure(folder: Path, rounds: int) -> tuple[Contender, list[float], list[float]]:
    """Train on the page, and return the contender and the rates of both kinds of stretches."""
    from playwright.sync_api import sync_playwright

    (folder / "race.ipynb").write_text(notebook(RACE))
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with served(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        contender = Contender(browser, url + "race.ipynb", "[data-view=gradient] img")
        contender.page.locator(".rnnviz-train").click()
        contender.page.wait_for_function(f"() => {STEP} > 20")
        contender.press(keep=False)  # from here on the picture shows other settings, and does not follow the weights
        rates = [(rate(contender, 0), rate(contender, SECONDS)) for _ in range(rounds)]
        contender.page.goto("about:blank")
        browser.close()
    alone, pressed = zip(*rates, strict=True)
    return contender, list(alone), list(pressed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    chosen = parser.parse_args()
    os.environ |= dict.fromkeys(THREADS, "1")  # as a kernel of the demo has it
    print(f"{machine()}; four schemes, two seeds, H = 64, T = 50", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        contender, alone, pressed = measure(Path(folder), chosen.rounds)
    print(f"  {median(alone):.1f} training steps per second alone, {median(pressed):.1f} with a key every second")
    print(f"  key to pixels p50 {median(contender.latency):.0f} ms, to the whole p50 {median(contender.final):.0f} ms")
    verdict("ms from a key to pixels while four schemes train, p95", quantiles(contender.latency, n=20)[-1], high=300)
    verdict("of the training's speed with a key every second", median(pressed) / median(alone), low=0.7)


if __name__ == "__main__":
    main()
