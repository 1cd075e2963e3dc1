"""Promises of SECURITY.md: whom the server answers, and to how many at a time."""

import json
import re
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pytest
from browsing import ROOT
from knocking import CONFIG, LINK, PAGE, PICTURE, TOKEN, Student, ask, channels, connected, served_with_token

from rnnviz.serving.access import OWN_HEADER


def test_every_promise_names_its_tests():
    """SECURITY.md names every test of these files but this one, and no other."""
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_security*.py")]
    tests = {name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert {*named, "test_every_promise_names_its_tests"} == tests


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """Serve with a token, behind a public name, to at most two pages at a time."""
    log = tmp_path_factory.mktemp("guarded") / "log"
    with served_with_token(log, public_hosts=["dashboards.example.edu"], max_kernels=2) as running:
        yield running


def test_without_the_token_there_is_no_page_and_no_kernel(guarded):
    for path in ("", "voila/tree", PAGE, PICTURE, "nosuch", "api/kernels/1-2-3-4-5", "voila/api/contents/x"):
        for query in ("", "?token=", "?token=wrong", f"?token={TOKEN[:-1]}".replace(" ", "+"), "?token=None"):
            assert ask(guarded, path + query).status == 403, path + query
    for method, path in (("POST", "voila/api/shutdown/1-2-3-4-5"), ("DELETE", "api/kernels/1-2-3-4-5"), ("POST", PAGE)):
        assert ask(guarded, path, method).status in (403, 405), path
    for name, value in (
        ("Authorization", "token wrong"),
        ("Cookie", "token=x; username-127-0-0-1=x"),
        (OWN_HEADER, "guessed"),
    ):
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
