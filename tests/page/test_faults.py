"""Faults in the program: one sentence and a report, while the rest goes on; and the tests hear every fault."""

import sys

import nbformat.v4 as notebook
import pytest
from browsing import STAGE, Pages, put_back, slider, wait_for_pictures
from conftest import start_server

pytestmark = pytest.mark.browser
# A scheme that fails at a gain of 1.01, and a button whose callback fails.
FAULTY = """
import dataclasses
import ipywidgets
from IPython.display import display
from rnnviz import Dashboard, schemes

xavier = schemes.SCHEMES["xavier"]

def faulty(rng, fan_in, fan_out, gain):
    if round(gain, 2) == 1.01:
        raise KeyError("weights")
    return xavier.fn(rng, fan_in, fan_out, gain)

named = {name: "faulty" for name in ("name", "label", "short")}
schemes.SCHEMES.add("faulty", dataclasses.replace(xavier, fn=faulty, **named))
button = ipywidgets.Button(description="Fail")
button.on_click(lambda button: 1 / 0)
display(button, Dashboard(scheme="faulty", hidden_size=12, seq_len=12))
"""


@pytest.fixture(scope="module")
def faulty_page(browser, tmp_path_factory):
    """Serve a notebook with faults; return its page, and the list of what it complains of."""
    folder = tmp_path_factory.mktemp("faulty")
    source = notebook.new_notebook(cells=[notebook.new_code_cell(FAULTY)])
    (folder / "faulty.ipynb").write_text(notebook.writes(source), encoding="utf-8")
    server, pages = start_server([sys.executable, "-m", "rnnviz"], folder / "log", str(folder)), Pages(browser)
    page = pages.open(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{server.url}voila/render/faulty.ipynb")
    wait_for_pictures(page)
    yield page, pages.problems
    pages.close()
    server.stop()


@pytest.fixture
def faulty(faulty_page):
    """Return the page as it started; it must not complain."""
    page, problems = faulty_page
    yield page
    put_back(page)
    assert not problems


def message(page):
    return page.locator(".rnnviz-message")


def fail(page):
    """Move on to settings whose computation fails."""
    slider(page, "Gain").press("ArrowRight")
    message(page).get_by_text("Something went wrong inside rnnviz (KeyError: 'weights').").wait_for()


def go_on(page):
    """Move on to settings that can be computed; the message and its report go."""
    slider(page, "Gain").press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.rnnviz-message').textContent === ''")
    assert page.get_by_role("button", name="Copy report").count() == 0


def test_a_fault_is_a_sentence_with_a_report_and_the_page_goes_on(faulty):
    top = "() => document.querySelector('.rnnviz-views').getBoundingClientRect().top"
    before = faulty.evaluate(top)
    fail(faulty)
    assert abs(faulty.evaluate(top) - before) < 10
    faulty.get_by_role("button", name="Copy report").press("Enter")
    faulty.get_by_text("The report is in the clipboard").wait_for()
    report = faulty.evaluate("navigator.clipboard.readText()")
    assert report.startswith("rnnviz ")
    assert "gain=1.01" in report
    assert report.endswith("KeyError: 'weights'\n")
    go_on(faulty)


def test_a_report_can_be_copied_by_hand_if_the_clipboard_is_closed(faulty):
    faulty.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    fail(faulty)
    faulty.get_by_role("button", name="Copy report").press("Enter")
    faulty.get_by_text("Copy this report").wait_for()
    assert faulty.evaluate("getSelection().toString()").strip().endswith("KeyError: 'weights'")
    go_on(faulty)
    faulty.evaluate("() => { delete navigator.clipboard.writeText; }")  # the prototype's own


def test_the_tests_hear_what_fails_in_a_callback(faulty_page):
    page, problems = faulty_page
    assert problems == []
    for _ in range(2):
        page.get_by_role("button", name="Fail").press("Enter")
    slider(page, "Gain").press("ArrowLeft")  # its answer comes after those of the button
    page.wait_for_function(f"() => {STAGE}.query === 'gain=0.99'")
    assert len(problems) == 2
    assert all("ZeroDivisionError" in problem for problem in problems)
    problems.clear()
    put_back(page)
