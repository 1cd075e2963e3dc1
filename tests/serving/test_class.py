"""`rnnviz demo --class`: who gets in, the page of the teacher, the bets of two browsers, and its end."""

import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import suppress
from dataclasses import dataclass

import psutil
import pytest
from browsing import FIRST, ROOT, assert_accessible
from conftest import INTERRUPT, NEW_GROUP, PATIENCE, start_server, wait_until
from wire import Wire

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "rnnviz"]
BET = ".rnnviz-bet button:not([disabled])"
LIVE = "[data-tile=students]"


class Lesson:
    """A running class of two students: its links, and what it answers without a browser."""

    def __init__(self, server):
        wait_until(lambda: "for you alone" in server.log.read_text(), "the teacher's link is printed last")
        printed = server.log.read_text()
        self.link = server.url
        self.address, self.key = self.link.split("?")
        self.entrance = re.search(r"for you alone: (\S+)", printed)[1]

    def status(self, path):
        """Return the status of an address to a visitor without a cookie."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def open(self, query):
        """Open the first notebook as a new visitor, who leaves at once."""
        address = f"{self.address}voila/render/{FIRST}?{self.key}&{query}"
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            html = answer.read().decode()
        return Opened(html, re.search(r'"kernelId": "([^"]+)"', html)[1])


@dataclass
class Opened:
    """A page's HTML, and the id of its kernel."""

    html: str
    kernel: str


def kernels(process):
    """Return the processes that are a server's kernels by then, by their kernels' ids."""
    found = {}
    for each in family(process):
        with suppress(psutil.Error):  # it has just ended
            if name := re.search(r"kernel-([\w-]+)[.]json", " ".join(each.cmdline())):
                found[name[1]] = each
    return found


def family(process):
    """Return a server's process and all that it has started."""
    parent = psutil.Process(process.pid)
    return [parent, *parent.children(recursive=True)]


def end(process, seconds=PATIENCE):
    """End a server as Ctrl-C does; no process of its own may be left."""
    all_of_it = family(process)
    process.send_signal(INTERRUPT)
    assert process.wait(timeout=seconds) == 0
    _, left = psutil.wait_procs(all_of_it, timeout=seconds)
    assert left == []


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    server = start_server(COMMAND, tmp_path_factory.mktemp("class") / "log", "--class", "2")
    assert len(family(server.process)) > 2, "pages wait"
    yield Lesson(server)
    end(server.process)
    printed = server.log.read_text()
    assert "Traceback" not in printed, printed
    assert "503" not in printed, "a student who has to wait is none of the terminal's business"


def test_nobody_gets_in_without_the_link_nor_a_student_to_the_teachers_page(lesson):
    token = lesson.key
    assert lesson.status("") == lesson.status("class") == lesson.status("bet") == lesson.status("class/place") == 403
    assert lesson.status(f"?{token}") == lesson.status(f"class/place?{token}") == 200
    for path in ("class", "class/live", "class/enter/", "class/enter/guess", "class/reveal"):
        assert lesson.status(f"{path}?{token}") == 404, path


@pytest.mark.browser
def test_a_class_bets_in_two_browsers_and_the_third_waits_for_a_place(lesson, new_page, problems):
    # Pages with the same options would be one browser's, that is, one student's.
    teacher, ana, ben, cem = (new_page(viewport={"width": 1280, "height": 900 + k}) for k in range(4))
    ask(teacher, lesson)
    link = teacher.locator(".rnnviz-address a").get_attribute("href")
    for student in (ana, ben):
        student.goto(link)
        student.wait_for_selector(BET)
        assert not student.get_by_text("Answer", exact=True).filter(visible=True).count(), "it may give the bet away"
    assert cem.goto(link).status == 503
    assert cem.get_by_role("heading").all_inner_texts() == ["The class is full"]
    teacher.get_by_text("2 of 2").wait_for()
    teacher.get_by_text("waiting for a place: 1").wait_for()
    for student, answer in ((ana, "grows"), (ben, "fades"), (ana, "fades")):
        student.locator(".rnnviz-bet").get_by_role("button", name=answer, exact=True).click()
        student.get_by_text("Your bet is placed.").wait_for()
    wait_until(
        lambda: counts(teacher) == {"fades": "2", "survives": "0", "grows": "0", "is not defined": "0"}, "2 bets"
    )
    assert teacher.locator(".is-right").count() == 0
    teacher.get_by_role("button", name="Show the right answer").click()
    assert re.match("fades.*✓", teacher.locator(".is-right .rnnviz-answer").inner_text())
    for student in (ana, ben):
        student.get_by_text("Right. 1 of 1 bets right so far.").wait_for()
    german(teacher)
    ben.goto("about:blank")
    cem.wait_for_selector(BET)
    problems[:] = [each for each in problems if "503" not in each]


def ask(teacher, lesson):
    """Come as the teacher does, and let the class bet."""
    teacher.goto(lesson.entrance)
    assert teacher.url == f"{lesson.address}class", "no secret is projected"
    assert teacher.locator(LIVE).inner_text() == "0 of 2"
    teacher.get_by_text("Let the class bet").click()
    teacher.get_by_label("Gain").fill("99")
    teacher.get_by_role("button", name="Make the link").click()
    assert (
        teacher.get_by_role("alert").filter(visible=True).inner_text() == "gain must be a number from 0 to 20; got 99."
    )
    teacher.get_by_label("Gain").fill("1")
    teacher.get_by_label("Sequence length").fill("20")
    teacher.get_by_role("button", name="Make the link").click()
    teacher.get_by_text("This link leads to the question.").wait_for()
    assert_accessible(teacher)


def counts(teacher):
    """Return answer -> number of bets, as the chart shows them."""
    words = teacher.locator(".rnnviz-chart li").evaluate_all(
        "all => all.map(li => ['answer', 'count'].map(name => li.querySelector(`.rnnviz-${name}`).innerText.trim()))"
    )
    return dict(words)


def german(teacher):
    """Read the page in German, on a phone and on a projector, light and dark."""
    teacher.get_by_role("link", name="Deutsch").click()
    teacher.get_by_role("heading", name="Ihre Klasse").wait_for()
    assert teacher.locator(LIVE).inner_text() == "2 von 2"
    assert re.search(r"\d,\d GB", teacher.locator("[data-tile=memory]").inner_text())
    for scheme, width in (("light", 390), ("dark", 1280)):
        teacher.emulate_media(color_scheme=scheme)
        teacher.set_viewport_size({"width": width, "height": 720})
        assert teacher.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(teacher)
    assert teacher.evaluate("document.querySelector('.rnnviz-chart').getBoundingClientRect().bottom") < 720


def test_a_students_new_page_takes_the_place_of_an_own_one_and_of_nobody_else(lesson):
    ana, ben = (urllib.request.build_opener(urllib.request.HTTPCookieProcessor()) for _ in range(2))
    page = f"{lesson.address}voila/render/{FIRST}?{lesson.key}"
    for _ in range(3):
        with ana.open(page, timeout=PATIENCE) as answer:
            assert '"kernelId"' in answer.read().decode()
    with pytest.raises(urllib.error.HTTPError, match="503") as refused:
        ben.open(page, timeout=PATIENCE)
    refused.value.close()
    ben.open(lesson.entrance).close()
    with ben.open(page, timeout=PATIENCE) as answer:
        assert '"kernelId"' in answer.read().decode(), "the teacher needs no place"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists warm processes by their kernels")
def test_pages_wait_for_the_class_however_late_it_comes(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNVIZ_IDLE", "3")
    server = start_server(COMMAND, tmp_path / "log", "--class", "2")
    lesson, waiting = Lesson(server), kernels(server.process)
    assert len(waiting) == 2
    left = {lesson.open("").kernel, lesson.open("gain=1.5").kernel}
    assert len(left & set(waiting)) == 1, "one has other settings than the pages that wait"
    wait_until(lambda: not left & set(kernels(server.process)), "kernels that no page uses are culled")
    wait_until(lambda: len(kernels(server.process)) == 2, "pages wait for the places that are free again")
    for each in kernels(server.process).values():
        each.kill()
    assert "widget-view" in lesson.open("").html
    end(server.process)


def test_behind_a_proxy_the_students_links_lead_there(tmp_path):
    proxy = Wire("http://127.0.0.1:9/")
    place = ("--base-url", "/rnnviz/", "--public-host", proxy.url.rstrip("/"))
    server = start_server(COMMAND, tmp_path / "log", "--class", "1", *place)
    lesson = Lesson(server)
    proxy.target = "127.0.0.1", urllib.parse.urlsplit(lesson.entrance).port
    teacher = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with teacher.open(lesson.entrance, timeout=PATIENCE) as answer:
        page = answer.read().decode()
    link = re.search(r'rnnviz-address"><a href="([^"]+)"', page)[1]
    assert link == lesson.link
    assert link.startswith(f"{proxy.url}rnnviz/?token=")
    assert lesson.status(f"?{lesson.key}") == lesson.status(f"voila/render/{FIRST}?{lesson.key}") == 200
    end(server.process)
    proxy.close()


def test_ctrl_c_while_the_kernels_start_leaves_no_process(tmp_path):
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*COMMAND, "demo", "--class", "3", "--no-browser"],
            cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, creationflags=NEW_GROUP,
        )  # fmt: skip
    wait_until(lambda: "Pages that wait" in log.read_text() or process.poll() is not None, "the first page is prepared")
    end(process)
    assert log.read_text().endswith("rnnviz has stopped.\n")
