"""The notebook pages in a real browser: opening them, hearing their complaints, changing them and waiting."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
FIRST = min(NOTEBOOKS.glob("*.ipynb")).name
DESK = {"width": 1280, "height": 900}
PATIENCE = 120  # seconds that a state may take to come, on a machine that does other things too

# Voila's front end is built for an older JupyterLab than the one installed, and warns about it.
VOILA_WARNINGS = (
    r"Unsatisfied version \S+ from _JUPYTERLAB\.CORE_OUTPUT of shared singleton module @jupyterlab/\S+ "
    r"\(required \S+\)",
    r"No satisfying version \(\S+\) of shared module @jupyterlab/\S+ found in shared scope default\.\n"
    r"Available versions: \S+ from _JUPYTERLAB\.CORE_OUTPUT",
)
# ipywidgets' first requests reach a kernel before its comms exist; the kernel warns, and answers later all the same.
EARLY_COMMS = r"No such comm: [-0-9a-f]+|No such comm target registered: jupyter[.]widget[.]control"
KERNEL_COMPLAINS = re.compile(rf'"msg_type": *"error"|"name": *"stderr", *"text": *"(?!({EARLY_COMMS})\\n")')

# Every picture that is seen is the newest, whole, decoded and not dimmed; the others may come when they are seen.
PICTURES = """
() => {
  const stages = [...document.querySelectorAll(".rnnviz-stage")];
  const figures = [...document.querySelectorAll(".rnnviz-view:not([hidden])")];
  const unfinished = [...document.querySelectorAll(".is-loading, .rnnviz-late, .rnnviz-partial, .rnnviz-stale")];
  return stages.length > 0 && figures.length > 0 && stages.every((stage) => stage.dataset.whole === "true")
    && unfinished.every((node) => node.closest("[hidden]")) && document.querySelector("[data-waiting]") === null
    && figures.every((figure) => {
      const img = figure.querySelector("img");
      return figure.dataset.shown === figure.dataset.wanted && img.complete && img.naturalWidth > 0;
    });
}
"""
STAGE = "document.querySelector('.rnnviz-stage').dataset"
SETTINGS = f"{STAGE}.query.replace(/(^|&)step=[0-9]+$/, '')"  # of its link, without the step pointed at


@cache
def profile(browser, options: str):
    """Return a browser's profile with these options, in JSON; its cache spares all pages but the first some work."""
    return browser.new_context(**json.loads(options))


class Pages:
    """Opens pages, and collects the complaints of all of them in ``problems``."""

    def __init__(self, browser):
        self.browser, self.pages = browser, []
        self.problems: list[str] = []

    def open(self, **options):
        """Open a blank page in the profile with these options of a Playwright context."""
        page = profile(self.browser, json.dumps({"viewport": DESK, **options}, sort_keys=True)).new_page()
        page.set_default_timeout(1e3 * PATIENCE)
        self.pages.append(page)
        listen(page, self.problems)
        return page

    def close(self) -> None:
        """Close all pages; fail if one of them has complained."""
        for page in self.pages:
            if not page.is_closed():
                page.goto("about:blank")  # leaving a page frees its kernel; closing it does not
                page.close()
        assert not self.problems, "\n".join(self.problems)


def listen(page, problems: list[str]) -> None:
    """Collect a page's complaints: from its console, and from its kernel (errors and output on stderr)."""
    page.on("console", lambda message: note(message.type, message.text, problems))
    page.on("pageerror", lambda error: problems.append(f"uncaught: {error}"))
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: overhear(frame, problems)))


@contextmanager
def no_complaints(problems: list[str]) -> Iterator[None]:
    """Fail if a shared page complains, now or since the last test that looked."""
    yield
    heard = "\n".join(problems)
    problems.clear()
    assert not heard, heard


def overhear(frame: bytes | str, problems: list[str]) -> None:
    """Keep a kernel's complaint: an exception in a widget's callback appears nowhere else."""
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    if KERNEL_COMPLAINS.search(text[:4000]):
        problems.append(f"kernel: {text[:6000]}")


def note(kind: str, text: str, problems: list[str]) -> None:
    """Keep a console error or warning, unless it is one of Voila's own."""
    known = any(re.fullmatch(pattern, text) for pattern in VOILA_WARNINGS)
    if kind in ("error", "warning") and not known:
        problems.append(f"{kind}: {text}")


def open_notebook(page, url: str, name: str = FIRST, query: str = ""):
    """Open a notebook's page and wait for its pictures."""
    page.goto(f"{url}voila/render/{name}{'?' if query else ''}{query}")
    page.wait_for_function(PICTURES)
    return page


def wait_for_pictures(page, condition: str = "true") -> None:
    """Wait until all pictures are the newest and a JavaScript ``condition`` holds."""
    page.wait_for_function(f"() => ({PICTURES})() && ({condition})")


def change(page, act: Callable[[], object], condition: str = "true") -> None:
    """Change a control and wait for the pictures that follow.

    More than one frame may come, and one may still be on its way from the change before: ``condition``, in JavaScript,
    tells which one to wait for.
    """
    before = page.evaluate(f"Number({STAGE}.revision)")
    act()
    wait_for_pictures(page, f"Number({STAGE}.revision) > {before} && ({condition})")


def slider(page, name: str):
    """Return a slider's handle."""
    return page.get_by_role("slider", name=name, exact=True)


def press(page, name: str, key: str, condition: str = "true") -> None:
    """Press a key on a slider's handle and wait for the pictures."""
    change(page, lambda: slider(page, name).press(key), condition)


def every_alt(text: str) -> str:
    """Return a JavaScript condition: every alt text contains ``text``."""
    return f"[...document.querySelectorAll('.rnnviz-view img')].every(({{ alt }}) => alt.includes({json.dumps(text)}))"


def no_alt(text: str) -> str:
    """Return a JavaScript condition: no alt text contains ``text``."""
    return f"[...document.querySelectorAll('.rnnviz-view img')].every(({{ alt }}) => !alt.includes({json.dumps(text)}))"


def pictures(page) -> dict[str, tuple[str, str]]:
    """Return view -> (src, alt) of the pictures that are seen."""
    found = page.eval_on_selector_all(
        ".rnnviz-view:not([hidden])",
        "all => all.map(f => [f.dataset.view, f.querySelector('img').src, f.querySelector('img').alt])",
    )
    return {name: (src, alt) for name, src, alt in found}


def alts(page) -> list[str]:
    """Return the pictures' alt texts."""
    return [alt for _, alt in pictures(page).values()]


def unfold(page, wanted: bool = True) -> None:
    """Open or close *More settings*."""
    button = page.get_by_role("button", name="More settings")
    if ("mod-active" in button.get_attribute("class")) != wanted:
        button.press("Enter")
    slider(page, "Seed").wait_for(state="visible" if wanted else "hidden")


def set_up(page, query: str) -> None:
    """Set a page up with a link's query, as a link in the notebook's text does, and wait for the pictures."""
    follow = """query => { const link = document.createElement("a");
        link.href = `?${query}`; document.body.append(link); link.click(); link.remove(); }"""
    change(page, lambda: page.evaluate(follow, query))


def put_back(page) -> None:
    """Bring a page that started without a link back to its start, using its own buttons; only the step stays."""
    page.evaluate("scrollTo(0, 0); window.watched = undefined")
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    page.set_viewport_size(DESK)
    unfold(page, False)
    wait_for_pictures(page)
    for name, part in (("Unpin", "pin="), ("Predict first", "predict=")):
        if part in page.evaluate(SETTINGS):
            page.get_by_role("button", name=name).press("Enter")
            wait_for_pictures(page, f"!{STAGE}.query.includes('{part}')")
    if page.evaluate(SETTINGS):
        change(page, lambda: page.get_by_role("button", name="Reset").click(), f"!{SETTINGS}")


def assert_accessible(page, *impacts: str) -> None:
    """Fail if axe-core finds a violation of one of these impacts; without any, a serious or critical one."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    bad = [each for each in found if each["impact"] in (impacts or ("serious", "critical"))]
    assert not bad, json.dumps([[each["id"], [node["html"] for node in each["nodes"]]] for each in bad], indent=1)
