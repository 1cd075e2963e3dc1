"""Requests as an attacker sends them: over raw sockets, nothing normalised, and with cookies of their choice."""

import http.client
import json
import re
import sys
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browsing import FIRST, NOTEBOOKS
from conftest import PATIENCE, Server, start_server

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
CONFIG = re.compile('<script id="jupyter-config-data" type="application/json">(.*?)</script>', re.S)


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


def connected(server: Server, path: str, **headers: str) -> bool:
    """Tell whether a websocket opens."""
    own = {"Origin": server.url.rstrip("/"), "Upgrade": "websocket", "Connection": "Upgrade"}
    asking = {"Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    status = ask(server, path, **{**own, **asking, **headers}).status
    assert status in (101, 403, 404)
    return status == 101


def channels(kernel: str) -> str:
    return f"api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"
