"""The parts of a class without a server: bets, the teacher's form, links, QR codes and whether a machine is enough."""

import io
import socket
import sys
import time
from urllib.parse import parse_qsl, urlsplit

import psutil
import pytest
import segno
from conftest import NOTEBOOKS

from rnnviz.dashboard.link import from_query
from rnnviz.dashboard.settings import Settings
from rnnviz.network.config import Config
from rnnviz.serving import addresses, asking, capacity, gallery, invitation
from rnnviz.serving.classroom import RECENT, Classroom

FIRST = gallery.cards(NOTEBOOKS)[0].name


def bet(answer, scheme="xavier", truth="fades"):
    return {"scheme": scheme, "answer": answer, "truth": truth}


@pytest.fixture
def room():
    return Classroom(30, "127.0.0.1", 8866)


def told(room, student, answer, **changes):
    """Report a bet, as a student's kernel does."""
    return room.receive({"student": student, "question": room.question.id, "bet": bet(answer), **changes})


def test_each_student_has_one_bet_for_each_scheme_and_the_last_one_counts(room):
    room.ask(FIRST, "gain=1.5")
    for student, answer in (("ana", "fades"), ("ben", "grows"), ("cem", "grows"), ("ana", "grows"), ("ana", "fades")):
        assert told(room, student, answer) == {}
    told(room, "ana", "survives", bet=bet("survives", "he"))
    bars = {scheme: [(bar.answer, bar.bets, bar.share) for bar in bars] for scheme, bars in room.question.chart.items()}
    assert bars["xavier"] == [("fades", 1, 1 / 3), ("survives", 0, 0), ("grows", 2, 2 / 3), ("undefined", 0, 0)]
    assert bars["he"][1] == ("survives", 1, 1)
    assert room.question.students == 3
    assert not any(bar.is_right for bars in room.question.chart.values() for bar in bars)
    room.reveal()
    assert [bar.answer for bar in room.question.chart["xavier"] if bar.is_right] == ["fades"]
    assert told(room, "dua", "fades") == {"reveal": room.question.id}
    assert room.question.students == 3, "who has seen the answer bets no more"


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"question": "another", "bet": bet("fades")},
        {"bet": bet("nosuch")},
        {"bet": bet("fades", truth="nosuch")},
        {"bet": "fades"},
        {"bet": {"answer": ["fades"]}},
        {"waited": "long"},
    ],
)
def test_a_report_that_cannot_be_counts_for_nothing(room, report):
    room.ask(FIRST, "")
    room.receive({"student": "ana", "question": room.question.id} | report)
    assert room.question.chart == {}
    assert room.slowest is None


def test_the_longest_wait_is_that_of_the_last_minute(room):
    room.answers.append((time.monotonic() - RECENT - 1, 9.0))
    assert room.slowest is None
    for waited in (0.2, 3.5, 0.1):
        room.receive({"waited": waited})
    assert room.slowest == 3.5


def test_a_link_leads_the_class_to_the_settings_that_were_filled_in(room):
    filled = {"notebook": FIRST, "scheme": "uniform01", "gain": " 1.5 ", "cell": "", "hidden_size": "32"}
    notebook, query = asking.Form(NOTEBOOKS, "en", filled).read()
    page = from_query(query, Settings(Config(), ("he",)))
    assert notebook == FIRST
    assert page.settings == Settings(Config(scheme="uniform01", gain=1.5, hidden_size=32))
    assert (page.predict, page.lock, page.notice) == (True, ("all",), "")
    page = from_query(asking.Form(NOTEBOOKS, "en", filled | {"schemes": "1"}).read()[1], Settings())
    assert "scheme" not in page.lock
    assert {"gain", "seed", "beside", "seeds"} <= {*page.lock}
    room.ask(notebook, query)
    parts = urlsplit(room.question.path(room.token))
    assert parts.path == f"voila/render/{FIRST}"
    assert from_query(parts.query, Settings()).question == room.question.id
    assert dict(parse_qsl(parts.query))["token"] == room.token


def test_a_copied_link_is_as_good_as_the_form():
    copied = (
        f"http://a.edu:8866/x/voila/render/de/{FIRST}?activation=relu&theory=1&lock=gain&lang=de&token=t&pin=gain%3D2"
    )
    notebook, query = asking.Form(NOTEBOOKS, "de", {"link": copied, "gain": "9"}).read()
    page = from_query(query, Settings())
    assert notebook == f"de/{FIRST}"
    assert page.settings == Settings(Config(activation="relu"), options={"theory": True})
    assert (page.lock, page.pins, page.lang) == (("all",), (), "")
    assert "token" not in query


@pytest.mark.parametrize(
    ("filled", "sentence"),
    [
        ({"notebook": FIRST, "gain": "99"}, "gain must be a number from 0 to 20; got 99."),
        ({"notebook": FIRST, "scheme": "xavir"}, "scheme must be one of xavier, .*; got 'xavir'."),
        ({"notebook": FIRST, "hidden_size": "many"}, "hidden_size must be a whole number"),
        ({"notebook": "../secret.ipynb"}, "This link leads to no notebook with bets."),
        ({"link": "http://a.edu/"}, "This link leads to no notebook with bets."),
        ({"link": "http://[a.edu/voila/render/x"}, "This link leads to no notebook with bets."),
        ({}, "This link leads to no notebook with bets."),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(filled, sentence):
    with pytest.raises(ValueError, match=sentence):
        asking.Form(NOTEBOOKS, "en", filled).read()


def test_only_notebooks_with_bets_are_offered():
    names = list(asking.Form(NOTEBOOKS, "en").notebooks)
    assert FIRST in names
    assert not any(name.startswith(("04", "08")) for name in names)


def test_a_class_has_secrets_that_nobody_guesses_and_a_link_that_can_be_typed(room):
    others = [Classroom(30, "127.0.0.1", 8866) for _ in range(20)]
    assert len({each.token for each in others} | {each.secret for each in others}) == 40
    assert len(room.token) * 5 >= 50, "bits"
    assert not {*"0O1lI"} & {*room.token}
    assert room.link == f"http://127.0.0.1:8866/?token={room.token}"
    room.ask(FIRST, "")
    assert room.link == f"http://127.0.0.1:8866/bet?token={room.token}"
    assert room.entrance == f"http://127.0.0.1:8866/class/enter/{room.secret}?token={room.token}"


def test_students_get_an_address_of_the_network_and_the_teacher_one_of_this_machine():
    room = Classroom(30, "0.0.0.0", 8866, "/rnnviz/")
    host = urlsplit(room.link).hostname
    with socket.create_server((host, 0)):
        assert not room.is_private or host == "127.0.0.1", "no network here"
    assert room.entrance.startswith("http://127.0.0.1:8866/rnnviz/class/enter/")
    assert addresses.network_address("192.168.1.20") == "192.168.1.20"


def test_behind_a_proxy_students_get_its_address_and_no_warning():
    for bound in ("127.0.0.1", "0.0.0.0"):
        room = Classroom(30, bound, 8866, "/rnnviz/", public="https://dash.example.edu")
        assert room.link == f"https://dash.example.edu/rnnviz/?token={room.token}"
        assert not room.is_private
        assert room.entrance.startswith("http://127.0.0.1:8866/rnnviz/class/enter/"), "the proxy may be away"


def test_a_terminal_shows_the_qr_code_two_rows_a_line():
    link, out = "http://192.168.178.20:8866/?token=k7m29xqd3f", io.StringIO()
    invitation.print_code(link, out)
    pairs = {"█": "00", "▀": "01", "▄": "10", " ": "11"}  # a drawn half is light
    lines = out.getvalue().splitlines()
    rows = [[int(pairs[each][half]) for each in line] for line in lines for half in (0, 1)]
    expected = [[*row] for row in segno.make(link, error="l", micro=False).matrix_iter(border=2)]
    assert rows[: len(expected)] == expected
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    invitation.print_code(link, ascii_only)
    assert ascii_only.buffer.getvalue() == b""


def test_a_machine_that_is_too_small_is_said_so_before_the_class_comes():
    assert capacity.warnings(30, 8e9, 2) == []
    (memory,) = capacity.warnings(30, 1e9, 2, each=90e6)
    fewer = int(memory.rpartition(" ")[2].rstrip("."))
    assert memory.startswith("30 students need about 3.0 GB of memory; this machine has 1.0 GB free")
    assert capacity.needed(fewer, 90e6) <= 1e9 < capacity.needed(fewer + 1, 90e6)
    (cores,) = capacity.warnings(31, 8e9, 2)
    assert cores.startswith("31 students share 2 cores")
    assert len(capacity.warnings(1000, 1e8, 1)) == 2


@pytest.mark.parametrize(
    ("limit", "used", "expected"), [("1000", "400", (1000, 600)), ("max", "400", None), ("100", "400", (100, 0))]
)
def test_a_container_has_the_memory_that_it_may_use(tmp_path, limit, used, expected):
    (tmp_path / "memory.max").write_text(limit + "\n")
    (tmp_path / "memory.current").write_text(used + "\n")
    whole, free = capacity.memory(tmp_path)
    if expected:
        assert (whole, free) == expected
    else:
        assert 1e6 < free < whole == psutil.virtual_memory().total


def test_as_many_kernels_as_fit_into_half_the_memory_of_a_container(tmp_path):
    (tmp_path / "memory.current").write_text("0")
    for megabytes, expected in ((1536, 5), (100, 4)):
        (tmp_path / "memory.max").write_text(str(megabytes * 2**20))
        assert capacity.fitting_kernels(tmp_path) == expected, megabytes


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not count open files")
def test_the_server_may_open_the_files_of_all_pages_as_far_as_the_system_allows():
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))  # as on macOS
    try:
        assert capacity.pages_with_files(3) == 3
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 256, "enough"
        assert capacity.pages_with_files(30) == 30
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 1000
        fewer = capacity.pages_with_files(10**6)
        assert 30 < fewer < 10**6
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert capacity.warnings(30, 8e9, 2, most=30) == []
    (files,) = capacity.warnings(30, 8e9, 2, most=5)
    assert files == "the system lets this program open files for 5 students only: ulimit -n 1000 allows more."
