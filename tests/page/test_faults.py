"""Faults of the program itself: one sentence with a report, while all else goes on; and none that tests do not hear."""

import sys

import nbformat.v4 as notebook
import pytest
from conftest import listen, start_server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# A network that cannot be computed at a gain of 1.01, and a button whose callback fails.
FAULTY = """
import ipywidgets
from IPython.display import display
from rnnviz import Dashboard
from rnnviz.dashboard import task

real = task.compare

def compare(config, *arguments, **named):
    if round(config.gain, 2) == 1.01:
        raise KeyError("weights")
    return real(config, *arguments, **named)

task.compare = compare
button = ipywidgets.Button(description="Fail")
button.on_click(lambda button: 1 / 0)
display(button, Dashboard(hidden_size=12, seq_len=12))
"""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Serve a notebook with faults; return its page's address."""
    folder = tmp_path_factory.mktemp("faulty")
    notebook_ = notebook.new_notebook(cells=[notebook.new_code_cell(FAULTY)])
    (folder / "faulty.ipynb").write_text(notebook.writes(notebook_), encoding="utf-8")
    server = start_server([sys.executable, "-m", "rnnviz"], folder / "log", str(folder))
    yield f"{server.url}voila/render/faulty.ipynb"
    server.stop()


def opened(page, url):
    page.goto(url)
    page.wait_for_function("() => document.querySelector('.rnnviz-stage')?.dataset.whole === 'true'", timeout=60_000)
    return page


def press_gain(page, key):
    page.get_by_role("slider", name="Gain", exact=True).press(key)


def alert(page):
    return page.locator(".rnnviz-message")


def test_a_fault_is_a_sentence_with_a_report_and_the_page_goes_on(new_page, faulty):
    page = opened(new_page(permissions=["clipboard-read", "clipboard-write"]), faulty)
    top = "() => document.querySelector('.rnnviz-views').getBoundingClientRect().top"
    before = page.evaluate(top)
    press_gain(page, "ArrowRight")
    alert(page).get_by_text("Something went wrong inside rnnviz (KeyError: 'weights').").wait_for()
    assert abs(page.evaluate(top) - before) < 10
    page.get_by_role("button", name="Copy report").press("Enter")
    page.get_by_text("The report is in the clipboard").wait_for()
    report = page.evaluate("navigator.clipboard.readText()")
    assert report.startswith("rnnviz ")
    assert "gain=1.01" in report
    assert report.endswith("KeyError: 'weights'\n")
    press_gain(page, "ArrowRight")
    page.wait_for_function("() => document.querySelector('.rnnviz-message').textContent === ''")
    assert page.get_by_role("button", name="Copy report").count() == 0


def test_a_report_can_be_copied_by_hand_where_the_clipboard_is_closed(new_page, faulty):
    page = opened(new_page(), faulty)
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    press_gain(page, "ArrowRight")
    page.get_by_role("button", name="Copy report").press("Enter")
    page.get_by_text("Copy this report").wait_for()
    assert page.evaluate("getSelection().toString()").strip().endswith("KeyError: 'weights'")


def test_what_fails_in_a_callback_is_overheard(browser, faulty):
    context, problems = browser.new_context(), []
    page = context.new_page()
    listen(page, problems)
    opened(page, faulty)
    assert problems == []
    page.get_by_role("button", name="Fail").press("Enter")
    page.wait_for_function("() => new Promise((resolve) => setTimeout(() => resolve(true), 0))")
    page.get_by_role("button", name="Fail").press("Enter")
    press_gain(page, "ArrowLeft")
    page.wait_for_function("() => document.querySelector('.rnnviz-stage').dataset.query === 'gain=0.99'")
    assert len(problems) == 2
    assert all("ZeroDivisionError" in problem for problem in problems)
    page.goto("about:blank")
    context.close()
