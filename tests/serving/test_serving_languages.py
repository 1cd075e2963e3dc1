"""The languages of the served pages: who is answered in which, and what leads from one to the other."""

import http.client
import urllib.parse
import urllib.request

import pytest
from test_serving import FIRST, NAMES, READY, Links, notebook

from rnnviz.serving import gallery, languages


@pytest.mark.parametrize(
    ("path", "accepted", "spoken"),
    [
        ("", "de-CH,de;q=0.9,en;q=0.8", "de"),
        ("", "fr, en;q=0.3, de;q=0.5", "de"),
        ("", "fr", "en"),
        ("", "de;q=0, en;q=nonsense", "en"),
        ("?lang=en", "de", "en"),
        ("?lang=tlh", "de", "de"),
        ("voila/tree?lang=de", "en", "de"),
    ],
)
def test_index_speaks_the_language_asked_for_or_the_browsers(server, path, accepted, spoken):
    request = urllib.request.Request(server.url + path, headers={"Accept-Language": accepted})
    with urllib.request.urlopen(request) as answer:
        assert f'<html lang="{spoken}">' in answer.read().decode()
        assert answer.headers["Vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        (f"{NAMES[0]}?pin=gain%3D2&lang=de&pin=&gain=1.50&x=a+b", f"de/{NAMES[0]}?pin=gain%3D2&pin=&gain=1.50&x=a+b"),
        (f"{NAMES[0]}?lang=de", f"de/{NAMES[0]}"),
        (f"de/{NAMES[0]}?lang=de&lang=en&seed=3", f"../{NAMES[0]}?seed=3"),
    ],
)
def test_link_in_another_language_leads_to_the_notebook_in_it(server, asked, there):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)
    connection.request("GET", f"/voila/render/{asked}")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"]) == (302, there)
    connection.close()


def test_error_speaks_the_visitors_language(server):
    status, text = server.get("nosuch?lang=de")
    assert status == 404
    assert '<html lang="de">' in text
    assert "Unter dieser Adresse gibt es kein Notebook." in text
    assert "/voila/tree?lang=de" in Links(text).links


@pytest.mark.browser
def test_language_link_keeps_what_is_set(voila, page):
    page.goto(f"{voila}{FIRST}?gain=1.5&lang=en&pin=gain%3D2&pin=seed%3D1")
    page.wait_for_selector(READY)
    # What the stage says of the settings of now goes before what the address says of those at the start.
    page.evaluate("delete document.querySelector('.rnnviz-stage').dataset.query")
    link = page.locator(".rnnviz-languages a")
    link.focus()
    assert link.get_attribute("href") == f"de/{NAMES[0]}?gain=1.5&pin=gain%3D2&pin=seed%3D1"
    page.evaluate("document.querySelector('.rnnviz-stage').dataset.query = '?gain=2.5&pin=seed%3D7'")
    link.click()
    page.wait_for_url(f"{voila}voila/render/de/{NAMES[0]}?gain=2.5&pin=seed%3D7")
    page.wait_for_selector(READY)  # Jupyter's server trips over a page that is left before
    assert page.evaluate("document.documentElement.lang") == "de"
    page.locator(".rnnviz-languages a[hreflang=en]").click()
    page.wait_for_url(f"{voila}{FIRST}?gain=2.5&pin=seed%3D7")
    page.wait_for_selector(READY)


def test_cards_are_translated_where_a_translation_lies(tmp_path):
    label = {"metadata": {"rnnviz": {"language": "de"}}}
    notebook(tmp_path / "01_a.ipynb", ("markdown", "# See"))
    notebook(tmp_path / "02_b.ipynb", ("markdown", "# Move"))
    (tmp_path / "de").mkdir()
    notebook(tmp_path / "de/01_a.ipynb", ("markdown", "# Sehen"), **label)
    notebook(tmp_path / "de/03_c.ipynb", ("markdown", "# Lesen"), **label)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/01_a.png").touch()
    assert gallery.cards(tmp_path, "de") == [
        gallery.Card("de/01_a.ipynb", "Sehen", picture="pictures/01_a.png", language="de"),
        gallery.Card("02_b.ipynb", "Move"),
        gallery.Card("de/03_c.ipynb", "Lesen", language="de"),
    ]
    assert [card.title for card in gallery.cards(tmp_path)] == ["See", "Move"]


@pytest.mark.parametrize("label", [None, 3, [], {}, {"translations": {"de": "de/gone.ipynb"}}, {"translations": []}])
def test_notebook_with_any_label_can_be_served(tmp_path, label):
    notebook(tmp_path / "01_a.ipynb", ("markdown", "# See"), metadata={"rnnviz": label})
    assert languages.elsewhere(tmp_path, "01_a.ipynb", "lang=de") is None
    assert gallery.cards(tmp_path) == [gallery.Card("01_a.ipynb", "See")]


def test_nothing_outside_the_folder_is_read_for_its_language(tmp_path):
    (tmp_path / "inside/de").mkdir(parents=True)
    (tmp_path / "inside/de/x.ipynb").touch()
    label = {"metadata": {"rnnviz": {"translations": {"de": "inside/de/x.ipynb"}}}}
    notebook(tmp_path / "x.ipynb", ("markdown", "# Secret"), **label)
    assert languages.elsewhere(tmp_path, "x.ipynb", "lang=de")
    assert languages.elsewhere(tmp_path / "inside", "../x.ipynb", "lang=de") is None
