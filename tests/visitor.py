"""A visitor who uses controls in a seeded random order, and compares the page with a fresh computation."""

from __future__ import annotations

import ast
import json
import os
import random
import re
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from browsing import FIRST, NOTEBOOKS, PATIENCE
from ipywidgets import Button, Checkbox, Dropdown
from pages import everything_in
from playwright.sync_api import Error, Page

import rnnviz

ALERTS = re.compile(r"inside rnnviz|In rnnviz ist|has stopped|läuft nicht mehr|cannot be reached")
REFUSED = re.compile("text must be|text muss")  # while the text is refused, there is no picture of the settings
WORDS = ("", "a", "gegen den strom", "=1+1", "<b>x</b>", "naïve 🙂 text", "x" * 400)
NUMBERS = ("0", "1", "7", "-3", "1e999", "nan", "many", "")
KEYS = ("ArrowRight", "ArrowLeft", "ArrowUp", "PageUp", "PageDown", "Home", "End")
DRAWS = {"handle": 8, "select": 4, "check": 4, "button": 5, "figure": 2, "range": 2, "readout": 1, "textarea": 1}

# The controls that are usable now, each as [index, kind, name].
FIND = """
() => {
  const kinds = {
    handle: ".noUi-handle", select: "select", check: "input[type=checkbox]", button: "button", figure: ".rnnviz-view",
    range: "input[type=range]", readout: ".widget-readout", textarea: "textarea",
  };
  // What unfolds a reason makes room for it.
  const usable = (node) => !node.disabled && !node.closest("[disabled]") && !node.matches(".rnnviz-why")
    && node.checkVisibility({ visibilityProperty: true });
  window.found = [];
  const name = (node) => node.getAttribute("aria-label") || node.closest("label")?.textContent
    || node.closest(".widget-inline-hbox")?.querySelector("label")?.textContent || node.textContent;
  return Object.entries(kinds).flatMap(([kind, selector]) =>
    [...document.querySelectorAll(`.rnnviz ${selector}`)].filter(usable)
      .map((node) => [window.found.push(node) - 1, kind, name(node).trim()]));
}
"""
WATCH = """
() => {
  const watched = (window.watched = { shifts: [], blank: 0, frames: 0, changed: performance.now() });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const sources = entry.sources.filter(({ node }) => !node?.classList?.contains("rnnviz-cursor"));
      const moved = sources.map(({ node, previousRect: a, currentRect: b }) =>
        `${(node?.className || node?.nodeName || "?")}: ${a.x},${a.y} ${a.width}x${a.height}`
        + ` to ${b.x},${b.y} ${b.width}x${b.height}`);
      if (moved.length) watched.shifts.push({ value: entry.value, moved });
    }
  }).observe({ type: "layout-shift" });
  new MutationObserver(() => { watched.changed = performance.now(); })
    .observe(document.querySelector(".rnnviz"), { subtree: true, childList: true, attributes: true });
  const look = () => {
    watched.frames += 1;
    for (const figure of document.querySelectorAll(".rnnviz-view")) {
      const img = figure.querySelector("img");
      if (!img?.complete || img.naturalWidth === 0) watched.blank += 1;
    }
    if (window.watched === watched) requestAnimationFrame(look);
  };
  look();
}
"""
AT_REST = """
(quiet) => {
  const stages = [...document.querySelectorAll(".rnnviz-stage")];
  return performance.now() - window.watched.changed > quiet
    && stages.every(({ dataset }) => dataset.whole === "true")
    && [...document.querySelectorAll(".rnnviz-view")].every(({ dataset }) => dataset.shown === dataset.wanted)
    && ([...document.querySelectorAll(".is-loading, .rnnviz-late, .rnnviz-stale")]
      .every((node) => node.closest("[hidden]"))
      || document.querySelector(".rnnviz-message").textContent !== "");
}
"""
SHOWN = """
() => {
  const all = (selector) => [...document.querySelectorAll(`.rnnviz ${selector}`)];
  const copy = all("button").find((node) => ["Copy link", "Link kopieren"].includes(node.textContent));
  copy.click();
  const slider = document.querySelector(".rnnviz-step-bar input");
  const moment = all(".rnnviz-moment p").map((node) => node.textContent);
  return {
    query: new URL(document.querySelector(".rnnviz-link").value).search.replace(/^[?]/, ""),
    alts: all(".rnnviz-view img").map((node) => node.alt),
    words: all(".rnnviz-verdict").map((node) => node.textContent),
    menus: Object.fromEntries(all(".widget-dropdown").map((node) =>
      [node.querySelector("label").textContent, node.querySelector("select").selectedOptions[0]?.textContent
        .replaceAll("\\u00a0", " ")])),
    sliders: Object.fromEntries(all(".widget-slider").map((node) => [node.querySelector("label").textContent,
      Number(node.querySelector(".widget-readout").textContent.replace("\\u2212", "-").replace(",", "."))])),
    boxes: all("input[type=checkbox]").filter((node) => node.checked && !node.disabled)
      .map((node) => node.closest("label").textContent),
    bet: all(".rnnviz-bet .rnnviz-chosen").find((node) => node.checkVisibility())?.textContent ?? "",
    step: Number(slider.value),
    moment: /^(Point at|Um einen Schritt)/.test(moment[0]) ? [] : moment,
  };
}
"""
SET_OF_CONTROLS = """
() => [...document.querySelectorAll(
    ".rnnviz :is(button, select, label, .rnnviz-view, .rnnviz-code, .rnnviz-link, .rnnviz-words li)")]
  .filter((node) => node.checkVisibility())
  .map((node) => node.matches("label") ? node.textContent : `${node.nodeName} ${node.ariaExpanded ?? ""}`)
"""


def source_of(notebook: str) -> str:
    """Return the expression that makes a notebook's page."""
    cells = json.loads((NOTEBOOKS / notebook).read_text(encoding="utf-8"))["cells"]
    code = next("".join(cell["source"]) for cell in cells if "Dashboard(" in "".join(cell["source"]))
    return ast.unparse(ast.parse(code).body[-1])


def truth(source: str, query: str, step: int, bet: str) -> dict:
    """Return what the page of ``source`` must show for a link's query and a bet, computed in this process.

    Only the stage's traits and the widgets' descriptions and values are read.
    """
    before = os.environ.get("QUERY_STRING")
    os.environ["QUERY_STRING"] = query
    try:
        fresh = eval(source, {"Dashboard": rnnviz.Dashboard})
    finally:
        os.environ.pop("QUERY_STRING")
        if before is not None:
            os.environ["QUERY_STRING"] = before
    fresh.stage.step = step
    widgets = everything_in(fresh)
    for each in widgets:
        if bet and isinstance(each, Button) and each.description == bet:
            each.click()
    boxes = [each for each in widgets if isinstance(each, Checkbox)]
    return {
        "query": fresh.stage.query,
        "alts": [view["alt"] for view in fresh.stage.frame["views"]],
        "words": [each["text"] for each in fresh.stage.frame["words"]],
        "menus": {each.description: each.label for each in widgets if isinstance(each, Dropdown)},
        "sliders": {each.description: round(each.value, 2) for each in widgets if hasattr(each, "readout_format")},
        "boxes": sorted(box.description for box in boxes if box.value and not box.disabled),
        "bet": bet,
        "step": step,
        "moment": list(fresh.stage.moment),
    }


def differ(shown, expected) -> tuple:
    """Return only what differs between two values, the shown and the expected."""
    if isinstance(shown, dict):
        names = [name for name in shown if shown[name] != expected.get(name)]
        return {name: shown[name] for name in names}, {name: expected.get(name) for name in names}
    return shown, expected


def visit(page: Page, url: str, notebook: str = FIRST, query: str = "", seed: int = 0) -> Visitor:
    """Open a notebook's page, with a link's query, and wait for its pictures."""
    page.goto(f"{url}voila/render/{notebook}{'?' if query else ''}{query}")
    page.wait_for_function("() => document.querySelector('.rnnviz-view img[src]')")
    visitor = Visitor(page, notebook, seed)
    visitor.rest()
    return visitor


class Visitor:
    """Uses one page; ``done`` holds its last actions, ``findings`` a sentence about everything that went wrong.

    ``counted`` has the number of changes, of those missed (the control was gone meanwhile), of final pictures that were
    right (settled) or stale, of layout shifts although no control or curve came or went (jumps), of blank images and
    of animation frames.
    """

    def __init__(self, page: Page, notebook: str = FIRST, seed: int = 0):
        self.page, self.source, self.random = page, source_of(notebook), random.Random(seed)
        self.done: deque[str] = deque(maxlen=8)
        self.counted = dict.fromkeys(("changes", "missed", "settled", "stale", "jumps", "blank", "frames"), 0)
        self.findings: list[str] = []
        self.thread = ThreadPoolExecutor(1)
        page.evaluate(WATCH)

    def change(self) -> None:
        """Use one control, chosen at random."""
        usable = self.page.evaluate(FIND)
        kinds = [kind for kind in DRAWS if any(kind == each for _, each, _ in usable)]
        kind = self.random.choices(kinds, [DRAWS[each] for each in kinds])[0]
        k, _, name = self.random.choice([each for each in usable if each[1] == kind])
        self.done.append(f"{kind} {name:.40}")
        node = self.page.evaluate_handle("k => window.found[k]", k).as_element()
        try:
            getattr(self, kind)(node)
        except Error as error:
            self.counted["missed"] += 1
            self.findings.append(f"missed {self.done[-1]}: {str(error).splitlines()[0]}")
        self.counted["changes"] += 1
        self.listen()

    def listen(self) -> None:
        """Keep the page's own error messages."""
        said = " ".join(self.page.locator("[role=alert]").all_inner_texts())
        if ALERTS.search(said):
            self.findings.append(f"alert after {list(self.done)}: {said}")

    def rest(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing on the page has changed for a quarter of a second, and every picture is the newest."""
        self.page.wait_for_function(AT_REST, arg=250, timeout=1e3 * seconds)

    def settle(self, seconds: float = 60) -> bool:
        """Wait until the page rests and shows what its link and its controls say; return False if it never does."""
        deadline, begun, wrong = time.monotonic() + seconds, 0.0, {}
        # A comparison itself may take long: the last one may begin when the time is up.
        while begun < deadline:
            begun = time.monotonic()
            self.rest()
            wrong = {} if self.is_refused() else self.compare()
            if not wrong:
                self.counted["settled"] += 1
                return True
        self.counted["stale"] += 1
        self.findings.append(f"stale after {list(self.done)}: {wrong}")
        return False

    def is_refused(self) -> bool:
        """Return whether the page refuses its settings."""
        return bool(REFUSED.search(self.page.locator(".rnnviz-message").inner_text()))

    def shown(self) -> dict:
        """Return what the page shows: its link, alt texts, sentences and controls."""
        return self.page.evaluate(SHOWN)

    def compare(self) -> dict:
        """Return where the page differs from what it should show."""
        shown = self.shown()
        # The link also has the step, which is compared separately.
        shown["query"] = re.sub("(^|&)step=[0-9]+$", "", shown["query"])
        # In a thread without Playwright's event loop, in which a dashboard would draw drafts.
        step = shown["step"] if shown["moment"] else -1
        job = self.thread.submit(truth, self.source, shown["query"], step, shown["bet"])
        expected = job.result()
        shown["boxes"].sort()
        if not shown["moment"]:
            shown["step"] = -1
        return {name: differ(shown[name], expected[name]) for name in shown if shown[name] != expected[name]}

    def watch(self) -> list[dict]:
        """Return the layout shifts since the last call, and count blank images and frames."""
        seen = self.page.evaluate("""() => { const { shifts, blank, frames } = window.watched;
            Object.assign(window.watched, { shifts: [], blank: 0, frames: 0 }); return { shifts, blank, frames }; }""")
        self.counted["blank"] += seen["blank"]
        self.counted["frames"] += seen["frames"]
        return seen["shifts"]

    def change_and_settle(self) -> None:
        """Use one control, and note what jumps, blinks or stays stale."""
        self.watch()
        before = self.page.evaluate(SET_OF_CONTROLS)
        self.change()
        self.rest()
        shifts = self.watch()
        if shifts and self.page.evaluate(SET_OF_CONTROLS) == before:
            self.counted["jumps"] += 1
            self.findings.append(f"jump after {self.done[-1]}: {shifts[:2]}")
        self.settle()

    def handle(self, node) -> None:
        node.focus()
        for _ in range(self.random.choice((1, 1, 1, 4))):
            self.page.keyboard.press(self.random.choices(KEYS, (6, 6, 2, 4, 4, 1, 0.3))[0])

    def select(self, node) -> None:
        node.select_option(index=self.random.randrange(node.evaluate("node => node.options.length")))

    def check(self, node) -> None:
        node.focus()
        self.page.keyboard.press("Space")

    def button(self, node) -> None:
        node.focus()
        self.page.keyboard.press(self.random.choice(("Enter", "Space")))

    def figure(self, node) -> None:
        node.scroll_into_view_if_needed()
        box = node.bounding_box()
        for _ in range(self.random.randint(1, 6)):
            x, y = (box[side] + self.random.random() * box[size] for side, size in (("x", "width"), ("y", "height")))
            self.page.mouse.move(x, y)

    def range(self, node) -> None:
        node.focus()
        self.page.keyboard.press(self.random.choice(KEYS))

    def readout(self, node) -> None:
        self.type(node, self.random.choice(NUMBERS))
        self.page.keyboard.press("Enter")

    def textarea(self, node) -> None:
        self.type(node, self.random.choice(WORDS))
        self.page.keyboard.press("Tab")

    def type(self, node, text: str) -> None:
        node.focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)
