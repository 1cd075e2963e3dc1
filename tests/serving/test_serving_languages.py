"""The languages of the served pages: who gets which, and the links between them."""

import http.client
import urllib.parse
import urllib.request

import pytest
from conftest import NOTEBOOKS, PATIENCE
from test_gallery import notebook
from test_index import Links
from test_serving import FIRST, NAMES, READY

from rnnviz.serving import gallery, languages


def test_index_is_in_the_language_of_the_link_or_the_browser(server):
    cases = [
        ("", "de-CH,de;q=0.9,en;q=0.8", "de"),
        ("", "fr, en;q=0.3, de;q=0.5", "de"),
        ("", "fr", "en"),
        ("", "de;q=0, en;q=nonsense", "en"),
        ("?lang=en", "de", "en"),
        ("?lang=tlh", "de", "de"),
        ("voila/tree?lang=de", "en", "de"),
    ]
    for path, accepted, expected in cases:
        request = urllib.request.Request(server.url + path, headers={"Accept-Language": accepted})
        with urllib.request.urlopen(request) as answer:
            assert f'<html lang="{expected}">' in answer.read().decode(), (path, accepted)
            assert answer.headers["Vary"] == "Accept-Language"


def test_link_in_another_language_redirects_to_the_translation(server):
    first = NAMES[0]
    cases = {
        f"{first}?pin=gain%3D2&lang=de&pin=&gain=1.50&x=a+b": f"de/{first}?pin=gain%3D2&pin=&gain=1.50&x=a+b",
        f"{first}?lang=de": f"de/{first}",
        f"de/{first}?lang=de&lang=en&seed=3": f"../{first}?seed=3",
    }
    for asked, expected in cases.items():
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=PATIENCE)
        connection.request("GET", f"/voila/render/{asked}")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (302, expected)
        connection.close()


def test_link_in_no_other_language_stays():
    for query in ("", "lang=en", "lang=fr", "lang=", "lang=../../x"):
        assert languages.translation(NOTEBOOKS, NAMES[0], query) is None, query


def test_error_is_in_the_visitors_language(server):
    status, text = server.get("nosuch?lang=de")
    assert status == 404
    assert '<html lang="de">' in text
    assert "Unter dieser Adresse gibt es kein Notebook." in text
    assert "/voila/tree?lang=de" in Links(text).links


@pytest.mark.slow
@pytest.mark.browser
def test_language_link_keeps_what_is_set(voila, page):
    page.goto(f"{voila}{FIRST}?gain=1.5&lang=en&pin=gain%3D2&pin=seed%3D1")
    page.wait_for_selector(READY)
    # The stage's current settings take precedence over the initial ones in the address.
    page.evaluate("delete document.querySelector('.rnnviz-stage').dataset.query")
    link = page.locator(".rnnviz-languages a")
    link.focus()
    assert link.get_attribute("href") == f"de/{NAMES[0]}?gain=1.5&pin=gain%3D2&pin=seed%3D1"
    page.evaluate("document.querySelector('.rnnviz-stage').dataset.query = '?gain=2.5&pin=seed%3D7'")
    link.click()
    page.wait_for_url(f"{voila}voila/render/de/{NAMES[0]}?gain=2.5&pin=seed%3D7")
    page.wait_for_selector(READY)  # Jupyter's server logs an error if a page is left before
    assert page.evaluate("document.documentElement.lang") == "de"
    page.locator(".rnnviz-languages a[hreflang=en]").click()
    page.wait_for_url(f"{voila}{FIRST}?gain=2.5&pin=seed%3D7")
    page.wait_for_selector(READY)


def test_cards_are_translated_where_there_is_a_translation(tmp_path):
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


def test_notebook_with_any_metadata_can_be_served(tmp_path):
    for label in (None, 3, [], {}, {"translations": {"de": "de/gone.ipynb"}}, {"translations": []}):
        notebook(tmp_path / "01_a.ipynb", ("markdown", "# See"), metadata={"rnnviz": label})
        assert languages.translation(tmp_path, "01_a.ipynb", "lang=de") is None, label
        assert gallery.cards(tmp_path) == [gallery.Card("01_a.ipynb", "See")], label


def test_nothing_outside_the_folder_is_read_for_its_language(tmp_path):
    (tmp_path / "inside/de").mkdir(parents=True)
    (tmp_path / "inside/de/x.ipynb").touch()
    label = {"metadata": {"rnnviz": {"translations": {"de": "inside/de/x.ipynb"}}}}
    notebook(tmp_path / "x.ipynb", ("markdown", "# Secret"), **label)
    assert languages.translation(tmp_path, "x.ipynb", "lang=de")
    assert languages.translation(tmp_path / "inside", "../x.ipynb", "lang=de") is None
