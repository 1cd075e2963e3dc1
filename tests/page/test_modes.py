"""Where no thread can be started, as in a browser, the page computes in slices of the event loop and shows the same."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from browsing import change, open_notebook, slider, wait_for_pictures
from conftest import start_server
from visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # tests/dashboard has both modes, without a browser
STAGE = "document.querySelector('.rnnviz-stage')"


@pytest.fixture(scope="module")
def sliced(tmp_path_factory):
    """Run a demo whose kernels compute in slices of their event loop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNVIZ_WORKER", "slices")
        command = shutil.which("rnnviz", path=str(Path(sys.executable).parent))
        running = start_server([command], tmp_path_factory.mktemp("slices") / "log")
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


@pytest.fixture(scope="module")
def page(sliced, shared):
    return open_notebook(shared.open(), sliced.url)


def test_a_visitor_sees_the_pictures_of_the_settings(page, quiet):
    visitor = Visitor(page, seed=3)
    for _ in range(5):
        visitor.change_and_settle()
    assert not visitor.findings
    assert visitor.counted["stale"] == visitor.counted["jumps"] == visitor.counted["blank"] == 0


def test_a_drag_is_answered_while_more_is_computed(page, quiet):
    change(page, lambda: page.get_by_role("button", name="Fades").click())
    before = page.evaluate(f"Number({STAGE}.dataset.revision)")
    for _ in range(12):
        slider(page, "Hidden size").press("ArrowRight")
    wait_for_pictures(page, f"{STAGE}.dataset.query.includes('hidden_size=76') && {STAGE}.dataset.drawn === '8 x 32'")
    assert page.evaluate(f"Number({STAGE}.dataset.revision)") > before + 1


def test_long_work_can_be_stopped_in_the_middle(page, quiet):
    change(page, lambda: page.get_by_role("button", name="Fades").click())
    for _ in range(2):
        slider(page, "Hidden size").press("End")
    stop = page.get_by_role("button", name="Stop computing")
    stop.wait_for(state="visible")
    stop.click()
    stop.wait_for(state="hidden")
    assert "Stopped" in page.get_by_role("alert").inner_text()
