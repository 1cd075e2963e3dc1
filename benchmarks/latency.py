"""The time from a key on the slider *Hidden size* to new pixels, in the real Voila and Chromium.

    python benchmarks/latency.py [--presses 30] [--drags 3]

The pages alternate: the first notebook's dashboard with the same key again and again, which it can compute ahead; with
keys that change every time; with clicks on the slider's track, which it cannot foresee; a page that only echoes the
slider; and the same two panels drawn by ``ipywidgets.interact`` with ``plt.show()``. The clock runs in the page, from
the DOM's event to the first frame after every new picture is decoded. A drag is 50 changes in 2 s; its lag is the time
from the last change to a picture of the last setting: a draft, all seeds (perhaps with some of their sequences), the
whole. The dashboard is dragged at its own sizes and at H = 256, T = 200. The last lines show where the kernel's share
of the time goes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median, quantiles

from timing import THREADS, alternate, machine, verdict

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from conftest import BROWSER_FLAGS, BROWSERS, start_server  # noqa: E402

COMPARED = ("rnnviz", "keys", "clicks", "echo", "interact")
EVERY = {"clicks": 2, "interact": 3}  # presses: of these only the median counts, and `interact` takes its time
KEYS = ("PageUp", "ArrowRight")  # never the same twice, and never back to an earlier setting
PLACES = (0.5, 0.1, 0.45, 0.15, 0.4, 0.05)  # on the track of about 90 px, never where the handle is
DRAGGED = ("rnnviz", "echo", "interact", "H = 256")
MOST = 50
WARM = 4  # presses of each page that do not count
CHANGES, DRAG = 50, 2000  # changes of a drag, and how many ms it takes
MOMENT = Random(0)
LARGE = 256 + 6 - CHANGES  # where the drags begin that end around 256
AT_REST = 300  # ms without a new picture after which a page is at rest
LONG_REST = 2000  # of `interact` after many changes: it takes up to 1.6 s a picture, and would go on beside the next

ECHO = """
import ipywidgets as widgets
slider = widgets.IntSlider(64, 1, 512, description="Hidden size")
echo = widgets.HTML("64")
echo.add_class("echo")
slider.observe(lambda change: setattr(echo, "value", str(change["new"])), "value")
widgets.VBox([slider, echo])
"""
INTERACT = """
%matplotlib inline
import warnings
import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
import rnnviz as rv

def draw(hidden_size):
    config = rv.Config(hidden_size=hidden_size)
    trace = rv.compare(config, ("xavier", "uniform01"), range(8))
    figure, axes = plt.subplots(1, 2, figsize=(11.2, 3.5))
    steps = np.arange(config.seq_len + 1)
    relative = trace.log10_grad_norm - trace.log10_grad_norm[..., -1:]
    for k, name in enumerate(trace.schemes):
        for ax, values in ((axes[0], np.log10(trace.second_moment[k, :, 1:])), (axes[1], relative[k, :, :])):
            low, middle, high = np.quantile(values, (0.1, 0.5, 0.9), axis=0)
            t = steps[-len(middle):]
            ax.fill_between(t, low, high, alpha=0.18)
            ax.plot(t, middle, marker="o", markevery=6, label=name)
    for ax, title in zip(axes, ("Second moment of the hidden state", "Gradient relative to the last step")):
        ax.set(title=title, xlabel="step t")
        ax.grid(True)
        ax.legend()
    plt.show()

widgets.interact(draw, hidden_size=widgets.IntSlider(64, 1, 512, description="Hidden size"));
"""
WATCH = """
(selector) => {
  const nodes = () => [...document.querySelectorAll(selector)];
  const content = (node) => node.tagName === "IMG" ? node.src : node.textContent;
  const frame = () => new Promise(requestAnimationFrame);
  let shown = nodes().map(content), turn = 0;
  window.painted = [];
  window.pressed = 0;
  const look = async () => {
    const now = nodes(), next = now.map(content);
    if (now.length === 0 || now.length !== shown.length || next.some((each, k) => !each || each === shown[k])) return;
    shown = next;
    const mine = ++turn;
    // With `decoding = "sync"` a picture is decoded with its frame, and painted when text would be.
    await Promise.all(now.map((node) => node.decoding === "sync" || node.decode?.().catch(() => 0)));
    const { drawn, whole, query } = document.querySelector(".rnnviz-stage")?.dataset ?? {};
    await frame();
    window.painted.push({ at: performance.now(), turn: mine, drawn, whole: whole !== "false", query });
  };
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["src"] });
  for (const kind of ["keydown", "pointerdown"])
    document.addEventListener(kind, () => { window.pressed = performance.now(); }, { capture: true });
}
"""
DRAW = """
([changes, during]) => new Promise((resolve) => {
  const handle = document.activeElement;
  const start = performance.now();
  let k = 0;
  const step = () => {
    handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    k += 1;
    if (k === changes) resolve(); else setTimeout(step, start + (k * during) / changes - performance.now());
  };
  step();
})
"""


class Contender:
    """A page with its slider. ``selector`` finds what a change replaces; ``keys``, or else clicks, change it."""

    def __init__(self, browser, url: str, selector: str, keys: tuple[str, ...] = KEYS[:1], rest: int = AT_REST):
        self.rest = rest
        self.keys, self.places = cycle(keys), cycle(PLACES)
        self.act = self.press_key if keys else self.click
        self.page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        self.page.set_default_timeout(120_000)
        self.page.goto(url, wait_until="commit")  # what is waited for, the next lines say
        self.handle = self.page.locator(".widget-slider", has_text="Hidden size").locator(".noUi-handle")
        self.handle.wait_for()
        self.page.wait_for_function(f"() => document.querySelectorAll({json.dumps(selector)}).length > 0")
        self.page.wait_for_timeout(1500)
        self.page.evaluate(WATCH, selector)
        self.latency: list[float] = []
        self.final: list[float] = []
        self.lags: dict[str, list[float]] = {}
        self.pictures: list[int] = []

    def settle(self, rest: int = AT_REST, polling: int | str = "raf") -> list[dict]:
        """Wait until no new picture comes; return the pictures since the key, with the time from the key to each."""
        self.page.wait_for_function(
            """(rest) => painted.length > 0 && painted.at(-1).whole
                && performance.now() - Math.max(pressed, painted.at(-1).at) > rest""",
            arg=rest,
            polling=polling,
        )
        return self.page.evaluate("painted.map((each) => ({ ...each, after: each.at - pressed }))")

    def begin(self) -> None:
        self.page.bring_to_front()
        self.handle.focus()
        self.page.evaluate("painted.length = 0")

    def press_key(self) -> None:
        self.page.keyboard.press(next(self.keys))

    def click(self) -> None:
        """Click on the slider's track, beside the handle."""
        box = self.page.locator(".widget-slider", has_text="Hidden size").locator(".noUi-base").bounding_box()
        self.page.mouse.click(box["x"] + next(self.places) * box["width"], box["y"] + 0.5 * box["height"])

    def press(self, keep: bool = True) -> None:
        """Press a key or click once; keep the times to the first new pictures and to the last."""
        self.begin()
        # A person presses a key at any moment of a frame; always at the same one, all times would be whole frames.
        self.page.wait_for_timeout(MOMENT.uniform(0, 50))
        self.act()
        pictures = self.settle()
        if keep:
            self.latency.append(pictures[0]["after"])
            self.final.append(pictures[-1]["after"])

    def drag(self) -> None:
        """Change the slider 50 times in 2 s; keep the lags at the end."""
        self.begin()
        self.page.evaluate(DRAW, [CHANGES, DRAG])
        pictures = self.settle(self.rest, polling=50)  # polling at every frame would take CPU time from the kernel
        self.pictures.append(len(pictures))
        final = [each for each in pictures if each["after"] > 0 and each.get("query") == pictures[-1].get("query")]
        all_seeds = [each for each in final if (each.get("drawn") or "8 x").startswith("8 x")]
        for name, each in {"draft": final[0], "all seeds": all_seeds[0], "whole": final[-1]}.items():
            self.lags.setdefault(name, []).append(each["after"])
        for _ in range(CHANGES + 3):  # so that the next drag ends at a new setting
            self.page.keyboard.press("ArrowLeft")
        self.settle(self.rest)


@contextmanager
def served(folder: Path):
    """Run `rnnviz demo` on a folder and yield the address of its pages."""
    server = start_server([sys.executable, "-m", "rnnviz"], folder / "log", str(folder))
    try:
        yield f"{server.url}voila/render/"
    finally:
        server.stop()


def notebook(source: str) -> str:
    """Return a notebook of one code cell as JSON."""
    cell = {"cell_type": "code", "id": "a", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})


def measure(folder: Path, presses: int, drags: int) -> dict[str, Contender]:
    """Serve the pages, and press the key on each in alternation."""
    from playwright.sync_api import sync_playwright

    dashboard = min((ROOT / "notebooks").glob("*.ipynb"))
    shutil.copy(dashboard, folder)
    (folder / "echo.ipynb").write_text(notebook(ECHO))
    (folder / "interact.ipynb").write_text(notebook(INTERACT))
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with served(folder) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        pages = {
            "rnnviz": Contender(browser, url + dashboard.name, ".rnnviz-view img"),
            "keys": Contender(browser, url + dashboard.name, ".rnnviz-view img", KEYS),
            "clicks": Contender(browser, url + dashboard.name, ".rnnviz-view img", ()),
            "echo": Contender(browser, url + "echo.ipynb", ".echo .widget-html-content"),
            "interact": Contender(browser, url + "interact.ipynb", ".jp-OutputArea-output img", rest=LONG_REST),
            "H = 256": Contender(browser, f"{url}{dashboard.name}?hidden_size={LARGE}&seq_len=200", ".rnnviz-view img"),
        }
        for k in range(presses + WARM):
            for name in COMPARED:
                if k % EVERY.get(name, 1) == 0:
                    pages[name].press(keep=k >= WARM)
        for k in range(drags):
            for name in DRAGGED:
                if k % EVERY.get(name, 1) == 0:
                    pages[name].drag()
        for page in pages.values():
            page.page.goto("about:blank")
        browser.close()
    return pages


def report(pages: dict[str, Contender]) -> None:
    """Print the figures beside their limits."""
    p95 = {name: quantiles(pages[name].latency, n=20)[-1] for name in COMPARED}
    p50 = {name: median(pages[name].latency) for name in COMPARED}
    for name in COMPARED:
        print(
            f"  {name:<9} key to pixels p50 {p50[name]:4.0f}, p95 {p95[name]:4.0f} ms; "
            f"the whole p50 {median(pages[name].final):4.0f} ms"
        )
    for name, kind in {"rnnviz": "the same key", "keys": "other keys"}.items():
        verdict(f"times as long as an echo, p50, {kind}", p50[name] / p50["echo"], high=2.0)
        verdict(f"times as long as an echo, p95, {kind}", p95[name] / p95["echo"], high=3.0)
        verdict(f"times as fast as interact, p50, {kind}", p50["interact"] / p50[name], low=5.0)
    verdict("times as long as an echo, p50, clicks", p50["clicks"] / p50["echo"])
    verdict("times as fast as interact, p50, clicks", p50["interact"] / p50["clicks"], low=5.0)
    for name, page in ((name, pages[name]) for name in DRAGGED):
        lags = ", ".join(f"{part} {median(lag):.0f} (at most {max(lag):.0f})" for part, lag in page.lags.items())
        print(f"  {name:<9} ms after a drag: {lags}; {median(page.pictures):.0f} pictures")
    for name in ("rnnviz", "H = 256"):
        verdict(f"{name}: ms from a drag's end to a draft", max(pages[name].lags["draft"]), high=200)
        verdict(f"{name}: ms from a drag's end to all seeds", max(pages[name].lags["all seeds"]), high=600)


def kernels_share() -> None:
    """Time the steps of one change inside this process, without browser and server."""
    import rnnviz as rv
    from rnnviz.story import verdict as story
    from rnnviz.views import VIEWS, Canvas

    config, schemes = rv.Config(), ("xavier", "uniform01")
    trace = rv.compare(config, schemes, range(8))
    views = [VIEWS["state"], VIEWS["gradient"]]
    data = [view.data(trace) for view in views]
    plates = [Canvas(view).figure(each, 580, 360, 1.0) for view, each in zip(views, data, strict=True)]
    kept = [Canvas(view) for view in views]
    steps: dict[str, Callable[[], object]] = {
        "compare, 8 seeds": lambda: rv.compare(config, schemes, range(8)),
        "data of both views": lambda: [view.data(trace) for view in views],
        "painting both": lambda: [plate.paint(each) for plate, each in zip(plates, data, strict=True)],
        "painting both, to PNG": lambda: [canvas.png(each, 580, 360) for canvas, each in zip(kept, data, strict=True)],
        "alt texts and sentences": lambda: ([v.describe(d) for v, d in zip(views, data, strict=True)],
                                            story.sentences(trace)),
        "a figure drawn anew": lambda: Canvas(views[0]).png(data[0], 580, 360),
    }  # fmt: skip
    print("  in the kernel, ms: " + ", ".join(f"{name} {1e3 * t:.1f}" for name, t in alternate(steps, 15).items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=30, help=f"at most {MOST}, so that no slider meets its end")
    parser.add_argument("--drags", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.presses > MOST:
        parser.error(f"--presses {chosen.presses}: at most {MOST}, so that no slider meets its end")
    os.environ |= dict.fromkeys(THREADS, "1")  # as a kernel of the demo has it
    print(f"{machine()}; {chosen.presses} presses of the key, {chosen.drags} drags", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report(measure(Path(folder), chosen.presses, chosen.drags))
    kernels_share()


if __name__ == "__main__":
    main()
