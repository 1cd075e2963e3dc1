"""Every promise of SECURITY.md, tried from outside: over raw sockets, without a browser."""

import asyncio
import http.client
import json
import re
import socket
import sys
import urllib.parse
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from browsing import FIRST, NOTEBOOKS, ROOT
from conftest import PATIENCE, Server, start_server
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

PAGE = f"voila/render/{FIRST}"
PICTURE = "voila/files/pictures/" + next((NOTEBOOKS / "pictures").glob("*.png")).name
TOKEN = "a secret of the class"
LINK = "token=a+secret+of+the+class"
WITH_TOKEN = """
import json, sys
from pathlib import Path
from rnnviz.__main__ import serving_app
app = serving_app()
show = lambda address: print("rnnviz runs at", address, flush=True)
app.serve(Path("notebooks").resolve(), app.bind(0), show, **json.loads(sys.argv[1]))
"""
SOURCES = ("Dashboard(", "[project]", "msgid", "traitlet_configuration", "root:x:", "nbformat")


CONFIG = re.compile('<script id="jupyter-config-data" type="application/json">(.*?)</script>', re.S)


def test_every_promise_names_its_tests():
    """SECURITY.md names every test of this file but this one, and no other."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert {*named, "test_every_promise_names_its_tests"} == {name for name in globals() if name.startswith("test_")}


class Answer:
    """A status, the headers and the text."""

    def __init__(self, answer):
        self.status, self.headers, self.text = answer.status, answer.headers, answer.read().decode(errors="replace")


def ask(server: Server, path: str = "", method: str = "GET", body: str = "", **headers: str) -> Answer:
    """Send exactly this request, with nothing normalised; ``Sec_Fetch_Site`` is the header Sec-Fetch-Site."""
    address = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    connection.putrequest(method, address.path + path, skip_host=True)
    for name, value in {"Host": address.netloc, "Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body.encode())
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


class Student:
    """Someone with a browser's cookies and, once a page is open, a kernel."""

    def __init__(self, server: Server, query: str = ""):
        self.server, self.query, self.cookies = server, query, {}

    def open(self, path: str = PAGE, **headers: str) -> Answer:
        answer = ask(self.server, f"{path}?{self.query}", Cookie=self.cookie, **headers)
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if config := CONFIG.search(answer.text):
            self.config = json.loads(config[1])
            self.kernel, self.own_path = self.config["kernelId"], self.config["baseUrl"].lstrip("/")
        return answer

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def leave(self) -> int:
        return ask(self.server, f"{self.own_path}voila/api/shutdown/{self.kernel}", "POST").status

    def process(self):
        (found,) = (each for each in self.server.kernels() if f"{self.kernel}.json" in " ".join(each.cmdline()))
        return found


@contextmanager
def served_with_token(log: Path, **options: object) -> Iterator[Server]:
    """Serve with a token and other options; the server must end cleanly and print no traceback."""
    command = [sys.executable, "-c", WITH_TOKEN, json.dumps({"token": TOKEN, **options})]
    running = start_server(command, log)
    address, _, query = running.url.partition("?")
    assert query == LINK, "the printed link holds the token"
    yield Server(address, running.process, running.log)
    assert running.stop() == 0
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Serve with a token, behind a public name, to at most two pages at a time."""
    log = tmp_path_factory.mktemp("guarded") / "log"
    with served_with_token(log, public_hosts=["dashboards.example.edu"], max_kernels=2) as running:
        yield running


@pytest.fixture(scope="module")
def students(server):
    """Return two students whose pages are open, each with a kernel."""
    both = [Student(server), Student(server)]
    assert [student.open().status for student in both] == [200, 200]
    yield both
    assert [student.leave() for student in both] == [204, 204]


def connected(server: Server, path: str, **headers: str) -> bool:
    """Tell whether a websocket opens."""
    own = {"Origin": server.url.rstrip("/"), "Upgrade": "websocket", "Connection": "Upgrade"}
    asking = {"Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    status = ask(server, path, **{**own, **asking, **headers}).status
    assert status in (101, 403, 404)
    return status == 101


def channels(kernel: str) -> str:
    return f"api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"


CLIMBS = ("../", "..%2F", "%2e%2e/", "%2E%2E%2f", "..%5C", "....//", "..;/")
FILES = ("conf.json", "pyproject.toml", f"notebooks/{FIRST}", "rnnviz/__init__.py", "etc/passwd")
ROUTES = (
    "", "page/", "api/kernels/", "voila/templates/", "voila/templates/rnnviz/", "voila/templates/rnnviz/static/",
    "voila/static/", "voila/labextensions/", "voila/files/", "voila/files/pictures/", "voila/render/",
    "voila/api/themes/", "voila/api/contents/", "voila/api/shutdown/",
)  # fmt: skip
ODD = (
    ".", "%00", "%00.png", "%ff", "static", "static/", "static/.", "nosuch/static/a.css", "%2Fetc%2Fpasswd", "~root",
    ".git/config", ".hidden/a.png", "de/notebooks.po", "app.py", "x" * 5000, "%0d%0aSet-Cookie:%20a=b",
)  # fmt: skip


def test_no_source_notebook_or_file_is_served(server):
    climbs = [climb * steps + file for climb, steps, file in product(CLIMBS, (1, 2, 3, 8), FILES)]
    asked = [route + rest for route, rest in product(ROUTES, [*climbs[::13], *ODD])]
    own = [
        route + path for route in ROUTES if route != "voila/render/" for path in (FIRST, f"de/{FIRST}", "rnnviz.css")
    ]
    for path in ["lab", "tree", "edit/a.py", "nbconvert/html/a", "api", "api/contents", "api/kernels", *asked, *own]:
        answer = ask(server, path)
        if not path.endswith("static/rnnviz.css"):
            assert answer.status in (301, 400, 403, 404, 405), (answer.status, path)
        assert not any(secret in answer.text for secret in SOURCES), path
        assert not answer.headers.get("Set-Cookie", "").startswith("a="), path


def test_a_path_that_leaves_a_folder_is_not_found(server):
    assert ask(server, "voila/templates/rnnviz/static/rnnviz.css").status == 200
    for climb in CLIMBS[:4]:
        assert ask(server, f"voila/templates/rnnviz/static/{climb}conf.json").status == 404, climb
        assert ask(server, f"voila/templates/rnnviz/static/{climb * 2}rnnviz/conf.json").status == 404, climb


def test_without_the_token_there_is_no_page_and_no_kernel(guarded):
    for path in ("", "voila/tree", PAGE, PICTURE, "nosuch", "api/kernels/1-2-3-4-5", "voila/api/contents/x"):
        for query in ("", "?token=", "?token=wrong", f"?token={TOKEN[:-1]}".replace(" ", "+"), "?token=None"):
            assert ask(guarded, path + query).status == 403, path + query
    for method, path in (("POST", "voila/api/shutdown/1-2-3-4-5"), ("DELETE", "api/kernels/1-2-3-4-5"), ("POST", PAGE)):
        assert ask(guarded, path, method).status in (403, 405), path
    for name, value in (("Authorization", "token wrong"), ("Cookie", "token=x; username-127-0-0-1=x")):
        assert ask(guarded, PAGE, **{name: value}).status == 403, name
    assert not connected(guarded, channels("1-2-3-4-5"))
    assert not guarded.kernels()


def test_without_the_token_a_sentence_says_what_is_missing(guarded):
    for language, sentence in (("en", "whole link that you were given"), ("de", "vollständigen Link")):
        answer = ask(guarded, PAGE, Accept_Language=language)
        assert sentence in answer.text
        assert f'<html lang="{language}">' in answer.text
    assert ask(guarded, "voila/templates/rnnviz/static/rnnviz.css").status == 200, "the sentence has its style"


def test_with_the_token_or_its_cookie_the_pages_are_served(guarded):
    answer = ask(guarded, f"?{LINK}")
    assert answer.status == 200
    assert f'href="/{PAGE}?{LINK}"' in answer.text, "links carry the token on: a frame has no cookie"
    assert f"?{LINK}" in re.search(r'<img src="([^"]+)"', answer.text)[1]
    assert answer.headers["Referrer-Policy"] == "same-origin", "no other site reads the token"
    student = Student(guarded, LINK)
    assert student.open("").status == 200
    student.query = ""
    assert student.open("").status == 200
    assert student.open(PICTURE).status == 200
    assert "token=" not in student.open("").text


def test_a_foreign_host_gets_nothing(server, guarded):
    port = urllib.parse.urlsplit(server.url).port
    foreign = (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "",
    )
    paths = ("", PAGE, PICTURE, "voila/templates/rnnviz/static/rnnviz.css", "voila/static/voila.js", "nosuch")
    for host, path in product((*foreign, "127.0.0.1, evil.example", "evil.example:80:127.0.0.1"), paths):
        answer = ask(server, path, Host=host)
        assert answer.status in (400, 403), (host, path)
        assert ".ipynb" not in answer.text, (host, path)
    assert not connected(server, channels("1-2-3-4-5"), Host="evil.example", Origin="http://evil.example")
    assert ask(server, Host="evil.example", X_Forwarded_Host="127.0.0.1", X_Forwarded_For="127.0.0.1").status == 403
    assert "--public-host" in ask(server, Host="evil.example").text
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "LocalHost"):
        assert ask(server, Host=host).status == 200, host
    assert ask(guarded, f"?{LINK}", Host="dashboards.example.edu").status == 200
    assert ask(guarded, f"?{LINK}", Host="other.example.edu").status == 403


def test_a_foreign_origin_gets_nothing(server, students):
    own, address, other_port = {"Cookie": students[0].cookie}, server.url.rstrip("/"), "http://127.0.0.1:1"
    disguised = (f"{address}@evil.example", f"{address} http://evil.example", f"{address}.evil.example", "http://[::1")
    for origin, path in product(("http://evil.example", other_port, "null", "", *disguised), ("", PAGE, PICTURE)):
        answer = ask(server, path, Origin=origin, **own)
        assert answer.status == 403, (origin, path)
        assert "Access-Control-Allow-Origin" not in answer.headers
    for origin in ("http://evil.example", other_port, "null"):
        for path in (channels(students[0].kernel), students[0].own_path + channels(students[0].kernel)):
            assert not connected(server, path, Origin=origin, **own), origin
        shutdown = f"{students[0].own_path}voila/api/shutdown/{students[0].kernel}"
        assert ask(server, shutdown, "POST", Origin=origin, **own).status == 403, origin
    for mode, target in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("websocket", "websocket")):
        headers = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": target}
        assert ask(server, PAGE, **headers).status == 403, mode
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert ask(server, **followed).status == 200, "a link from another site leads here"
    assert len(server.kernels()) >= 2, "both pages still have theirs"


def test_another_students_kernel_is_out_of_reach(server, students):
    mine, other = students
    assert connected(server, channels(mine.kernel), Cookie=mine.cookie)
    assert connected(server, mine.own_path + channels(mine.kernel)), "a frame has no cookie"
    forged = mine.own_path.replace(mine.kernel, other.kernel)
    for path, cookie in product(("", mine.own_path, forged, other.own_path[:-2] + "0/"), ("", mine.cookie)):
        assert not reached(server, path, other.kernel, cookie), (path, cookie)
    assert ask(server, f"{other.own_path}api/kernels/{other.kernel}").status == 200
    assert other.process().is_running()


def reached(server: Server, path: str, kernel: str, cookie: str) -> bool:
    """Tell whether anything of a kernel answers below a path."""
    xsrf = re.search(r"_xsrf=([^;]+)", cookie)
    headers = {"Cookie": cookie, "X_XSRFToken": xsrf[1] if xsrf else ""}
    statuses = {
        ask(server, f"{path}api/kernels/{kernel}", **headers).status,
        ask(server, f"{path}api/kernels/{kernel}", "DELETE", **headers).status,
        ask(server, f"{path}voila/api/shutdown/{kernel}", "POST", **headers).status,
        *(
            ask(server, f"{path}api/kernels/{kernel}/{verb}", "POST", **headers).status
            for verb in ("restart", "interrupt")
        ),
    }
    return not statuses <= {403, 404} or connected(server, path + channels(kernel), Cookie=cookie)


@pytest.mark.usefixtures("no_loop")
@pytest.mark.parametrize("protocol", [None, "v1.kernel.websocket.jupyter.org"])
def test_only_widget_messages_reach_a_kernel(server, students, tmp_path, protocol):
    mine, file = students[0], tmp_path / "executed"
    code = {"code": f"open({str(file)!r}, 'w')", "silent": False, "user_expressions": {}, "allow_stdin": False}
    code |= {"cursor_pos": 1, "detail_level": 0, "text": "x", "value": "x", "restart": True}
    forbidden = ("execute_request", "inspect_request", "complete_request", "history_request", "is_complete_request")
    forbidden = (*forbidden, "debug_request", "interrupt_request", "input_reply", "create_subshell_request", "")
    messages = [message(kind, channel, code) for kind in forbidden for channel in ("shell", "control", "stdin")]
    messages.append(
        message("comm_msg", "shell", {"comm_id": "nosuch", "data": {"method": "execute", "code": code["code"]}})
    )
    replies = asyncio.run(talk(server, mine, protocol, [*messages, message("kernel_info_request", "shell", {})]))
    assert replies[-1] == "kernel_info_reply"
    assert not {"execute_reply", "execute_input", "inspect_reply", "complete_reply", "history_reply"} & set(replies)
    assert not file.exists()


def message(kind: str, channel: str, content: dict) -> dict:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": kind,
        "session": "s",
        "username": "u",
        "version": "5.3",
        "date": "",
    }
    return {
        "channel": channel,
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }


def packed(each: dict) -> bytes:
    """Return a message as the protocol v1 writes it: the offsets of its parts, and these."""
    parts = [each["channel"].encode()]
    parts += [json.dumps(each[name]).encode() for name in ("header", "parent_header", "metadata", "content")]
    first = 8 * (len(parts) + 2)
    offsets = [first + sum(map(len, parts[:k])) for k in range(len(parts) + 1)]
    return b"".join([number.to_bytes(8, "little") for number in (len(offsets), *offsets)] + parts)


async def talk(server: Server, student: Student, protocol: str | None, messages: list[dict]) -> list[str]:
    """Send messages to a student's kernel; return the types of all that come back until it says what it is."""
    address = server.url.replace("http", "ws", 1) + student.own_path + channels(student.kernel)
    connection = await websocket_connect(HTTPRequest(address), subprotocols=[protocol] if protocol else None)
    for each in messages:
        await connection.write_message(packed(each) if protocol else json.dumps(each), binary=bool(protocol))
    kinds: list[str] = []
    while "kernel_info_reply" not in kinds[-1:]:
        answer = await asyncio.wait_for(connection.read_message(), 30)
        assert answer is not None, "the server closed the connection"
        text = answer if isinstance(answer, str) else answer.decode(errors="replace")
        kinds += re.findall(r'"msg_type": *"([a-z_]+)"', text)[:1]
    connection.close()
    while await connection.read_message() is not None:
        pass
    return kinds


SCRIPT = "%22%3E%3C/script%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=alert(1)%3E"
HOSTILE = (
    f"lang={SCRIPT}", f"lang=de&lang={SCRIPT}", f"theme={SCRIPT}&template={SCRIPT}", "template=..%2F..%2F&theme=..%2F",
    f"{SCRIPT}", f"token={SCRIPT}", "lang=%00", "lang=%0d%0aSet-Cookie:%20a=b", "&".join(["a=b"] * 900), "%ff%fe=%80",
    "classic-tree=true", "x=" + "y" * 30_000, "__proto__[a]=1&constructor=1", "lang[]=de&lang=__class__",
)  # fmt: skip


def test_hostile_query_strings_are_inert(server):
    for query in HOSTILE:
        answer = ask(server, f"?{query}")
        assert answer.status == 200, query
        assert "alert(1)" not in answer.text, query
        assert not answer.headers.get("Set-Cookie", "").startswith("a="), query
        assert ask(server, f"voila/render/nosuch.ipynb?{query}").status == 404, query


@pytest.mark.slow
def test_hostile_settings_in_a_link_are_inert(server):
    names = "gain hidden_size scheme cell pin step lock hide present predict view nosuch".split()
    query = "&".join(f"{name}={SCRIPT}" for name in names)
    query += "&seed=1e999&seq_len=-1&batch_size=__import__('os').abort()&%00=%00"
    student = Student(server, query)
    answer = student.open()
    assert answer.status == 200
    assert student.leave() == 204
    outside = re.sub(r'<script[^>]*\+json">.*?</script>', "", answer.text, flags=re.S)
    assert "alert(1)" not in outside
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.slow
def test_a_flood_of_page_requests_meets_the_cap(guarded):
    with ThreadPoolExecutor(8) as visitors:
        answers = list(visitors.map(lambda _: ask(guarded, f"{PAGE}?{LINK}"), range(8)))
    served = [answer for answer in answers if answer.status == 200]
    full = [answer for answer in answers if answer.status == 503]
    assert (len(served), len(full)) == (2, 6)
    assert len(guarded.kernels()) == 2
    for answer in full:
        assert "Reload this page" in answer.text
    assert ask(guarded, f"?{LINK}").status == 200, "the index needs no kernel"
    assert ask(guarded, f"{PAGE}?{LINK}", Accept_Language="de").status == 503
    configs = [json.loads(CONFIG.search(answer.text)[1]) for answer in served]
    for path in [f"{config['baseUrl'][1:]}voila/api/shutdown/{config['kernelId']}" for config in configs]:
        assert ask(guarded, path, "POST").status == 204
    again = Student(guarded, LINK)
    assert again.open().status == 200, "a place that was left is free"
    assert again.leave() == 204


def test_a_large_request_is_refused_before_it_fills_the_memory(server):
    address = urllib.parse.urlsplit(server.url)
    body, header = b"POST /voila/api/shutdown/1-2-3-4-5 HTTP/1.1\r\nContent-Length: 99999999", b"GET / HTTP/1.1\r\nA: "
    for head in (body, header + b"a" * 2**20):
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
            try:
                connection.sendall(head + b"\r\nHost: localhost\r\n\r\n")
                answer = connection.recv(4096)
            except ConnectionError:
                continue
            assert not answer or answer.split()[1] in (b"400", b"413", b"431"), answer
