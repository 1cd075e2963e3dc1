"""Promises of SECURITY.md: no file but those of a page, and no link that does more than set a page up."""

import re
import socket
import urllib.parse
from itertools import product

import pytest
from browsing import FIRST
from conftest import PATIENCE
from knocking import Student, ask

SOURCES = ("Dashboard(", "[project]", "msgid", "traitlet_configuration", "root:x:", "nbformat")
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
